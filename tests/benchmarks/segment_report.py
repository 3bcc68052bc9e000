"""`report segments` over many people, beside one scan of the columns that it needs.

    python tests/benchmarks/segment_report.py WORK [--people 1000000] [--events 50000000] [--segments 50]

A workspace is written into WORK unless one is there: a tenth of the events are orders, three tenths are opened mails,
the rest are page views; sorted files of one kind each, as `segctl compact` leaves them; eight weekly runs. CPU is user
plus system time of this process.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from segctl.compile.selection import Selection
from segctl.model.types import TEXT, Kind, ValueType, stored_column
from segctl.operations.lists import ProjectLists
from segctl.operations.segment_report.segment_report import Asked, segment_report
from segctl.operations.session import Session, bound_definitions
from segctl.state.memberships import record_run
from segctl.state.runs import NewRun
from segctl.state.subjects import Subjects
from segctl.state.workspace import Workspace

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
DAYS, WEEKS = 730, 8
VALUE = stored_column("value", ValueType(Kind.MONEY, scale=2, unit="EUR"))
PROJECT = """segctl: 1
name: shop
timezone: Europe/Berlin
identifiers: {customer_id: {class: known}}
traits: {country: text}
events:
  order_completed: {properties: {value: {type: money, unit: EUR}}}
  email_opened: {}
  page_viewed: {}
reports:
  conversion: {event: order_completed}
  revenue: {event: order_completed, sum: {of: value}}
  engagement: {events: [email_opened]}
"""
SHARES = {"order_completed": 0.1, "email_opened": 0.3, "page_viewed": 0.6}


def cpu() -> float:
    """Seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measured(name: str, work: object) -> None:
    """Call something, and tell what it took."""
    wall, before = time.perf_counter(), cpu()
    work()  # type: ignore[operator]  # something to call
    told = f"{name:28} cpu {cpu() - before:6.2f} s  wall {time.perf_counter() - wall:6.2f} s"
    sys.stdout.write(f"{told}  rss {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:6.0f} MB\n")
    sys.stdout.flush()


def write(folder: Path, people: int, events: int, segments: int) -> None:
    """The project and its workspace."""
    (folder / "segments").mkdir(parents=True)
    (folder / "segctl.yaml").write_text(PROJECT, "utf-8")
    for number in range(segments):
        text = f"segment: s{number:02}\nwhere: {{trait: country, equals: DE}}\n"
        (folder / f"segments/s{number:02}.yaml").write_text(text, "utf-8")
    definitions, _ = bound_definitions(folder)
    rng = np.random.default_rng(7)
    with Workspace.open(Path(definitions.project.workspace), create=True) as workspace:
        names = pl.Series([f"c{place}" for place in range(people)])
        Subjects(workspace, definitions.project.identifiers).resolve(pl.Series(["customer_id"] * people), names)
        frame = pl.DataFrame({stored_column("country", TEXT): ["DE", "AT"] * (people // 2)}).with_columns(
            subject=pl.int_range(people, dtype=pl.Int32),
            valid_from=pl.lit(None, pl.Datetime("us", "UTC")),
            arrival=pl.int_range(people, dtype=pl.Int64),
            gone=pl.lit(value=False),
        )
        workspace.reserve("arrival", people)
        workspace.commit("ingest", add=[workspace.write("records/crm", frame, {"columns": frame.columns})])
        for kind, share in SHARES.items():
            _write_kind(workspace, kind, int(events * share), people, rng)
        for week in range(WEEKS - 1, -1, -1):
            columns = {f"s{n:02}": pl.Series(rng.random(people) < (n + 1) / (2 * segments)) for n in range(segments)}
            at = NOW - timedelta(weeks=week)
            answers = pl.DataFrame({"subject": pl.Series(range(people), dtype=pl.Int32), **columns})
            digests = {name: one.digest for name, one in definitions.segments.items()}
            record_run(workspace, NewRun(at, workspace.snapshot(), at, at, "0", definitions=digests), answers)


def _write_kind(workspace: Workspace, kind: str, count: int, people: int, rng: np.random.Generator) -> None:
    subject = np.sort(rng.integers(0, people, count).astype(np.int32))
    ago = rng.integers(0, DAYS * 86_400_000_000, count)
    at = pl.Series(int(NOW.timestamp() * 1_000_000) - ago).cast(pl.Datetime("us", "UTC"))
    frame = pl.DataFrame({"subject": subject, "ts": at}).sort("subject", "ts")
    frame = frame.with_columns(
        source=pl.lit("web"), event_id=pl.int_range(pl.len()).cast(pl.String), kind=pl.lit(kind),
        file_id=pl.lit(None, pl.Int32), line=pl.lit(None, pl.Int64),
    )  # fmt: skip
    if kind == "order_completed":
        frame = frame.with_columns(pl.Series(VALUE, rng.integers(500, 20_000, count)))
    times = frame["ts"].to_physical()
    meta = {
        "kinds": {kind: count}, "columns": frame.columns, "sorted": True, "unique_ts": False, "min_ts": times.min(),
        "max_ts": times.max(), "max_abs": {VALUE: 20_000}, "sources": {"web": count},
    }  # fmt: skip
    workspace.commit("compact", add=[workspace.write("events", frame, meta)])


def main() -> int:
    """Write what is missing, then measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=50_000_000)
    parser.add_argument("--segments", type=int, default=50)
    asked = parser.parse_args()
    if not (asked.work / "segctl.yaml").exists():
        measured("write", lambda: write(asked.work, asked.people, asked.events, asked.segments))
    definitions, _ = bound_definitions(asked.work)
    with Workspace.open(Path(definitions.project.workspace)) as workspace:
        session = Session(definitions, workspace, ProjectLists(asked.work))
        wanted = [f for f in workspace.files("events") if not set(f.meta["kinds"]) <= {"page_viewed"}]
        for _ in range(3):
            measured("one scan", lambda: [_scan(str(file.path), file.meta["columns"]) for file in wanted])
            measured("report", lambda: segment_report(session, Selection(), now=NOW, asked=Asked(with_reach=False)))
    return 0


def _scan(path: str, columns: list[str]) -> None:
    wanted = [name for name in ("subject", "ts", VALUE) if name in columns]
    pl.scan_parquet(path).select(pl.col(wanted).cast(pl.Int64).sum()).collect(engine="streaming")


if __name__ == "__main__":
    sys.exit(main())
