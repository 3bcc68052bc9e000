"""What `report ab` found: codes and numbers, no prose; the parts are in `ab_parts`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from segctl.model.dataclass import dataclass
from segctl.operations.ab.parts import ArmFacts, Basis, Check, Grouping, MetricReport, Trend

if TYPE_CHECKING:
    from segctl.model.experiments import Looks
    from segctl.stats.values import Interval

State = Literal[
    "more", "fewer", "no_difference", "too_early", "too_small", "guardrail", "not_usable", "nothing_yet"
]  # fmt: skip
"""`more`, `fewer`: of what the first primary metric measures, in the arm of the headline; `no_difference`: none can be
told, and what is ruled out is; `too_early`: looked at before the planned end, or between planned looks; `too_small`:
too few units or conversions to tell; `guardrail`: a guard-rail metric got worse; `not_usable`: the split or the control
is broken; `nothing_yet`: nobody has a complete window."""


@dataclass(frozen=True, slots=True)
class Headline:
    """What the first sentence needs.

    Attributes:
        metric: First primary metric.
        arm: The arm that it is about; None when there is nothing to say about one.
        control: Value of the control: per `per` units for conversions, else per unit.
        value: Of the arm, likewise.
        per: Units that counts are given for, such as 10,000; 1 for means and ratios.
        difference: In the same unit as `value`; the interval that `basis` says.
        lift: Of the same test.
        extra: Difference over all units of the arm together: how many more bought, how much more was spent.
        ruled_out: With `no_difference`: the largest difference, up or down, that the data leave possible.
        basis: Of the intervals.
        is_good: The change is in the direction that the metric calls better; None when nothing is told.
        leaning: With `too_early`: `more` or `fewer` when even the wide interval excludes 0.
        reasons: Checks and guard-rail metrics that decided the state.
        p: Adjusted.
        rivals: Arms that are better than the control too, and are not told from `arm`.
    """

    state: State
    metric: str | None = None
    arm: str | None = None
    control: float | None = None
    value: float | None = None
    per: int = 1
    difference: Interval | None = None
    lift: Interval | None = None
    extra: Interval | None = None
    ruled_out: float | None = None
    basis: Basis = "fixed"
    is_good: bool | None = None
    leaning: Literal["more", "fewer"] | None = None
    reasons: tuple[str, ...] = ()
    p: float | None = None
    rivals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MoneyReport:
    """What an arm brought compared with the control, by one metric of money.

    Attributes:
        units: Of the arm, all analysed.
        per_unit: Difference of revenue per unit.
        revenue: Incremental revenue of the whole arm.
        cost: Of its messages, and its part of the fixed cost.
        profit: Margin × revenue − cost.
        roi: Profit / cost; undefined without cost.
        break_even: Difference per unit that pays the cost.
        p_above: One-sided p that the difference is above break-even.
        per_thousand: Incremental gross profit (margin × revenue) per 1,000 messages.
        cost_per_extra: Cost of one incremental conversion of the first primary metric; None when that is no conversion.
        attributed: Revenue of the arm after the message, whatever the control did: not caused by it.
        currency: None when nobody said.
        claim: False when too small or not usable: the numbers stand, no return is claimed.
    """

    arm: str
    metric: str
    units: int
    messages: int
    per_unit: Interval
    revenue: Interval
    cost: float
    profit: Interval
    roi: Interval
    break_even: Interval
    p_above: float | None
    per_thousand: Interval
    cost_per_extra: Interval | None
    attributed: float | None
    currency: str | None = None
    claim: bool = True


@dataclass(frozen=True, slots=True)
class Allocation:
    """Weights for the next send (Thompson sampling on the first primary metric, complete windows only).

    Attributes:
        weights: By arm, together 1; with the floor that keeps every arm explored.
        best: Probability to be best by arm.
        explore: Share that is dealt by the floor alone.
        excluded: Arms that no weight is given: the control that is told nothing.
        why: Reason code when there are no weights.
    """

    weights: Mapping[str, float]
    best: Mapping[str, float]
    explore: float
    excluded: tuple[str, ...] = ()
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """Is it enough, and what is missing.

    Attributes:
        is_over: The planned end is reached, or it was stopped.
        reached: Units with complete windows.
        planned: Units planned; None when planned by date.
        planned_end: As declared, or as reckoned from the rate of assignment; None when nobody can say.
        mde: Smallest relative effect that the reached size finds with the planned power; `mde_points` absolute.
        effect: Smallest relative effect that matters, as declared.
        needed: Units in all arms together to find `effect`; None without it.
        missing: Of these, those still to come; 0 when there are enough.
        per_day: Units assigned a day over the last 28 days with assignments; None when all came on one day.
        days: Until `missing` units are there and their windows complete; None when nobody is coming.
        end_of_windows: When the window of the unit last exposed ends.
        why: Reason code when nothing can be reckoned.
    """

    is_over: bool
    reached: int
    planned: int | None = None
    planned_end: datetime | None = None
    mde: float | None = None
    mde_points: float | None = None
    effect: float | None = None
    needed: int | None = None
    missing: int | None = None
    per_day: float | None = None
    days: float | None = None
    end_of_windows: datetime | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """How it was reckoned.

    Attributes:
        tests: Test by metric.
        correction: Of several arms or primary metrics.
        looks: Design; `look_shares` of planned looks and `look` (from 1) the one that counts now.
        segctl: Version.
        data: Digest of assignments, snapshot and as_of: equal digests, equal report.
        definition: Digest of the experiment's declaration now; `definition_at_start` of the one it began with.
    """

    confidence: float
    power: float
    tests: Mapping[str, str]
    correction: str | None
    looks: Looks
    basis: Basis
    look_shares: tuple[float, ...]
    look: int | None
    segctl: str
    data: str
    definition: str
    definition_at_start: str | None = None


@dataclass(frozen=True, slots=True)
class AbReport:
    """One experiment, reported.

    Attributes:
        unit: ``profile``, or the trait whose value is the unit.
        began: First assignment; None when nobody is assigned.
        last_exposed: Of anybody who is analysed.
        as_of: Events and assignments after it do not count.
        data_until: Newest event of the kinds that the metrics read; None when there is none.
        usable: False when a check failed so that numbers are shown on demand only.
        started: When it was started, whether or not anybody is assigned; None before.
    """

    experiment: str
    title: str | None
    hypothesis: str | None
    segment: str
    unit: str
    arms: tuple[ArmFacts, ...]
    control: str
    window: str
    as_of: datetime
    began: datetime | None
    last_exposed: datetime | None
    stopped: datetime | None
    stop_reason: str | None
    winner: str | None
    data_until: datetime | None
    headline: Headline
    checks: tuple[Check, ...]
    metrics: tuple[MetricReport, ...]
    money: tuple[MoneyReport, ...]
    groups: tuple[Grouping, ...]
    trend: Trend | None
    allocation: Allocation | None
    next: Next
    method: Method
    usable: bool = True
    started: datetime | None = None

    def metric(self, name: str) -> MetricReport:
        """The metric of that name."""
        return next(one for one in self.metrics if one.name == name)

    def check(self, name: str) -> Check:
        """The check of that name."""
        return next(one for one in self.checks if one.name == name)


@dataclass(frozen=True, slots=True)
class RunningExperiment:
    """A line of the list that `report ab` without a name gives.

    Attributes:
        state: ``planned`` (nobody assigned), ``running`` or ``stopped``.
        arms: Assigned units by arm.
        share: Of the planned size with complete windows, or of the planned time; None when nothing is planned.
    """

    experiment: str
    title: str | None
    segment: str | None
    state: Literal["planned", "running", "stopped"]
    arms: Mapping[str, int]
    began: datetime | None
    ends: datetime | None
    share: float | None
    is_declared: bool = True
