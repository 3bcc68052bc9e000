"""What a run leaves behind so that the next one is quick; none of it is needed for truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.operations.hot_columns import build_copies, wanted_columns

if TYPE_CHECKING:
    from segctl.operations.incremental.incremental import Evaluated
    from segctl.operations.progress import Progress
    from segctl.operations.session import Session


def leave_behind(session: Session, found: Evaluated, progress: Progress) -> None:
    """Writes what stands now, merges tails of events that have become many, and copies what few will be read from.

    Copies of large event files are made once somebody evaluates only some profiles, since only that needs them.
    """
    from segctl.state.compaction_tails import compact_tails
    from segctl.state.hot import hot_paths

    if found.save is not None:
        found.save()
    merged = compact_tails(session.workspace)
    if not found.extent.is_full and (merged or found.extent.anew or not hot_paths(session.workspace)):
        build_copies(session.workspace, wanted_columns(session), progress=progress)
