"""Cells: the finitely many ways in which one value can answer every test that is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import field
from fractions import Fraction

from segctl.model.dataclass import dataclass

MOST_CELLS = 96
"""More are not told apart: the value's tests are then taken as independent of one another."""

Answer = bool | None
"""True, false, or unknown."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One way a value can be.

    Attributes:
        is_missing: There is no value.
        value: A value that lies here, where one can be named.
        low: No number here is below; None is open, or no number.
        high: No number here is above.
        atoms: What holds here, for values without a representative: the answer to each question.
    """

    is_missing: bool = False
    value: object = None
    low: int | Fraction | None = None
    high: int | Fraction | None = None
    atoms: dict[object, bool] = field(default_factory=dict, compare=False)


MISSING = Cell(is_missing=True)


class TooManyError(Exception):
    """More cells than are worth telling apart."""


def assignments(
    atoms: Sequence[object],
    implies: Callable[[object, object], bool],
    excludes: Callable[[object, object], bool],
    *,
    most: int = MOST_CELLS,
) -> list[dict[object, bool]]:
    """Every way to answer questions that contradicts none of the known relations between two of them.

    Args:
        atoms: The questions, each once.
        implies: The first being true makes the second true.
        excludes: Both cannot be true.
        most: Limit.

    Raises:
        TooManyError: There are more ways.
    """
    found: list[dict[object, bool]] = [{}]
    for at, atom in enumerate(atoms):
        earlier = atoms[:at]
        forces = [(other, implies(other, atom), implies(atom, other), excludes(atom, other)) for other in earlier]
        found = [{**known, atom: answer} for known in found for answer in _possible(known, forces)]
        if len(found) > most:
            raise TooManyError
    return found


def _possible(known: dict[object, bool], forces: Collection[tuple[object, bool, bool, bool]]) -> Iterator[bool]:
    can_be_true = all(
        (known[other] or not makes) and not (known[other] and is_apart) for other, _, makes, is_apart in forces
    )
    if can_be_true:
        yield True
    if not any(known[other] and made for other, made, _, _ in forces):
        yield False
