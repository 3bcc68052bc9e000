"""Members beside others who stood where they stood: a rule for people who have gone quiet is compared with the quiet.

Everybody is sorted by stage (never bought, new, active, back, at risk, lost) when the window began. What the others of
each stage did, weighted by how many members are in that stage, is what the members would have done were they as the
others: direct standardisation.

Source:
    Breslow and Day, Statistical Methods in Cancer Research II, IARC 1987, chapter 2 (standardised rates and variance).
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEWEST = 30
"""Others in a stage below which nothing is said of members in it."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate or mean with its standard error."""

    value: float
    se: float


@dataclass(frozen=True, slots=True)
class Alike:
    """Members, and as many others of the same stages.

    Attributes:
        people: Members that have others beside them.
        others: Others in these stages.
        conversion: Of the members; None where it is not declared, as with the next three.
        conversion_of_others: Standardised.
        per_person: Revenue of a member.
        per_person_of_others: Standardised.
    """

    people: int
    others: int
    conversion: Estimate | None
    conversion_of_others: Estimate | None
    per_person: Estimate | None
    per_person_of_others: Estimate | None


@dataclass(frozen=True, slots=True)
class Sums:
    """Of some people by stage: how many, and what a figure of theirs and its square add up to."""

    people: NDArray[np.float64]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]

    def without(self, part: Sums) -> Sums:
        """Those who are not in a part."""
        return Sums(self.people - part.people, self.total - part.total, self.squares - part.squares)


class Crowd:
    """Everybody by stage when the window began, with what they did in it.

    Args:
        there: By subject: belongs to everybody.
        stages: By subject, 0 and above.
        converted: By subject; None where it is not declared, as with the next.
        revenue: Likewise.
    """

    def __init__(
        self,
        there: NDArray[np.bool_],
        stages: NDArray[np.int8],
        converted: NDArray[np.bool_] | None,
        revenue: NDArray[np.float64] | None,
    ) -> None:
        self._there, self._stages, self._size = there, stages, int(stages.max(initial=0)) + 1
        self._in_stage = [stages == stage for stage in range(self._size)]
        self._converted = None if converted is None else _Nonzero.of(converted.astype(float))
        self._revenue = None if revenue is None else _Nonzero.of(revenue)
        self._whole = tuple(self._sums(there, figure) for figure in (self._converted, self._revenue))

    def _sums(self, members: NDArray[np.bool_], figure: _Nonzero | None) -> Sums:
        import numpy as np

        people = np.array([np.count_nonzero(there & members) for there in self._in_stage], dtype=float)
        if figure is None:
            return Sums(people, np.zeros(self._size), np.zeros(self._size))
        inside = members[figure.at]
        stages, values = self._stages[figure.at[inside]], figure.values[inside]
        total = np.bincount(stages, weights=values, minlength=self._size).astype(float)
        squares = np.bincount(stages, weights=np.square(values), minlength=self._size).astype(float)
        return Sums(people, total, squares)

    def beside(self, members: NDArray[np.bool_]) -> Alike | None:
        """Members beside others; None when fewer than half of them have others beside them."""
        import numpy as np

        inside = members & self._there
        mine = [self._sums(inside, figure) for figure in (self._converted, self._revenue)]
        others = [whole.without(part) for whole, part in zip(self._whole, mine, strict=True)]
        covered = (others[0].people >= FEWEST) & (mine[0].people > 0)
        people = float(mine[0].people[covered].sum())
        if not people or people < mine[0].people.sum() / 2:
            return None
        weight = np.where(covered, mine[0].people, 0.0) / people
        rates: tuple[Estimate | None, ...] = (None, None)
        means: tuple[Estimate | None, ...] = (None, None)
        if self._converted is not None:
            rates = tuple(_estimate(of, weight, is_rate=True) for of in (mine[0], others[0]))
        if self._revenue is not None:
            means = tuple(_estimate(of, weight, is_rate=False) for of in (mine[1], others[1]))
        return Alike(int(people), int(others[0].people[covered].sum()), *rates, *means)


@dataclass(frozen=True, slots=True)
class _Nonzero:
    """Where a figure is not 0, which is of few people, and what it is there."""

    at: NDArray[np.intp]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> _Nonzero:
        import numpy as np

        at = np.flatnonzero(values)
        return cls(at, values[at])


def _estimate(of: Sums, weight: NDArray[np.float64], *, is_rate: bool) -> Estimate:
    import numpy as np

    there = np.maximum(of.people, 1.0)
    mean = of.total / there
    if is_rate:
        # A stage without any conversion is not known to have none for ever.
        shrunk = (of.total + 1) / (there + 2)
        variance = shrunk * (1 - shrunk)
    else:
        variance = np.maximum(of.squares - there * np.square(mean), 0.0) / np.maximum(there - 1, 1.0)
    return Estimate(float((weight * mean).sum()), sqrt(float((np.square(weight) * variance / there).sum())))
