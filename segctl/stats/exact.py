"""Exact tests of two rates, for fewer than 10 conversions in an arm. Their p belongs to no z interval: say which it is.

All probabilities are taken given K, the conversions of both arms together: J, the treatment's share of them, is
hypergeometric whatever the rate is. Boschloo's probability at a rate is then Σ Bin(K; N, rate) · g(K), where g(K) is
the largest tail of J that is not greater than Fisher's: one row of numbers for all rates, and short in a holdout too.
"""

from __future__ import annotations

from math import exp, inf, log, sqrt
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.stats.special import beta_quantile
from segctl.stats.values import Counts, Why

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TIES = 1 + 1e-7
"""Probabilities this close are equal, as in R and SciPy."""
SEARCHED_WHOLE = 2_000
"""Units in both arms up to which every rate from 0 to 1 is tried."""
BEYOND_DOUBT = 1e-9
"""Fisher's tail up to which it stands for Boschloo's, which is never greater."""
GAMMA = 1e-6
"""What is added to p above that, for rates outside of their own 1 − γ interval (Berger, Boos, JASA 89 (1994) 1012)."""


@dataclass(frozen=True, slots=True)
class ExactTest:
    """An exact test of no difference.

    Attributes:
        p: Two-sided; None when undefined, with `why`.
        log_p: Its natural logarithm; None as well when p is exactly 0 in doubles.
        test: ``fisher`` or ``boschloo``.
    """

    p: float | None
    log_p: float | None
    test: str
    why: Why | None = None


def fisher_p(control: Counts, treatment: Counts) -> ExactTest:
    """Fisher's exact test, two-sided: all tables no more probable than the one seen; memory grows with conversions."""
    if not control.n or not treatment.n:
        return ExactTest(None, None, "fisher", Why.EMPTY_ARM)
    low, log_pmf = _hypergeometric(control, treatment)
    seen = log_pmf[treatment.conversions - low]
    return _of_log(min(0.0, _log_sum(log_pmf[log_pmf <= seen + log(TIES)])), "fisher")


def fisher_tails(control: Counts, treatment: Counts) -> tuple[float, float]:
    """Logarithms of P(J ≤ j) and P(J ≥ j), given the conversions of both arms together; neither arm is empty."""
    low, log_pmf = _hypergeometric(control, treatment)
    at = treatment.conversions - low
    return min(0.0, _log_sum(log_pmf[: at + 1])), min(0.0, _log_sum(log_pmf[at:]))


def boschloo(control: Counts, treatment: Counts) -> ExactTest:
    """Boschloo's unconditional exact test: Fisher's one-sided p as statistic, twice the smaller side.

    Up to 2,000 units every rate is tried. Above, only rates within their own interval of confidence 1 − 1e-6, and 1e-6
    is added to p, so that the time does not grow with the arms but with the square root of the conversions. Fisher's
    tail stands for Boschloo's where it is beyond doubt.

    Source:
        Boschloo, Statistica Neerlandica 24 (1970) 1; `gamma` after Berger and Boos 1994.
    """
    if not control.n or not treatment.n:
        return ExactTest(None, None, "boschloo", Why.EMPTY_ARM)
    less, greater = fisher_tails(control, treatment)
    # The lower tail of one arm is the upper tail of the other.
    log_p = _greater(control, treatment, greater) if greater <= less else _greater(treatment, control, less)
    return _of_log(min(0.0, log_p + log(2)), "boschloo")


def _of_log(log_p: float, test: str) -> ExactTest:
    return ExactTest(exp(log_p), log_p if log_p > -inf else None, test)


def _greater(control: Counts, treatment: Counts, log_tail: float) -> float:
    """Logarithm of Boschloo's one-sided p for a greater rate in treatment; never above Fisher's tail."""
    import numpy as np

    n, seen = control.n + treatment.n, control.conversions + treatment.conversions
    whole = n <= SEARCHED_WHOLE
    if seen in (0, n):
        return 0.0
    if log_tail <= log(BEYOND_DOUBT if whole else GAMMA):
        return log_tail
    low, high = (0.0, 1.0) if whole else _plausible(seen, n)
    first = 0 if whole else max(0, int(n * low - 8 * sqrt(n * low) - 10))
    last = n if whole else min(n, int(n * high + 8 * sqrt(n * high) + 10))
    totals = np.arange(first, last + 1)
    weights = _attained(control.n, treatment.n, totals, log_tail)
    found = _largest(totals, n, weights, low, high)
    return min(log_tail, log(max(found, 1e-300) + (0.0 if whole else GAMMA)))


def _plausible(seen: int, n: int) -> tuple[float, float]:
    """Clopper-Pearson limits of the common rate at confidence 1 − γ; neither nobody nor everybody converted."""
    return beta_quantile(GAMMA / 2, seen, n - seen + 1), beta_quantile(1 - GAMMA / 2, seen + 1, n - seen)


def _attained(nc: int, nt: int, totals: NDArray[np.int64], log_tail: float) -> NDArray[np.float64]:
    """For every K the largest P(J ≥ j) that is not greater than the tail; 0 where none is."""
    import numpy as np
    from scipy.special import gammaln

    n = nc + nt
    table = gammaln(np.arange(n + 2.0) + 0.0) if n <= SEARCHED_WHOLE else None

    def log_factorial(k: NDArray[np.int64]) -> NDArray[np.float64]:
        # Indexing a table is ten times as fast as the function.
        values = table[k + 1] if table is not None else gammaln(k + 1.0)
        return np.asarray(values, dtype=float)

    mean = totals * (nt / n)
    spread = np.sqrt(np.maximum(mean * (nc / n), 0.0))
    # What is left out of J's range has a probability under 1e-20, and the tail is greater than 1e-9 here.
    start = np.maximum(0, (mean - 10 * spread - 30).astype(np.int64))
    width = min(nt, int(totals[-1]), int(20 * spread.max()) + 60)
    j = start[:, None] + np.arange(width + 1)[None, :]
    k = totals[:, None]
    possible = (j <= nt) & (j <= k) & (k - j <= nc)
    inside = np.where(possible, j, np.maximum(0, k - nc))
    log_pmf = (
        log_factorial(np.array([nt])) - log_factorial(inside) - log_factorial(nt - inside)
        + log_factorial(np.array([nc])) - log_factorial(k - inside) - log_factorial(nc - k + inside)
        - log_factorial(np.array([n])) + log_factorial(k) + log_factorial(n - k)
    )  # fmt: skip
    pmf = np.where(possible, np.exp(log_pmf), 0.0)
    tails = np.cumsum(pmf[:, ::-1], axis=1)[:, ::-1]
    attained = np.where(tails <= exp(log_tail) * TIES, tails, 0.0).max(axis=1)
    return np.asarray(attained, dtype=float)


def _largest(totals: NDArray[np.int64], n: int, weights: NDArray[np.float64], low: float, high: float) -> float:
    """Maximum over rates from low to high of the mean weight of a binomial K: a grid, then finer ones."""
    import numpy as np
    from scipy.special import gammaln, xlog1py, xlogy

    log_choose = gammaln(n + 1) - gammaln(totals + 1) - gammaln(n - totals + 1)

    def at(angles: NDArray[np.float64]) -> NDArray[np.float64]:
        rates = np.sin(angles)[:, None] ** 2
        pmf = np.exp(log_choose + xlogy(totals, rates) + xlog1py(n - totals, -rates))
        return np.asarray(pmf @ weights, dtype=float)

    # K's standard deviation is 1 / (2√n) of an angle whatever the rate is, so that no peak is narrower than that.
    begin, end = np.arcsin(np.sqrt([low, high]))
    step = min(0.15 / sqrt(n), (end - begin) / 8)
    angles = np.linspace(begin, end, max(9, int((end - begin) / step) + 1))
    values = np.concatenate([at(part) for part in np.array_split(angles, max(1, len(angles) // 64))])
    best = float(values.max())
    for index in np.argsort(values)[-3:]:
        near, wide = angles[index], angles[1] - angles[0]
        for _ in range(3):
            finer = np.clip(np.linspace(near - wide, near + wide, 17), begin, end)
            found = at(finer)
            near, wide = finer[found.argmax()], wide / 8
            best = max(best, float(found.max()))
    return best


def _hypergeometric(control: Counts, treatment: Counts) -> tuple[int, NDArray[np.float64]]:
    """Logarithms of P(J = j) for every possible j, and the smallest j."""
    import numpy as np

    nc, nt = control.n, treatment.n
    total = control.conversions + treatment.conversions
    low, high = max(0, total - nc), min(total, nt)
    j = np.arange(low, high, dtype=float)
    # Products of ratios keep their digits where differences of log-factorials of large arms lose them.
    steps = np.log((nt - j) * (total - j)) - np.log((j + 1) * (nc - total + j + 1))
    log_pmf = np.concatenate([[0.0], np.cumsum(steps)])
    return low, log_pmf - _log_sum(log_pmf)


def _log_sum(logs: NDArray[np.float64]) -> float:
    """Logarithm of a sum of exponentials."""
    import numpy as np

    top = float(logs.max())
    return top + log(float(np.exp(logs - top).sum()))
