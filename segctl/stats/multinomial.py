"""Exact tests of counts against shares, for arms in which few are expected.

Outcomes are ordered by their probability: p is that of all outcomes no more likely than the one seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import comb, lgamma, log

from segctl.stats.special import chi2_sf

SLACK = 1e-7
"""Outcomes this much more likely than the one seen count as equally likely: sums of logarithms round."""
OUTCOMES = 100_000
"""So many outcomes are gone through one by one."""
SMALL = 5


def exact_p(counts: Sequence[int], shares: Sequence[float]) -> float:
    """Exact p of counts per arm.

    Args:
        counts: Units per arm; none in arms of share 0.
        shares: Expected shares, together 1.

    Returns:
        Two arms: the exact binomial p. More: the exact multinomial p while outcomes can be gone through; beyond,
        each arm that expects fewer than 5 against the rest (binomial) and the others among themselves (χ²), the
        smallest p times their number, which is never too small.
    """
    pairs = [(have, share) for have, share in zip(counts, shares, strict=True) if share > 0]
    n = sum(have for have, _ in pairs)
    if len(pairs) == 2:
        return binomial_p(pairs[0][0], n, pairs[0][1])
    if comb(n + len(pairs) - 1, len(pairs) - 1) <= OUTCOMES:
        return _multinomial_p([have for have, _ in pairs], [share for _, share in pairs])
    found = [binomial_p(have, n, share) for have, share in pairs if n * share < SMALL]
    large = [(have, share) for have, share in pairs if n * share >= SMALL]
    whole, among = sum(share for _, share in large), sum(have for have, _ in large)
    if len(large) > 1 and among:
        away = sum((have - among * share / whole) ** 2 / (among * share / whole) for have, share in large)
        found.append(chi2_sf(away, len(large) - 1))
    return min(1.0, min(found) * len(found))


def binomial_p(k: int, n: int, share: float) -> float:
    """Two-sided exact p of `k` of `n`; as `binom.test` of R."""
    from scipy.special import bdtr, bdtrc

    if not 0 < share < 1:
        return 1.0
    seen = _log_pmf(k, n, share) + SLACK
    mode = int((n + 1) * share)
    if k <= mode:
        other = _first(lambda j: _log_pmf(j, n, share) <= seen, max(mode, k + 1), n + 1)
        above = float(bdtrc(other - 1, n, share)) if other <= n else 0.0
        return min(1.0, float(bdtr(k, n, share)) + above)
    other = _first(lambda j: _log_pmf(j, n, share) > seen, 0, mode)
    below = float(bdtr(other - 1, n, share)) if other else 0.0
    return min(1.0, below + float(bdtrc(k - 1, n, share)))


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The first whole number from `low` for which a condition holds that holds ever after; `high` when none does."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _log_pmf(k: int, n: int, share: float) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(share) + (n - k) * log(1 - share)


def _multinomial_p(counts: Sequence[int], shares: Sequence[float]) -> float:
    import numpy as np
    from scipy.special import gammaln

    outcomes = np.array([counts, *_outcomes(sum(counts), len(counts))], dtype=float)
    density = lgamma(sum(counts) + 1) - gammaln(outcomes + 1).sum(axis=1) + outcomes @ np.log(shares)
    seen, density = density[0], density[1:]
    return min(1.0, float(np.exp(density[density <= seen + SLACK]).sum()))


def _outcomes(n: int, arms: int) -> Iterator[tuple[int, ...]]:
    """Every way to put `n` units into arms."""
    if arms == 1:
        yield (n,)
        return
    for first in range(n + 1):
        for rest in _outcomes(n - first, arms - 1):
            yield (first, *rest)
