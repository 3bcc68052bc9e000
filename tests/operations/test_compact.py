from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from segctl.model.errors import UsageError
from segctl.operations.compact import compact
from segctl.state.workspace import Workspace

NOW = datetime(2100, 1, 1, tzinfo=UTC)


class Counting:
    """A listener that adds up."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0

    def start(self, task: str, *, total: int | None = None, unit: str = "rows") -> None:
        self.total = total

    def advance(self, amount: int) -> None:
        self.done += amount

    def note(self, text: str) -> None:
        pass

    def finish(self) -> None:
        pass


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "segctl.yaml").write_text("segctl: 1\nname: shop\nidentifiers:\n  customer_id: {class: known}\n")
    return tmp_path


def ingest(project: Path, rows: int) -> None:
    tail = pl.DataFrame(
        {
            "subject": pl.int_range(rows, dtype=pl.Int32, eager=True),
            "ts": pl.int_range(rows, eager=True).cast(pl.Datetime("us", "UTC")),
            "source": ["s"] * rows,
            "event_id": [str(n) for n in range(rows)],
            "kind": ["order"] * rows,
        }
    )
    with Workspace.open(project / ".segctl" / "dev", create=True) as workspace:
        new = workspace.write("events", tail, {"kinds": {"order": rows}, "columns": tail.columns, "sorted": False})
        workspace.commit("ingest", add=[new])


def test_compact_says_what_it_merged_and_told_all_of_it(project: Path) -> None:
    ingest(project, 3)
    ingest(project, 4)
    listener = Counting()

    done = compact(project, env=None, now=NOW, progress=listener)

    (events,) = done.merged
    assert (events.dataset, events.rows, events.files_before, events.files_after) == ("events", 7, 2, 1)
    assert done.environment == "dev"
    assert done.vacuumed is None
    assert listener.total == listener.done == 14


def test_a_dry_run_says_the_same_and_changes_nothing(project: Path) -> None:
    ingest(project, 3)
    before = sorted(project.rglob("*.parquet"))

    done = compact(project, env=None, now=NOW, vacuum=True, dry_run=True)

    (events,) = done.merged
    assert (events.dataset, events.rows, events.files_before, events.files_after) == ("events", 3, 1, None)
    assert sorted(project.rglob("*.parquet")) == before


def test_vacuum_deletes_what_compact_replaced_once_it_is_old(project: Path) -> None:
    ingest(project, 3)
    compact(project, env=None, now=NOW)

    kept = compact(project, env=None, now=datetime.now(UTC), vacuum=True)
    gone = compact(project, env=None, now=NOW, vacuum=True, retention=timedelta(days=1))

    assert kept.vacuumed is not None
    assert gone.vacuumed is not None
    assert (kept.vacuumed.files, gone.vacuumed.files) == (0, 1)
    assert len(list(project.rglob("*.parquet"))) == 1


def test_without_a_workspace_there_is_nothing_to_compact(project: Path) -> None:
    with pytest.raises(UsageError) as caught:
        compact(project, env=None, now=NOW)

    assert caught.value.code == "SEG601"
