"""Planning an experiment on a project's own data: how many units, how long, what can be found at all.

Codes and numbers only; `cli/experiment_plan_words.py` has the sentences.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from segctl.model.dataclass import dataclass
from segctl.operations.experiment_basis import Basis, Clusters, MetricBasis, basis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segctl.model.experiments import Experiment, Metric
    from segctl.operations.session import Session
    from segctl.stats.power import Figure
    from segctl.stats.run_time import RunTime
    from segctl.stats.sizing import Design, Effect, Size

Verdict = Literal["no_baseline", "nobody", "open", "enough_now", "enough_later", "too_late", "hopeless"]
"""`open`: no effect was said, so that only what can be found is known; `too_late`: not by the planned end;
`hopeless`: not within `LONGEST_DAYS`."""
LONGEST_DAYS = 365
CONTROLS = (0.05, 0.1, 0.2, 1 / 3, 0.5)
"""Shares of the control that are set beside the declared one."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Given:
    """What is said instead of what the data and the declaration say; None where nothing is.

    Attributes:
        figure: Of the first primary metric.
        units: There now.
        per_day: New units a day.
        effect: Relative, such as 0.2.
    """

    figure: Figure | None = None
    units: int | None = None
    per_day: float | None = None
    effect: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PlannedMetric:
    """A metric with what can be found of it.

    Attributes:
        figure: None when nothing is known of it.
        units: It was measured on; 0 when it was given.
        size: Needed to find the effect; None without an effect, and for guard-rails.
        at_hand: Smallest effect that the units there are now find.
        saving: Share of the units that its covariate saves (CUPED); with no declared one, what `before: 90 days` would.
        is_adjusted: Its declared covariate is reckoned with.
    """

    metric: Metric
    figure: Figure | None
    units: int
    size: Size | None
    at_hand: Effect | None
    saving: float | None
    is_adjusted: bool


@dataclass(frozen=True, slots=True)
class Split:
    """What another share of the control would mean.

    Attributes:
        control: Share of all units.
        total: Units needed; None without an effect, or when no number does.
        days: Until enough have taken part and their windows are complete; None when never.
        at_hand: Smallest relative effect that the units there are now find.
        is_declared: The split of the plan itself.
    """

    control: float
    total: int | None
    days: int | None
    at_hand: float | None
    is_declared: bool = False


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """A plan.

    Attributes:
        experiment: With what was given instead put in.
        is_declared: It stands in a file; otherwise it was made of options.
        taking_part: Share of the units that layer, traffic and universal holdout leave, of those who can be reached.
        units: That could take part today.
        per_day: New ones a day, before `taking_part`, averaged over what is on record.
        tests: Comparisons between which the error rate is shared.
        inflation: Factor on the size for looking early.
        metrics: Primary ones first.
        run: Days until the effect can be found; None without an effect or baseline.
        at_end: What the planned size, or the planned end, finds.
        curve: Effects at sizes around those that matter, of the first metric.
    """

    experiment: Experiment
    is_declared: bool
    as_of: datetime
    basis: Basis
    taking_part: float
    units: int
    per_day: float
    tests: int
    inflation: float
    window_days: float
    verdict: Verdict
    metrics: tuple[PlannedMetric, ...]
    run: RunTime | None
    at_end: Effect | None
    splits: tuple[Split, ...]
    curve: tuple[Effect, ...]

    @property
    def first(self) -> PlannedMetric:
        """The metric that the plan is made for."""
        return self.metrics[0]

    @property
    def clusters(self) -> Clusters | None:
        """Of units that are several profiles."""
        return self.basis.clusters


def experiment_plan(
    session: Session,
    experiment: Experiment,
    *,
    as_of: datetime,
    now: datetime,
    given: Given | None = None,
    is_declared: bool = True,
) -> ExperimentPlan:
    """The plan of an experiment, by the data of the workspace and what is given instead.

    Args:
        session: Open project and workspace.
        experiment: As declared, or made of options.
        as_of: When it would begin.
        now: When consent is asked for.
        given: What is said instead.
        is_declared: It stands in a file.
    """
    given = given or Given()
    found = basis(session, experiment, as_of=as_of, now=now)
    if given.effect is not None:
        experiment = replace(experiment, effect=given.effect)
    found = _with_given(found, given)
    return _planned(session, experiment, found, as_of, is_declared=is_declared)


def _with_given(found: Basis, given: Given) -> Basis:
    """What the data say, with what was said instead."""
    metrics = sorted(found.metrics, key=lambda one: ("primary", "secondary", "guardrail").index(one.metric.role))
    if given.figure is not None:
        metrics[0] = MetricBasis(metrics[0].metric, given.figure, 0)
    if given.units is not None:
        found = replace(found, units=given.units, members=given.units, reach=None)
    if given.per_day is not None:
        found = replace(found, arrivals=(given.per_day,) * 28, arrivals_from="given")
    return replace(found, metrics=tuple(metrics))


def _planned(
    session: Session, experiment: Experiment, found: Basis, as_of: datetime, *, is_declared: bool
) -> ExperimentPlan:
    from segctl.stats.run_time import run_time

    design = _design(experiment)
    share = _taking_part(session, experiment, as_of) * (1.0 if found.reach is None else found.reach)
    days = (found.last - found.first) / _DAY
    units = found.units * share
    metrics = tuple(_metric(one, experiment, design, units) for one in found.metrics)
    head = metrics[0]
    run = None
    if head.size is not None and head.size.total is not None:
        run = run_time(head.size.total, found.arrivals, window=days, stock=found.units, traffic=share)
    return ExperimentPlan(
        experiment=experiment,
        is_declared=is_declared,
        as_of=as_of,
        basis=found,
        taking_part=share,
        units=int(units),
        per_day=sum(found.arrivals) / len(found.arrivals) if found.arrivals else 0.0,
        tests=design.tests,
        inflation=design.inflation,
        window_days=days,
        verdict=_verdict(experiment, head, run, int(units), as_of),
        metrics=metrics,
        run=run,
        at_end=_at_end(experiment, found, head, design, days, share, as_of),
        splits=tuple(_splits(experiment, found, head, design, days, share)),
        curve=_curve(head, design, units),
    )


# --- The design -------------------------------------------------------------------------------------------
def _design(experiment: Experiment) -> Design:
    from segctl.stats.sizing import Design, inflation_always, inflation_planned

    alpha, power = float(1 - experiment.confidence), float(experiment.power)
    primary = sum(metric.role == "primary" for metric in experiment.metrics)
    tests = max(len(experiment.arms) - 1, 1) * max(primary, 1)
    inflation = 1.0
    if experiment.looks == "planned":
        shares = tuple(float(share) for share in experiment.look_shares)
        inflation = inflation_planned(shares, alpha=alpha / tests, power=power)
    elif experiment.looks == "always":
        inflation = inflation_always(alpha=alpha / tests, power=power)
    weights = tuple(float(arm.weight) for arm in experiment.arms)
    return Design(weights, alpha, power, tests, 1.0, inflation)


def _taking_part(session: Session, experiment: Experiment, as_of: datetime) -> float:
    """Share of the units that layer, traffic and the universal holdout of the day leave."""
    share = experiment.traffic
    if experiment.layer is not None:
        share *= experiment.layer.high - experiment.layer.low
    for one in session.project.universal_holdouts:
        if one.begin <= as_of and (one.end is None or as_of < one.end):
            share *= 1 - one.share
    return float(share)


def _metric(one: MetricBasis, experiment: Experiment, design: Design, units: float) -> PlannedMetric:
    from segctl.stats.sizing import findable, needed

    saving = None if one.correlation is None else one.correlation**2
    is_adjusted = one.metric.before is not None and saving is not None
    if one.figure is None:
        return PlannedMetric(one.metric, None, one.units, None, None, saving, is_adjusted)
    own = _for_metric(design, one)
    down = _is_down(one.metric, experiment.effect)
    size = None
    if experiment.effect is not None and one.metric.role != "guardrail":
        size = needed(one.figure, own, relative=float(abs(experiment.effect)) * (-1 if down else 1))
    at_hand = findable(one.figure, own, units, down=down)
    return PlannedMetric(one.metric, one.figure, one.units, size, at_hand, saving, is_adjusted)


def _for_metric(design: Design, one: MetricBasis) -> Design:
    """The design with the covariate that the metric declares."""
    if one.metric.before is None or one.correlation is None:
        return design
    from segctl.stats.factors import covariate_factor

    return replace(design, variance=covariate_factor(one.correlation))


def _is_down(metric: Metric, effect: Decimal | None) -> bool:
    """Whether a decrease is looked for: the effect is said of primary metrics, others have their own direction."""
    return effect < 0 if effect is not None and metric.role == "primary" else metric.better == "lower"


# --- What follows -----------------------------------------------------------------------------------------
def _verdict(experiment: Experiment, head: PlannedMetric, run: RunTime | None, units: int, as_of: datetime) -> Verdict:
    if head.figure is None:
        return "no_baseline"
    if not units and (run is None or run.enrol is None):
        return "nobody"
    if head.size is None:
        return "open"
    if run is None or run.total is None or run.total > LONGEST_DAYS:
        return "hopeless"
    if experiment.end is not None and as_of + run.total * _DAY > experiment.end:
        return "too_late"
    return "enough_now" if run.enrol == 0 else "enough_later"


def _at_end(
    experiment: Experiment,
    found: Basis,
    head: PlannedMetric,
    design: Design,
    days: float,
    share: float,
    as_of: datetime,
) -> Effect | None:
    from segctl.stats.run_time import expected_units
    from segctl.stats.sizing import findable

    if head.figure is None or (experiment.size is None and experiment.end is None):
        return None
    if experiment.size is not None:
        total = float(experiment.size)
    else:
        assert experiment.end is not None
        # Who comes later than one window before the end is not analysed.
        enrolling = max(0, int((experiment.end - as_of) / _DAY - days))
        total = expected_units(enrolling, found.arrivals, stock=found.units, traffic=share)
    down = _is_down(head.metric, experiment.effect)
    return findable(head.figure, _of(head, design), total, down=down)


def _of(head: PlannedMetric, design: Design) -> Design:
    return replace(design, variance=1 - (head.saving or 0.0)) if head.is_adjusted else design


def _splits(
    experiment: Experiment, found: Basis, head: PlannedMetric, design: Design, days: float, share: float
) -> list[Split]:
    """The same plan with other shares of the control; the other arms keep how they stand to each other."""
    if head.figure is None:
        return []
    declared = design.share
    shares = sorted({*(one for one in CONTROLS if abs(one - declared) > 0.005), declared})
    return [_split(one, experiment, found, head, design, days, share, one == declared) for one in shares]


def _split(
    control: float,
    experiment: Experiment,
    found: Basis,
    head: PlannedMetric,
    design: Design,
    days: float,
    share: float,
    is_declared: bool,
) -> Split:
    from segctl.stats.run_time import run_time
    from segctl.stats.sizing import findable, needed

    assert head.figure is not None
    others = sum(design.weights[1:])
    weights = (control, *((1 - control) * weight / others for weight in design.weights[1:]))
    own = replace(_of(head, design), weights=weights)
    effect = experiment.effect
    total = None if effect is None else needed(head.figure, own, relative=float(effect)).total
    run = None if total is None else run_time(total, found.arrivals, window=days, stock=found.units, traffic=share)
    at_hand = findable(head.figure, own, found.units * share, down=_is_down(head.metric, effect))
    return Split(control, total, None if run is None else run.total, at_hand.relative, is_declared)


def _curve(head: PlannedMetric, design: Design, units: float) -> tuple[Effect, ...]:
    from segctl.stats.sizing import curve, sizes_around

    if head.figure is None:
        return ()
    middle = head.size.total if head.size is not None and head.size.total is not None else max(units, 100.0)
    sizes: Sequence[int] = sizes_around(middle)
    return curve(head.figure, _of(head, design), sizes, down=bool(head.at_hand and (head.at_hand.absolute or 0) < 0))
