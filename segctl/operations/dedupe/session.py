"""The project and workspace that `dedupe` works on, and how its subjects are named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from segctl.operations.project import bound_project

if TYPE_CHECKING:
    from segctl.model.project import Project
    from segctl.state.workspace import Workspace


@contextmanager
def open_for_dedupe(
    start: Path, *, env: str | None = None, lock_wait_s: float = 0.0
) -> Iterator[tuple[Project, Workspace]]:
    """The project found upwards from `start`, without its segments, and its workspace.

    Raises:
        UsageError: No project, findings in its file, or no workspace yet.
    """
    from segctl.state.workspace import Workspace

    project, _ = bound_project(start, env=env)
    with Workspace.open(Path(project.workspace), lock_wait_s=lock_wait_s) as workspace:
        yield project, workspace


def local(project: Project, at: datetime) -> datetime:
    """The instant in the project's zone."""
    return at.astimezone(ZoneInfo(project.timezone))


def ids_of(workspace: Workspace, subjects: Sequence[int]) -> dict[int, str]:
    """The id each subject was given, whoever it belongs to now."""
    import polars as pl

    from segctl.operations.people import with_profile_ids

    frame = pl.DataFrame({"subject": pl.Series(sorted(set(subjects)), dtype=pl.Int32)})
    return dict(with_profile_ids(workspace, frame).select("subject", "profile_id").iter_rows())
