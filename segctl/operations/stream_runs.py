"""What a stream has said as a run on record, like any other; and what other runs moved meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from segctl import __version__
from segctl.operations.cause_words import cause
from segctl.operations.guards import refusals
from segctl.operations.provenance import run_note
from segctl.operations.running import Running
from segctl.operations.stream_clock import micros
from segctl.state import stream_log
from segctl.state.stream_log import Change

if TYPE_CHECKING:
    import sqlite3

    import polars as pl

    from segctl.operations.session import Session
    from segctl.operations.stream_members import Members
    from segctl.state.runs import Run
    from segctl.state.workspace import Workspace

TOLD_RUN = "told_run"
"""Fact: number of the newest run whose changes stand in the log of the stream."""


def record(
    session: Session, going: Running, members: Members, *, as_of: datetime, snapshot: int, started: datetime
) -> tuple[Run, tuple[str, ...]]:
    """Records what stands now, and the changes that were said since the last run as those of this one.

    Args:
        session: Open project and workspace.
        going: What may be touched.
        members: Who belongs where.
        as_of: The present of the stream.
        snapshot: Files that hold all events taken in.
        started: Wall clock.

    Returns:
        The run, and sentences about segments that a guard of their own keeps as they were.
    """
    from segctl.state.memberships import record_run
    from segctl.state.runs import NewRun, SegmentState, run_segments

    names = [name for name in going.names if name in members.names]
    pending = list(stream_log.changes_after(session.workspace, 0, pending=True))
    until = pending[-1].seq if pending else 0
    note = run_note(session, names, (), ()) | going.note | {"stream": {"changes": len(pending)}}
    new = NewRun(
        as_of=as_of, snapshot=snapshot, started=started, finished=started + timedelta(0), tool_version=__version__,
        definitions={name: session.definitions.segments[name].digest for name in names}, note=note,
    )  # fmt: skip

    def mark(db: sqlite3.Connection, number: int) -> None:
        stream_log.mark_recorded(db, number, until)
        stream_log.set_facts(db, {TOLD_RUN: number})

    refuse = partial(refusals, session.definitions, allowed=(), stale=going.fresh.refused, expired=going.expired)
    run = record_run(
        session.workspace, new, members.frame(names), active=going.defined, causes=_causes(pending), refuse=refuse,
        also=mark,
    )  # fmt: skip
    failed = [s for s in run_segments(session.workspace, run) if s.state is SegmentState.FAILED]
    return run, tuple(f"`{s.segment}` keeps the membership of its last run: {s.reason}" for s in failed)


def _causes(pending: Sequence[Change]) -> pl.DataFrame | None:
    """The last cause of each profile and segment."""
    import polars as pl

    if not pending:
        return None
    return pl.DataFrame(
        {
            "segment": [c.segment for c in pending],
            "subject": pl.Series([c.subject for c in pending], dtype=pl.Int32),
            "cause": [c.cause for c in pending],
            "effective": pl.Series([c.effective for c in pending], dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
        }
    ).unique(["segment", "subject"], keep="last", maintain_order=True)


def of_other_runs(
    workspace: Workspace, after: int, until: int, profiles: Sequence[str], names: Iterable[str]
) -> list[Change]:
    """Changes of runs that others recorded, in order.

    Args:
        workspace: With the log of changes.
        after: Number of a run; changes up to it were said.
        until: Number of the last run.
        profiles: Profile id by subject.
        names: Segments that the stream speaks of.
    """
    from segctl.state.changes import read_changes
    from segctl.state.recording import known_segments

    wanted = set(names)
    ids = {segment.id: name for name, segment in known_segments(workspace).items() if name in wanted}
    frame = read_changes(workspace, after, until, segments=list(ids))
    return [
        Change(
            ids[segment], subject, profiles[subject], entered, micros(effective), None, 0,
            why or cause("unexplained"), run,
        )
        for run, segment, subject, entered, effective, why in frame.iter_rows()
    ]  # fmt: skip
