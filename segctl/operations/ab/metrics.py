"""Every metric in every arm: figures, the test that counts, other ways beside it, families of p-values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.operations.ab.compare import arm_value, at_cost, compared, cost_figures, judged
from segctl.operations.ab.design import always, rule
from segctl.operations.ab.parts import Effect, Held, MetricReport, Verdict
from segctl.operations.ab.samples import BELOW_BEFORE, Key, Pair, Sample, capped, names_of, sample_of, samples
from segctl.operations.ab.strata import sides
from segctl.stats.cuped import cuped, cuped_ratio
from segctl.stats.early import early
from segctl.stats.multiplicity import holm
from segctl.stats.outliers import Outlier, outlier
from segctl.stats.rate_intervals import newcombe
from segctl.stats.values import Counts, Flag

if TYPE_CHECKING:
    from segctl.model.experiments import Metric
    from segctl.operations.ab.design import Stage
    from segctl.operations.ab.trial import Trial
    from segctl.stats.cuped import Adjustment
    from segctl.stats.values import Comparison

DEFAULT_CAP = 99.9
"""Percentile at which values are cut beside, where one unit outweighs an arm and nothing is declared."""
FEW = 30
"""Units with any value under which each of them is much of the sum."""


def metric_reports(of: Trial, at: Stage) -> tuple[MetricReport, ...]:
    """All metrics of the experiment, with adjusted p-values."""
    found = [_report(of, at, metric) for metric in of.experiment.metrics]
    for role in ("primary", "secondary"):
        found = _adjusted(of, at, found, role)
    return tuple(_with_verdicts(of, one) for one in found)


def pair(
    of: Trial, metric: Metric, arm: str, made: Mapping[Key, Sample] | None = None, *, against: str | None = None
) -> Pair:
    """Figures of the control and an arm, over strata where the plain comparison would mix unlike people.

    Args:
        of: The experiment.
        metric: What is compared.
        arm: With the control.
        made: Other figures than the experiment's, which are compared as they are.
        against: Another arm instead of the control.
    """
    base = against or of.experiment.control
    known = of.samples[metric.name] if made is None else made
    control, treatment = (sample_of(known, metric, one) for one in (base, arm))
    if made is not None or of.strata is None or not of.strata.decides:
        return Pair(control, treatment)
    nobody = sample_of({}, metric, arm)
    # Arms that share no stratum cannot be compared at all: another time, or other people.
    return Pair(control, treatment, sides(of.strata.samples[metric.name], metric, base, arm) or (("", nobody, nobody),))


def _report(of: Trial, at: Stage, metric: Metric) -> MetricReport:
    confidence = float(of.experiment.confidence)
    arms = tuple(arm_value(metric, arm, sample_of(of.samples[metric.name], metric, arm), confidence=confidence)
                 for arm in of.arms)  # fmt: skip
    limit, cut = _capped(of, metric)
    effects = tuple(_effect(of, at, metric, arm, cut) for arm in of.others)
    kinds = of.source.lowering.kinds(metric.selection.events)
    below = () if metric.below is None else of.source.lowering.kinds(metric.below[0].events)
    return MetricReport(
        metric.name, metric.kind, metric.role, metric.better, arms, effects, metric.role,
        unit=metric.unit, is_money=metric.is_money, margin=None if metric.margin is None else float(metric.margin),
        capped_at=limit, events=tuple(dict.fromkeys((*kinds, *below))), title=metric.title,
    )  # fmt: skip


def _effect(of: Trial, at: Stage, metric: Metric, arm: str, cut: Mapping[Key, Sample]) -> Effect:
    both = pair(of, metric, arm)
    main = judged(of, at, metric, arm, both)
    also, reduction = _beside(of, at, metric, arm, both)
    if cut:
        also["capped"] = judged(of, at, metric, arm, pair(of, metric, arm, cut))
    return Effect(
        arm, main, at.basis, p_adjusted=main.p, also=also, variance_reduction=reduction,
        figures=cost_figures(of, at, arm, both.n),
    )  # fmt: skip


def _beside(of: Trial, at: Stage, metric: Metric, arm: str, both: Pair) -> tuple[dict[str, Comparison], float | None]:
    """Other ways to compare, and what the covariate took of the variance."""
    confidence = float(of.experiment.confidence)
    also: dict[str, Comparison] = {}
    if at.basis != "fixed":
        also["fixed"] = compared(metric, both, confidence=confidence)
    if at.basis == "planned":
        also["always"] = at_cost(metric, both, always(of, both.n, [arm]))
    single = compared(metric, Pair(both.control, both.treatment), confidence=confidence)
    if both.strata:
        # Whatever else throws the strata together mixes unlike people as well.
        return {**also, "pooled": single}, None
    if both.control.counts is not None and both.treatment.counts is not None:
        interval = newcombe(both.control.counts, both.treatment.counts, confidence=confidence)
        also["newcombe"] = replace(single, difference=interval)
        if Flag.SMALL_COUNTS in single.flags or Flag.ZERO_CONVERSIONS in single.flags:
            also["exact"] = _exact(single, both.control.counts, both.treatment.counts)
    reduction = None
    if "before" in names_of(metric):
        cost = rule(of, at, both.n, arm)
        found = _with_before(metric, both, confidence)
        also["cuped"], reduction = found.adjusted, found.reduction
        if cost is not None:
            also["cuped"] = early(
                lambda level: _with_before(metric, both, level).adjusted, cost, conversions=both.events
            )
    return also, reduction


def _with_before(metric: Metric, both: Pair, confidence: float) -> Adjustment:
    control, treatment = both.control.moments, both.treatment.moments
    if metric.kind == "ratio":
        below = BELOW_BEFORE if BELOW_BEFORE in control.names else None
        return cuped_ratio(control, treatment, confidence=confidence, below_before=below)
    return cuped(control, treatment, confidence=confidence)


def _exact(single: Comparison, control: Counts, treatment: Counts) -> Comparison:
    from segctl.stats.exact import boschloo

    found = boschloo(control, treatment)
    return replace(single, p=found.p, log_p=found.log_p, test=found.test, statistic=None, se=None, why=found.why)


# --- Outliers ---------------------------------------------------------------------------------------------
def dominating(sample: Sample) -> Outlier | None:
    """The unit that has more than 10 % of an arm's sum or more than half of its variance; None when none does."""
    few = (sample.moments.n if sample.events is None else sample.events) < FEW
    if sample.largest is None or few:
        return None
    found = outlier(sample.moments, sample.largest)
    return found if found.dominates else None


def _capped(of: Trial, metric: Metric) -> tuple[float | None, Mapping[Key, Sample]]:
    """The limit and the samples with larger values cut to it, where declared or needed."""
    if metric.kind not in ("mean", "ratio"):
        return None, {}
    needed = any(dominating(one) for one in of.samples[metric.name].values())
    if metric.cap is None and not needed:
        return None, {}
    frame, limit = capped(of.frame, metric, float(metric.cap) if metric.cap is not None else DEFAULT_CAP)
    return limit, samples(frame, [metric], ["arm"])[metric.name] if limit is not None else {}


# --- Families ---------------------------------------------------------------------------------------------
def _adjusted(of: Trial, at: Stage, found: Sequence[MetricReport], role: str) -> list[MetricReport]:
    """Holm over the arms and metrics of a role; guard-rails warn for themselves."""
    members = [(one.name, effect.arm, effect.compared.p) for one in found if one.role == role for effect in one.effects]
    if len(members) < 2:
        return list(found)
    adjusted = holm([p for _, _, p in members])
    steps = _steps([p for _, _, p in members], 1 - float(of.experiment.confidence))
    known = {(name, arm): (p, step) for (name, arm, _), p, step in zip(members, adjusted, steps, strict=True)}
    return [
        one if one.role != role else replace(
            one, tests=len(members), correction="holm",
            effects=tuple(_in_family(of, at, one.name, effect, *known[one.name, effect.arm]) for effect in one.effects),
        )
        for one in found
    ]  # fmt: skip


def _in_family(of: Trial, at: Stage, name: str, effect: Effect, p: float | None, alpha: float) -> Effect:
    metric = next(one for one in of.experiment.metrics if one.name == name)
    both = pair(of, metric, effect.arm)
    if effect.compared.p is None:
        return replace(effect, p_adjusted=p)
    wide = judged(of, at, metric, effect.arm, both, alpha=alpha)
    return replace(effect, p_adjusted=p, simultaneous=wide.difference, simultaneous_lift=wide.lift)


def _steps(ps: Sequence[float | None], alpha: float) -> list[float]:
    """The α at which Holm's procedure decides on each p, so that intervals at it agree with the decisions.

    Rejected: that of its own step; otherwise that of the step where the procedure stopped.
    """
    order = sorted((p, place) for place, p in enumerate(ps) if p is not None)
    m, found, stopped = len(order), [alpha / max(len(order), 1)] * len(ps), None
    for rank, (p, place) in enumerate(order):
        step = alpha / (m - rank)
        if stopped is None and p > step:
            stopped = step
        found[place] = step if stopped is None else stopped
    return found


# --- Verdicts ---------------------------------------------------------------------------------------------
def _with_verdicts(of: Trial, one: MetricReport) -> MetricReport:
    alpha = 1 - float(of.experiment.confidence)
    effects = [replace(effect, verdict=_verdict(effect, one, alpha)) for effect in one.effects]
    if one.role == "guardrail":
        effects = [replace(effect, held=_held(effect, one)) for effect in effects]
    return replace(one, effects=tuple(effects))


def _verdict(effect: Effect, one: MetricReport, alpha: float) -> Verdict:
    p, estimate = effect.p_adjusted, effect.compared.difference.estimate
    if p is None or estimate is None:
        return "undefined"
    if p > alpha or not estimate:
        return "none"
    return "better" if (estimate > 0) == (one.better == "higher") else "worse"


def _held(effect: Effect, one: MetricReport) -> Held:
    """Non-inferiority: the worst that the interval leaves possible is within the margin, a share of the control."""
    found, control = effect.compared.difference, effect.compared.control
    if found.low is None or found.high is None or control is None:
        return "open"
    toward = 1 if one.better == "higher" else -1
    worst, best = (found.low, found.high) if toward > 0 else (-found.high, -found.low)
    allowed = (one.margin or 0.0) * abs(control)
    if one.margin is not None and worst >= -allowed:
        return "held"
    if best < 0:
        return "failed"
    return "held" if worst >= 0 else "open"
