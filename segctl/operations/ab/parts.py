"""Parts of the report on an experiment: arms, checks, metrics, sub-segments, weeks. Codes and numbers, no prose.

Effects are treatment minus control in the metric's unit (a rate 0–1 for conversions, days for times), lifts
treatment / control − 1. Undefined is a value with a reason, as in `segctl.stats.values`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.model.experiments import Better, MetricKind, Role
    from segctl.stats.values import Comparison, Interval

Level = Literal["ok", "note", "warn", "fail"]
Basis = Literal["fixed", "always", "planned"]
"""How an interval pays for looking: one look at the planned end; any number; the planned ones."""
Verdict = Literal["better", "worse", "none", "undefined"]
Held = Literal["held", "failed", "open"]
"""Of a guard-rail: shown to be no worse than its margin; shown to be worse; neither."""


@dataclass(frozen=True, slots=True)
class ArmFacts:
    """One arm and who is in it.

    Attributes:
        share: Of the units by the weights last in force, 0 to 1.
        cost: Of one message, as declared.
        assigned: Units on record.
        analysed: Units with a complete window that nothing excludes; all figures are about them.
        young: Units whose window is not complete.
        beyond: Units exposed after the planned end, which later looks would add.
        excluded: Units in two arms, left out of both.
        unexposed: Units without an instant of exposure.
        profiles: Profiles that belong to the analysed units.
        messages: Contacts that pushes of the experiment's segment recorded with them in the window; None for arms that
            are told nothing.
    """

    name: str
    is_control: bool
    is_sent: bool
    share: float
    assigned: int
    analysed: int
    young: int = 0
    excluded: int = 0
    unexposed: int = 0
    profiles: int = 0
    messages: int | None = None
    cost: float | None = None
    title: str | None = None
    beyond: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """One guard-rail of the method.

    Attributes:
        name: ``split``, ``contamination``, ``peeking``, ``power``, ``multiplicity``, ``simpson``, ``imbalance``,
            ``novelty``, ``maturity``, ``outliers``, ``interference``, ``baseline``, ``two_arms``.
        reason: Code of what was found, such as ``srm``; None when there is nothing to say.
        figures: The numbers behind it by name.
        rows: Details, such as campaigns that reached the control: one mapping each, all with the same keys.
        decides: It changes the headline.
    """

    name: str
    level: Level
    reason: str | None = None
    figures: Mapping[str, object] = field(default_factory=dict)
    rows: tuple[Mapping[str, object], ...] = ()
    decides: bool = False


@dataclass(frozen=True, slots=True)
class ArmValue:
    """One arm in one metric.

    Attributes:
        n: Units that count; those without events do.
        value: Rate, mean or ratio with its own interval.
        events: Units that converted, had the event or have a value other than 0; None for ratios.
        total: Sum over the units; of ratios the numerator's. None for times.
        below: Of ratios: sum of the denominators.
        sd: Standard deviation between units; None for fewer than two.
        largest: Of one unit: the greatest, or a negative one that lies farther out.
        largest_share: Of the arm's sum that one unit has; None when the sum is 0.
        among: Of times: mean over those who had the event, in days. It compares nobody with anybody.
    """

    arm: str
    n: int
    value: Interval
    events: int | None = None
    total: float | None = None
    below: float | None = None
    sd: float | None = None
    largest: float | None = None
    largest_share: float | None = None
    among: float | None = None


@dataclass(frozen=True, slots=True)
class Belief:
    """Bayesian view of one arm.

    Attributes:
        best: Probability that it is the best of all arms.
        better: Probability that it beats the control; None for the control.
        loss: Expected loss of choosing it, in the metric's unit.
        lift: Credible interval of the lift over the control; None for the control.
    """

    arm: str
    best: float | None
    better: float | None
    loss: float | None
    lift: Interval | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """One arm against the control in one metric.

    Attributes:
        compared: The test that counts, and its intervals; over strata where the split differs between them.
        basis: How these pay for looking.
        p_adjusted: Within the family of the metric; None when p is, equal to p when the family has one member.
        simultaneous: Interval of the difference at the α of its step in Holm's procedure, so that it agrees with
            `p_adjusted`; None for a family of one.
        simultaneous_lift: Likewise of the lift.
        verdict: By the adjusted p, or by the interval that `basis` names.
        held: Of guard-rails.
        also: Other ways by name: ``cuped``, ``capped``, ``exact``, ``pooled`` (where strata decide), ``always``,
            ``fixed``, ``newcombe``.
        variance_reduction: Share by which the covariate lowers the variance; None without one.
        compliance: Effect on those who were messaged (CACE), when controls were messaged.
        figures: Further numbers, such as bounds of planned looks.
    """

    arm: str
    compared: Comparison
    basis: Basis = "fixed"
    p_adjusted: float | None = None
    simultaneous: Interval | None = None
    simultaneous_lift: Interval | None = None
    verdict: Verdict = "undefined"
    held: Held | None = None
    also: Mapping[str, Comparison] = field(default_factory=dict)
    variance_reduction: float | None = None
    compliance: Interval | None = None
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def told(self) -> Interval:
        """The interval of the difference that agrees with the adjusted p; every view shows this one."""
        return self.simultaneous or self.compared.difference

    @property
    def told_lift(self) -> Interval:
        """Likewise of the lift."""
        return self.simultaneous_lift or self.compared.lift


@dataclass(frozen=True, slots=True)
class MetricReport:
    """One metric in all arms.

    Attributes:
        family: Which p-values were adjusted together: the role.
        tests: Their number.
        correction: ``holm``, or None for a single test.
        capped_at: Value that larger ones are cut to in ``also["capped"]``.
        events: Kinds it reads.
        beliefs: Of primary metrics.
    """

    name: str
    kind: MetricKind
    role: Role
    better: Better
    arms: tuple[ArmValue, ...]
    effects: tuple[Effect, ...]
    family: str
    tests: int = 1
    correction: str | None = None
    unit: str | None = None
    is_money: bool = False
    margin: float | None = None
    capped_at: float | None = None
    events: tuple[str, ...] = ()
    beliefs: tuple[Belief, ...] = ()
    title: str | None = None

    def effect(self, arm: str) -> Effect | None:
        """Of an arm; None for the control."""
        return next((one for one in self.effects if one.arm == arm), None)

    def arm(self, name: str) -> ArmValue:
        """The figures of an arm."""
        return next(one for one in self.arms if one.arm == name)


@dataclass(frozen=True, slots=True)
class Group:
    """One sub-segment: an arm against the control inside it.

    Attributes:
        group: Value of the stratum or trait, or ``in`` and ``out`` of a segment; None where the trait is missing.
        n_control: Units; likewise `n_arm`.
        p_adjusted: Benjamini and Hochberg over the groups and arms of all groupings of the report.
        moved: Adjusted p below 1 − confidence.
        events_control: Units that did something, as in `ArmValue`; likewise `events_arm`.
    """

    arm: str
    group: str | None
    n_control: int
    n_arm: int
    compared: Comparison
    p_adjusted: float | None
    moved: bool
    events_control: int | None = None
    events_arm: int | None = None


@dataclass(frozen=True, slots=True)
class Grouping:
    """The first primary metric by sub-segment.

    Attributes:
        by: Trait or segment; ``strata`` for the experiment's own.
        groups: In order of arm, then of size.
        differs: p of equal effects in all groups, by arm (Cochran's Q), adjusted over all groupings (Benjamini and
            Hochberg).
        stratified: Effect over the groups by arm, weighted by their share of all units.
        reversed: Arms whose pooled effect has another sign than in every group.
        more: Groups that are too many to be shown and stand in the rest.
    """

    by: str
    metric: str
    groups: tuple[Group, ...]
    differs: Mapping[str, float | None] = field(default_factory=dict)
    stratified: Mapping[str, Comparison] = field(default_factory=dict)
    reversed: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One week after exposure.

    Attributes:
        week: 1 is the first.
        control: Value of the control within this week alone; likewise `value`.
        events_control: Units of the control that did something in it, as in `ArmValue`; likewise `events`.
    """

    arm: str
    week: int
    control: float | None
    value: float | None
    difference: Interval
    events_control: int | None = None
    events: int | None = None


@dataclass(frozen=True, slots=True)
class Trend:
    """The effect on the first primary metric by week since exposure.

    Attributes:
        p: Of no trend, by arm.
    """

    metric: str
    points: tuple[TrendPoint, ...]
    p: Mapping[str, float | None] = field(default_factory=dict)
