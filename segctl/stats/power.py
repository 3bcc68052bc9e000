"""Size and power of one comparison: an arm against the control, of any split.

Power is that of finding the effect in its own direction. It is reckoned before the data; what a result "would have had"
says no more than its p, so that nothing here takes a result (Hoenig, Heisey, Am Stat 55 (2001) 19).
"""

from __future__ import annotations

from math import inf, isnan, sqrt

from segctl.model.dataclass import dataclass
from segctl.stats.roots import root
from segctl.stats.special import normal_quantile, normal_sf, t_quantile
from segctl.stats.values import Moments


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of units that convert.

    Attributes:
        baseline: Of the control, above 0 and below 1.
    """

    baseline: float


@dataclass(frozen=True, slots=True)
class Mean:
    """A figure per unit, or a ratio as `ratio_figure` makes one of it.

    Attributes:
        baseline: Mean of the control.
        sd: Between units, the same in both arms.
    """

    baseline: float
    sd: float


Figure = Rate | Mean


def ratio_figure(arm: Moments) -> Mean | None:
    """A ratio of sums as a figure per unit: its deviation by the delta method; None without denominators.

    Args:
        arm: Moments of ``value`` and ``below`` over units, those without either included.

    Source:
        Deng, Knoblich, Lu, KDD 2018, section 3.
    """
    below = arm.mean("below")
    variance = None
    if below:
        ratio = arm.means[arm.names.index("value")] / below
        variance = arm.combined({"value": {"value": 1 / below, "below": -ratio / below}}).covariance()
    return None if not below or variance is None else Mean(ratio, sqrt(max(variance, 0.0)))


# --- Rates ------------------------------------------------------------------------------------------------
def rates_size(
    control: float, treatment: float, *, kappa: float = 1.0, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Units of the control arm that are needed, not rounded.

    Args:
        control: Rate of the control.
        treatment: Rate worth finding.
        kappa: Units of treatment for one of control.
        alpha: Two-sided.
        power: Probability to find it.

    Returns:
        Infinite when the rates are equal.

    Source:
        Fleiss, Levin, Paik, Statistical Methods for Rates and Proportions, 3rd ed. 2003, chapter 4, without
        continuity correction.

    >>> round(rates_size(0.05, 0.055), 1)
    31233.4
    """
    if control == treatment:
        return inf
    z_alpha, z_power = normal_quantile(1 - alpha / 2), normal_quantile(power)
    null, real = _rate_deviations(control, treatment, kappa)
    return float((max(z_alpha * null + z_power * real, 0.0) / (treatment - control)) ** 2)


def rates_power(control: float, treatment: float, *, n: float, kappa: float = 1.0, alpha: float = 0.05) -> float:
    """Probability to find the difference with `n` units of control and κ·n of treatment."""
    null, real = _rate_deviations(control, treatment, kappa)
    away = sqrt(n) * abs(treatment - control) - normal_quantile(1 - alpha / 2) * null
    return normal_sf(-away / real) if real else float(away > 0)


def _rate_deviations(control: float, treatment: float, kappa: float) -> tuple[float, float]:
    """Deviation of the difference for one unit of control: if both had the pooled rate; with the rates as they are."""
    pooled = (kappa * treatment + control) / (kappa + 1)
    null = sqrt((1 + 1 / kappa) * pooled * (1 - pooled))
    return null, sqrt(treatment * (1 - treatment) / kappa + control * (1 - control))


# --- Means ------------------------------------------------------------------------------------------------
def normal_size(sd: float, difference: float, *, kappa: float = 1.0, alpha: float = 0.05, power: float = 0.8) -> float:
    """Units of the control arm for a difference of means by the normal formula, not rounded."""
    if not difference:
        return inf
    z = normal_quantile(1 - alpha / 2) + normal_quantile(power)
    return float((1 + 1 / kappa) * (max(z, 0.0) * sd / difference) ** 2)


def means_size(sd: float, difference: float, *, kappa: float = 1.0, alpha: float = 0.05, power: float = 0.8) -> float:
    """Units of the control arm for a difference of means, not rounded: as `normal_size`, with Student's t."""
    first = normal_size(sd, difference, kappa=kappa, alpha=alpha, power=power)
    least = 3 / (1 + kappa)  # one degree of freedom
    if first == inf or sd == 0:
        return inf if first == inf else least

    def lacking(n: float) -> float:
        return means_power(sd, difference, n=n, kappa=kappa, alpha=alpha) - power

    if lacking(least) >= 0:
        return least
    high = max(first, least) + 1
    while lacking(high) < 0:
        high *= 2
    return root(lacking, max(least, first / 2), high) if lacking(max(least, first / 2)) < 0 else least


def means_power(
    sd: float,
    difference: float,
    *,
    n: float,
    kappa: float = 1.0,
    alpha: float = 0.05,
    either_way: bool = False,
) -> float:
    """Probability to find the difference with `n` units of control and κ·n of treatment (noncentral t).

    Args:
        sd: Between units, the same in both arms.
        difference: Treatment minus control.
        n: Units of control.
        kappa: Units of treatment for one of control.
        alpha: Two-sided.
        either_way: Findings in the wrong direction count as well, as other software has it.
    """
    df = n * (1 + kappa) - 2
    if df <= 0:
        return 0.0
    if sd == 0:
        return float(difference != 0)
    away = abs(difference) / (sd * sqrt((1 + 1 / kappa) / n))
    edge = t_quantile(1 - alpha / 2, df)
    found = 1 - _noncentral_t(edge, df, away)
    return found + _noncentral_t(-edge, df, away) if either_way else found


def _noncentral_t(t: float, df: float, away: float) -> float:
    """P(T ≤ t) of noncentral t."""
    from scipy.special import nctdtr

    below = float(nctdtr(df, away, t))
    # Far in the tail the series gives up; the normal is exact enough there.
    return normal_sf(away - t) if isnan(below) else min(1.0, max(0.0, below))


# --- Either -----------------------------------------------------------------------------------------------
def size_of(figure: Figure, difference: float, *, kappa: float = 1.0, alpha: float = 0.05, power: float = 0.8) -> float:
    """Units of the control arm to find an absolute difference; infinite when a rate would leave 0 to 1."""
    if isinstance(figure, Mean):
        return means_size(figure.sd, difference, kappa=kappa, alpha=alpha, power=power)
    treated = figure.baseline + difference
    if not 0 <= treated <= 1:
        return inf
    return rates_size(figure.baseline, treated, kappa=kappa, alpha=alpha, power=power)


def power_of(figure: Figure, difference: float, *, n: float, kappa: float = 1.0, alpha: float = 0.05) -> float:
    """Probability to find an absolute difference; 0 when a rate would leave 0 to 1."""
    if isinstance(figure, Mean):
        return means_power(figure.sd, difference, n=n, kappa=kappa, alpha=alpha)
    treated = figure.baseline + difference
    return rates_power(figure.baseline, treated, n=n, kappa=kappa, alpha=alpha) if 0 <= treated <= 1 else 0.0


def mde_of(
    figure: Figure, *, n: float, kappa: float = 1.0, alpha: float = 0.05, power: float = 0.8, down: bool = False
) -> float | None:
    """Smallest absolute difference that is found with this power; None when none is possible.

    Args:
        figure: What is measured.
        n: Units of the control arm.
        kappa: Units of treatment for one of control.
        alpha: Two-sided.
        power: Probability to find it.
        down: A difference below the control, negative.
    """
    sign = -1 if down else 1

    def lacking(distance: float) -> float:
        return power_of(figure, sign * distance, n=n, kappa=kappa, alpha=alpha) - power

    if n * (1 + kappa) <= 2:
        return None
    if isinstance(figure, Mean):
        high = (figure.sd or 1.0) * sqrt((1 + 1 / kappa) / n)
        while lacking(high) < 0:
            high *= 2
        return sign * root(lacking, 0.0, high, tolerance=1e-13 * min(1.0, high)) if figure.sd else 0.0
    high = figure.baseline if down else 1 - figure.baseline
    return sign * root(lacking, 0.0, high, tolerance=1e-15) if lacking(high) >= 0 else None
