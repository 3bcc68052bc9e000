"""Planning an experiment on a project's own data: how many units, how long, what can be found at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from segctl.compile.zones import from_us, shifted, to_us
from segctl.model.dataclass import dataclass
from segctl.operations.experiment.basis import Basis, MetricBasis, basis
from segctl.operations.experiment.plan_result import (
    LONGEST_DAYS,
    ExperimentPlan,
    Given,
    PlannedMetric,
    Split,
    Verdict,
)

if TYPE_CHECKING:
    from segctl.model.experiments import Experiment, Metric
    from segctl.model.project import Project
    from segctl.operations.session import Session
    from segctl.stats.run_time import RunTime
    from segctl.stats.sizing import Design, Effect

CONTROLS = (0.05, 0.1, 0.2, 1 / 3, 0.5)
"""Shares of the control that are set beside the declared one."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every part of a plan is reckoned from.

    Attributes:
        share: Of the units that take part.
        days: Length of the window.
    """

    experiment: Experiment
    found: Basis
    design: Design
    as_of: datetime
    share: float
    days: float

    @property
    def units(self) -> float:
        """That take part today."""
        return self.found.units * self.share

    def of(self, head: PlannedMetric) -> Design:
        """The design with the covariate that the metric declares."""
        return replace(self.design, variance=1 - (head.saving or 0.0)) if head.is_adjusted else self.design

    def is_down(self, metric: Metric) -> bool:
        """Whether a decrease is looked for.

        The effect is said of primary metrics. Guard-rails have their own direction, and other metrics too while a rise
        is looked for; with a fall they fall.
        """
        effect = self.experiment.effect
        if effect is None or metric.role == "guardrail":
            return metric.better == "lower"
        return effect < 0 or (metric.role != "primary" and metric.better == "lower")

    def run_time(self, needed: int | None) -> RunTime | None:
        """How long it takes until so many have taken part."""
        from segctl.stats.run_time import run_time

        if needed is None:
            return None
        return run_time(needed, self.found.arrivals, window=self.days, stock=self.found.units, traffic=self.share)


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
    plan = _planned(session.project, experiment, found, as_of, is_declared=is_declared)
    return replace(plan, told=_told(session, experiment) if is_declared else 0)


def _told(session: Session, experiment: Experiment) -> int:
    """People whom the experiment itself has told already: the past window is no longer one without it."""
    from segctl.state.experiments import assignment_counts

    counts = assignment_counts(session.workspace, experiment.key)
    return sum(exposed for _, exposed in counts.values())


def plan_without_data(
    project: Project, experiment: Experiment, *, as_of: datetime, given: Given, is_declared: bool = True
) -> ExperimentPlan:
    """The plan where everything is given: how the first metric is now, and how many there are.

    Args:
        project: Its universal holdout counts, and its zone.
        experiment: As declared, or made of options.
        as_of: When it would begin.
        given: With a figure and units.
        is_declared: It stands in a file.
    """
    first = from_us(shifted(to_us(as_of), experiment.window, -1, project.timezone))
    nothing = tuple(MetricBasis(metric, None, 0) for metric in experiment.metrics)
    found = _with_given(Basis(0, 0, (), "nothing", nothing, first, as_of, 0), given)
    if given.effect is not None:
        experiment = replace(experiment, effect=given.effect)
    return _planned(project, experiment, found, as_of, is_declared=is_declared)


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
    project: Project, experiment: Experiment, found: Basis, as_of: datetime, *, is_declared: bool
) -> ExperimentPlan:
    share = _taking_part(project, experiment, as_of) * (1.0 if found.reach is None else found.reach)
    ground = _Ground(experiment, found, _design(experiment), as_of, share, (found.last - found.first) / _DAY)
    metrics = tuple(_metric(one, ground) for one in found.metrics)
    head = metrics[0]
    run = ground.run_time(None if head.size is None else head.size.total)
    return ExperimentPlan(
        experiment=experiment,
        is_declared=is_declared,
        as_of=as_of,
        basis=found,
        taking_part=share,
        units=int(ground.units),
        per_day=sum(found.arrivals) / len(found.arrivals) if found.arrivals else 0.0,
        tests=ground.design.tests,
        inflation=ground.design.inflation,
        window_days=ground.days,
        verdict=_verdict(ground, head, run),
        metrics=metrics,
        run=run,
        at_end=_at_end(ground, head),
        splits=tuple(_splits(ground, head)),
        curve=_curve(ground, head),
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


def _taking_part(project: Project, experiment: Experiment, as_of: datetime) -> float:
    """Share of the units that layer, traffic and the universal holdout of the day leave."""
    share = experiment.traffic
    if experiment.layer is not None:
        share *= experiment.layer.high - experiment.layer.low
    for one in project.universal_holdouts:
        if one.begin <= as_of and (one.end is None or as_of < one.end):
            share *= 1 - one.share
    return float(share)


def _metric(one: MetricBasis, ground: _Ground) -> PlannedMetric:
    from segctl.stats.sizing import findable, needed

    saving = None if one.correlation is None else one.correlation**2
    is_adjusted = one.metric.before is not None and saving is not None
    known = PlannedMetric(one.metric, one.figure, one.units, None, None, saving, is_adjusted)
    # Whoever does nothing counts with the whole window, so a share of that mean is no effect anybody could have.
    if one.figure is None or (one.metric.kind == "time" and one.metric.role != "primary"):
        return known
    design, down, effect = ground.of(known), ground.is_down(one.metric), ground.experiment.effect
    size = None
    if effect is not None and one.metric.role != "guardrail":
        size = needed(one.figure, design, relative=float(abs(effect)) * (-1 if down else 1))
    return replace(known, size=size, at_hand=findable(one.figure, design, ground.units, down=down))


# --- What follows -----------------------------------------------------------------------------------------
def _verdict(ground: _Ground, head: PlannedMetric, run: RunTime | None) -> Verdict:
    end = ground.experiment.end
    if head.figure is None:
        return "no_baseline"
    if not int(ground.units) and (run is None or run.enrol is None):
        return "nobody"
    if head.size is None:
        return "open"
    if run is None or run.total is None or run.total > LONGEST_DAYS:
        return "hopeless"
    if end is not None and ground.as_of + run.total * _DAY > end:
        return "too_late"
    return "enough_now" if run.enrol == 0 else "enough_later"


def _at_end(ground: _Ground, head: PlannedMetric) -> Effect | None:
    from segctl.stats.run_time import expected_units
    from segctl.stats.sizing import findable

    one, found = ground.experiment, ground.found
    if head.figure is None or (one.size is None and one.end is None):
        return None
    if one.end is None:
        total = float(one.size or 0)
    else:
        # Who comes later than one window before the end is not analysed.
        enrolling = max(0, int((one.end - ground.as_of) / _DAY - ground.days))
        total = expected_units(enrolling, found.arrivals, stock=found.units, traffic=ground.share)
    return findable(head.figure, ground.of(head), total, down=ground.is_down(head.metric))


def _splits(ground: _Ground, head: PlannedMetric) -> list[Split]:
    """The same plan with other shares of the control; the other arms keep how they stand to each other."""
    declared = ground.design.share
    shares = sorted({*(one for one in CONTROLS if abs(one - declared) > 0.005), declared})
    return [_split(one, ground, head) for one in shares] if head.figure is not None else []


def _split(control: float, ground: _Ground, head: PlannedMetric) -> Split:
    from segctl.stats.sizing import findable, needed

    assert head.figure is not None
    weights, effect = ground.design.weights, ground.experiment.effect
    others = tuple((1 - control) * weight / sum(weights[1:]) for weight in weights[1:])
    design = replace(ground.of(head), weights=(control, *others))
    total = None if effect is None else needed(head.figure, design, relative=float(effect)).total
    run = ground.run_time(total)
    at_hand = findable(head.figure, design, ground.units, down=ground.is_down(head.metric))
    is_declared = control == ground.design.share
    return Split(control, total, None if run is None else run.total, at_hand.relative, is_declared)


def _curve(ground: _Ground, head: PlannedMetric) -> tuple[Effect, ...]:
    from segctl.stats.sizing import curve, sizes_around

    if head.figure is None:
        return ()
    middle = head.size.total if head.size is not None and head.size.total is not None else max(ground.units, 100.0)
    return curve(head.figure, ground.of(head), sizes_around(middle), down=ground.is_down(head.metric))
