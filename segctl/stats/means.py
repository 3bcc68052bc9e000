"""Two means: Welch's t test, its interval, and Fieller's interval of the lift, which never contradict each other."""

from __future__ import annotations

from math import sqrt

from segctl.stats.effects import Estimate, compare, effect_of, no_comparison
from segctl.stats.special import t_quantile
from segctl.stats.values import Comparison, Flag, Interval, Moments, Why, undefined

FEW = 30
"""Units in an arm under which a sample is small."""
NOISE = 1e-26
"""Variance by squared mean that is nothing but rounding."""


def compare_means(control: Moments, treatment: Moments, *, confidence: float = 0.95, name: str = "value") -> Comparison:
    """Treatment's mean of a figure against control's, over all units of each arm, those with 0 included."""
    flags = mean_flags(control, treatment, name=name)
    c, t = estimate(control, name), estimate(treatment, name)
    if c is None or t is None:
        why = too_few(control, treatment)
        one, other = control.mean(name), treatment.mean(name)
        return no_comparison(why, confidence=confidence, control=one, treatment=other, flags=flags)
    return compare(effect_of(c, t), confidence=confidence, flags=flags)


def estimate(arm: Moments, name: str = "value") -> Estimate | None:
    """An arm's mean with its variance; None with fewer than two units, since then there is no variance."""
    if arm.n < 2:
        return None
    return Estimate(arm.means[arm.names.index(name)], variance(arm, name) / arm.n, arm.n - 1)


def variance(arm: Moments, name: str = "value") -> float:
    """With n − 1; 0 where it is rounding alone, and with fewer than two units."""
    found = arm.covariance(name) or 0.0
    mean = arm.means[arm.names.index(name)]
    return found if found > NOISE * mean * mean else 0.0


def mean_interval(arm: Moments, *, confidence: float = 0.95, name: str = "value") -> Interval:
    """An arm's mean ± t standard errors."""
    found = estimate(arm, name)
    if found is None or not found.variance:
        why = Why.ZERO_VARIANCE if found else Why.ONE_UNIT if arm.n else Why.EMPTY_ARM
        return undefined(why, confidence=confidence, method="t", estimate=arm.mean(name))
    half = t_quantile(0.5 + confidence / 2, found.df) * sqrt(found.variance)
    return Interval(found.value, found.value - half, found.value + half, confidence, "t")


def mean_flags(*arms: Moments, name: str = "value") -> tuple[Flag, ...]:
    """Warnings that moments alone give; those about the control's mean come with the comparison."""
    raised = {
        Flag.EMPTY_ARM: any(not arm.n for arm in arms),
        Flag.SMALL_SAMPLE: any(arm.n < FEW for arm in arms),
        Flag.ZERO_VARIANCE: any(arm.n > 1 and not variance(arm, name) for arm in arms),
    }
    return tuple(flag for flag in Flag if raised.get(flag))


def too_few(*arms: Moments) -> Why:
    """Why arms with fewer than two units are not compared."""
    return Why.EMPTY_ARM if any(not arm.n for arm in arms) else Why.ONE_UNIT
