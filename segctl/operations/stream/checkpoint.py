"""Checkpoints of a stream: lines become files and changes a run; and what other commands did meanwhile is taken in."""

from __future__ import annotations

import time
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from segctl.model.errors import SegctlError, UsageError
from segctl.operations.causes.words import cause
from segctl.operations.stream.changes import Why, changes_of, whys_of
from segctl.operations.stream.clock import moment
from segctl.operations.stream.intake import has_sessions, intakes
from segctl.operations.stream.others import Others, of_others
from segctl.operations.stream.runs import TOLD_RUN, record, said_members, unsaid
from segctl.operations.stream.state import StreamState, Work
from segctl.operations.stream.storing import Stored, begin_storing, consent_head, goes_beside, settle, store
from segctl.operations.stream.world import World
from segctl.state import stream_log, stream_requests
from segctl.state.runs import newest_number

if TYPE_CHECKING:
    from segctl.model.sources import Source
    from segctl.operations.session import Session
    from segctl.operations.stream.inputs import Inputs
    from segctl.state.runs import Run


@dataclass(slots=True)
class Checkpoint:
    """A checkpoint beside the stream: what stood when it began becomes a run once files hold what came by then.

    Attributes:
        run: What is recorded, see `record`, but for the snapshot.
        at: Valid time, microseconds since 1970.
        seen: Newest commit whose effect was known when it began.
        consents: Newest row of the consent ledger whose effect was known then.
        snapshot: The commit that gave the files their place; None until then.
        recorded: Likewise.
    """

    run: dict[str, Any]
    at: int
    seen: int
    consents: int
    snapshot: int | None = None
    recorded: Future[tuple[Run, tuple[str, ...]]] | None = None


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
        if state.checkpoint is not None and state.checkpoint.recorded is None:
            # The run that comes holds what it would have recorded.
            state.checkpoint = None
        go_through(state)
        take_ranking(state, wait=True)
        state.world.close()
        state.world = None
    # What others do from here on is looked at afterwards, though some of it may count already.
    state.seen, state.consents = state.workspace.snapshot(), consent_head(state)
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
    # A run was just recorded, so the next one has time.
    state.checkpoint_at = time.monotonic()
    return sum(s.members for s in applied.segments)


def look(state: StreamState) -> None:
    """Does what is due beside the steps."""
    now = time.monotonic()
    if state.world is None:
        return
    take_ranking(state)
    _go_on(state)
    if state.merging.take(state.listener.told):
        state.here.sees(())
    if state.merging.is_due:
        state.merging.begin(state.session)
    state.pushing.take(state.listener.told)
    if state.records_since is not None and now - state.records_since >= state.habits.records_s:
        _begin_records(state)
    if now - state.looked_at >= state.habits.look_s:
        state.looked_at = now
        _serve(state)
    is_late = now - state.checkpoint_at >= state.habits.checkpoint_s
    if (is_late or state.lines >= state.habits.checkpoint_lines) and state.checkpoint is None:
        # A segment was paused or resumed, or has ended.
        is_outdated = state.here.is_outdated(state.clock.now or 0)
        if goes_beside(state) and state.records_since is None and not is_outdated:
            _begin_checkpoint(state)
            return
        checkpoint(state)
        if is_outdated:
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
    return in_force > (stream_log.fact(state.workspace, TOLD_RUN) or 0) or consent_head(state) != state.consents


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


def take_records(state: StreamState) -> AbstractSet[int]:
    """Makes files of what came, so that records and consents count, and asks whom they touch.

    Returns:
        Subjects of all versions of the events that were corrected; these are not asked.
    """
    stored = store(state)
    _ask(state, stored)
    return stored.former


def _begin_records(state: StreamState) -> None:
    """Begins to make files of what came, and asks whom they touch as soon as they are there."""
    if not goes_beside(state):
        take_records(state)
    elif state.storing is None:
        begin_storing(state)
        assert state.storing is not None, "it has just begun"
        # Few lines become files in a moment, so that those who are touched need not wait for the next turn.
        wait((state.storing.made,), state.habits.patience_s)
        _go_on(state)


def _ask(state: StreamState, stored: Stored) -> None:
    if stored.touched:
        world, at = state.here, state.clock.tick()
        moved = world.ask(world.profile_subjects(stored.touched), at)
        state.commit(Work(changes=state.in_time(moved, at, "trait_changed", "values changed")))


def checkpoint(state: StreamState, *, is_last: bool = False) -> None:
    """Makes files of the lines and a run of the changes; segments that need everybody begin to be ranked anew.

    Args:
        state: Of a stream that has begun.
        is_last: The ranking is waited for, so that the run holds it.
    """
    go_through(state)
    take_records(state)
    _catch_up(state)
    world, at = state.here, state.clock.tick()
    _take_sessions(state, at)
    if is_last:
        take_ranking(state, wait=True)
        state.ranking.begin(state.session, world.late, at=at, snapshot=world.snapshot)
        take_ranking(state, wait=True)
    _, warnings = record(state.session, snapshot=state.seen, **_stands(state, at))
    _has_recorded(state, at, warnings, is_last=is_last)


def _stands(state: StreamState, at: int) -> dict[str, Any]:
    """What a run records of what stands now, but for the snapshot."""
    world = state.here
    state.checkpoint_at = time.monotonic()
    world.as_of, state.is_ahead = at, False
    return {
        "going": world.going, "members": world.members, "failed": world.failed, "profiles": world.population,
        "as_of": moment(at), "started": state.clock.wall(), "until": stream_log.last_seq(state.workspace),
    }  # fmt: skip


def _has_recorded(state: StreamState, at: int, warnings: tuple[str, ...], *, is_last: bool = False) -> None:
    for warning in warnings:
        state.listener.told(warning, is_warning=True)
    world = state.here
    if not is_last:
        state.ranking.begin(state.session, world.late, at=at, snapshot=world.snapshot)
        state.merging.begin(state.session)
    state.pushing.take(state.listener.told, wait=is_last)
    state.pushing.begin(state.session, state.clock.wall())
    if is_last:
        state.pushing.take(state.listener.told, wait=True)


def _begin_checkpoint(state: StreamState) -> None:
    """Begins to make files of the lines and a run of what stands now, beside the lines that follow."""
    go_through(state)
    _catch_up(state)
    at = state.clock.tick()
    run = _stands(state, at)
    run |= {"members": state.here.members.copy()}
    state.checkpoint = Checkpoint(run, at, state.seen, state.consents)
    begin_storing(state)


def _go_on(state: StreamState, *, wait: bool = False) -> None:
    """Commits files that are made, has the run recorded that they were made for, and takes it up when it is."""
    stored, under_way = settle(state, wait=wait), state.checkpoint
    if stored is not None:
        _ask(state, stored)
    if under_way is None or under_way.snapshot is None:
        return
    if under_way.recorded is None:
        if _is_outrun(state, under_way, under_way.snapshot):
            # What others did meanwhile is in the snapshot, and who is touched by it was not asked by then.
            state.checkpoint = None
            checkpoint(state)
            return
        under_way.recorded = state.clerk.submit(_recorded, state.session, under_way.snapshot, under_way.run)
    if wait or under_way.recorded.done():
        _, warnings = under_way.recorded.result()
        state.checkpoint = None
        _has_recorded(state, under_way.at, warnings)


def _is_outrun(state: StreamState, under_way: Checkpoint, snapshot: int) -> bool:
    """Whether others changed, up to the files of a checkpoint, what somebody who asks for its run would find."""
    if _needs_renewal(state) or consent_head(state) != under_way.consents:
        return True
    return not of_others(state.workspace, under_way.seen, snapshot).is_nothing


def go_through(state: StreamState) -> None:
    """Waits for a checkpoint that is under way beside the stream."""
    _go_on(state, wait=True)


def _recorded(session: Session, snapshot: int, run: dict[str, Any]) -> tuple[Run, tuple[str, ...]]:
    """As `record`, with a connection of its own: that of the stream may be in the middle of a transaction."""
    from segctl.state.workspace import Workspace

    with Workspace.open(session.workspace.folder) as workspace:
        return record(replace(session, workspace=workspace), snapshot=snapshot, **run)


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
