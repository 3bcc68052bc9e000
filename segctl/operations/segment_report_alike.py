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


def alike(
    members: NDArray[np.bool_],
    everybody: NDArray[np.bool_],
    stages: NDArray[np.int8],
    *,
    converted: NDArray[np.bool_] | None,
    revenue: NDArray[np.float64] | None,
) -> Alike | None:
    """Members beside others; None when fewer than half of them have others beside them.

    Args:
        members: By subject.
        everybody: Likewise; who is no member is another.
        stages: By subject, 0 and above, when the window began.
        converted: By subject, in the window.
        revenue: Likewise.
    """
    import numpy as np

    inside, outside = np.flatnonzero(members & everybody), np.flatnonzero(everybody & ~members)
    size = int(stages.max(initial=0)) + 1
    mine = np.bincount(stages[inside], minlength=size).astype(float)
    others = np.bincount(stages[outside], minlength=size).astype(float)
    covered = (others >= FEWEST) & (mine > 0)
    people = mine[covered].sum()
    if not people or people < mine.sum() / 2:
        return None
    weight = np.where(covered, mine, 0.0) / people
    groups = _Groups(stages, inside, outside, covered, weight)
    rates = groups.estimates(None if converted is None else converted.astype(float), is_rate=True)
    means = groups.estimates(revenue, is_rate=False)
    return Alike(int(people), int(others[covered].sum()), *rates, *means)


@dataclass(frozen=True, slots=True)
class _Groups:
    stages: NDArray[np.int8]
    inside: NDArray[np.intp]
    outside: NDArray[np.intp]
    covered: NDArray[np.bool_]
    weight: NDArray[np.float64]

    def estimates(
        self, values: NDArray[np.float64] | None, *, is_rate: bool
    ) -> tuple[Estimate | None, Estimate | None]:
        """Of the members, and of the others as if they were spread over the stages like the members."""
        if values is None:
            return None, None
        return self._estimate(self.inside, values, is_rate=is_rate), self._estimate(
            self.outside, values, is_rate=is_rate
        )

    def _estimate(self, at: NDArray[np.intp], values: NDArray[np.float64], *, is_rate: bool) -> Estimate:
        import numpy as np

        size = len(self.weight)
        n = np.bincount(self.stages[at], minlength=size).astype(float)
        total = np.bincount(self.stages[at], weights=values[at], minlength=size)
        squares = np.bincount(self.stages[at], weights=np.square(values[at]), minlength=size)
        there = np.maximum(n, 1.0)
        mean = total / there
        if is_rate:
            # A stage without any conversion is not known to have none for ever.
            shrunk = (total + 1) / (there + 2)
            variance = shrunk * (1 - shrunk)
        else:
            variance = np.maximum(squares - there * np.square(mean), 0.0) / np.maximum(there - 1, 1.0)
        weight = np.where(self.covered, self.weight, 0.0)
        return Estimate(float((weight * mean).sum()), sqrt(float((np.square(weight) * variance / there).sum())))
