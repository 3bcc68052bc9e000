"""Tails of events are merged by themselves, and nothing but their place changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl

from segctl.operations.ingest.events import write_events
from segctl.state.compaction import LOCK
from segctl.state.compaction_tails import compact_tails
from segctl.state.workspace import Workspace

START = datetime(2026, 11, 1, tzinfo=UTC)


def tail(workspace: Workspace, random: Random, number: int, name: str) -> None:
    rows = pl.DataFrame(
        {
            "subject": pl.Series([random.randint(0, 50) for _ in range(number)], dtype=pl.Int32),
            "ts": [START + timedelta(minutes=random.randint(0, 900)) for _ in range(number)],
            "source": ["shop"] * number,
            "event_id": [f"{name}-{at}" for at in range(number)],
            "kind": [random.choice(["order", "visit"]) for _ in range(number)],
        }
    ).with_columns(pl.col("ts").cast(pl.Datetime("us", "UTC")))
    workspace.commit("ingest", [write_events(workspace, rows)])


def events(workspace: Workspace, snapshot: int | None = None) -> list[tuple[object, ...]]:
    found = []
    for file in workspace.files("events", snapshot):
        rows = pl.read_parquet(file.path)
        kind = next(iter(file.meta["kinds"]))
        rows = rows if "kind" in rows.columns else rows.with_columns(pl.lit(kind).alias("kind"))
        found += rows.select("subject", "ts", "source", "event_id", "kind").rows()
    return sorted(found)


def test_files_stay_few_and_rows_the_same(workspace: Workspace) -> None:
    random = Random(5)
    for number in range(60):
        tail(workspace, random, random.randint(1, 12), f"t{number}")
        before = workspace.snapshot()
        compact_tails(workspace, most_tails=3)
        assert events(workspace) == events(workspace, before)

    files = workspace.files("events")

    assert len(events(workspace)) == sum(file.rows for file in files)
    assert sum(not file.meta.get("sorted") for file in files) <= 3
    assert len(files) < 3 + 2 * 6


def test_a_row_is_written_a_few_times_only(workspace: Workspace) -> None:
    random = Random(6)
    for number in range(64):
        tail(workspace, random, 10, f"t{number}")
        compact_tails(workspace, most_tails=3)

    written = workspace.query("SELECT sum(rows) FROM files WHERE dataset = 'events'")[0][0]

    assert written <= 640 * 6


def test_many_rows_are_reason_enough(workspace: Workspace) -> None:
    tail(workspace, Random(1), 30, "a")

    assert compact_tails(workspace, most_rows=30) == 0
    assert compact_tails(workspace, most_rows=29) == 1
    assert all(file.meta["sorted"] for file in workspace.files("events"))


def test_while_somebody_compacts_nothing_is_done(workspace: Workspace) -> None:
    tail(workspace, Random(1), 30, "a")
    with Workspace.open(workspace.folder) as other, other.lock(LOCK):
        assert compact_tails(workspace, most_tails=0) == 0
    assert compact_tails(workspace, most_tails=0) == 1
