"""Deterministic identity resolution at 1M and 10M rows: time, memory and quality beside the figures to reach.

    python tests/benchmarks/identity_scale.py [ROWS ...] [--threads N]

Each size runs in a process of its own, so that memory is its own; the Parquet file is made first and not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARS = {1_000_000: (4.0, 4.0), 10_000_000: (30.0, 4.0)}
"""Rows → seconds and gigabytes allowed."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", type=int, nargs="*", default=[1_000_000, 10_000_000])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--child", type=Path)
    given = parser.parse_args()
    if given.child is not None:
        return child(given.child)
    for rows in given.rows:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "people.parquet"
            subprocess.run([sys.executable, "-c", _MAKE, str(path), str(rows)], check=True, cwd=Path(__file__).parent)
            environment = os.environ | {"POLARS_MAX_THREADS": str(given.threads)}
            done = subprocess.run(
                [sys.executable, __file__, "--child", str(path)], check=True, capture_output=True, env=environment
            )
        found = json.loads(done.stdout)
        seconds, gigabytes = BARS.get(rows, (float("inf"), float("inf")))
        good = found["seconds"] <= seconds and found["gigabytes"] < gigabytes and found["precision"] >= 0.99
        bars = f"bars: {seconds} s, {gigabytes} GB, precision 0.99"
        say(f"{rows:>10,} rows: {'ok  ' if good else 'OVER'} {json.dumps(found)}  {bars}")
    return None


_MAKE = """
import sys
from pathlib import Path
import identity_data
identity_data.write(Path(sys.argv[1]), int(sys.argv[2]))
"""


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def child(path: Path) -> None:
    import polars as pl  # noqa: F401 - imports are not counted

    from segctl.identity import resolve  # noqa: F401 - likewise

    started, cpu = time.perf_counter(), time.process_time()
    labels = clusters(path)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    figures = {"seconds": round(seconds, 2), "cpu": round(cpu, 2), "gigabytes": round(peak, 2)}
    say(json.dumps({**figures, **quality(path, labels)}))


def clusters(path: Path):
    """From the Parquet file to the cluster of each row, with the default rules."""
    import polars as pl

    from segctl.identity.keys import key_values
    from segctl.identity.resolve import resolve
    from segctl.model.identity import IdentityRules, KeyRule

    rules = IdentityRules(
        keys=(
            KeyRule("email", "email"),
            KeyRule("device", "text", strength="weak", apart=("email",)),
            KeyRule("phone", "phone", strength="weak", apart=("email",)),
        ),
        country="DE",
    )
    keys = []
    for rule in rules.keys:
        frame = pl.read_parquet(path, columns=["row", rule.name]).drop_nulls()
        keys.append(key_values(rule, frame["row"], [frame[rule.name]], country="DE"))
    rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    return resolve(rows, rules, keys).labels


def quality(path: Path, labels) -> dict[str, object]:
    import identity_data
    import polars as pl

    persons = pl.read_parquet(path, columns=["person"])["person"].to_numpy()
    precision, recall, largest = identity_data.pairwise(labels, persons)
    return {"precision": round(precision, 4), "recall": round(recall, 4), "largest": largest}


if __name__ == "__main__":
    main()
