"""From an estimated difference and its variance to test, interval and lift, all three of one t test.

Means, ratios, adjusted means and stratified estimates differ in how they come to the numbers of `Effect`; what follows
is the same for all.
"""

from __future__ import annotations

from math import exp, inf, log, sqrt

from segctl.model.dataclass import dataclass
from segctl.stats.special import t_log_p, t_p, t_quantile
from segctl.stats.values import Comparison, Flag, Interval, Why, undefined


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean, ratio or the like of one arm.

    Attributes:
        value: The estimate.
        variance: Square of its standard error.
        df: Degrees of freedom of that variance; infinite for normal.
    """

    value: float
    variance: float
    df: float = inf


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference, and what it is a share of.

    Attributes:
        difference: Treatment minus control.
        variance: Square of its standard error.
        df: Degrees of freedom; infinite for normal.
        base: The control's mean that the lift is relative to; with covariates the mean as it was measured.
        base_variance: Square of its standard error.
        base_df: Degrees of freedom of that.
        covariance: Of difference and base: minus the control's variance when both come from the same plain mean.
    """

    difference: float
    variance: float
    df: float
    base: float
    base_variance: float
    base_df: float
    covariance: float


def effect_of(control: Estimate, treatment: Estimate) -> Effect:
    """The effect of two independent arms, degrees of freedom after Welch 1947 and Satterthwaite 1946."""
    variance = control.variance + treatment.variance
    df = welch_df(control, treatment)
    return Effect(
        treatment.value - control.value, variance, df,
        control.value, control.variance, control.df, -control.variance,
    )  # fmt: skip


def welch_df(control: Estimate, treatment: Estimate) -> float:
    """Degrees of freedom of a difference; one arm without variance leaves those of the other."""
    below = sum(arm.variance * (arm.variance / arm.df) for arm in (control, treatment) if arm.df > 0)
    return (control.variance + treatment.variance) ** 2 / below if below else inf


def compare(effect: Effect, *, confidence: float, test: str = "welch", flags: tuple[Flag, ...] = ()) -> Comparison:
    """Test, interval of the difference and Fieller's interval of the lift."""
    flags = tuple(flag for flag in Flag if flag in {*flags, *baseline_flags(effect, confidence)})
    treatment = effect.base + effect.difference
    if effect.variance <= 0:
        reason = Why.ZERO_VARIANCE
        nothing = undefined(reason, confidence=confidence, method=test, estimate=effect.difference)
        lift = undefined(reason, confidence=confidence, method="fieller", estimate=_lift(effect, confidence))
        return Comparison(effect.base, treatment, nothing, lift, None, None, test, flags=flags, why=reason)
    se = sqrt(effect.variance)
    t = effect.difference / se
    return Comparison(
        effect.base, treatment, difference_interval(effect, confidence=confidence, method=test),
        fieller(effect, confidence=confidence), t_p(t, effect.df), t_log_p(t, effect.df), test, t, se,
        None if effect.df == inf else effect.df, flags,
    )  # fmt: skip


def no_comparison(
    why: Why,
    *,
    confidence: float,
    test: str = "welch",
    control: float | None = None,
    treatment: float | None = None,
    flags: tuple[Flag, ...] = (),
) -> Comparison:
    """A comparison that cannot be made, with what is known nevertheless."""
    known = None if control is None or treatment is None else treatment - control
    lift = None if known is None or not control or control <= 0 else known / control
    difference = undefined(why, confidence=confidence, method=test, estimate=known)
    relative = undefined(why, confidence=confidence, method="fieller", estimate=lift)
    return Comparison(control, treatment, difference, relative, None, None, test, flags=flags, why=why)


def difference_interval(effect: Effect, *, confidence: float, method: str = "welch") -> Interval:
    """Difference ± t standard errors."""
    half = t_quantile(0.5 + confidence / 2, effect.df) * sqrt(effect.variance)
    return Interval(effect.difference, effect.difference - half, effect.difference + half, confidence, method)


def no_lift(effect: Effect, confidence: float) -> Why | None:
    """Why there is no percentage: a base of 0 or below, or one whose own interval contains 0."""
    if effect.base <= 0:
        return Why.CONTROL_NEGATIVE if effect.base < 0 else Why.CONTROL_ZERO
    p = 0.5 + confidence / 2
    quantile = t_quantile(p, effect.df)
    if 0 < effect.base_df < inf:
        quantile = max(quantile, t_quantile(p, effect.base_df))
    return Why.CONTROL_NEAR_ZERO if effect.base <= quantile * sqrt(effect.base_variance) else None


def baseline_flags(effect: Effect, confidence: float) -> tuple[Flag, ...]:
    """Warnings about the control's mean."""
    why = no_lift(effect, confidence)
    if why is None:
        return ()
    return (Flag.BASELINE_NEAR_ZERO,) if why == Why.CONTROL_NEAR_ZERO else (Flag.BASELINE_NOT_POSITIVE,)


def _lift(effect: Effect, confidence: float) -> float | None:
    return effect.difference / effect.base if no_lift(effect, confidence) is None else None


def fieller(effect: Effect, *, confidence: float, df: float | None = None) -> Interval:
    """All lifts r whose difference − r·base is not told from 0: at r = 0 it is the test of the difference itself.

    Args:
        effect: The difference and its base.
        confidence: Such as 0.95.
        df: Of the quantile, when not those of the test: infinite for the normal one.

    Source:
        Fieller, JRSS B 16 (1954) 175.
    """
    why = no_lift(effect, confidence) or (None if effect.variance > 0 else Why.ZERO_VARIANCE)
    if why:
        return undefined(why, confidence=confidence, method="fieller", estimate=_lift(effect, confidence))
    q2 = t_quantile(0.5 + confidence / 2, effect.df if df is None else df) ** 2
    limits = _fieller_limits(effect, q2)
    if limits is None:
        return undefined(Why.CONTROL_NEAR_ZERO, confidence=confidence, method="fieller")
    at = effect.difference / effect.base
    return Interval(at, min(limits[0], at), max(limits[1], at), confidence, "fieller")


def _fieller_limits(effect: Effect, q2: float) -> tuple[float, float] | None:
    """Both solutions of a·r² − 2b·r + c, whose sign tells on which side of 0 they lie, as the test does."""
    scale = max(abs(effect.difference), effect.base)
    base, difference = effect.base / scale, effect.difference / scale
    variance, base_variance, covariance = (
        part / scale / scale for part in (effect.variance, effect.base_variance, effect.covariance)
    )
    a = base * base - q2 * base_variance
    b = difference * base - q2 * covariance
    c = difference**2 - q2 * variance
    if a <= 0:
        return None
    # b² − a·c from what treatment and base have for themselves, since their squares would cancel each other.
    moved, shared = base + difference, covariance + base_variance
    own = max(variance + 2 * covariance + base_variance, 0.0)
    inner = base * base * own - 2 * moved * base * shared + moved * moved * base_variance
    within = sqrt(max(q2 * (inner - q2 * (own * base_variance - shared * shared)), 0.0))
    far = b + (within if b >= 0 else -within)
    one, other = far / a, (c / far if far else 0.0)
    return min(one, other), max(one, other)


def linear_delta(effect: Effect, *, confidence: float) -> Interval:
    """Lift ± t standard errors by the linear delta method, as GrowthBook: contradicts the test, for comparison only."""
    why = no_lift(effect, confidence)
    if why:
        return undefined(why, confidence=confidence, method="linear_delta_t")
    lift = effect.difference / effect.base
    variance = effect.variance - 2 * lift * effect.covariance + lift * lift * effect.base_variance
    half = t_quantile(0.5 + confidence / 2, effect.df) * sqrt(max(variance, 0.0)) / effect.base
    return Interval(lift, lift - half, lift + half, confidence, "linear_delta_t")


def log_delta(control: Estimate, treatment: Estimate, *, confidence: float) -> Interval:
    """Lift by the delta method on the logarithm of the ratio, as tea-tasting; needs two positive means."""
    why = Why.TREATMENT_NOT_POSITIVE if treatment.value <= 0 else None
    if control.value <= 0:
        why = Why.CONTROL_NEGATIVE if control.value < 0 else Why.CONTROL_ZERO
    if why:
        return undefined(why, confidence=confidence, method="log_delta_t")
    c, t = (Estimate(0.0, arm.variance / arm.value**2, arm.df) for arm in (control, treatment))
    half = t_quantile(0.5 + confidence / 2, welch_df(c, t)) * sqrt(c.variance + t.variance)
    at = log(treatment.value / control.value)
    return Interval(
        treatment.value / control.value - 1, exp(at - half) - 1, exp(at + half) - 1, confidence, "log_delta_t"
    )
