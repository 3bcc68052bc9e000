"""An arm against the control in one metric: the test of its kind, as wide as the design of looks asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.operations.ab.design import rule
from segctl.operations.ab.parts import ArmValue
from segctl.stats.early import early
from segctl.stats.means import compare_means, mean_interval
from segctl.stats.moments import nothing
from segctl.stats.rate_intervals import wilson
from segctl.stats.rates import compare_rates
from segctl.stats.ratios import compare_ratios, linearised
from segctl.stats.strata import Stratum, over_strata
from segctl.stats.values import Why, undefined

if TYPE_CHECKING:
    from segctl.model.experiments import Metric
    from segctl.operations.ab.design import Stage
    from segctl.operations.ab.samples import Pair, Sample
    from segctl.operations.ab.trial import Trial
    from segctl.stats.early import Rule
    from segctl.stats.values import Comparison, Counts, Moments


def compared(metric: Metric, both: Pair, *, confidence: float) -> Comparison:
    """The test of the metric's kind with a single look; over strata where the sides have them."""
    if both.strata:
        strata = [Stratum(name, part_of(metric, one), part_of(metric, other)) for name, one, other in both.strata]
        return over_strata(strata, confidence=confidence).post_stratified
    control, treatment = both.control, both.treatment
    if control.counts is not None and treatment.counts is not None:
        return compare_rates(control.counts, treatment.counts, confidence=confidence)
    if metric.kind == "ratio":
        return compare_ratios(control.moments, treatment.moments, confidence=confidence)
    return compare_means(control.moments, treatment.moments, confidence=confidence)


def part_of(metric: Metric, sample: Sample) -> Counts | Moments:
    """One side of a stratum."""
    if sample.counts is not None:
        return sample.counts
    lined = linearised(sample.moments) if metric.kind == "ratio" else sample.moments
    return nothing(0) if lined is None else lined


def judged(of: Trial, at: Stage, metric: Metric, arm: str, both: Pair, *, alpha: float | None = None) -> Comparison:
    """The comparison at the stage of the experiment: one test for p and both intervals, whatever looks it pays for.

    Args:
        of: The experiment.
        at: Its stage.
        metric: What is compared.
        arm: With the control.
        both: Figures of the control and the arm.
        alpha: Smaller than the experiment's, such as that of a step of Holm's procedure.
    """
    cost = rule(of, at, both.n, arm, alpha=alpha)
    if cost is None:
        level = float(of.experiment.confidence) if alpha is None else 1 - alpha
        return compared(metric, both, confidence=level)
    return at_cost(metric, both, cost)


def at_cost(metric: Metric, both: Pair, cost: Rule) -> Comparison:
    """The comparison at a look before the end."""
    return early(lambda level: compared(metric, both, confidence=level), cost, conversions=both.events)


def cost_figures(of: Trial, at: Stage, arm: str, n: int) -> dict[str, float]:
    """What the width of an interval comes from, beside the figures of the arms."""
    cost = rule(of, at, n, arm)
    found = {} if cost is None else {"edge": cost.critical, "units": float(n)}
    if at.basis == "planned":
        look = at.looks[-1]
        found |= {"look": float(look.number), "information": look.information, "spent": look.spent}
    return found


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
