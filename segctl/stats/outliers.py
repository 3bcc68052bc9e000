"""Single units that decide a result, and the cap beside which it is looked at.

A cap is one value for all arms, taken from all units together before arms are compared, else it would make an effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.stats.values import Moments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUM_SHARE, VARIANCE_SHARE = 0.10, 0.50


@dataclass(frozen=True, slots=True)
class Outlier:
    """The unit farthest out in an arm.

    Attributes:
        value: Its figure.
        of_sum: Its share of the arm's sum; None when the sum is 0 or below.
        of_variance: Its share of the arm's squared distances from the mean; None without variance.
        dominates: More than 10 % of the sum or 50 % of the variance.
    """

    value: float
    of_sum: float | None
    of_variance: float | None
    dominates: bool


def outlier(arm: Moments, extreme: float, *, name: str = "value") -> Outlier:
    """How much of an arm one unit is.

    Args:
        arm: Moments of all units, that one included.
        extreme: The unit's figure: the greatest of the arm, or the smallest when that is farther from the mean.
        name: Of the figure.
    """
    mean = arm.mean(name) or 0.0
    total, spread = mean * arm.n, arm.product(name)
    of_sum = extreme / total if total > 0 else None
    of_variance = (extreme - mean) ** 2 / spread if spread > 0 else None
    dominates = (of_sum or 0.0) > SUM_SHARE or (of_variance or 0.0) > VARIANCE_SHARE
    return Outlier(extreme, of_sum, of_variance, dominates)


def pooled_percentile(
    values: Sequence[float] | NDArray[np.float64], percentile: float, *, zeros: int = 0
) -> float | None:
    """The percentile of all units together, units of value 0 given by their number; None without units.

    Linear between neighbours, as NumPy and Excel do by default; one partition of the column, no sorting.

    Args:
        values: Figures of units, of all arms.
        percentile: Such as 99.5.
        zeros: Units without any event, on top.

    >>> pooled_percentile([1, 2, 3, 4], 50, zeros=5)
    0.0
    """
    import numpy as np

    column = np.asarray(values, dtype=float)
    n = len(column) + zeros
    if not n:
        return None
    place = percentile / 100 * (n - 1)
    negative = int((column < 0).sum())

    def rank(at: int) -> float:
        if negative <= at < negative + zeros:
            return 0.0
        index = at if at < negative else at - zeros
        return float(np.partition(column, index)[index])

    low, high = rank(floor(place)), rank(min(ceil(place), n - 1))
    return low + (high - low) * (place - floor(place))


def capped(values: Sequence[float] | NDArray[np.float64], cap: float) -> tuple[NDArray[np.float64], int]:
    """Figures cut to the cap, never dropped, and how many were cut."""
    import numpy as np

    column = np.asarray(values, dtype=float)
    return np.minimum(column, cap), int((column > cap).sum())
