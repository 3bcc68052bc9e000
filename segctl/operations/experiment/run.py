"""Start and stop experiments: from the start their definition is on record, and pushes of their segment keep to it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.model.errors import Refused, UsageError
from segctl.operations.experiment.frozen import definition_of, frozen_digest
from segctl.operations.experiment.running import next_epoch, today_called
from segctl.operations.things import unknown_thing

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from segctl.model.experiments import Experiment
    from segctl.operations.session import Session
    from segctl.state.experiments import ExperimentRecord


@dataclass(frozen=True, slots=True)
class Started:
    """An experiment that has begun.

    Attributes:
        name: As declared.
        destinations: Of its segment: the next push there assigns people.
        silent: Arms that are sent nothing.
        there: Destination → people that are there of the segment; who is not sent any more leaves.
        staying: Of these destinations the ones that take nobody out: they cannot, or their mode is `update`.
    """

    name: str
    segment: str
    at: datetime
    arms: tuple[str, ...]
    silent: tuple[str, ...]
    destinations: tuple[str, ...]
    there: dict[str, int]
    staying: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """An experiment that has ended.

    Attributes:
        winner: The arm that everybody gets, if somebody said so.
        people: Arm → profiles assigned.
        open_windows: Units whose window is not complete; a push of the segment leaves them out of the report.
    """

    name: str
    segment: str
    at: datetime
    winner: str | None
    reason: str | None
    people: dict[str, int]
    open_windows: int = 0


def start(session: Session, name: str, *, now: datetime, dry_run: bool = False) -> Started:
    """Write down that an experiment begins.

    Nobody is pushed to meanwhile: whoever was told by a push that began before would be told whatever their arm is.

    Raises:
        UsageError: No such experiment.
        Refused: It has begun, has ended, or its planned end has passed.
        TemporaryError: A push to one of its destinations is under way.
    """
    from segctl.connectors.destinations import abilities
    from segctl.state.deliveries import sizes_delivered
    from segctl.state.experiments import begin

    one = declared_experiment(session, name)
    _refuse_start(session, one, now)
    definition = definition_of(one)
    segment = session.definitions.segments[one.segment]
    destinations = tuple(sorted(set(segment.send_to) & session.definitions.destinations.keys()))
    with ExitStack() as stack:
        for to in destinations if not dry_run else ():
            stack.enter_context(session.workspace.lock(f"push to {to}"))
        epoch, digest = next_epoch(one, None, now), frozen_digest(definition)
        if not dry_run and not begin(
            session.workspace, one.key, definition=definition, digest=digest, at=now, epoch=epoch
        ):
            raise _begun(one.name)
    sizes = sizes_delivered(session.workspace)
    there = {to: sizes[to, one.segment] for to in destinations if sizes.get((to, one.segment))}
    return Started(
        name=one.name,
        segment=one.segment,
        at=now,
        arms=tuple(arm.name for arm in one.arms),
        silent=tuple(arm.name for arm in one.arms if not arm.is_sent),
        destinations=destinations,
        there=there,
        staying=tuple(
            to for to in there
            if session.definitions.destinations[to].mode == "update"
            or abilities(session.definitions.destinations[to]).removal == "none"
        ),
        digest=digest,
    )  # fmt: skip


def stop(
    session: Session,
    name: str,
    *,
    winner: str | None = None,
    reason: str | None = None,
    now: datetime,
    dry_run: bool = False,
) -> Stopped:
    """Write down that an experiment ends: nobody is held out for it any more.

    Raises:
        UsageError: No such experiment or arm, or one that is sent nothing.
        Refused: It does not run.
    """
    from segctl.state.experiments import assignment_counts, end

    record = recorded_experiment(session, name)
    segment = today_called(session.definitions.segments, str(record.definition["segment"]))
    arms = {arm["name"]: arm.get("is_sent", True) for arm in record.definition["arms"]}
    if winner is not None:
        _refuse_winner(name, segment, arms, winner)
    said = (reason or "").strip() or None
    is_new = record.stopped is None and (
        dry_run or end(session.workspace, record.name, at=now, reason=said, winner=winner)
    )
    if not is_new:
        raise Refused(
            "SEG960", f"the experiment `{name}` does not run: it was stopped",
            hint="`segctl experiment status` shows when and why",
        )  # fmt: skip
    counts = assignment_counts(session.workspace, record.name)
    return Stopped(
        name=name,
        segment=segment,
        at=now,
        winner=winner,
        reason=said,
        people={arm: counts.get(arm, (0, 0))[0] for arm in arms},
        open_windows=_open_windows(session, record, now),
    )


def _open_windows(session: Session, record: ExperimentRecord, now: datetime) -> int:
    """Exposed units whose window is not complete; 0 when its file is gone."""
    import polars as pl

    from segctl.compile.zones import to_us
    from segctl.engines.exposures import later
    from segctl.state.assignments import assignments

    one = next((one for one in session.definitions.experiments.values() if one.key == record.name), None)
    if one is None:
        return 0
    found = assignments(session.workspace, record.name).group_by("unit").agg(pl.col("exposed_at").min())
    begins = found["exposed_at"].drop_nulls().dt.timestamp("us")
    return int((later(begins, one.window, session.project.timezone) > to_us(now)).sum())


def _refuse_winner(name: str, segment: str, arms: dict[str, bool], winner: str) -> None:
    """Raises `UsageError` for what everybody cannot get."""
    if winner not in arms:
        known = ", ".join(f"`{arm}`" for arm in arms)
        raise UsageError("SEG961", f"`{winner}` is no arm of `{name}`", hint=f"its arms are {known}")
    if not arms[winner]:
        raise UsageError(
            "SEG961", f"`{winner}` is sent nothing, so it cannot be what everybody of `{segment}` gets",
            why="a stopped experiment holds nobody out: the next push would tell them all",
            hint=f"`segctl pause {segment}`, then stop without `--winner`",
        )  # fmt: skip


def declared_experiment(session: Session, name: str) -> Experiment:
    """An experiment of the project.

    Raises:
        UsageError: There is none of that name.
    """
    known = session.definitions.experiments
    if name not in known:
        raise unknown_thing("experiment", name, list(known))
    return known[name]


def recorded_experiment(session: Session, name: str) -> ExperimentRecord:
    """What is on record of an experiment, by its name of today or, if its file is gone, by the one it began with.

    Raises:
        UsageError: There is none of that name.
        Refused: It was never started.
    """
    from segctl.state.experiments import records

    known, found = session.definitions.experiments, records(session.workspace)
    key = known[name].key if name in known else name
    if key in found:
        return found[key]
    if name in known:
        raise Refused(
            "SEG960", f"the experiment `{name}` has not been started",
            hint=f"`segctl experiment start {name}` starts it",
        )  # fmt: skip
    raise unknown_thing("experiment", name, _names(known, found))


def _names(known: dict[str, Experiment], found: Collection[str]) -> list[str]:
    keys = {one.key for one in known.values()}
    return sorted({*known, *(name for name in found if name not in keys)})


def _refuse_start(session: Session, one: Experiment, now: datetime) -> None:
    """Raises `Refused` for what must not begin."""
    from segctl.state.experiments import record

    same = [other.name for other in session.definitions.experiments.values() if other.key == one.key]
    if len(same) > 1:
        names = " and ".join(f"`{name}`" for name in same)
        raise Refused(
            "SEG959", f"{names} would be the same experiment on record, `{one.key}`",
            hint="give the one that is not meant another name or `salt`",
        )  # fmt: skip
    before = record(session.workspace, one.key)
    if before is not None:
        raise _begun(one.name, before)
    if one.end is not None and one.end <= now:
        raise Refused(
            "SEG956", f"the planned end of `{one.name}` has passed, so it cannot start",
            why=f"`end` is {session.local(one.end).date()}", hint="set another `end`, or plan by `size`",
        )  # fmt: skip
    _refuse_shared_layer(session, one)
    if session.definitions.segments[one.segment].status != "active":
        raise Refused(
            "SEG956", f"the segment `{one.segment}` of `{one.name}` is not active, so nobody would take part",
            hint="set its `status` to `active` first",
        )  # fmt: skip


def _refuse_shared_layer(session: Session, one: Experiment) -> None:
    """Raises `Refused` where a running experiment has some of the same range of the same layer."""
    from segctl.state.experiments import records

    names = {other.key: other.name for other in session.definitions.experiments.values()}
    for key, known in records(session.workspace).items():
        last = known.epochs[-1]
        if one.layer is None or known.stopped is not None or last.layer != one.layer.layer:
            continue
        if max(last.low, one.layer.low) < min(last.high, one.layer.high):
            other = names.get(key, key)
            raise Refused(
                "SEG947", f"`{one.name}` and `{other}`, which runs, share a range of the layer `{last.layer}`",
                why="experiments of one layer have no unit in common",
                hint=f"set its `range` apart, or `segctl experiment stop {other}` first",
            )  # fmt: skip


def _begun(name: str, before: ExperimentRecord | None = None) -> Refused:
    if before is not None and before.stopped is not None:
        return Refused(
            "SEG956", f"the experiment `{name}` has ended, so it cannot start again",
            why="its people know their arms; what they do now would count for both",
            hint="copy its file under a new name: the arms are dealt anew there",
        )  # fmt: skip
    return Refused(
        "SEG956", f"the experiment `{name}` has started already", hint="`segctl experiment status` shows how it goes"
    )
