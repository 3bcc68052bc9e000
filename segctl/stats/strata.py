"""One effect from several strata, when the split or the mix differs between them; and Simpson's reversal.

The pooled difference mixes strata: a segment that is messaged more and buys more looks like an effect of messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt

from segctl.model.dataclass import dataclass
from segctl.stats.effects import Estimate, compare, effect_of, no_comparison
from segctl.stats.means import variance
from segctl.stats.moments import merge, of_counts
from segctl.stats.special import chi2_log_sf, chi2_sf, normal_log_p, normal_quantile, normal_sf
from segctl.stats.values import Comparison, Counts, Flag, Interval, Moments, Why, undefined

UNEVEN = 0.001
"""The p of arm × stratum under which the split differs by stratum."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """Both arms of a part of the units, such as a country; counts for rates, moments for means."""

    name: str
    control: Counts | Moments
    treatment: Counts | Moments


@dataclass(frozen=True, slots=True)
class ArmByStratum:
    """Whether the split between arms differs by stratum: χ² of the table.

    Attributes:
        chi2: None when there are fewer than two strata or arms, with `why`; likewise the others.
        log_p: Natural logarithm of p.
    """

    chi2: float | None
    df: int | None
    p: float | None
    log_p: float | None
    why: Why | None = None

    @property
    def differs(self) -> bool:
        """Under the threshold of 0.001."""
        return self.p is not None and self.p < UNEVEN


@dataclass(frozen=True, slots=True)
class Strata:
    """Effects over strata.

    Attributes:
        pooled: Difference that ignores strata; None when an arm is empty.
        differences: Of each stratum, in the order given; None where an arm is empty.
        post_stratified: Strata weighted by their share of all units; for lift and p a t test of that difference.
        allocation: Whether the split differs by stratum.
        left_out: Names of strata with fewer than two units in an arm, which are in no stratified estimate.
        flags: ``allocation_differs_by_stratum`` and ``simpson_reversal``.
    """

    pooled: float | None
    differences: tuple[float | None, ...]
    post_stratified: Comparison
    allocation: ArmByStratum
    left_out: tuple[str, ...]
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class MantelHaenszel:
    """Rates over strata by Mantel and Haenszel's weights, which hold when strata are small.

    Attributes:
        difference: Common difference with limits.
        se: Its standard error.
        odds_ratio: Common odds ratio; None when undefined.
        statistic: χ² with one degree of freedom of no association (Cochran, Mantel, Haenszel), without correction.
        p: Of that; None when undefined, with `why`.
        log_p: Its natural logarithm.
    """

    difference: Interval
    se: float | None
    odds_ratio: float | None
    statistic: float | None
    p: float | None
    log_p: float | None
    why: Why | None = None


def over_strata(strata: Sequence[Stratum], *, confidence: float = 0.95) -> Strata:
    """Pooled, by stratum and post-stratified; strata with under two units in an arm are left out of that and named."""
    arms = [(_moments(stratum.control), _moments(stratum.treatment)) for stratum in strata]
    full = [pair for pair in arms if min(pair[0].n, pair[1].n) > 1]
    differences = tuple(t.means[0] - c.means[0] if c.n and t.n else None for c, t in arms)
    pooled = _pooled(arms)
    allocation = arm_by_stratum([(c.n, t.n) for c, t in arms])
    flags = [Flag.ALLOCATION_DIFFERS_BY_STRATUM] if allocation.differs else []
    known = [difference for difference in differences if difference is not None]
    if pooled and known and all(difference * pooled < 0 for difference in known):
        flags.append(Flag.SIMPSON_REVERSAL)
    left_out = tuple(s.name for s, (c, t) in zip(strata, arms, strict=True) if min(c.n, t.n) < 2)
    combined = _post_stratified(full, confidence)
    return Strata(pooled, differences, combined, allocation, left_out, tuple(flags))


def _moments(arm: Counts | Moments) -> Moments:
    return of_counts(arm) if isinstance(arm, Counts) else arm


def _pooled(arms: Sequence[tuple[Moments, Moments]]) -> float | None:
    nc, nt = (sum(pair[side].n for pair in arms) for side in (0, 1))
    if not nc or not nt:
        return None
    c, t = (sum(pair[side].n * pair[side].means[0] for pair in arms) for side in (0, 1))
    return t / nt - c / nc


def _post_stratified(full: Sequence[tuple[Moments, Moments]], confidence: float) -> Comparison:
    """Σ W δ with W the share of all units, degrees of freedom after Satterthwaite 1946."""
    means = standardised(full)
    if not means:
        return no_comparison(Why.EMPTY_ARM, confidence=confidence, test="post_stratified")
    return compare(effect_of(*means), confidence=confidence, test="post_stratified")


def standardised(strata: Sequence[Sequence[Counts | Moments]]) -> tuple[Estimate, ...]:
    """Σ W mean of every arm, with W the share of stratum in all units: as if each arm had the same mix.

    The variances are the larger of two: from each arm by itself, and from all together as if there were no effect. The
    first alone vanish in strata where nobody of a small arm did anything, so that too much would be found.

    Args:
        strata: Arms of each, in the same order; those with fewer than two units in any arm are left out.

    Returns:
        One per arm; nothing without a stratum.
    """
    parts = [tuple(_moments(arm) for arm in arms) for arms in strata]
    full = [arms for arms in parts if min(arm.n for arm in arms) > 1]
    if not full:
        return ()
    together = [merge(arms) for arms in full]
    n = sum(whole.n for whole in together)
    weights = [whole.n / n for whole in together]
    arms = list(zip(*full, strict=True))
    apart = tuple(_weighted(weights, arm, arm) for arm in arms)
    alike = tuple(_weighted(weights, arm, together) for arm in arms)
    return max(apart, alike, key=lambda found: sum(one.variance for one in found))


def _weighted(weights: Sequence[float], arm: Sequence[Moments], spread: Sequence[Moments]) -> Estimate:
    """Mean of an arm over strata, whose variance in each is that of `spread`."""
    value = total = below = 0.0
    for weight, part, whole in zip(weights, arm, spread, strict=True):
        own = weight * weight * variance(whole) / part.n
        value += weight * part.means[0]
        total += own
        below += own * (own / (whole.n - 1))
    return Estimate(value, total, total * (total / below) if below else inf)


def arm_by_stratum(units: Sequence[Sequence[int]]) -> ArmByStratum:
    """χ² of a table with a row per stratum and a column per arm; empty rows and columns do not count."""
    rows = [row for row in units if sum(row)]
    columns = [sum(column) for column in zip(*rows, strict=True)] if rows else []
    df = (max(len(rows), 1) - 1) * (sum(1 for total in columns if total) - 1)
    if df < 1:
        return ArmByStratum(None, None, None, None, Why.ONE_ARM)
    n = sum(columns)
    chi2 = 0.0
    for row in rows:
        expected = [sum(row) * (total / n) for total in columns]
        chi2 += sum((seen - e) ** 2 / e for seen, e in zip(row, expected, strict=True) if e)
    return ArmByStratum(chi2, df, chi2_sf(chi2, df), chi2_log_sf(chi2, df))


def mantel_haenszel(strata: Sequence[tuple[Counts, Counts]], *, confidence: float = 0.95) -> MantelHaenszel:
    """Common difference, odds ratio and test of rates; pairs are control and treatment of a stratum.

    Source:
        Greenland and Robins, Biometrics 41 (1985) 55, for the variance of the difference.
    """
    full = [(c, t) for c, t in strata if c.n and t.n]
    method = "mantel_haenszel"
    if not full:
        nothing = undefined(Why.EMPTY_ARM, confidence=confidence, method=method)
        return MantelHaenszel(nothing, None, None, None, None, None, Why.EMPTY_ARM)
    weights = above = spread = excess = chance = odds_above = odds_below = 0.0
    for c, t in full:
        n, pooled = c.n + t.n, c.conversions + t.conversions
        failed_c, failed_t = c.n - c.conversions, t.n - t.conversions
        weights += t.n * (c.n / n)
        above += (t.conversions * c.n - c.conversions * t.n) / n
        spread += (t.conversions * failed_t * (c.n * c.n / t.n) + c.conversions * failed_c * (t.n * t.n / c.n)) / n / n
        excess += t.conversions - t.n * (pooled / n)
        if n > 1:
            chance += (t.n / n) * (c.n / n) * pooled * ((n - pooled) / (n - 1))
        odds_above += t.conversions * (failed_c / n)
        odds_below += c.conversions * (failed_t / n)
    odds = odds_above / odds_below if odds_below else None
    se = sqrt(spread) / weights
    if not chance:
        everybody = all(c.conversions for c, _ in full)
        why = Why.ALL_CONVERTED if everybody else Why.NO_CONVERSIONS
        nothing = undefined(why, confidence=confidence, method=method, estimate=above / weights)
        return MantelHaenszel(nothing, None, odds, None, None, None, why)
    at = above / weights
    half = normal_quantile(0.5 + confidence / 2) * se
    difference = Interval(at, at - half, at + half, confidence, method)
    if not se:
        difference = undefined(Why.ZERO_VARIANCE, confidence=confidence, method=method, estimate=at)
    z = excess / sqrt(chance)
    return MantelHaenszel(difference, se, odds, z * z, 2 * normal_sf(abs(z)), normal_log_p(z))
