"""Several p-values at once. Missing ones stay missing and do not count; the family is whatever is handed in.

Default of reports: Holm for which variant won, Benjamini-Hochberg for which segments moved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Literal

from segctl.model.dataclass import dataclass

Ps = Sequence[float | None]
Method = Literal["holm", "hochberg", "bonferroni", "bh", "by", "none"]


@dataclass(frozen=True, slots=True)
class Adjusted:
    """P-values of a family under a correction.

    Attributes:
        p: In the order handed in; None where the p was missing.
        family: How many p-values took part.
        method: Name of the correction.
    """

    p: tuple[float | None, ...]
    family: int
    method: Method

    def rejected(self, alpha: float) -> tuple[int, ...]:
        """Places, from 0, whose adjusted p is at most alpha."""
        return tuple(place for place, p in enumerate(self.p) if p is not None and p <= alpha)


def adjust(ps: Ps, method: Method) -> Adjusted:
    """Adjusted p-values of a family; each is rejected when it is at most alpha.

    >>> adjust([0.01, None, 0.03], "holm").p
    (0.02, None, 0.03)
    """
    known = sorted((p, place) for place, p in enumerate(ps) if p is not None and p == p)
    found = _METHODS[method]([p for p, _ in known])
    result: list[float | None] = [None] * len(ps)
    for (_, place), value in zip(known, found, strict=True):
        result[place] = min(1.0, value)
    return Adjusted(tuple(result), len(known), method)


def holm(ps: Ps) -> tuple[float | None, ...]:
    """Step-down: the largest (m − i + 1)·p so far; the family-wise error holds under any dependence (Holm 1979)."""
    return adjust(ps, "holm").p


def hochberg(ps: Ps) -> tuple[float | None, ...]:
    """Step-up form of Holm's factors; needs independence or positive dependence (Hochberg 1988)."""
    return adjust(ps, "hochberg").p


def bonferroni(ps: Ps) -> tuple[float | None, ...]:
    """The m-fold of each p."""
    return adjust(ps, "bonferroni").p


def benjamini_hochberg(ps: Ps) -> tuple[float | None, ...]:
    """Step-up: the smallest m·p / i from above; holds the false discovery rate (Benjamini and Hochberg 1995)."""
    return adjust(ps, "bh").p


def simultaneous_confidence(confidence: float, family: int) -> float:
    """Confidence of each of several intervals that hold all at once with `confidence` (Bonferroni).

    >>> round(simultaneous_confidence(0.95, 5), 4)
    0.99
    """
    return 1 - (1 - confidence) / max(1, family)


def _step_down(ps: list[float]) -> list[float]:
    m = len(ps)
    return list(accumulate(((m - i) * p for i, p in enumerate(ps)), max))


def _step_up(ps: list[float], factor: Callable[[int, int], float]) -> list[float]:
    """The smallest of factor(rank, m)·p from this p upwards; ranks from 1."""
    m = len(ps)
    scaled = [factor(i, m) * p for i, p in enumerate(ps, 1)]
    return list(accumulate(reversed(scaled), min))[::-1]


def _yekutieli(ps: list[float]) -> list[float]:
    harmonic = sum(1 / i for i in range(1, len(ps) + 1))
    return _step_up(ps, lambda i, m: harmonic * m / i)


_METHODS: dict[str, Callable[[list[float]], list[float]]] = {
    "holm": _step_down,
    "hochberg": lambda ps: _step_up(ps, lambda i, m: m - i + 1),
    "bonferroni": lambda ps: [len(ps) * p for p in ps],
    "bh": lambda ps: _step_up(ps, lambda i, m: m / i),
    "by": _yekutieli,
    "none": lambda ps: ps,
}
