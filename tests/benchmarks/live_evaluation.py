"""How long a few profiles take a live evaluator: `python tests/benchmarks/live_evaluation.py PROJECT [AS_OF]`.

The project is one with an ingested and compacted workspace, as `apply_load.py` makes them. Mapped copies are built if
they are missing. Prints for each number of profiles the median, the best and the 95th percentile of wall
time and the median of CPU time, and the process's largest memory with mapped pages. `--check` compares with `evaluate`.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from segctl.operations.evaluation import evaluate
from segctl.operations.hot_columns import build_copies, wanted_columns
from segctl.operations.live.evaluation import LiveEvaluator
from segctl.operations.session import Session, open_session

BATCHES = {1: 60, 10: 60, 100: 60, 1_000: 15, 10_000: 7}


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("project", type=Path)
    asked.add_argument("as_of", nargs="?", default="2025-12-31T00:00:00+00:00")
    asked.add_argument("--check", action="store_true")
    options = asked.parse_args()
    with open_session(options.project) as session:
        begin = time.perf_counter()
        built = build_copies(session.workspace, wanted_columns(session))
        say(f"{built} copies built in {time.perf_counter() - begin:.1f} s")
        measure(session, datetime.fromisoformat(options.as_of), check=options.check)
    say(f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB with mapped pages")


def measure(session: Session, as_of: datetime, *, check: bool) -> None:
    """Prints a line for each number of profiles."""
    snapshot = session.workspace.snapshot()
    names = list(session.definitions.segments)
    begin = time.perf_counter()
    live = LiveEvaluator(session, names, snapshot)
    everybody = evaluate(session, [], as_of=as_of, snapshot=snapshot).frame["subject"].to_numpy()
    live.answers(everybody[:3].tolist(), as_of)
    say(
        f"{len(names) - len(live.late)} segments, {len(everybody):,} profiles,"
        f" ready in {time.perf_counter() - begin:.1f} s"
    )
    random = np.random.default_rng(7)
    for number, batches in BATCHES.items():
        if number > len(everybody):
            continue
        walls, cpus = [], []
        for batch in range(batches):
            as_of += timedelta(seconds=1)
            some = np.sort(random.choice(everybody, number, replace=False)).tolist()
            wall, cpu = time.perf_counter(), time.process_time()
            found = live.answers(some, as_of)
            walls.append((time.perf_counter() - wall) * 1000)
            cpus.append((time.process_time() - cpu) * 1000)
            if check and not batch:
                agree(session, live, some, found.to_dicts(), as_of, snapshot)
        say(
            f"{number:>6,} profiles: wall {np.median(walls):7.1f} ms (best {min(walls):.1f}, p95"
            f" {np.percentile(walls, 95):.1f}), CPU {np.median(cpus):7.1f} ms"
        )


def agree(
    session: Session,
    live: LiveEvaluator,
    some: list[int],
    found: list[dict[str, object]],
    as_of: datetime,
    snapshot: int,
) -> None:
    names = [name for name in session.definitions.segments if name not in live.late]
    wanted = evaluate(session, names, as_of=as_of, snapshot=snapshot, only=some).frame
    assert [{name: row[name] for name in ("subject", *names)} for row in found] == wanted.select(
        "subject", *names
    ).to_dicts()


if __name__ == "__main__":
    main()
