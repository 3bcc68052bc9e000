"""What a stream has said as a run on record, like any other; and what other runs moved meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from segctl import __version__
from segctl.operations.causes.words import cause
from segctl.operations.guards import refusals
from segctl.operations.provenance import run_note
from segctl.operations.running import Running
from segctl.operations.stream.clock import micros
from segctl.state import stream_log
from segctl.state.stream_log import Change

if TYPE_CHECKING:
    import sqlite3

    import polars as pl

    from segctl.operations.session import Session
    from segctl.operations.stream.members import Members
    from segctl.state.runs import Run
    from segctl.state.workspace import Workspace

TOLD_RUN = "told_run"
"""Fact: number of the newest run whose changes stand in the log of the stream."""


def record(
    session: Session,
    going: Running,
    members: Members,
    *,
    failed: Mapping[str, str],
    profiles: int,
    as_of: datetime,
    snapshot: int,
    started: datetime,
    until: int,
) -> tuple[Run, tuple[str, ...]]:
    """Records what stands now, and the changes that were said since the last run as those of this one.

    Args:
        session: Open project and workspace.
        going: What may be touched.
        members: Who belongs where.
        failed: Segments that cannot be decided now, with the reason.
        profiles: How many there are.
        as_of: The present of the stream.
        snapshot: Files that hold all events taken in.
        started: Wall clock.
        until: Number of the last change that was said by then.

    Returns:
        The run, and sentences about segments that stay as they were: they failed, or a guard of their own refuses.
    """
    from segctl.state.memberships import record_run
    from segctl.state.runs import NewRun, SegmentState, run_segments

    names = [name for name in going.names if name in members.names]
    pending = stream_log.pending_causes(session.workspace, until)
    decided = [name for name in names if name not in failed]
    known = frozenset(decided)
    pending = [change for change in pending if change[0] in known]
    note = run_note(session, names, (), ()) | going.note | {"stream": {"changes": len(pending)}, "profiles": profiles}
    new = NewRun(
        as_of=as_of, snapshot=snapshot, started=started, finished=started + timedelta(0), tool_version=__version__,
        definitions={name: session.definitions.segments[name].digest for name in names}, note=note,
    )  # fmt: skip

    def mark(db: sqlite3.Connection, number: int) -> None:
        stream_log.mark_recorded(db, number, until)
        stream_log.set_facts(db, {TOLD_RUN: number})

    refuse = partial(refusals, session.definitions, allowed=(), stale=going.fresh.refused, expired=going.expired)
    run = record_run(
        session.workspace, new, members.frame(decided), active=going.defined, causes=_causes(pending), refuse=refuse,
        failed={name: failed[name] for name in names if name in failed}, also=mark,
    )  # fmt: skip
    stay = [s for s in run_segments(session.workspace, run) if s.state is SegmentState.FAILED]
    return run, tuple(f"`{s.segment}` keeps the membership of its last run: {s.reason}" for s in stay)


def _causes(pending: Sequence[tuple[str, int, str, int]]) -> pl.DataFrame | None:
    """The last cause of each profile and segment."""
    import polars as pl

    if not pending:
        return None
    types = {"segment": pl.String, "subject": pl.Int32, "cause": pl.String, "effective": pl.Int64}
    rows = pl.DataFrame(pending, schema=types, orient="row")
    last = rows.unique(["segment", "subject"], keep="last", maintain_order=True)
    return last.select("segment", "subject", "cause", pl.col("effective").cast(pl.Datetime("us", "UTC")))


def said_members(workspace: Workspace) -> dict[int, pl.Series]:
    """Who belongs where by everything that was said: dense truth by subject, by number of the segment."""
    from segctl.state.changes import grown, standing
    from segctl.state.recording import known_segments

    known = known_segments(workspace)
    state = standing(workspace, stream_log.fact(workspace, TOLD_RUN) or 0, [one.id for one in known.values()])
    found = {one.id: state.flags(one.id) for one in known.values()}
    later: dict[int, dict[int, bool]] = {}
    for change in stream_log.changes_after(workspace, 0, pending=True):
        if change.segment in known:
            later.setdefault(known[change.segment].id, {})[change.subject] = change.entered
    for number, moves in later.items():
        flags = grown(found[number], max(moves) + 1).clone()
        found[number] = flags.scatter(list(moves), list(moves.values()))
    return found


def unsaid(
    workspace: Workspace, said: Mapping[int, pl.Series], members: Members, profiles: Sequence[str], at: int
) -> list[Change]:
    """What separates everything that was said from what is now, whoever has moved it.

    Args:
        workspace: With the runs that others recorded meanwhile.
        said: As `said_members` gave it.
        members: Who belongs where now, by the stream.
        profiles: Profile id by subject.
        at: The present, microseconds since 1970.
    """
    import polars as pl

    from segctl.state.changes import grown, nobody, read_changes, standing
    from segctl.state.recording import known_segments
    from segctl.state.runs import newest_number

    last = newest_number(workspace)
    names = {one.id: name for name, one in known_segments(workspace).items()}
    ids = [number for number, name in names.items() if name not in members.names]
    others = standing(workspace, last, ids)
    log = read_changes(workspace, stream_log.fact(workspace, TOLD_RUN) or 0, last)
    why = {(segment, who): (run, micros(when), line) for run, segment, who, _, when, line in log.iter_rows()}
    found: list[Change] = []
    for number, name in sorted(names.items(), key=lambda pair: pair[1]):
        now = pl.Series(members.column(name)) if name in members.names else others.flags(number)
        before = said.get(number, nobody())
        length = max(len(now), len(before))
        now, before = grown(now.clone(), length), grown(before.clone(), length)
        for subject in (now != before).arg_true().to_list():
            # The run that moved it: readers of runs and of the stream know by it that both speak of one change.
            run, when, line = why.get((number, subject), (last, at, None))
            line = line or cause("time_passed")
            found.append(Change(name, subject, profiles[subject], bool(now[subject]), when, None, 0, line, run))
    return found
