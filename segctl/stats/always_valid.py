"""Always valid inference: results that may be looked at on any day, as often as one likes.

An asymptotic confidence sequence holds at all sizes at once. At each size its `critical` value stands where the
quantile of the single test (1.96) would, so that p, the interval of the difference and that of the lift (the score
intervals of rates, Fieller's of means and ratios) stay three faces of one test. It is narrowest around a size that is
fixed before the first look: the planned one. There it is 1.55 times as wide as the interval of a single look.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, log, log1p, sqrt

from segctl.stats.values import Interval, Side, Why, undefined

LEAST_CONVERSIONS = 100
"""In all compared arms together; below, the approximation is not to be trusted and no interval is given."""
METHOD = "confidence_sequence"


def tuning(planned: float, *, alpha: float) -> float:
    """The ρ whose confidence sequence is narrowest when this many units are there, both arms together.

    Args:
        planned: Units at which the decision is expected, fixed before the first look.
        alpha: Two-sided.

    Source:
        Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, arXiv 2103.06476v7, equation 161.
    """
    doubled = -2 * log(alpha)
    return sqrt((doubled + log(doubled + 1)) / planned)


def critical(n: float, *, rho: float, alpha: float) -> float:
    """What |z| must reach after `n` units (both arms together); half the width of the interval in standard errors.

    Source:
        As `tuning`, equation 9, which is the two-sided normal mixture of Howard, Ramdas, McAuliffe, Sekhon 2021.
    """
    gained = n * rho * rho
    return sqrt(2 * (gained + 1) / gained * (log1p(gained) / 2 - log(alpha))) if gained else inf


def log_p_of(z: float, n: float, *, rho: float) -> float:
    """Logarithm of the p of a z after `n` units, at most 0.

    Source:
        As `tuning`, equation 155. It is 1/Λ of `log_likelihood_ratio` with τ² = ρ²·n·variance.
    """
    gained = n * rho * rho
    return min(0.0, log1p(gained) / 2 - gained * z * z / (2 * (gained + 1)))


def log_likelihood_ratio(effect: float, variance: float, tau: float) -> float:
    """Logarithm of Λ, the mixture of likelihoods over a normal effect, in terms of that of no effect.

    Args:
        effect: Difference of the arms.
        variance: Of that difference.
        tau: Standard deviation of the mixture.

    Source:
        Johari, Koomen, Pekelis, Walsh, KDD 2017 section 5 and Operations Research 2022 (mSPRT).
    """
    both = variance + tau * tau
    return (log(variance) - log(both)) / 2 + effect * effect / 2 / variance * (tau * tau / both)


def interval(estimate: float, se: float, n: float, *, planned: float, alpha: float = 0.05) -> Interval:
    """The interval at one look.

    Args:
        estimate: Difference of the arms.
        se: Its standard error.
        n: Units of both arms together.
        planned: See `tuning`.
        alpha: Two-sided, over all looks.
    """
    half = critical(n, rho=tuning(planned, alpha=alpha), alpha=alpha) * se
    return Interval(estimate, estimate - half, estimate + half, 1 - alpha, METHOD)


# --- Over the looks so far --------------------------------------------------------------------------------
def running(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """What is left of the interval after each look: the part that all intervals so far have in common.

    It goes with the smallest p so far: one excludes 0 exactly when the other is under α. Looks without an interval
    change nothing. When nothing is left, the effect was another at other times: ``contradictory``.
    """
    found: list[Interval] = []
    low, high = -inf, inf
    for now in intervals:
        if now.low is not None or now.unbounded in ("low", "both"):
            low = max(low, -inf if now.low is None else now.low)
            high = min(high, inf if now.high is None else now.high)
        found.append(_common(now, low, high))
    return tuple(found)


def _common(now: Interval, low: float, high: float) -> Interval:
    if low > high:
        return undefined(Why.CONTRADICTORY, confidence=now.confidence, method=now.method, estimate=now.estimate)
    ends: dict[tuple[bool, bool], Side | None] = {
        (False, False): None, (True, False): "low", (False, True): "high", (True, True): "both"
    }  # fmt: skip
    side = ends[low == -inf, high == inf]
    if side == "both":
        return now
    limits = (None if low == -inf else low, None if high == inf else high)
    return Interval(now.estimate, *limits, now.confidence, now.method, side)
