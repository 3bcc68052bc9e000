"""How experiments stand: who is in which arm, whether the split is as declared, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from segctl.compile.zones import from_us
from segctl.model.dataclass import dataclass
from segctl.operations.experiment.running import today_called, trouble_of

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.model.experiments import Experiment
    from segctl.model.times import Duration
    from segctl.operations.experiment.running import Trouble
    from segctl.operations.session import Session
    from segctl.state.experiments import Epoch, ExperimentRecord
    from segctl.stats.srm import Epoch as Counted
    from segctl.stats.srm import SplitLook, SplitTest, Verdict

State = Literal["planned", "running", "stopped"]


@dataclass(frozen=True, slots=True)
class ArmStatus:
    """One arm.

    Attributes:
        share: Of the weights in force, 0 to 1.
        units: Assigned; profiles, or households.
        people: Profiles assigned.
        exposed: Of these the ones whom a push has decided on.
    """

    name: str
    is_sent: bool
    share: float
    units: int
    people: int
    exposed: int


@dataclass(frozen=True, slots=True)
class NextLook:
    """When results may be looked at next.

    Attributes:
        at: When the planned day comes, or enough units have complete windows; None while units are missing.
        units: That have to be assigned by then; None when a date decides.
        is_due: It has come.
    """

    at: datetime | None
    units: int | None
    is_due: bool


@dataclass(frozen=True, slots=True)
class ExperimentStatus:
    """One experiment.

    Attributes:
        name: As declared; of one whose file is gone as on record.
        split: The split of units against the weights; None before anybody is assigned.
        watched: The same as it may be looked at every day; None for one that does not run, or was dealt in one day.
        epochs: Weights that were in force one after the other.
        days_left: Until the planned end, by date or by the pace so far; None when nobody can say.
        is_full: The planned number of units is exposed; None without one.
        last_look: When somebody saw results.
        trouble: Why its segment is not sent.
    """

    name: str
    title: str | None
    segment: str
    state: State
    started: datetime | None
    stopped: datetime | None
    reason: str | None
    winner: str | None
    arms: tuple[ArmStatus, ...]
    split: SplitTest | None
    epochs: int
    size: int | None
    end: datetime | None
    days_left: float | None
    is_full: bool | None
    looks: int
    last_look: datetime | None
    next_look: NextLook | None
    trouble: Trouble | None
    watched: SplitLook | None = None

    @property
    def verdict(self) -> Verdict | None:
        """Of the split; where it is watched day after day, χ² alone warns but does not fail it."""
        if self.split is None or self.watched is None or self.split.verdict is None:
            return None if self.split is None else self.split.verdict
        if self.watched.verdict == "fail":
            return "fail"
        is_doubtful = self.split.verdict == "fail" or self.watched.verdict == "warn"
        return "warn" if is_doubtful else "pass"

    @property
    def units(self) -> int:
        """Assigned in all arms."""
        return sum(arm.units for arm in self.arms)


def experiment_statuses(session: Session, *, now: datetime, name: str | None = None) -> tuple[ExperimentStatus, ...]:
    """Every experiment that is declared or on record, running ones first, or only one of them.

    Raises:
        UsageError: No such experiment.
    """
    from segctl.operations.things import unknown_thing
    from segctl.state.experiments import records

    found = records(session.workspace)
    declared = session.definitions.experiments
    keys = {one.key for one in declared.values()}
    every: dict[str, tuple[Experiment | None, ExperimentRecord | None]] = {
        one.name: (one, found.get(one.key)) for one in declared.values()
    }
    every |= {key: (None, record) for key, record in found.items() if key not in keys}
    if name is not None and name not in every:
        raise unknown_thing("experiment", name, sorted(every))
    made = [_status(session, one, record, now) for key, (one, record) in every.items() if name in (None, key)]
    order = ("running", "planned", "stopped")
    return tuple(sorted(made, key=lambda one: (order.index(one.state), one.name)))


def counted_epochs(frame: pl.DataFrame, epochs: Sequence[Epoch]) -> list[Counted]:
    """Units per arm with the weights that were in force for them, epoch by epoch, as `stats.srm` wants them."""
    import polars as pl

    units = frame.unique("unit", keep="first", maintain_order=True)
    counts = units.group_by("epoch", "arm").len()
    found: list[Counted] = []
    for epoch in epochs:
        mine = dict(counts.filter(pl.col("epoch") == epoch.number).select("arm", "len").iter_rows())
        # An arm that nobody knows the weight of is one of weight 0.
        arms = [*epochs[0].weights]
        found.append(([mine.get(arm, 0) for arm in arms], [float(epoch.weights.get(arm, 0)) for arm in arms]))
    return found


def watched_split(frame: pl.DataFrame, epochs: Sequence[Epoch], split: SplitTest, zone: str) -> SplitLook | None:
    """The split as of the last of the daily looks that the days of assignment allow; None with one day only.

    Args:
        frame: Assignments, at least one.
        epochs: Of the experiment.
        split: Of all of them; nothing is watched where somebody is in an arm of weight 0.
        zone: Of days.
    """
    import polars as pl

    from segctl.stats.srm import split_looks

    days = frame.select(pl.col("assigned_at").dt.convert_time_zone(zone).dt.date()).to_series()
    several = days.unique().sort().to_list()
    if len(several) < 2 or split.why is not None:
        return None
    units = frame.with_columns(days.alias("day")).unique("unit", keep="first", maintain_order=True)
    return split_looks([counted_epochs(units.filter(pl.col("day") <= day), epochs) for day in several])[-1]


def _status(
    session: Session, one: Experiment | None, record: ExperimentRecord | None, now: datetime
) -> ExperimentStatus:
    from segctl.operations.experiment.running import next_epoch
    from segctl.state.experiments import assignments, looks
    from segctl.stats.srm import split_test_of_epochs

    if record is None:
        assert one is not None
        arms = _arms(None, {arm.name: arm.is_sent for arm in one.arms}, next_epoch(one, None, now).weights)
        return ExperimentStatus(
            one.name, one.title, one.segment, "planned", None, None, None, None, arms, None, 0, one.size, one.end,
            None, None, 0, None, None, None,
        )  # fmt: skip
    frame = assignments(session.workspace, record.name)
    told = {arm["name"]: arm.get("is_sent", True) for arm in record.definition["arms"]}
    arms = _arms(frame, told, record.epochs[-1].weights)
    units, seen = sum(arm.units for arm in arms), looks(session.workspace, record.name)
    size, end = (None, None) if one is None else (one.size, one.end)
    is_running = record.state == "running"
    split = split_test_of_epochs(counted_epochs(frame, record.epochs)) if units else None
    watched = None
    if split is not None and is_running:
        watched = watched_split(frame, record.epochs, split, session.project.timezone)
    ripe = _ripe(frame, one.window, session.project.timezone) if one is not None else frame.clear()["exposed_at"]
    next_look = _next_look(one, record, ripe, now) if one is not None and is_running else None
    return ExperimentStatus(
        name=record.name if one is None else one.name,
        title=None if one is None else one.title,
        segment=today_called(session.definitions.segments, str(record.definition["segment"])),
        state=record.state,
        started=record.started,
        stopped=record.stopped,
        reason=record.reason,
        winner=record.winner,
        arms=arms,
        split=split,
        epochs=len(record.epochs),
        size=size,
        end=end,
        days_left=_days_left(record, ripe, size, end, now) if is_running else None,
        is_full=None if size is None else len(ripe) >= size,
        looks=len(seen),
        last_look=seen[-1].at if seen else None,
        next_look=next_look,
        trouble=trouble_of(session, record, one) if is_running else None,
        watched=watched,
    )


def _arms(frame: pl.DataFrame | None, told: Mapping[str, bool], weights: Mapping[str, object]) -> tuple[ArmStatus, ...]:
    import polars as pl

    counts: dict[str, tuple[int, int, int]] = {}
    if frame is not None:
        seen = pl.col("exposed_at").is_not_null().sum().alias("exposed")
        grouped = frame.group_by("arm").agg(pl.col("unit").n_unique(), pl.len(), seen)
        counts = {arm: (units, people, exposed) for arm, units, people, exposed in grouped.iter_rows()}
    total = sum(float(str(weight)) for weight in weights.values())
    return tuple(
        ArmStatus(arm, is_sent, float(str(weights.get(arm, 0))) / total, *counts.get(arm, (0, 0, 0)))
        for arm, is_sent in told.items()
    )


def _ripe(frame: pl.DataFrame, window: Duration, zone: str) -> pl.Series:
    """When the window of each exposed unit is complete, microseconds, ascending."""
    import polars as pl

    from segctl.engines.exposures import later

    begins = frame.group_by("unit").agg(pl.col("exposed_at").min())["exposed_at"].drop_nulls()
    return later(begins.dt.timestamp("us"), window, zone).sort()


def _days_left(
    record: ExperimentRecord, ripe: pl.Series, size: int | None, end: datetime | None, now: datetime
) -> float | None:
    """Days until the planned end: a day, or complete windows of enough units, at the pace so far while some miss."""
    if size is not None and len(ripe) >= size:
        return max(0.0, (from_us(ripe[size - 1]) - now).total_seconds() / 86_400)
    if end is not None:
        return max(0.0, (end - now).total_seconds() / 86_400)
    days = (now - record.started).total_seconds() / 86_400
    if size is None or not len(ripe) or days < 1:
        return None
    window = (from_us(ripe[-1]) - now).total_seconds() / 86_400
    return (size - len(ripe)) * days / len(ripe) + max(0.0, window)


def _next_look(one: Experiment, record: ExperimentRecord, ripe: pl.Series, now: datetime) -> NextLook | None:
    """The first planned look that has not come yet; the last one when all have."""
    if one.looks == "always":
        return NextLook(now, None, is_due=True)
    shares = [float(share) for share in one.look_shares] if one.looks == "planned" else [1.0]
    if one.size is not None:
        for share in shares:
            units = max(1, round(share * one.size))
            if len(ripe) < units:
                return NextLook(None, units, is_due=False)
            at = from_us(ripe[units - 1])
            if now < at:
                return NextLook(at, units, is_due=False)
        return NextLook(from_us(ripe[one.size - 1]), one.size, is_due=True)
    if one.end is None:
        return None
    times = [record.started + (one.end - record.started) * share for share in shares]
    coming = next((at for at in times if now < at), None)
    return NextLook(coming or times[-1], None, is_due=coming is None)
