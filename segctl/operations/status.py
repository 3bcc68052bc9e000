"""How things stand: the last run, the last push to each destination, what failed, what waits, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.pauses import in_words, paused_now
from segctl.operations.status_live import CollectorStatus, WorkflowsStatus, collector_status, workflows_status
from segctl.operations.stream.status import StreamStatus, stream_status

if TYPE_CHECKING:
    from segctl.operations.session import Session
    from segctl.state.deliveries import Failure
    from segctl.state.deliveries_log import Push
    from segctl.state.runs import Run

WITHDRAWALS_DAYS = 30
"""Withdrawals of so many days tell how quick removals are."""
_SENT = ("ok", "partial", "paused")


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Seconds from a recorded withdrawal to the acknowledged removal, over the last `WITHDRAWALS_DAYS`."""

    count: int
    p50: float
    p95: float
    most: float


UNDECLARED = "undeclared"


@dataclass(frozen=True, slots=True)
class DestinationStatus:
    """One destination.

    Attributes:
        push: Id of the last push there; None before the first.
        at: When it began.
        status: What became of it there: ``ok``, ``partial``, ``refused``, ``stopped``, ``paused``, ``interrupted``,
            ``running`` or ``never``; ``undeclared`` where people are whom nobody can take out any more.
        reason: Why it was refused or stopped.
        people: Who may be there, all audiences together.
        invalid: Rows that never work as they are; `rejected` may work later; of `unknown` nobody knows.
        removals_waiting: Removals that were not acknowledged; the oldest since `waiting_since`.
        behind_s: Seconds since a run brought members into force that were not sent; 0 when everything was.
        paused: Since when and why; None when it is not.
    """

    destination: str
    audiences: int
    push: str | None
    at: datetime | None
    status: str
    reason: str | None
    people: int
    invalid: int
    rejected: int
    unknown: int
    removals_waiting: int
    waiting_since: str | None
    behind_s: float
    withdrawals: Quantiles | None
    paused: str | None

    @property
    def failed(self) -> int:
        """Rows that were not accepted."""
        return self.invalid + self.rejected + self.unknown


@dataclass(frozen=True, slots=True)
class Status:
    """The whole project in one environment.

    Attributes:
        run: The last run of any outcome; None before the first.
        failed_segments: Segment → why it kept its members at that run.
        members: Segment → members in force.
        delivered: Destination, segment → people that may be there.
        paused: Segment → since when and why.
        everything_paused: Likewise when all is paused.
        next_steps: Commands, the most urgent first, each with why.
        stream: How the stream does; None when there never was one.
        workflows: How workflows do; None where there are none.
        collector: How the collector does; None where there is none.
    """

    now: datetime
    run: Run | None
    failed_segments: Mapping[str, str]
    members: Mapping[str, int]
    destinations: tuple[DestinationStatus, ...]
    delivered: Mapping[tuple[str, str], int]
    paused: Mapping[str, str]
    everything_paused: str | None
    next_steps: tuple[tuple[str, str], ...]
    stream: StreamStatus | None = None
    workflows: WorkflowsStatus | None = None
    collector: CollectorStatus | None = None


def status(session: Session, *, now: datetime) -> Status:
    """How things stand; no data file is opened and nothing is asked elsewhere."""
    from segctl.state.deliveries import sizes_delivered
    from segctl.state.memberships import sizes
    from segctl.state.runs import run_segments, runs

    workspace = session.workspace
    stopped = paused_now(workspace, session.definitions.segments)
    recorded = runs(workspace)
    last = recorded[0] if recorded else None
    in_force = next((run for run in recorded if run.status.value in ("ok", "partial")), None)
    delivered = sizes_delivered(workspace)
    there = _destinations(session, now, in_force, delivered)
    failed = {
        one.segment: one.reason or "" for one in (run_segments(workspace, last) if last is not None else ())
        if one.state.value == "failed"
    }  # fmt: skip
    everything = (
        None if stopped.everything is None else in_words(stopped.everything, _day(session, stopped.everything.at))
    )
    workflows = workflows_status(session)
    paused = {name: in_words(press, _day(session, press.at)) for name, press in sorted(stopped.segments.items())}
    return Status(
        now=now,
        run=last,
        failed_segments=failed,
        members=sizes(workspace),
        destinations=there,
        delivered=delivered,
        paused={} if everything else paused,
        everything_paused=everything,
        next_steps=(*_next_steps(last, failed, there, everything), *_live_steps(workflows)),
        stream=stream_status(workspace),
        workflows=workflows,
        collector=collector_status(session),
    )


def quantiles(seconds: Sequence[float]) -> Quantiles | None:
    """Of ascending values, by the nearest rank; None of none."""
    if not seconds:
        return None
    at = [seconds[max(0, -(-len(seconds) * percent // 100) - 1)] for percent in (50, 95)]
    return Quantiles(len(seconds), at[0], at[1], seconds[-1])


def _destinations(
    session: Session, now: datetime, in_force: Run | None, delivered: Mapping[tuple[str, str], int]
) -> tuple[DestinationStatus, ...]:
    from segctl.state.deliveries import failures
    from segctl.state.withdrawals import withdrawal_times

    times = withdrawal_times(session.workspace, since=(now - timedelta(days=WITHDRAWALS_DAYS)).astimezone(UTC))
    names = sorted({*session.definitions.destinations, *(name for name, _ in delivered)})
    return tuple(
        _destination(
            session, name, now, in_force,
            [people for (to, _), people in delivered.items() if to == name],
            failures(session.workspace, name),
            quantiles(times.get(name, [])),
        )
        for name in names
    )  # fmt: skip


def _destination(
    session: Session,
    name: str,
    now: datetime,
    in_force: Run | None,
    sizes: Sequence[int],
    failed: Sequence[Failure],
    withdrawals: Quantiles | None,
) -> DestinationStatus:
    from segctl.state.deliveries_batches import remove_backlog
    from segctl.state.deliveries_log import last_push

    workspace, segments = session.workspace, session.definitions.segments
    push = last_push(workspace, name)
    waiting, since = remove_backlog(workspace, name)
    press = paused_now(workspace, segments).destinations.get(name)
    kinds = [one.state for one in failed if one.action != "remove"]
    word, reason = _worst(push, name)
    if sum(sizes) > 0 and name not in session.definitions.destinations:
        word, reason = UNDECLARED, f"`destinations/{name}.yaml` is gone, so nobody can be taken out there"
    return DestinationStatus(
        destination=name,
        audiences=sum(name in segment.send_to for segment in segments.values()),
        push=None if push is None else push.id,
        at=None if push is None else datetime.fromisoformat(push.started),
        status=word,
        reason=reason,
        people=sum(sizes),
        invalid=kinds.count("invalid"),
        rejected=kinds.count("rejected"),
        unknown=kinds.count("unknown"),
        removals_waiting=waiting,
        waiting_since=since,
        behind_s=_behind_s(session, name, now, in_force),
        withdrawals=withdrawals,
        paused=None if press is None else in_words(press, _day(session, press.at)),
    )


def _worst(push: Push | None, name: str) -> tuple[str, str | None]:
    """The worst of what became of a destination's audiences, and why."""
    if push is None:
        return "never", None
    parts = {part.status: part.reason for part in push.parts if part.destination == name}
    order = ("running", "interrupted", "stopped", "refused", "partial", "paused")
    word = next((one for one in order if one in parts), "ok")
    return word, parts.get(word)


def _behind_s(session: Session, name: str, now: datetime, in_force: Run | None) -> float:
    """How long members have been in force that no push has brought there; every audience has its own last push."""
    from segctl.state.deliveries_log import last_push

    wanted = [s for s in session.definitions.segments.values() if name in s.send_to and s.status == "active"]
    if in_force is None or not wanted:
        return 0.0
    newest = last_push(session.workspace, name)
    if (
        newest is not None
        and datetime.fromisoformat(newest.started) >= in_force.started
        and _worst(newest, name)[0] in _SENT
    ):
        return 0.0
    return max(0.0, (now - in_force.finished).total_seconds())


def _next_steps(
    run: Run | None, failed: Mapping[str, str], there: Iterable[DestinationStatus], everything: str | None
) -> Iterable[tuple[str, str]]:
    there = tuple(there)
    if everything is not None:
        yield "segctl resume --all", f"everything is {everything}"
    waiting = [one.destination for one in there if one.removals_waiting]
    if waiting:
        yield "segctl push --all", f"removals wait at {', '.join(waiting)}"
    gone = [one for one in there if one.status == UNDECLARED]
    if gone:
        names = ", ".join(one.destination for one in gone)
        people = sum(one.people for one in gone)
        yield (
            "segctl help push",
            f"{people:,} people are at {names} without a declaration; put it back to take them out",
        )
    if run is None:
        yield "segctl apply", "no segment was evaluated yet"
        return
    if failed:
        yield "segctl plan", f"{len(failed):,} {'segment keeps' if len(failed) == 1 else 'segments keep'} old members"
    behind = [one.destination for one in there if one.behind_s and one.paused is None and one.audiences]
    if behind and not waiting:
        yield "segctl push", f"{', '.join(behind)} {'is' if len(behind) == 1 else 'are'} behind the last run"
    if any(one.failed for one in there):
        yield "segctl push --retry-failed --preview", f"{sum(one.failed for one in there):,} rows were not accepted"
    for one in there:
        if one.paused is not None:
            yield f"segctl resume {one.destination}", one.paused


def _live_steps(workflows: WorkflowsStatus | None) -> Iterable[tuple[str, str]]:
    if workflows is not None and workflows.unknown:
        yield "segctl workflow status", f"of {workflows.unknown:,} effects nobody knows whether they happened"


def _day(session: Session, at: datetime) -> str:
    return str(session.local(at).date())
