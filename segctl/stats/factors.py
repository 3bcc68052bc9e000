"""What multiplies variance, and with it the units that are needed: covariates, uneven splits, clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def split_penalty(share: float) -> float:
    """How many times the units of an even split one arm of this share and another of the rest need: 5.3 at 5 %."""
    return 1 / (4 * share * (1 - share))


def design_effect(mean_size: float, icc: float, *, cv: float = 0.0) -> float:
    """By what clusters, such as households, multiply variance and size.

    Args:
        mean_size: Units per cluster.
        icc: Correlation within clusters.
        cv: Standard deviation of cluster sizes by their mean.

    Source:
        Eldridge, Ashby, Kerry, Int J Epidemiol 35 (2006) 1292.
    """
    return 1 + (mean_size * (1 + cv * cv) - 1) * icc


def icc_of(sizes: Sequence[float], sums: Sequence[float], squares: Sequence[float]) -> float | None:
    """Correlation within clusters by analysis of variance; may be slightly negative. None when clusters have one unit.

    Args:
        sizes: Units of each cluster.
        sums: Σ of the figure in each.
        squares: Σ of its square in each.
    """
    n, k, within, between, _ = _parts(sizes, sums, squares)
    if k < 2 or n <= k:
        return None
    usual = (n - sum(size * size for size in sizes) / n) / (k - 1)
    among, inside = between / (k - 1), within / (n - k)
    below = among + (usual - 1) * inside
    return (among - inside) / below if below else None


def design_effect_of(sizes: Sequence[float], sums: Sequence[float], squares: Sequence[float]) -> float | None:
    """By what drawing clusters multiplies the variance of a mean, from data; None without variance."""
    n, k, within, between, by_cluster = _parts(sizes, sums, squares)
    drawn = (within + between) / (n - 1) / n if n > 1 else 0.0
    return k / (k - 1) * by_cluster / (n * n) / drawn if k > 1 and drawn else None


def _parts(
    sizes: Sequence[float], sums: Sequence[float], squares: Sequence[float]
) -> tuple[float, int, float, float, float]:
    """Units, clusters, squares within and between clusters, squares of the clusters' sums about the mean."""
    import numpy as np

    units: NDArray[np.float64] = np.asarray(sizes, dtype=float)
    used = units > 0
    units, totals, raw = units[used], np.asarray(sums, dtype=float)[used], np.asarray(squares, dtype=float)[used]
    n = float(units.sum())
    mean = float(totals.sum()) / n if n else 0.0
    within = float(np.maximum(raw - totals**2 / units, 0).sum())
    between = float((units * (totals / units - mean) ** 2).sum())
    return n, len(units), within, between, float(((totals - mean * units) ** 2).sum())
