"""Checkpoints of a stream: lines become files and changes a run; and what other commands did meanwhile is taken in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.model.errors import SegctlError, UsageError
from segctl.operations.causes.words import cause
from segctl.operations.stream.changes import Why, changes_of, whys_of
from segctl.operations.stream.clock import moment
from segctl.operations.stream.intake import Files, has_sessions, intakes
from segctl.operations.stream.others import Others, of_others
from segctl.operations.stream.runs import TOLD_RUN, record, said_members, unsaid
from segctl.operations.stream.state import StreamState, Work
from segctl.operations.stream.world import World
from segctl.state import stream_log, stream_requests
from segctl.state.runs import newest_number

if TYPE_CHECKING:
    import sqlite3

    from segctl.model.sources import Source
    from segctl.operations.stream.inputs import Inputs


_HEAD = "SELECT coalesce(max(seq), 0) FROM consent_events"


def recover(state: StreamState, inputs: Inputs) -> None:
    """Takes in again what was taken in before a crash and stands in no file, and makes files of it."""
    project = state.session.project
    for source in state.sources:
        state.intakes[source.name] = intakes(state.workspace, project, [source], state.resolver)
    state.said = stream_log.last_seq(state.workspace)
    left, own = 0, set(state.intakes)
    for raw in stream_log.raw_lines(state.workspace):
        if raw.source not in state.intakes:
            state.intakes[raw.source] = intakes(
                state.workspace, project, [_declared(state, raw.source)], state.resolver
            )
        for intake in state.intakes[raw.source]:
            intake.take(raw, inputs.shown(raw.input))
        left += len(raw.lines)
    if left:
        store(state)
        state.listener.told(f"{left:,} lines that an earlier stream took in are stored now")
    for name in set(state.intakes) - own:
        del state.intakes[name]


def _declared(state: StreamState, name: str) -> Source:
    """The declared source of lines that an earlier stream took in.

    Raises:
        UsageError: It is declared no more, so nobody knows what its lines mean.
    """
    from segctl.operations.ingest.ingest import sources_of

    found = sources_of(state.session.project).get(name)
    if found is None:
        raise UsageError(
            "SEG734", f"lines of `{name}` that a stream took in wait to be stored, and the source is not declared",
            hint=f"put `sources/{name}.yaml` back until the stream has started once",
        )  # fmt: skip
    return found


def begin(state: StreamState) -> None:
    """Brings everybody up to the present, and says what moved since the stream last ran."""
    for group in state.intakes.values():
        for intake in group:
            intake.ready()
    is_first = stream_log.fact(state.workspace, TOLD_RUN) is None
    members = renew(state, is_first=is_first)
    if is_first:
        state.listener.told(f"{members:,} memberships of {len(state.here.members.names)} segments stand at the start")


def renew(state: StreamState, *, is_first: bool = False) -> int:
    """Evaluates everybody with the definitions of the session, as a run like any other, and goes on from there.

    Args:
        state: Of a stream; everything taken in stands in files.
        is_first: Nothing was ever said, so the members at the start are no changes.

    Returns:
        How many memberships there are.
    """
    from segctl.operations.apply import apply

    if state.world is not None:
        take_ranking(state, wait=True)
        state.world.close()
        state.world = None
    # What others do from here on is looked at afterwards, though some of it may count already.
    state.seen, state.consents = state.workspace.snapshot(), _consent_head(state)
    at = state.clock.tick()
    said = said_members(state.workspace)
    applied = apply(state.session, as_of=moment(at), started=state.clock.wall())
    for warning in applied.warnings:
        state.listener.told(warning, is_warning=True)
    failed = {s.segment: s.reason for s in applied.segments if s.state == "failed"}
    for name, reason in failed.items():
        state.listener.told(f"`{name}` keeps its last membership and is left out: {reason}", is_warning=True)
    state.world = world = World(state.session, at, without=frozenset(failed))
    moved = world.start()
    last = newest_number(state.workspace)
    if is_first:
        state.commit(Work(changes=state.in_time(moved, at)), {TOLD_RUN: last})
    else:
        changes = unsaid(state.workspace, said, world.members, world.profiles, at)
        state.commit(Work(changes=changes), {TOLD_RUN: last}, recorded=last)
    return sum(s.members for s in applied.segments)


def look(state: StreamState) -> None:
    """Does what is due beside the steps."""
    now = time.monotonic()
    if state.world is None:
        return
    take_ranking(state)
    state.pushing.take(state.listener.told)
    if state.records_since is not None and now - state.records_since >= state.habits.records_s:
        take_records(state)
    if now - state.looked_at >= state.habits.look_s:
        state.looked_at = now
        _serve(state)
    is_late = now - state.checkpoint_at >= state.habits.checkpoint_s
    if is_late or state.lines >= state.habits.checkpoint_lines:
        checkpoint(state)
        if state.here.is_outdated(state.clock.now or 0):
            # A segment was paused or resumed, or has ended.
            renew(state)


def _serve(state: StreamState) -> None:
    """Answers what others ask, and sees what they have changed."""
    if wanted := stream_requests.open_requests(state.workspace, "files"):
        take_records(state)
        stream_requests.answer(state.workspace, wanted)
    asked = stream_requests.open_requests(state.workspace)
    if asked:
        _hand_over(state, asked)
    else:
        _catch_up(state)


def _catch_up(state: StreamState) -> None:
    """Asks whom the commits of others touch; `seen` is the snapshot up to which none was left out."""
    until = state.workspace.snapshot()
    others = of_others(state.workspace, state.seen, until) if until > state.seen else Others()
    if others.is_all or _needs_renewal(state):
        state.listener.told("another command changed what is stored, so everybody is evaluated")
        store(state)
        renew(state)
        return
    if not others.is_nothing:
        _take_others(state, others)
    state.seen = until


def _hand_over(state: StreamState, asked: list[int]) -> None:
    """Takes the definitions as they are now, and records a run with them."""
    # What moved before is of a run of its own, so that it is not put down to the definitions.
    checkpoint(state)
    try:
        state.session = state.reload()
    except SegctlError as error:
        # What binds for nobody is no reason to stop: the definitions that are there go on.
        stream_requests.answer(state.workspace, asked, error=f"{error.code}: {error.message}")
        state.listener.told(f"the definitions do not bind, so the old ones go on: {error.message}", is_warning=True)
        return
    renew(state)
    stream_requests.answer(state.workspace, asked, run=newest_number(state.workspace))
    state.listener.told("the definitions were read again")


def _needs_renewal(state: StreamState) -> bool:
    """Whether others recorded a run or what somebody consents to, which may concern anybody."""
    in_force = state.workspace.query("SELECT coalesce(max(in_force), 0) FROM segments")[0][0]
    return in_force > (stream_log.fact(state.workspace, TOLD_RUN) or 0) or _consent_head(state) != state.consents


def _take_others(state: StreamState, others: Others) -> None:
    """Asks whom the commits of others touch."""
    world, at = state.here, state.clock.tick()
    # Whoever was nobody before an event that others stored is somebody now.
    world.sees(others.touched)
    now = state.clock.wall_us
    otherwise = Why(cause("trait_changed", "values changed"), None, now)
    moved = world.ask(world.profile_subjects(others.touched), at)
    whys = whys_of(moved, others.events, world, since=now)
    world.wait_for(others.events, at)
    state.commit(Work(changes=changes_of(moved, world.profiles, whys, otherwise, effective=at, now=now)))


def _consent_head(state: StreamState) -> int:
    return int(state.workspace.query(_HEAD)[0][0])


def take_records(state: StreamState) -> AbstractSet[int]:
    """Makes files of what came, so that records and consents count, and asks whom they touch.

    Returns:
        Subjects of all versions of the events that were corrected; these are not asked.
    """
    stored = store(state)
    if stored.touched:
        world, at = state.here, state.clock.tick()
        moved = world.ask(world.profile_subjects(stored.touched), at)
        state.commit(Work(changes=state.in_time(moved, at, "trait_changed", "values changed")))
    return stored.former


@dataclass(frozen=True, slots=True)
class Stored:
    """Whom files that were just made concern, besides by events that came.

    Attributes:
        touched: Subjects whose records or consents changed, or who have or had a row of a table that did.
        former: Subjects of all versions of the events that were corrected.
    """

    touched: AbstractSet[int]
    former: AbstractSet[int]


def store(state: StreamState) -> Stored:
    """Makes files of the lines since the last, in one commit; nobody is asked."""
    open_intakes = [intake for group in state.intakes.values() for intake in group]
    parts = [intake.files() for intake in open_intakes]
    add = [file for part in parts for file in part.add]
    remove = [number for part in parts for number in part.remove]

    consents = state.consents

    def within(db: sqlite3.Connection) -> None:
        nonlocal consents
        stream_log.forget_raw(db)
        before = int(db.execute(_HEAD).fetchone()[0])
        for part in parts:
            for finish in part.within:
                finish(db)
        if before == consents:
            consents = int(db.execute(_HEAD).fetchone()[0])

    if any(part.within for part in parts) or stream_log.waiting_lines(state.workspace):
        state.workspace.commit("stream", add, remove, within=within, note=_note(state.sources, parts))
    stored = Stored(state.records.union(*(part.owners for part in parts)), set().union(*(p.former for p in parts)))
    for intake in open_intakes:
        intake.go_on(state.clock.wall())
    state.lines = 0
    state.records, state.records_since = set(), None
    state.consents = consents
    if state.world is not None:
        state.world.sees(sorted(stored.touched | stored.former), events_written=True)
    return stored


def checkpoint(state: StreamState, *, is_last: bool = False) -> None:
    """Makes files of the lines and a run of the changes; segments that need everybody begin to be ranked anew.

    Args:
        state: Of a stream that has begun.
        is_last: The ranking is waited for, so that the run holds it.
    """
    take_records(state)
    _catch_up(state)
    world, at = state.here, state.clock.tick()
    _take_sessions(state, at)
    if is_last:
        take_ranking(state, wait=True)
        state.ranking.begin(state.session, world.late, at=at, snapshot=world.snapshot)
        take_ranking(state, wait=True)
    _, warnings = record(
        state.session, world.going, world.members, failed=world.failed, profiles=world.population,
        as_of=moment(at), snapshot=state.seen, started=state.clock.wall(),
    )  # fmt: skip
    for warning in warnings:
        state.listener.told(warning, is_warning=True)
    world.as_of, state.is_ahead = at, False
    state.checkpoint_at = time.monotonic()
    if not is_last:
        state.ranking.begin(state.session, world.late, at=at, snapshot=world.snapshot)
    state.pushing.take(state.listener.told, wait=is_last)
    state.pushing.begin(state.session, state.clock.wall())
    if is_last:
        state.pushing.take(state.listener.told, wait=True)


def take_ranking(state: StreamState, *, wait: bool = False) -> None:
    """Says what a ranking that has ended moved."""
    found = state.ranking.take(wait=wait)
    if found is not None:
        moved = state.here.ranked(found)
        state.commit(Work(changes=state.in_time(moved, found.at, "others_moved")))


def _take_sessions(state: StreamState, at: int) -> None:
    """Sessions stand in files since just now, and whoever has one may have moved."""
    if any(has_sessions(source) for source in state.sources):
        world = state.here
        moved = world.ask(world.profile_subjects(range(len(world.profiles))), at)
        state.commit(Work(changes=state.in_time(moved, at)))


def _note(sources: Sequence[Source], parts: Sequence[Files]) -> dict[str, Any]:
    return {
        "source": ", ".join(source.name for source in sources),
        "rows": sum(part.read for part in parts),
        "bad": sum(part.bad for part in parts),
    }
