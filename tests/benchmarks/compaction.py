"""Time and memory of compaction over the generator's events.

    python tests/benchmarks/compaction.py EVENTS_FOLDER [--tails 1]

Makes a workspace beside nothing else, in a temporary folder, fills it with tails as ingest writes them, and
compacts it in a process of its own. A second round adds one more tail and compacts again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl

from segctl.state.files import NewFile
from segctl.state.sorting import ROW_GROUP
from segctl.state.workspace import Workspace

MEASURE = """
import json, resource, sys, time
from pathlib import Path
from segctl.state.compaction import compact
from segctl.state.workspace import Workspace
with Workspace.open(Path(sys.argv[1])) as workspace:
    wall = time.perf_counter()
    done = compact(workspace)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({
        "rows": sum(part.rows for part in done), "files": sum(part.files_after for part in done),
        "mb": sum(part.bytes_after for part in done) // 10**6,
        "wall_s": round(time.perf_counter() - wall, 1), "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
        # Not ru_maxrss: a child process inherits its parent's.
        "rss_mb": int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024,
    }))
"""


def as_tail(events: pl.LazyFrame) -> pl.LazyFrame:
    return events.select(
        pl.coalesce(pl.col("profile_id") - 1, 1_200_000 + pl.col("anonymous_id").hash() % 500_000)
        .cast(pl.Int32)
        .alias("subject"),
        "ts",
        pl.lit("shop").alias("source"),
        pl.col("event_id").cast(pl.String),
        pl.col("event").alias("kind"),
        pl.lit(1, dtype=pl.Int32).alias("file_id"),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("line"),
        pl.col("product_id").alias("product_id:i"),
        pl.col("category").alias("category:t"),
        pl.col("quantity").cast(pl.Int64).alias("quantity:i"),
        (pl.col("value") * 100).round().cast(pl.Int64).alias("value:n2"),
        pl.col("order_id").alias("order_id:i"),
        pl.col("utm_source").alias("utm_source:t"),
        pl.col("device").alias("device:t"),
        pl.col("country").alias("country:t"),
        pl.col("url").alias("url:t"),
    )


def add_tail(workspace: Workspace, paths: list[Path]) -> None:
    path = workspace.new_file("events")
    as_tail(pl.scan_parquet(paths)).sink_parquet(
        path, compression="zstd", compression_level=3, row_group_size=ROW_GROUP
    )
    counts = pl.scan_parquet(path).group_by("kind").len().collect()
    kinds = dict(counts.iter_rows())
    meta = {"kinds": kinds, "columns": pl.read_parquet_schema(path).names(), "sorted": False}
    workspace.commit("ingest", add=[NewFile(path, "events", sum(kinds.values()), meta)])


def measure(folder: Path) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", MEASURE, str(folder)], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("events", type=Path, help="folder with Parquet files of make_events.py")
    parser.add_argument("--tails", type=int, default=8, help="into how many tails the events are cut")
    arguments = parser.parse_args()
    paths = sorted(arguments.events.rglob("*.parquet"))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "workspace"
        with Workspace.open(place, create=True) as workspace:
            for n in range(arguments.tails):
                add_tail(workspace, paths[n :: arguments.tails])
        sys.stdout.write(f"all tails {measure(place)}\n")
        with Workspace.open(place) as workspace:
            add_tail(workspace, paths[-1:])
        sys.stdout.write(f"one more  {measure(place)}\n")


if __name__ == "__main__":
    main()
