"""Recursive integration: how likely a running z crosses its bounds at one look after another.

Source:
    Armitage, McPherson, Rowe, JRSS A 132 (1969) 235; grid and weights of Jennison, Turnbull, Group Sequential Methods,
    2000, chapter 19.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, inf, log, sqrt
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FINENESS = 24
"""Of the grid (r in the book): 1e-6 at 18."""
FINEST = 300


@dataclass(frozen=True, slots=True)
class Walk:
    """Where z may be at a look, given that no bound was crossed before.

    Attributes:
        information: At this look; 0 before the first.
        points: Values of z.
        mass: Probability of each point, those that crossed left out.
        drift: Expected z at information 1.
    """

    information: float
    points: Array
    mass: Array
    drift: float

    def beyond(self, bound: float, information: float) -> tuple[float, float]:
        """Probability to cross `bound` above, and −`bound` below, at the next look."""
        from scipy.special import ndtr

        if bound == inf:
            return 0.0, 0.0
        spread = sqrt(information - self.information)
        reached = self.points * sqrt(self.information) + self.drift * (information - self.information)
        edge = bound * sqrt(information)
        above = ndtr((reached - edge) / spread) @ self.mass
        return float(above), float(ndtr((-edge - reached) / spread) @ self.mass)

    def on(self, bound: float, information: float) -> Walk:
        """The walk at the next look, without what crossed there."""
        import numpy as np

        gap = information - self.information
        fineness = min(FINEST, max(FINENESS, ceil(2.25 * sqrt(information / gap))))
        points, weights = grid(self.drift * sqrt(information), bound, fineness)
        ends = points * sqrt(information)
        starts = self.points * sqrt(self.information) + self.drift * gap
        away = (ends[:, None] - starts[None, :]) / sqrt(gap)
        density = np.exp(-0.5 * away * away) @ self.mass
        return Walk(information, points, density * weights * sqrt(information / gap / (2 * np.pi)), self.drift)


def start(drift: float = 0.0) -> Walk:
    """The walk before the first look."""
    import numpy as np

    return Walk(0.0, np.zeros(1), np.ones(1), drift)


def grid(mean: float, bound: float, fineness: int) -> tuple[Array, Array]:
    """Points between −`bound` and `bound` and their weights in Simpson's rule, dense around the mean."""
    import numpy as np

    tail = np.array([3 + 4 * log(fineness / step) for step in range(1, fineness)])
    middle = np.linspace(-3, 3, 4 * fineness + 1)
    knots = mean + np.concatenate([-tail, middle, tail[::-1]])
    low, high = max(-bound, knots[0]), min(bound, knots[-1])
    if low >= high:
        return np.zeros(1), np.zeros(1)
    knots = np.concatenate([[low], knots[(knots > low) & (knots < high)], [high]])
    points = np.empty(2 * len(knots) - 1)
    points[::2], points[1::2] = knots, (knots[1:] + knots[:-1]) / 2
    widths = np.diff(knots)
    weights = np.zeros(len(points))
    weights[:-2:2] += widths / 6
    weights[2::2] += widths / 6
    weights[1::2] = widths * 4 / 6
    return points, weights


def crossings(bounds: Sequence[float], information: Sequence[float], *, drift: float = 0.0) -> tuple[float, ...]:
    """Probability to cross first at each look.

    Args:
        bounds: Of |z| at each look.
        information: At each look, ascending; any unit, such as shares of the whole.
        drift: Expected z at information 1.
    """
    return tuple(above + below for above, below in sides(bounds, information, drift=drift))


def sides(
    bounds: Sequence[float], information: Sequence[float], *, drift: float = 0.0
) -> tuple[tuple[float, float], ...]:
    """Probability to cross first at each look, above and below."""
    walk, found = start(drift), []
    for bound, reached in zip(bounds, information, strict=True):
        found.append(walk.beyond(bound, reached))
        walk = walk.on(bound, reached)
    return tuple(found)
