"""What `segctl apply` costs when little has changed, against a full one, on a large project.

    python incremental.py PROJECT AS_OF [ROUNDS]

PROJECT is a copy that may be written to (`product_project.py` makes one), its events compacted; AS_OF an instant at
which its events end. The cases: 100 and 10,000 profiles with a new event, chosen by recent activity, a minute later;
and a day that passes, with the events of the day before once more. Each round begins with the same files. CPU is of
the whole process, and beyond start-up: less that of a process that opens the project and loads the engine.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl

from segctl.operations.hot_columns import build_copies, wanted_columns
from segctl.operations.ingest.events import write_events
from segctl.operations.session import Session, open_session

OPENED = (
    "import sys, pathlib, numpy, polars, narwhals.stable.v2\n"
    "from segctl.operations.session import open_session\n"
    "from segctl.operations import apply\n"
    "from segctl.operations.causes import causes\n"
    "from segctl.engines import polars_engine, hot_reader\n"
    "with open_session(pathlib.Path(sys.argv[1])) as session: session.workspace.snapshot()\n"
)
KINDS = ("page_view", "product_view", "add_to_cart")


def called(*command: str) -> tuple[float, float, str]:
    """Wall and CPU seconds of a process, and what it said."""
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - began, cpu, done.stdout


def say(line: str) -> None:
    """One line of the report."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Bench:
    """A project, and its state between rounds."""

    def __init__(self, root: Path, as_of: datetime, rounds: int) -> None:
        self.root, self.as_of, self.rounds = root, as_of, rounds
        self.held = root.parent / f"{root.name}.held"
        with open_session(root) as session:
            self.workspace = session.workspace.folder

    def keep(self) -> None:
        """Remember what changes with a run; the other files never do."""
        shutil.rmtree(self.held, ignore_errors=True)
        self.held.mkdir()
        shutil.copy(self.workspace / "state.db", self.held)
        if (self.workspace / "standing").exists():
            shutil.copytree(self.workspace / "standing", self.held / "standing")

    def back(self) -> None:
        """As it was when it was kept."""
        for path in self.workspace.glob("state.db*"):
            path.unlink()
        shutil.rmtree(self.workspace / "standing", ignore_errors=True)
        shutil.copytree(self.held, self.workspace, dirs_exist_ok=True)

    def apply(self, as_of: datetime, *options: str) -> tuple[float, float, int]:
        """Median wall and CPU of the rounds, and how many profiles were evaluated."""
        found = []
        for _ in range(self.rounds):
            self.back()
            at = as_of.isoformat()
            found.append(called("segctl", "apply", "-C", str(self.root), "--as-of", at, "-f", "json", *options))
        evaluated = json.loads(found[-1][2])["run"]["evaluated"]
        assert evaluated["everybody"] == ("--full" in options), evaluated
        return statistics.median(f[0] for f in found), statistics.median(f[1] for f in found), evaluated["profiles"]


def active(session: Session, number: int) -> pl.Series:
    """The most recently active profiles."""
    paths = [file.path for file in session.workspace.files("events") if file.meta.get("sorted")]
    last = pl.scan_parquet(paths, extra_columns="ignore").group_by("subject").agg(pl.col("ts").max())
    return last.top_k(number, by="ts").select("subject").collect(engine="streaming")["subject"]


def touch(session: Session, subjects: pl.Series, at: datetime) -> None:
    """A new event of each, in the minute before an instant, as one tail file."""
    random, number = Random(7), len(subjects)
    rows = pl.DataFrame({"subject": subjects}).with_columns(
        pl.Series("ts", [at - timedelta(seconds=random.uniform(0, 60)) for _ in range(number)]).cast(
            pl.Datetime("us", "UTC")
        ),
        pl.lit("shop").alias("source"),
        pl.Series("event_id", [f"{random.getrandbits(64):016x}" for _ in range(number)]),
        pl.Series("kind", [random.choice(KINDS) for _ in range(number)]),
        pl.lit("web").alias("device:t"),
        pl.Series("product_id:i", [random.randint(1, 20_000) for _ in range(number)]),
    )
    session.workspace.commit("ingest", [write_events(session.workspace, rows)])


def repeat_day(session: Session, at: datetime) -> None:
    """The events of the day before an instant once more, a day later."""
    frames = []
    for file in session.workspace.files("events"):
        if not file.rows:
            continue
        rows = pl.scan_parquet(file.path).filter(pl.col("ts") > pl.lit(at - timedelta(days=1)))
        kind = next(iter(file.meta["kinds"]))
        found = rows.collect(engine="streaming")
        frames.append(found if "kind" in found.columns else found.with_columns(pl.lit(kind).alias("kind")))
    rows = pl.concat(frames, how="diagonal_relaxed").with_columns(
        pl.col("ts").dt.offset_by("1d"), pl.concat_str("event_id", pl.lit("-again")).alias("event_id")
    )
    session.workspace.commit("ingest", [write_events(session.workspace, rows)])


def main() -> None:
    """Measure, and print a line a case."""
    root, as_of = Path(sys.argv[1]).absolute(), datetime.fromisoformat(sys.argv[2])
    bench = Bench(root, as_of, int(sys.argv[3]) if len(sys.argv) > 3 else 3)
    with open_session(root) as session:
        build_copies(session.workspace, wanted_columns(session))
    bench.keep()
    start = statistics.median(called(sys.executable, "-c", OPENED, str(root))[1] for _ in range(5))
    full_wall, full_cpu, profiles = bench.apply(as_of, "--full")
    say(f"start-up: CPU {start:.2f} s")
    say(f"full: {profiles:,} profiles, wall {full_wall:.2f} s, CPU {full_cpu:.2f} s")
    bench.keep()
    minute, day = as_of + timedelta(minutes=1), as_of + timedelta(days=1)
    for name, later in (("100 changed", minute), ("10,000 changed", minute), ("a day passes", day)):
        bench.back()
        with open_session(root) as session:
            if later is day:
                repeat_day(session, as_of)
            else:
                touch(session, active(session, 100 if name.startswith("100 ") else 10_000), later)
        first = bench.held.rename(bench.held.with_suffix(".first"))
        bench.keep()
        wall, cpu, asked = bench.apply(later)
        shutil.rmtree(bench.held)
        bench.held = first.rename(bench.held)
        share = (cpu - start) / (full_cpu - start)
        say(f"{name}: {asked:,} evaluated, wall {wall:.2f} s ({wall / full_wall:.2f} of full), "
              f"CPU {cpu:.2f} s (beyond start-up {share:.3f} of full)")  # fmt: skip


if __name__ == "__main__":
    main()
