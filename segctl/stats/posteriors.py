"""What is believed about each arm, and integrals over several arms at once: exact, also for very large counts.

Rates are integrated on the scale of log odds, where their densities are smooth however few converted; pieces between
quantiles of all arms are summed by Gauss-Legendre, so that narrow beliefs beside wide ones lose nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, reduce
from math import log
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.stats.values import Counts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVELS = (1e-15, 1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 0.01, 0.05, 0.15, 0.3)
"""Lower quantiles between which is integrated; the upper ones mirror them."""
NODES = 14
MOST_KNOTS = 1_000
_AT_ONCE = 4_096
FARTHEST = 700.0


@dataclass(frozen=True, slots=True)
class Beta:
    """Belief about a rate.

    Attributes:
        a: Conversions and those of the prior, above 0.
        b: Units without, likewise.
    """

    a: float
    b: float

    @property
    def mean(self) -> float:
        """Expected rate."""
        return self.a / (self.a + self.b)

    @property
    def sd(self) -> float:
        """Standard deviation."""
        return float((self.mean * (1 - self.mean) / (self.a + self.b + 1)) ** 0.5)

    def flipped(self) -> Beta:
        """The same belief with the better end down."""
        return Beta(self.b, self.a)

    def value(self, place: Array) -> Array:
        """Rates of log odds."""
        from scipy.special import expit

        return _array(expit(place))

    def place(self, value: Array) -> Array:
        """Log odds of rates; outside 0 to 1 the farthest there are."""
        import numpy as np
        from scipy.special import logit

        return np.clip(_array(logit(np.clip(value, 0.0, 1.0))), -FARTHEST, FARTHEST)

    def stretch(self, place: Array) -> Array:
        """How much the rate grows with the log odds."""
        return self.value(place) * self.value(-place)

    def density(self, place: Array) -> Array:
        """On the scale of log odds."""
        import numpy as np
        from scipy.special import betaln, log_expit

        return _array(np.exp(self.a * log_expit(place) + self.b * log_expit(-place) - betaln(self.a, self.b)))

    def below(self, place: Array) -> Array:
        """Probability of less."""
        from scipy.special import betainc

        return _array(betainc(self.a, self.b, self.value(place)))

    def above(self, place: Array) -> Array:
        """Probability of more."""
        from scipy.special import betainc

        return _array(betainc(self.b, self.a, self.value(-place)))

    def knots(self) -> Array:
        """Quantiles as log odds, ascending."""
        import numpy as np
        from scipy.special import betaincinv

        levels = np.array(LEVELS)
        low = self.place(betaincinv(self.a, self.b, levels))
        high = -self.place(betaincinv(self.b, self.a, levels))
        middle = (log(self.a) - log(self.b)) if self.a > 1 and self.b > 1 else (low[-1] + high[-1]) / 2
        return np.sort(np.concatenate([low, [middle], high]))


@dataclass(frozen=True, slots=True)
class Normal:
    """Belief about a mean.

    Attributes:
        mean: Expected value.
        sd: Standard deviation, above 0.
    """

    mean: float
    sd: float

    def flipped(self) -> Normal:
        """The same belief with the better end down."""
        return Normal(-self.mean, self.sd)

    def value(self, place: Array) -> Array:
        """The value itself."""
        return place

    def place(self, value: Array) -> Array:
        """The value itself."""
        return value

    def stretch(self, place: Array) -> Array:
        """1 everywhere."""
        import numpy as np

        return np.ones_like(place)

    def density(self, place: Array) -> Array:
        """Of the normal distribution."""
        import numpy as np

        return _array(np.exp(-(((place - self.mean) / self.sd) ** 2) / 2) / (self.sd * (2 * np.pi) ** 0.5))

    def below(self, place: Array) -> Array:
        """Probability of less."""
        from scipy.special import ndtr

        return _array(ndtr((place - self.mean) / self.sd))

    def above(self, place: Array) -> Array:
        """Probability of more."""
        from scipy.special import ndtr

        return _array(ndtr((self.mean - place) / self.sd))

    def knots(self) -> Array:
        """Quantiles, ascending."""
        import numpy as np
        from scipy.special import ndtri

        away = self.sd * ndtri(np.array(LEVELS))
        return np.sort(np.concatenate([self.mean + away, [self.mean], self.mean - away]))


Posterior = Beta | Normal


def beta_posterior(counts: Counts, prior: tuple[float, float] = (1.0, 1.0)) -> Beta:
    """Belief about a rate after counts.

    Args:
        counts: Units and conversions.
        prior: Conversions and others that the prior is worth; (1, 1) finds every rate equally likely.
    """
    return Beta(prior[0] + counts.conversions, prior[1] + counts.n - counts.conversions)


def integral(function: Callable[[Array], Array], knots: Array) -> float:
    """∫ of a function that is smooth between knots, from the first to the last."""
    import numpy as np

    steps, weights = _rule(NODES)
    edges = np.unique(knots)
    half = np.diff(edges) / 2
    places = (edges[:-1] + half)[:, None] + half[:, None] * steps
    values = function(places.ravel()).reshape(places.shape)
    return float((values @ weights) @ half)


def joint_knots(beliefs: Sequence[Posterior]) -> Array:
    """Where to cut an integral over several beliefs of one kind; of very many cuts each few stand for their like."""
    import numpy as np

    knots = np.unique(np.concatenate([belief.knots() for belief in beliefs]))
    few = knots[:: -(-len(knots) // MOST_KNOTS)]
    return few if few[-1] == knots[-1] else np.append(few, knots[-1])


def pieces(knots: Array) -> Iterator[tuple[Array, Array]]:
    """Places and weights of an integral from the first knot to the last, in blocks."""
    import numpy as np

    steps, weights = _rule(NODES)
    edges = np.unique(knots)
    half = np.diff(edges) / 2
    places = ((edges[:-1] + half)[:, None] + half[:, None] * steps).ravel()
    each = (half[:, None] * weights).ravel()
    for start in range(0, len(places), _AT_ONCE):
        yield places[start : start + _AT_ONCE], each[start : start + _AT_ONCE]


def others_product(rows: Array) -> Array:
    """For each row the product of all others, place by place, without dividing by what may be 0."""
    import numpy as np

    before, behind = np.ones_like(rows), np.ones_like(rows)
    np.cumprod(rows[:-1], axis=0, out=before[1:])
    behind[:-1] = np.cumprod(rows[:0:-1], axis=0)[::-1]
    return before * behind


def others_above(above: Sequence[Array]) -> Array:
    """For each belief the probability that one of the others is more, without loss where that is tiny."""
    import numpy as np

    with np.errstate(divide="ignore"):
        logs = np.log1p(-np.array(above))
    before, behind = np.zeros_like(logs), np.zeros_like(logs)
    np.cumsum(logs[:-1], axis=0, out=before[1:])
    behind[:-1] = np.cumsum(logs[:0:-1], axis=0)[::-1]
    return _array(-np.expm1(before + behind))


def below_all(beliefs: Sequence[Posterior], place: Array) -> Array:
    """Probability that all are less."""
    import numpy as np

    return reduce(lambda product, belief: product * belief.below(place), beliefs, np.ones_like(place))


@lru_cache(maxsize=4)
def _rule(nodes: int) -> tuple[Array, Array]:
    import numpy as np

    steps, weights = np.polynomial.legendre.leggauss(nodes)
    return steps, weights


def _array(values: object) -> Array:
    import numpy as np

    return np.asarray(values, dtype=float)
