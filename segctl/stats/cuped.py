"""Less variance with what was known before assignment (CUPED), from moments alone: one pass over any number of units.

Covariates are figures of the moments: ``before`` is the same figure in the time before; ``missing`` is 1 for units
without such a time, whose ``before`` is 0. With them the estimate stays unbiased, and how much variance they took is
reported, also when it is next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf

from segctl.model.dataclass import dataclass
from segctl.stats.effects import Effect, Estimate, compare, welch_df
from segctl.stats.linear import solve
from segctl.stats.means import compare_means, estimate, mean_flags, variance
from segctl.stats.ratios import TINY, compare_ratios, linearised, ratio
from segctl.stats.values import Comparison, Flag, Moments, Why

USELESS = 0.01
"""Share of the variance under which a covariate took next to nothing."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A comparison with covariates, beside the same without.

    Attributes:
        adjusted: With covariates; the plain one when there is no usable covariate.
        plain: Without.
        slopes: θ per covariate, of both arms together or (`within`) the control's; 0 for one that says nothing.
        reduction: Share of the variance of the difference that is gone; None when undefined, negative when it grew.
        effect: The numbers behind `adjusted`; None when undefined.
        why: Why `adjusted` is the plain one.
    """

    adjusted: Comparison
    plain: Comparison
    slopes: tuple[float, ...]
    reduction: float | None
    effect: Effect | None = None
    why: Why | None = None


def cuped(
    control: Moments,
    treatment: Moments,
    covariates: Sequence[str] = ("before",),
    *,
    confidence: float = 0.95,
    within: bool = False,
) -> Adjustment:
    """Means adjusted by covariates, then Welch; the lift by Fieller with the control's unadjusted mean as base.

    Args:
        control: With figures ``value`` and the covariates.
        treatment: Same figures.
        covariates: Names among the figures.
        confidence: Such as 0.95.
        within: A slope for each arm (Lin 2013, Ann Appl Stat 7:295) instead of one of both arms together; its
            variance is that of the residuals, without the correction for leverage of `segctl.stats.regression`.

    Source:
        Deng, Xu, Kohavi and Walker, WSDM 2013, section 3.
    """
    plain = compare_means(control, treatment, confidence=confidence)
    return _adjusted(control, treatment, plain, covariates, confidence, within)


def cuped_ratio(
    control: Moments,
    treatment: Moments,
    covariates: Sequence[str] = ("before",),
    *,
    confidence: float = 0.95,
    within: bool = False,
    below_before: str | None = None,
) -> Adjustment:
    """The same for a ratio metric, applied to its linearised values.

    Args:
        control: With figures ``value``, ``below`` and the covariates.
        treatment: Same figures.
        covariates: Names among the figures; `below_before` is none of them.
        confidence: Such as 0.95.
        within: A slope for each arm.
        below_before: Denominator of the ratio before, when ``before`` is its numerator: the covariate is then that
            ratio, linearised by its value in both arms together.
    """
    plain = compare_ratios(control, treatment, confidence=confidence)
    if below_before is not None:
        control, treatment = _linear_before(control, treatment, below_before)
    c, t = linearised(control), linearised(treatment)
    if c is None or t is None:
        return Adjustment(plain, plain, (), None, None, plain.why)
    return _adjusted(c, t, plain, covariates, confidence, within)


def _linear_before(control: Moments, treatment: Moments, below: str) -> tuple[Moments, Moments]:
    """The covariate as before − ratio·denominator, with the ratio of both arms together; unchanged without any."""
    common = ratio(control.merged(treatment), value="before", below=below)
    if common is None:
        return control, treatment
    others = [name for name in control.names if name not in ("before", below)]
    figures = {"before": {"before": 1.0, below: -common}, **{name: {name: 1.0} for name in others}}
    return control.combined(figures), treatment.combined(figures)


def _adjusted(
    c: Moments, t: Moments, plain: Comparison, covariates: Sequence[str], confidence: float, within: bool
) -> Adjustment:
    """The adjusted comparison of two arms whose figure is ``value``."""
    both = c.merged(t)
    slopes = [_slopes(arm, covariates) for arm in ((c, t) if within else (both, both))]
    flags = mean_flags(c, t)
    if plain.why or not any(slope for arm in slopes for slope in arm):
        why = plain.why or Why.NO_COVARIATE
        flagged = replace(plain, flags=_ordered(*plain.flags, Flag.COVARIATE_USELESS))
        return Adjustment(
            plain if plain.why else flagged, plain, tuple(slopes[0]), None if plain.why else 0.0, None, why
        )
    lost = len(covariates) if within else 0
    arms = [_residual(arm, both, covariates, slope, lost) for arm, slope in zip((c, t), slopes, strict=True)]
    if arms[0] is None or arms[1] is None:
        return Adjustment(plain, plain, tuple(slopes[0]), None, None, Why.TOO_FEW)
    effect = _effect(arms[0], arms[1], c, covariates, slopes[0])
    reduction = _reduction(effect, c, t)
    if reduction is not None and reduction < USELESS:
        flags = (*flags, Flag.COVARIATE_USELESS)
    adjusted = compare(effect, confidence=confidence, test="cuped_within" if within else "cuped", flags=flags)
    return Adjustment(adjusted, plain, tuple(slopes[0]), reduction, effect)


def _slopes(arm: Moments, covariates: Sequence[str]) -> list[float]:
    """θ = Σxx⁻¹ Σxy; a covariate that is constant, or a sum of others, gets 0."""
    matrix = [[arm.product(one, other) for other in covariates] for one in covariates]
    return solve(matrix, [arm.product("value", name) for name in covariates])


def _residual(
    arm: Moments, both: Moments, covariates: Sequence[str], slopes: Sequence[float], lost: int
) -> Estimate | None:
    """The adjusted mean of an arm, at the covariates' mean of both arms, and the variance of what is left."""
    left = arm.combined({"value": {"value": 1.0, **{n: -s for n, s in zip(covariates, slopes, strict=True)}}})
    df = arm.n - 1 - lost
    if df < 1:
        return None
    shift = sum(s * (both.mean(n) or 0.0) for n, s in zip(covariates, slopes, strict=True))
    rest = left.product()
    # What a covariate explains whole leaves rounding.
    spread = rest / df if rest > TINY * arm.product() else 0.0
    return Estimate(left.means[0] + shift, spread / arm.n, df)


def _effect(c: Estimate, t: Estimate, control: Moments, covariates: Sequence[str], slopes: Sequence[float]) -> Effect:
    """Difference of adjusted means, relative to the unadjusted control mean: their covariance is the joint delta's."""
    base = estimate(control)
    shared = control.product("value") - sum(
        s * control.product("value", n) for n, s in zip(covariates, slopes, strict=True)
    )
    covariance = -shared / (control.n - 1) / control.n
    plain = base or Estimate(0.0, 0.0, inf)
    return Effect(
        t.value - c.value, c.variance + t.variance, welch_df(c, t), plain.value, plain.variance, plain.df, covariance
    )


def _reduction(effect: Effect, c: Moments, t: Moments) -> float | None:
    before = variance(c) / c.n + variance(t) / t.n
    return 1 - effect.variance / before if before else None


def _ordered(*flags: Flag) -> tuple[Flag, ...]:
    return tuple(flag for flag in Flag if flag in flags)
