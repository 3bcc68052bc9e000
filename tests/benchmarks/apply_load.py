"""`segctl`'s engine beside DuckDB and Polars by hand on the same load: CPU seconds of whole processes.

    python tests/benchmarks/apply_load.py prepare DATA FILES     DATA as delivered by the generator
    python tests/benchmarks/apply_load.py compare DATA FILES [ROUNDS]

`prepare` lays the events out as a workspace does: one file per kind, sorted, money in cents. `compare` runs the
three interleaved, checks that all member sets are equal and prints the ratios.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from apply_segments import AS_OF, SEGMENTS

PEERS = ("segctl", "duckdb", "polars")


def say(line: str) -> None:
    """One line of the report."""
    sys.stdout.write(line + "\n")


def prepare(data: Path, files: Path) -> None:
    """Lays the delivered files out by kind."""
    import polars as pl

    files.mkdir(parents=True, exist_ok=True)
    events = pl.scan_parquet(data / "events/**/*.parquet", hive_partitioning=False)
    kinds = sorted(events.select("event").unique().collect().to_series())
    meta = []
    for kind in kinds:
        frame = (
            events.filter((pl.col("event") == kind) & pl.col("profile_id").is_not_null())
            .select(
                (pl.col("profile_id") - 1).cast(pl.Int32).alias("subject"),
                "ts",
                pl.lit("shop").alias("source"),
                pl.col("event_id").cast(pl.String),
                pl.col("product_id").cast(pl.Int64).alias("product_id:i"),
                pl.col("category").alias("category:t"),
                pl.col("quantity").cast(pl.Int64).alias("quantity:i"),
                (pl.col("value") * 100).round().cast(pl.Int64).alias("value:n2"),
                pl.col("device").alias("device:t"),
                pl.col("country").alias("country:t"),
                pl.col("utm_source").alias("utm_source:t"),
            )
            .collect()
            .sort("subject", "ts", "source", "event_id")
        )
        path = files / f"{kind}.parquet"
        frame.write_parquet(path, compression="zstd", compression_level=3, row_group_size=262_144)
        numbers = ("product_id:i", "quantity:i", "value:n2")
        meta.append(
            {
                "path": str(path),
                "rows": frame.height,
                "kinds": [kind],
                "columns": frame.columns,
                "min_ts": frame["ts"].min().isoformat(),
                "max_ts": frame["ts"].max().isoformat(),
                "max_abs": {name: int(frame[name].abs().max() or 0) for name in numbers},
            }
        )
    (files / "meta.json").write_text(json.dumps(meta))
    profiles = pl.read_parquet(data / "profiles/*.parquet").with_columns(
        (pl.col("profile_id") - 1).cast(pl.Int32).alias("subject"),
        pl.lit(None, pl.Datetime("us", "UTC")).alias("valid_from"),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("arrival"),
        pl.lit(value=False).alias("gone"),
    )
    codes = {"country": "t", "gender": "t", "birth_date": "d", "newsletter_optin": "b", "loyalty_tier": "t"}
    profiles.sort("subject").rename({name: f"{name}:{code}" for name, code in codes.items()}).write_parquet(
        files / "records.parquet", compression="zstd", row_group_size=262_144
    )
    profiles.sort("subject").select(
        "subject", pl.col("profile_id").cast(pl.String), pl.lit("known").alias("identifier_class")
    ).write_parquet(files / "subjects.parquet")


def timed(peer: str, data: Path, files: Path, out: Path) -> dict[str, float]:
    """CPU, wall and memory of one run in a process of its own."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    script = Path(__file__).with_name("apply_peers.py")
    subprocess.run([sys.executable, str(script), peer, str(data), str(files), str(out)], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu": cpu, "wall": time.perf_counter() - start, "rss_mb": after.ru_maxrss / 1024}


def members(folder: Path) -> dict[str, list[int]]:
    """Sorted profile numbers by segment."""
    import polars as pl

    return {name: sorted(pl.read_parquet(folder / f"{name}.parquet").to_series()) for name in SEGMENTS}


def compare(data: Path, files: Path, rounds: int) -> None:
    """Runs all peers in turn and prints medians and ratios."""
    results: dict[str, list[dict[str, float]]] = {peer: [] for peer in PEERS}
    for _ in range(rounds):
        for peer in PEERS:
            out = files / f"out_{peer}"
            out.mkdir(exist_ok=True)
            results[peer].append(timed(peer, data, files, out))
    found = {peer: members(files / f"out_{peer}") for peer in PEERS}
    for name in SEGMENTS:
        sizes = {peer: len(found[peer][name]) for peer in PEERS}
        if not found["segctl"][name] == found["duckdb"][name] == found["polars"][name]:
            say(f"DIFFERENT {name}: {sizes}")
    say(f"{sum(len(x) for x in found['segctl'].values())} memberships in {len(SEGMENTS)} segments at {AS_OF:%Y-%m-%d}")
    median = {peer: {key: statistics.median(r[key] for r in runs) for key in runs[0]} for peer, runs in results.items()}
    for peer, values in median.items():
        say(f"{peer:8} cpu {values['cpu']:7.2f} s   wall {values['wall']:7.2f} s   rss ≤ {values['rss_mb']:6.0f} MB")
    for peer in ("duckdb", "polars"):
        say(f"CPU of segctl / {peer}: {median['segctl']['cpu'] / median[peer]['cpu']:.3f}")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[2]))
    verb, data_folder, files_folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if verb == "prepare":
        prepare(data_folder, files_folder)
    else:
        compare(data_folder, files_folder, int(sys.argv[4]) if len(sys.argv) > 4 else 3)
