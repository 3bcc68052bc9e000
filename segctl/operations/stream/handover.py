"""What others do beside a running stream: `apply` has it record the run, workflows have it make files."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.errors import TemporaryError, UsageError
from segctl.operations.apply import Applied, SegmentOutcome
from segctl.state import stream_log, stream_requests

if TYPE_CHECKING:
    from segctl.operations.session import Session

_LEAST_WAIT_S = 120.0
_POLL_S = 0.05


def handed_over(session: Session, *, as_of: datetime | None, is_allowing: bool, wait_s: float = 0.0) -> Applied | None:
    """What the stream of this environment recorded with the definitions as they are now; None when none is running.

    Args:
        session: Open project and workspace; its definitions bind.
        as_of: Valid time that was asked for; one before the run in force is a what-if, which disturbs no stream.
        is_allowing: Guards were to be loosened.
        wait_s: Seconds to wait for the stream, at least two minutes.

    Raises:
        TemporaryError: It does not answer, or what is asked for needs it stopped.
        UsageError: It could not take the definitions.
    """
    workspace = session.workspace
    if not stream_requests.is_streaming(workspace) or (as_of is not None and _is_what_if(session, as_of)):
        return None
    if as_of is not None or is_allowing:
        refuse_beside(session, "`--as-of`" if as_of is not None else "`--allow`")
    number = stream_requests.ask(workspace)
    until = time.monotonic() + max(wait_s, _LEAST_WAIT_S)
    while not (found := stream_requests.request(workspace, number)).is_done:
        if not stream_requests.is_streaming(workspace):
            stream_requests.withdraw(workspace, number)
            return None
        if time.monotonic() > until:
            stream_requests.withdraw(workspace, number)
            raise TemporaryError("SEG731", "the running stream has not taken the definitions yet", hint="try again")
        time.sleep(_POLL_S)
    if found.error is not None or found.run is None:
        raise UsageError("SEG732", f"the running stream could not take the definitions: {found.error}")
    return _applied(session, found.run)


def files_made(session: Session, *, wait_s: float = 5.0) -> bool:
    """Has the running stream make files of what it has taken in, so that every event of it can be read.

    Args:
        session: Open project and workspace.
        wait_s: Seconds to wait for the stream.

    Returns:
        False when it has not answered in time: its newest events cannot be read yet. True where none is running, or
        nothing waits.
    """
    workspace = session.workspace
    if not stream_log.waiting_lines(workspace) or not stream_requests.is_streaming(workspace):
        return True
    number = stream_requests.ask(workspace, "files")
    until = time.monotonic() + wait_s
    while not stream_requests.request(workspace, number).is_done:
        if time.monotonic() > until:
            stream_requests.withdraw(workspace, number)
            return False
        time.sleep(_POLL_S)
    return True


def refuse_beside(session: Session, what: str) -> None:
    """Refuses what would bring another membership into force than the running stream has said.

    Raises:
        TemporaryError: A stream is running.
    """
    if stream_requests.is_streaming(session.workspace):
        raise TemporaryError(
            "SEG731", f"a stream is running, which records its runs as of now, so {what} cannot be had beside it",
            hint="leave it out, or stop the stream for this run",
        )  # fmt: skip


def _is_what_if(session: Session, as_of: datetime) -> bool:
    from segctl.state.runs import microseconds

    rows = session.workspace.query("SELECT max(in_force_as_of) FROM segments WHERE alive")
    return rows[0][0] is not None and microseconds(as_of) < int(rows[0][0])


def _applied(session: Session, number: int) -> Applied:
    from segctl.state.runs import run_segments, runs

    run = next(one for one in runs(session.workspace) if one.number == number)
    rows = tuple(
        SegmentOutcome(s.segment, s.size, s.entered, s.left, s.state.value, s.reason)
        for s in run_segments(session.workspace, run)
    )
    profiles = int(run.note.get("profiles", 0))
    return Applied(run, run.status.value, run.as_of, run.snapshot, rows, profiles, timings=run.timings)
