"""What a stream says of one person and segment that no run says yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.causes.words import say, translated
from segctl.operations.stream.clock import moment
from segctl.state import stream_log
from segctl.state.stream_requests import is_streaming

if TYPE_CHECKING:
    from segctl.model.project import Language
    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class Ahead:
    """A stream has taken in or said more than the runs in force hold.

    Attributes:
        is_running: It goes on; otherwise it broke off, and the next one takes it up.
        member: Whether the person belongs to the segment, by what it said.
        moved_at: When that changed since the run in force; None when it did not.
        moved_why: The cause of that, in words.
    """

    is_running: bool
    member: bool
    moved_at: datetime | None = None
    moved_why: str | None = None


def ahead(session: Session, segment: str, subjects: Sequence[int], language: Language) -> Ahead | None:
    """What a stream says that is ahead of the runs in force; None when none is.

    Args:
        session: Open project and workspace.
        segment: Its name.
        subjects: Of the person.
        language: Of the words.
    """
    from segctl.state.memberships import in_force, intervals

    workspace = session.workspace
    if not stream_log.is_ahead(workspace):
        return None
    is_running = is_streaming(workspace)
    last = stream_log.pending_change(workspace, segment, subjects)
    if last is None:
        stays = intervals(workspace, tuple(subjects)) if in_force(workspace, segment) is not None else ()
        return Ahead(is_running, any(one.segment == segment and one.left_at is None for one in stays))
    said, zone = translated(session, segment, language), session.project.timezone
    return Ahead(
        is_running, last.entered, moment(last.effective), say(last.cause, zone=zone, language=language, said=said)
    )
