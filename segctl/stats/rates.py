"""Two or more rates: one test for p-value, interval of the difference and interval of the lift.

The pooled z test, Mee's interval and Koopman's are one score test, so that they never contradict each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from segctl.model.dataclass import dataclass
from segctl.stats.score_intervals import apart, koopman, mee
from segctl.stats.special import chi2_log_sf, chi2_sf, normal_log_p, normal_sf
from segctl.stats.values import Comparison, Counts, Flag, Why

FEW = 10
"""Conversions (or units without) in an arm under which counts are small and the exact p is offered."""


@dataclass(frozen=True, slots=True)
class Omnibus:
    """Whether anything differs between several arms.

    Attributes:
        chi2: Pearson's; None when undefined, with `why`; likewise the others.
        df: Arms with units − 1.
        log_p: Natural logarithm of p.
    """

    chi2: float | None
    df: int | None
    p: float | None
    log_p: float | None
    why: Why | None = None


def compare_rates(control: Counts, treatment: Counts, *, confidence: float = 0.95) -> Comparison:
    """Treatment's rate against control's: pooled z, Mee, Koopman.

    >>> result = compare_rates(Counts(10_000, 230), Counts(90_000, 2_520))
    >>> round(result.p, 4), round(result.difference.low, 4), round(result.lift.low, 3)
    (0.0037, 0.0017, 0.066)
    """
    statistic, se, why = pooled_z(control, treatment)
    flags = rate_flags(control, treatment)
    difference = mee(control, treatment, confidence=confidence)
    lift = koopman(control, treatment, confidence=confidence)
    p = None if statistic is None else 2 * normal_sf(abs(statistic))
    log_p = None if statistic is None else normal_log_p(statistic)
    test = "pooled_z"
    return Comparison(control.rate, treatment.rate, difference, lift, p, log_p, test, statistic, se, None, flags, why)


def pooled_z(control: Counts, treatment: Counts) -> tuple[float | None, float | None, Why | None]:
    """The score test of no difference: z, the standard error under no difference, and why there is none.

    Its square is Pearson's χ² without correction.
    """
    if control.rate is None or treatment.rate is None:
        return None, None, Why.EMPTY_ARM
    n, pooled = control.n + treatment.n, control.conversions + treatment.conversions
    if pooled in (0, n):
        return None, None, Why.ALL_CONVERTED if pooled else Why.NO_CONVERSIONS
    se = sqrt((pooled / n) * ((n - pooled) / n) * (1 / control.n + 1 / treatment.n))
    return apart(control, treatment) / se, se, None


def unpooled_z(control: Counts, treatment: Counts) -> tuple[float | None, float | None]:
    """Wald's z and its two-sided p, for comparison with other programs; None when there is no variance."""
    if control.rate is None or treatment.rate is None:
        return None, None
    variance = control.rate * (1 - control.rate) / control.n + treatment.rate * (1 - treatment.rate) / treatment.n
    if variance <= 0:
        return None, None
    z = (treatment.rate - control.rate) / sqrt(variance)
    return z, 2 * normal_sf(abs(z))


def rate_flags(*arms: Counts) -> tuple[Flag, ...]:
    """Warnings that counts alone give."""
    filled = [arm for arm in arms if arm.n]
    raised = {
        Flag.EMPTY_ARM: len(filled) < len(arms),
        Flag.ZERO_CONVERSIONS: any(not arm.conversions for arm in filled),
        Flag.ALL_CONVERTED: any(arm.conversions == arm.n for arm in filled),
        Flag.SMALL_COUNTS: any(min(arm.conversions, arm.n - arm.conversions) < FEW for arm in filled),
        Flag.SMALL_SAMPLE: any(arm.n < 30 for arm in arms),
    }
    return tuple(flag for flag in Flag if raised.get(flag))


def omnibus(arms: Sequence[Counts]) -> Omnibus:
    """Pearson's χ² of all arms at once; empty arms are left out."""
    filled = [arm for arm in arms if arm.n]
    n, pooled = sum(arm.n for arm in filled), sum(arm.conversions for arm in filled)
    if len(filled) < 2:
        return Omnibus(None, None, None, None, Why.EMPTY_ARM)
    if pooled in (0, n):
        return Omnibus(None, None, None, None, Why.ALL_CONVERTED if pooled else Why.NO_CONVERSIONS)
    rate = pooled / n
    chi2 = sum((arm.conversions - arm.n * rate) ** 2 / (arm.n * rate * (1 - rate)) for arm in filled)
    df = len(filled) - 1
    return Omnibus(chi2, df, chi2_sf(chi2, df), chi2_log_sf(chi2, df))
