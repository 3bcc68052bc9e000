"""Merge stored files so that reading is fast, and delete those nobody needs any more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.compile.project import load_project
from segctl.operations.hot_columns import copies_for
from segctl.operations.ingest.landed import forget_outlived
from segctl.operations.progress import Progress, Silent

if TYPE_CHECKING:
    from segctl.state.compaction import Compacted, Pending
    from segctl.state.vacuum import Vacuumed

RETENTION = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Merged:
    """What became, or would become, of one dataset.

    Attributes:
        files_after: None for a dry run, likewise `bytes_after`.
    """

    dataset: str
    rows: int
    files_before: int
    files_after: int | None
    bytes_before: int
    bytes_after: int | None


@dataclass(frozen=True, slots=True)
class Compaction:
    """What `compact` did.

    Attributes:
        environment: Whose workspace.
        merged: Datasets that changed; empty when everything is tidy.
        vacuumed: What was deleted; None without vacuum.
    """

    environment: str
    merged: tuple[Merged, ...]
    vacuumed: Vacuumed | None


def compact(
    start: Path,
    *,
    env: str | None,
    now: datetime,
    vacuum: bool = False,
    retention: timedelta = RETENTION,
    dry_run: bool = False,
    lock_wait_s: float = 0.0,
    progress: Progress | None = None,
) -> Compaction:
    """Compact the workspace of one environment.

    Args:
        start: Where the search for the project begins.
        env: Environment's name; None for the default one.
        now: Present time, aware.
        vacuum: Also delete what no kept snapshot, lease or recent run needs.
        retention: How far back snapshots stay whole when vacuuming.
        dry_run: Only say what would be merged and deleted.
        lock_wait_s: Seconds to wait for another compaction.
        progress: Hears of rows of events, each counted twice: read and written.

    Raises:
        UsageError: No project, or no workspace yet.
        TemporaryError: Another process compacts the workspace.
    """
    from segctl.state import compaction
    from segctl.state import vacuum as cleaning
    from segctl.state.sorting import EVENTS
    from segctl.state.workspace import Workspace

    project, _ = load_project(start, env)
    listener = progress or Silent()
    with Workspace.open(Path(project.workspace), lock_wait_s=lock_wait_s) as workspace:
        planned = compaction.pending(workspace)
        if dry_run:
            would = cleaning.preview(workspace, now=now, retention=retention) if vacuum else None
            return Compaction(project.environment, tuple(_planned(p) for p in planned), would)
        event_rows = sum(p.rows for p in planned if p.dataset == EVENTS)
        listener.start("compact", total=2 * event_rows, unit="rows")
        done = compaction.compact(workspace, advance=listener.advance)
        listener.finish()
        copies_for(start, workspace, env=env, progress=listener)
        forgotten = forget_outlived(workspace, now=now, days=project.keep_landed_days) if vacuum else 0
        deleted = cleaning.vacuum(workspace, now=now, retention=retention) if vacuum else None
    if deleted is not None:
        deleted = replace(deleted, files=deleted.files + forgotten)
    return Compaction(project.environment, tuple(_merged(c) for c in done), deleted)


def _planned(p: Pending) -> Merged:
    return Merged(p.dataset, p.rows, p.files, None, p.bytes, None)


def _merged(c: Compacted) -> Merged:
    return Merged(c.dataset, c.rows, c.files_before, c.files_after, c.bytes_before, c.bytes_after)
