"""Closed intervals of rates beside the score intervals: for large tables, for comparison with other programs."""

from __future__ import annotations

from math import exp, log, sqrt

from segctl.stats.special import normal_quantile, t_quantile
from segctl.stats.values import Counts, Interval, Why, undefined


def wilson(arm: Counts, *, confidence: float = 0.95) -> Interval:
    """Score interval of one rate.

    Source:
        Wilson, JASA 22 (1927) 209.
    """
    if arm.rate is None:
        return undefined(Why.EMPTY_ARM, confidence=confidence, method="wilson")
    z = normal_quantile(0.5 + confidence / 2)
    n, rate = arm.n, arm.rate
    middle = rate + z * z / (2 * n)
    half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    below = 1 + z * z / n
    # At the ends the limits are 0 and 1 exactly, which rounding would miss.
    low = (middle - half) / below if arm.conversions else 0.0
    high = (middle + half) / below if arm.conversions < n else 1.0
    return Interval(rate, low, high, confidence, "wilson")


def newcombe(control: Counts, treatment: Counts, *, confidence: float = 0.95) -> Interval:
    """Interval of the difference from the Wilson limits of the arms.

    Source:
        Newcombe, Stat Med 17 (1998) 873, method 10.
    """
    c, t = wilson(control, confidence=confidence), wilson(treatment, confidence=confidence)
    if c.estimate is None or t.estimate is None or c.low is None or t.low is None or c.high is None or t.high is None:
        return undefined(Why.EMPTY_ARM, confidence=confidence, method="newcombe")
    estimate = t.estimate - c.estimate
    below = sqrt((t.estimate - t.low) ** 2 + (c.high - c.estimate) ** 2)
    above = sqrt((t.high - t.estimate) ** 2 + (c.estimate - c.low) ** 2)
    return Interval(estimate, estimate - below, estimate + above, confidence, "newcombe")


def wald(control: Counts, treatment: Counts, *, confidence: float = 0.95) -> Interval:
    """Estimate ± z standard errors; too narrow for small counts and uneven splits, so for comparison only."""
    if control.rate is None or treatment.rate is None:
        return undefined(Why.EMPTY_ARM, confidence=confidence, method="wald")
    half = normal_quantile(0.5 + confidence / 2) * sqrt(_variance(control) + _variance(treatment))
    estimate = treatment.rate - control.rate
    if half == 0:
        return undefined(Why.ZERO_VARIANCE, confidence=confidence, method="wald", estimate=estimate)
    return Interval(estimate, estimate - half, estimate + half, confidence, "wald")


def agresti_caffo(control: Counts, treatment: Counts, *, confidence: float = 0.95) -> Interval:
    """Wald after one more who converts and one more who does not, in each arm; its limits keep the plain estimate.

    Source:
        Agresti and Caffo, Am Stat 54 (2000) 280.
    """
    if control.rate is None or treatment.rate is None:
        return undefined(Why.EMPTY_ARM, confidence=confidence, method="agresti_caffo")
    c, t = (Counts(arm.n + 2, arm.conversions + 1) for arm in (control, treatment))
    shifted = wald(c, t, confidence=confidence)
    low = None if shifted.low is None else max(shifted.low, -1.0)
    high = None if shifted.high is None else min(shifted.high, 1.0)
    return Interval(treatment.rate - control.rate, low, high, confidence, "agresti_caffo")


def katz(control: Counts, treatment: Counts, *, confidence: float = 0.95) -> Interval:
    """Interval of the lift on the logarithm of the ratio.

    Source:
        Katz, Baptista, Azen and Pike, Biometrics 34 (1978) 469.
    """
    reason = _no_ratio(control, treatment) or (None if treatment.conversions else Why.TREATMENT_NOT_POSITIVE)
    if reason or not control.rate or not treatment.rate:
        return undefined(reason or Why.EMPTY_ARM, confidence=confidence, method="katz")
    ratio = treatment.rate / control.rate
    variance = 1 / treatment.conversions - 1 / treatment.n + 1 / control.conversions - 1 / control.n
    half = normal_quantile(0.5 + confidence / 2) * sqrt(max(variance, 0.0))
    low, high = exp(log(ratio) - half) - 1, exp(log(ratio) + half) - 1
    return Interval(ratio - 1, low, high, confidence, "katz")


def linear_delta(control: Counts, treatment: Counts, *, confidence: float = 0.95, student: bool = False) -> Interval:
    """Lift ± z standard errors by the linear delta method, GrowthBook's with `student`; for comparison only."""
    method = "linear_delta_t" if student else "linear_delta"
    se = lift_se(control, treatment)
    if se is None or not control.rate or treatment.rate is None:
        reason = _no_ratio(control, treatment) or Why.EMPTY_ARM
        return undefined(reason, confidence=confidence, method=method)
    lift = treatment.rate / control.rate - 1
    p = 0.5 + confidence / 2
    df = _satterthwaite(control, treatment) if student else None
    half = se * (normal_quantile(p) if df is None else t_quantile(p, df))
    return Interval(lift, lift - half, lift + half, confidence, method)


def lift_se(control: Counts, treatment: Counts) -> float | None:
    """Standard error of the lift by the linear delta method; None when there is no lift."""
    if not control.rate or treatment.rate is None:
        return None
    variance = _variance(treatment) / control.rate**2 + _variance(control) * treatment.rate**2 / control.rate**4
    return sqrt(variance)


def _variance(arm: Counts) -> float:
    """Of the rate, from p(1 − p); 0 for an empty arm."""
    return arm.rate * (1 - arm.rate) / arm.n if arm.rate is not None else 0.0


def _satterthwaite(control: Counts, treatment: Counts) -> float | None:
    """Degrees of freedom of two rates as GrowthBook takes them; None where only the normal is left."""
    vc, vt = _variance(control), _variance(treatment)
    if control.n < 2 or treatment.n < 2 or not vc + vt:
        return None
    return (vc + vt) ** 2 / (vc * vc / (control.n - 1) + vt * vt / (treatment.n - 1))


def _no_ratio(control: Counts, treatment: Counts) -> Why | None:
    """Why there is no ratio of the two rates."""
    if not control.n or not treatment.n:
        return Why.EMPTY_ARM
    if control.conversions:
        return None
    return Why.CONTROL_ZERO if treatment.conversions else Why.NO_CONVERSIONS
