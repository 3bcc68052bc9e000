"""Formulas over variables with finitely many cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from segctl.model.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Formula:
    """One node.

    Attributes:
        kind: ``literal``: the variable lies in one of some cells; ``some``: at least so many items hold.
        number: The leaf, later the variable, of a literal; how many items are needed.
        items: Of `some`.
        cells: Of a literal: its cells as the bits of a number, once they are known; before that 1 for true and 2 for
            false, and 4 and 8 for the opposites of these.
    """

    kind: Literal["literal", "some"]
    number: int
    items: tuple[Formula, ...] = ()
    cells: int = 0


TRUE = Formula("some", 0)
FALSE = Formula("some", 1)
IS_TRUE, IS_FALSE = 1, 2
_OPPOSITE = {1: 4, 4: 1, 2: 8, 8: 2}


def conjunction(items: Sequence[Formula]) -> Formula:
    """All of them."""
    return at_least(len(items), items)


def disjunction(items: Sequence[Formula]) -> Formula:
    """One of them."""
    return at_least(1, items)


def at_least(n: int, items: Sequence[Formula]) -> Formula:
    """So many of them."""
    if n <= 0:
        return TRUE
    if n > len(items):
        return FALSE
    return items[0] if len(items) == 1 else Formula("some", n, tuple(items))


def negated(formula: Formula) -> Formula:
    """Everything that the formula does not say, before its cells are known."""
    if formula.kind == "literal":
        return Formula("literal", formula.number, cells=_OPPOSITE[formula.cells])
    return at_least(len(formula.items) - formula.number + 1, [negated(item) for item in formula.items])
