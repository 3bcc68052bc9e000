"""Deleting files that nobody needs any more."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.errors import TemporaryError
from segctl.state import hot, problems
from segctl.state.compaction import LOCK
from segctl.state.files import FILES, flush, writer_of
from segctl.state.identity import DATASET as IDENTITY
from segctl.state.locks import leased_snapshots, writers
from segctl.state.sorting import EVENTS
from segctl.state.subjects import DATASET as SUBJECTS

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace

RETENTION = timedelta(hours=24)
_READ = (EVENTS, SUBJECTS, IDENTITY)
"""What an evaluation reads besides records; the log, keys, landed bytes and quarantine can go without changing it."""


@dataclass(frozen=True, slots=True)
class Vacuumed:
    """What was deleted.

    Attributes:
        files: Replaced files deleted.
        orphans: Files deleted that no commit ever named.
        bytes: Of both together.
        runs: Ids of the runs that can no longer be reproduced.
    """

    files: int
    orphans: int
    bytes: int
    runs: tuple[str, ...]


def vacuum(workspace: Workspace, *, now: datetime, retention: timedelta = RETENTION) -> Vacuumed:
    """Deletes replaced files and leftovers of crashed processes.

    A file is kept as long as a snapshot needs it that was the newest at some moment of the retention, that a
    lease holds, or that a run recorded within the retention has read. Of files that no commit names, those of
    living writers are still on their way to one, whatever their age; others are kept for the retention as well.

    Args:
        workspace: Where.
        now: Present time, aware.
        retention: How far back snapshots stay whole.
    """
    with workspace.lock(LOCK):
        doomed = _unneeded(workspace, now - retention)
        runs = _runs_that_read(workspace, doomed)
        _mark(workspace, doomed, runs)
        freed = sum(row["bytes"] for row in doomed)
        with problems.worded(workspace.folder):
            # Rows are marked first: a crash in between leaves orphans, never rows without files.
            for row in doomed:
                (workspace.folder / row["path"]).unlink(missing_ok=True)
            orphans = _orphans(workspace, now - retention)
            freed += sum(orphans.values())
            for path in orphans:
                path.unlink(missing_ok=True)
            if doomed or orphans:
                flush(workspace.folder / FILES)
        _tidy_copies(workspace)
    return Vacuumed(len(doomed), len(orphans), freed, tuple(runs))


def _tidy_copies(workspace: Workspace) -> None:
    """Mapped copies go with the files they copy; who builds some just now does the same when they begin."""
    with suppress(TemporaryError), workspace.lock(hot.LOCK):
        hot.tidy(workspace)


def delete(workspace: Workspace, is_wanted: Callable[[str, dict[str, Any]], bool], *, kind: str) -> int:
    """Removes current files and deletes them at once, also from past snapshots; gives how many.

    For data that must not outlive its time and that no evaluation reads.

    Args:
        workspace: Where.
        is_wanted: Told a file's dataset and meta, says whether it goes.
        kind: What the commit is called.
    """
    with workspace.moment(f"delete/{kind}"):
        rows = workspace.query("SELECT id, dataset, path, meta FROM files WHERE removed IS NULL ORDER BY id")
        doomed = [row for row in rows if is_wanted(row["dataset"], json.loads(row["meta"]))]
        if not doomed:
            return 0

        def mark(db: sqlite3.Connection) -> None:
            seq = db.execute("SELECT max(seq) FROM commits").fetchone()[0]
            db.executemany("UPDATE files SET vacuumed = ? WHERE id = ?", [(seq, row["id"]) for row in doomed])

        workspace.commit(kind, remove=[row["id"] for row in doomed], within=mark, note={"files": len(doomed)})
        with problems.worded(workspace.folder):
            for row in doomed:
                (workspace.folder / row["path"]).unlink(missing_ok=True)
    return len(doomed)


def preview(workspace: Workspace, *, now: datetime, retention: timedelta = RETENTION) -> Vacuumed:
    """What `vacuum` would delete; changes nothing."""
    doomed = _unneeded(workspace, now - retention)
    with problems.worded(workspace.folder):
        orphans = _orphans(workspace, now - retention)
        size = sum(row["bytes"] for row in doomed) + sum(orphans.values())
    return Vacuumed(len(doomed), len(orphans), size, tuple(_runs_that_read(workspace, doomed)))


def _unneeded(workspace: Workspace, since: datetime) -> list[sqlite3.Row]:
    """Removed files that no protected snapshot can see."""
    moment = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    oldest = int(workspace.query("SELECT coalesce(max(seq), 0) FROM commits WHERE at <= ?", (moment,))[0][0])
    recent_runs = workspace.query(
        "SELECT DISTINCT snapshot FROM runs r JOIN commits c ON c.seq = r.seq WHERE c.at > ?", (moment,)
    )
    held = leased_snapshots(workspace.folder) | {row[0] for row in recent_runs}
    rows = workspace.query(
        "SELECT id, dataset, path, bytes, added, removed FROM files WHERE removed IS NOT NULL AND vacuumed IS NULL"
        " AND removed <= ? ORDER BY id",
        (oldest,),
    )
    return [row for row in rows if not any(row["added"] <= snapshot < row["removed"] for snapshot in held)]


def _runs_that_read(workspace: Workspace, doomed: list[sqlite3.Row]) -> list[str]:
    """Ids of the runs whose snapshot sees one of the files, oldest first."""
    read = [file for file in doomed if file["dataset"] in _READ or file["dataset"].startswith(("records/", "related/"))]
    return [
        row["id"]
        for row in workspace.query("SELECT id, snapshot FROM runs WHERE reproducible = 1 ORDER BY number")
        if any(file["added"] <= row["snapshot"] < file["removed"] for file in read)
    ]


def _mark(workspace: Workspace, doomed: list[sqlite3.Row], runs: list[str]) -> None:
    if not doomed:
        return

    def update(db: sqlite3.Connection) -> None:
        seq = db.execute("SELECT max(seq) FROM commits").fetchone()[0]
        db.executemany("UPDATE files SET vacuumed = ? WHERE id = ?", [(seq, row["id"]) for row in doomed])
        db.executemany("UPDATE runs SET reproducible = 0 WHERE id = ?", [(run,) for run in runs])

    workspace.commit("vacuum", within=update, note={"files": len(doomed)})


def _orphans(workspace: Workspace, before: datetime) -> dict[Path, int]:
    """Files on disk with their bytes, older than `before`, that no row names or whose row says they are deleted."""
    old: dict[Path, int] = {}
    for folder, _, names in os.walk(workspace.folder / FILES):
        for name in names:
            path = Path(folder) / name
            # Its writer may delete it just now.
            with suppress(FileNotFoundError):
                facts = path.stat()
                if facts.st_mtime <= before.timestamp():
                    old[path] = facts.st_size
    # In this order: who wrote a file and lives no more has committed it before the rows are read, or never will.
    living = writers(workspace.folder)
    rows = workspace.query("SELECT path, vacuumed FROM files")
    is_deleted = {str(row["path"]): row["vacuumed"] is not None for row in rows}
    return {
        path: size
        for path, size in sorted(old.items())
        if is_deleted.get(path.relative_to(workspace.folder).as_posix(), writer_of(path) not in living)
    }
