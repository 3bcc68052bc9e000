"""What other commands stored while a stream was running: whom it touches, or that everybody has to be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.stream.frames import subjects_of

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.workspace import Workspace

_OWN = "('stream', 'subjects', 'run', 'compact', 'vacuum', 'quarantine', 'discard', 'forget')"
"""Kinds of commits that change no answer, or whose effect the stream sees by itself; a subject has nothing at first."""
_SILENT = ("keys/", "landed/", "quarantine/", "links", "changes", "checkpoints", "subjects", "lists")
_MOST_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Others:
    """What came with the commits of others.

    Attributes:
        events: New events: ``subject``, ``ts``, ``kind``, ``source``, ``event_id``.
        subjects: Whose records changed.
        is_all: More than that happened, so that everybody has to be asked.
    """

    events: tuple[pl.DataFrame, ...] = ()
    subjects: tuple[int, ...] = ()
    is_all: bool = False

    @property
    def is_nothing(self) -> bool:
        """No answer changes."""
        return not self.events and not self.subjects and not self.is_all

    @property
    def touched(self) -> list[int]:
        """Subjects of all rows, ascending."""
        return sorted({*subjects_of(self.events), *self.subjects})


def of_others(workspace: Workspace, after: int, until: int) -> Others:
    """What others committed after one snapshot, up to another."""
    where = (
        f"FROM files f JOIN commits c ON c.seq = f.{{0}} WHERE f.{{0}} > ? AND f.{{0}} <= ? AND c.kind NOT IN {_OWN}"
    )
    added = workspace.query("SELECT f.dataset, f.path, f.rows, f.vacuumed " + where.format("added"), (after, until))
    gone = workspace.query("SELECT f.dataset " + where.format("removed"), (after, until))
    counting = [row for row in added if not row["dataset"].startswith(_SILENT)]
    is_known = all(
        row["vacuumed"] is None and (row["dataset"] == "events" or row["dataset"].startswith("records/"))
        for row in counting
    )
    if not is_known or any(not row["dataset"].startswith(_SILENT) for row in gone):
        return Others(is_all=True)
    if sum(row["rows"] for row in counting) > _MOST_ROWS:
        return Others(is_all=True)
    return _read([(row["dataset"], str(workspace.folder / row["path"])) for row in counting])


def changed_by_others(workspace: Workspace, dataset: str, after: int, until: int) -> bool:
    """Whether others changed what a dataset says, after one snapshot and up to another."""
    found = workspace.query(
        "SELECT EXISTS (SELECT 1 FROM files f JOIN commits c ON c.seq IN (f.added, f.removed)"
        " WHERE f.dataset = ? AND c.seq > ? AND c.seq <= ? AND c.kind NOT IN ('stream', 'compact', 'vacuum'))",
        (dataset, after, until),
    )
    return bool(found[0][0])


def _read(files: Sequence[tuple[str, str]]) -> Others:
    import polars as pl

    events = [
        pl.read_parquet(path, columns=["subject", "ts", "kind", "source", "event_id"])
        for dataset, path in files
        if dataset == "events"
    ]
    records = [pl.read_parquet(path, columns=["subject"]) for dataset, path in files if dataset != "events"]
    return Others(tuple(events), tuple(subjects_of(records)))
