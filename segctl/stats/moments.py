"""Moments from rows, from sums, from variances, from counts; and of units of whom nothing more is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING

from segctl.stats.values import Counts, Moments

if TYPE_CHECKING:
    import numpy as np

    Rows = Sequence[float] | np.ndarray


ROUNDING = 1e-13
"""Of a sum of squares: what a subtraction from it may leave where nothing should be."""


def of_rows(columns: Mapping[str, Rows]) -> Moments:
    """Moments of rows, one per unit; two passes over each column.

    Args:
        columns: Figures by name, all of one length; no missing values.
    """
    import numpy as np

    names = tuple(columns)
    rows = np.asarray([np.asarray(columns[name], dtype=float) for name in names])
    n = rows.shape[1]
    if not n:
        return nothing(0, names)
    means = rows.mean(axis=1)
    centred = rows - means[:, None]
    products = centred @ centred.T
    return Moments(n, names, tuple(means.tolist()), tuple(tuple(row) for row in products.tolist()))


def of_sums(n: int, sums: Mapping[str, float], products: Mapping[tuple[str, str], float]) -> Moments:
    """Moments from plain sums, as a database gives them.

    The subtraction costs digits when means are large beside standard deviations; `of_spread` does not have that.

    Args:
        n: Units.
        sums: Σ of each figure.
        products: Σ a·b for every pair of figures, in either order, squares included.
    """
    names = tuple(sums)
    if not n:
        return nothing(0, names)
    means = tuple(sums[name] / n for name in names)

    def centred(one: str, other: str) -> float:
        raw = products[one, other] if (one, other) in products else products[other, one]
        value = raw - sums[one] * (sums[other] / n)
        # What is left of equal values is rounding.
        return 0.0 if one == other and value <= ROUNDING * raw else value

    return Moments(n, names, means, tuple(tuple(centred(a, b) for b in names) for a in names))


def of_spread(n: int, means: Mapping[str, float], covariances: Mapping[tuple[str, str], float]) -> Moments:
    """Moments from means and covariances with n − 1, as data frames give them.

    Args:
        n: Units.
        means: Mean of each figure; what they are does not matter when n is 0.
        covariances: For every pair of figures, in either order, variances included; ignored when n is below 2.
    """
    names = tuple(means)
    if not n:
        return nothing(0, names)

    def centred(one: str, other: str) -> float:
        if n < 2:
            return 0.0
        known = covariances[one, other] if (one, other) in covariances else covariances[other, one]
        return known * (n - 1)

    products = tuple(tuple(centred(a, b) for b in names) for a in names)
    return Moments(n, names, tuple(float(means[name]) for name in names), products)


def of_counts(counts: Counts) -> Moments:
    """Moments of a figure ``value`` that is 1 for who converted and 0 for the others."""
    n, converted = counts.n, counts.conversions
    if not n:
        return nothing(0)
    return Moments(n, ("value",), (converted / n,), ((converted * ((n - converted) / n),),))


def nothing(n: int, names: tuple[str, ...] = ("value",)) -> Moments:
    """Moments of `n` units whose figures are all 0, such as those without any event."""
    return Moments(n, names, (0.0,) * len(names), ((0.0,) * len(names),) * len(names))


def merge(parts: Iterable[Moments]) -> Moments:
    """One arm from its parts: days, files, strata, and `nothing` for units without rows; at least one part."""
    return reduce(Moments.merged, parts)
