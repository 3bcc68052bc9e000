"""An arm against the control in one metric: the test of its kind, as wide as the design of looks asks for."""

from __future__ import annotations

from dataclasses import replace
from math import exp
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.ab_design import always_edge, level_of, rho
from segctl.operations.ab_parts import ArmValue
from segctl.stats.means import compare_means, mean_interval
from segctl.stats.rate_intervals import wilson
from segctl.stats.rates import compare_rates
from segctl.stats.ratios import compare_ratios, linearised
from segctl.stats.values import Why, undefined

if TYPE_CHECKING:
    from segctl.model.experiments import Metric
    from segctl.operations.ab_design import Stage
    from segctl.operations.ab_samples import Sample
    from segctl.operations.ab_trial import Trial
    from segctl.stats.values import Comparison, Interval


@dataclass(frozen=True, slots=True)
class Judged:
    """A comparison as its design counts it.

    Attributes:
        compared: With intervals and p of the design.
        figures: What its width comes from.
    """

    compared: Comparison
    figures: dict[str, float]


def compared(metric: Metric, control: Sample, treatment: Sample, *, confidence: float) -> Comparison:
    """The test of the metric's kind with a single look."""
    if control.counts is not None and treatment.counts is not None:
        return compare_rates(control.counts, treatment.counts, confidence=confidence)
    if metric.kind == "ratio":
        return compare_ratios(control.moments, treatment.moments, confidence=confidence)
    return compare_means(control.moments, treatment.moments, confidence=confidence)


def judged(of: Trial, at: Stage, metric: Metric, arm: str, control: Sample, treatment: Sample) -> Judged:
    """The comparison at the stage of the experiment: one test for p and both intervals, whatever looks it pays for."""
    confidence = float(of.experiment.confidence)
    single = compared(metric, control, treatment, confidence=confidence)
    if at.basis == "fixed" or single.statistic is None:
        return Judged(single, {})
    if at.basis == "planned":
        return _planned(of, at, metric, control, treatment, single)
    return always(of, metric, arm, control, treatment)


def always(of: Trial, metric: Metric, arm: str, control: Sample, treatment: Sample) -> Judged:
    """The comparison that may be looked at on any day; undefined below 100 conversions in both arms together."""
    from segctl.stats.always_valid import LEAST_CONVERSIONS, log_p_of

    confidence = float(of.experiment.confidence)
    n = control.moments.n + treatment.moments.n
    single = compared(metric, control, treatment, confidence=confidence)
    events = (control.events, treatment.events)
    few = None not in events and sum(one or 0 for one in events) < LEAST_CONVERSIONS
    if single.statistic is None or few:
        return Judged(_without_limits(single, confidence) if few else single, {})
    narrowest = rho(of, arm)
    edge = always_edge(of, n, arm, alpha=1 - confidence)
    wide = compared(metric, control, treatment, confidence=level_of(edge))
    log_p = log_p_of(single.statistic, float(n), rho=narrowest)
    return Judged(
        replace(_labelled(wide, confidence), p=exp(log_p), log_p=log_p), {"edge": edge, "rho": narrowest, "n": float(n)}
    )


def _planned(of: Trial, at: Stage, metric: Metric, control: Sample, treatment: Sample, single: Comparison) -> Judged:
    """At a planned look: intervals of the bound's width, and the smallest α at which the bound would be reached."""
    from segctl.stats.sequential import repeated_p

    look = at.looks[-1]
    information = tuple(one.information for one in at.looks)
    wide = compared(metric, control, treatment, confidence=level_of(look.bound))
    p, log_p = repeated_p(single.statistic or 0.0, information, is_over=look.is_last)
    figures = {"bound": look.bound, "information": look.information, "look": float(look.number), "spent": look.spent}
    return Judged(replace(_labelled(wide, float(of.experiment.confidence)), p=p, log_p=log_p), figures)


def at_level(
    of: Trial, at: Stage, metric: Metric, arm: str, control: Sample, treatment: Sample, *, alpha: float
) -> Interval:
    """Interval of the difference at a smaller α, such as that of a step of Holm's procedure, for the same looks."""
    from segctl.stats.sequential import bounds

    confidence = 1 - alpha
    if at.basis == "always":
        confidence = level_of(always_edge(of, control.moments.n + treatment.moments.n, arm, alpha=alpha))
    elif at.basis == "planned":
        information = tuple(one.information for one in at.looks)
        confidence = level_of(bounds(information, alpha=alpha, is_over=at.looks[-1].is_last)[-1])
    found = compared(metric, control, treatment, confidence=confidence).difference
    return replace(found, confidence=1 - alpha)


def arm_value(metric: Metric, arm: str, sample: Sample, *, confidence: float) -> ArmValue:
    """One arm's own figures."""
    moments, n = sample.moments, sample.moments.n
    total = None if metric.kind == "time" else (moments.mean() or 0.0) * n
    if sample.counts is not None:
        value = wilson(sample.counts, confidence=confidence)
    elif metric.kind == "ratio":
        lined = linearised(moments)
        value = (
            undefined(Why.DENOMINATOR_ZERO if n else Why.EMPTY_ARM, confidence=confidence, method="delta")
            if lined is None
            else replace(mean_interval(lined, confidence=confidence), method="delta")
        )
    else:
        value = mean_interval(moments, confidence=confidence)
    variance = moments.covariance()
    return ArmValue(
        arm, n, value, sample.events, total,
        below=(moments.mean("below") or 0.0) * n if metric.kind == "ratio" else None,
        sd=None if variance is None else max(variance, 0.0) ** 0.5,
        largest=sample.largest,
        largest_share=sample.largest / total if sample.largest is not None and total and total > 0 else None,
        among=sample.among,
    )  # fmt: skip


def _labelled(wide: Comparison, confidence: float) -> Comparison:
    """Intervals by the confidence that they have over all looks."""
    difference, lift = (replace(one, confidence=confidence) for one in (wide.difference, wide.lift))
    return replace(wide, difference=difference, lift=lift)


def _without_limits(single: Comparison, confidence: float) -> Comparison:
    """Too few conversions for an interval that holds on any day."""
    why, method = Why.TOO_FEW, "confidence_sequence"
    difference = undefined(why, confidence=confidence, method=method, estimate=single.difference.estimate)
    lift = undefined(why, confidence=confidence, method=method, estimate=single.lift.estimate)
    return replace(single, difference=difference, lift=lift, p=None, log_p=None, why=why)
