"""Lists: which of the named elements stand in them, and how many elements there are."""

from __future__ import annotations

from collections.abc import Collection

from segctl.compile.reason import numbers
from segctl.compile.reason.cells import MISSING, MOST_CELLS, Answer, Cell, TooManyError, assignments
from segctl.model.conditions import ListOperand, TraitOperand, ValueTest

OPERATORS = frozenset({"any_of", "all_of", "none_of", "size", "any_element", "exists"})
_SIZES = numbers.Numbers(low=0, digits=0, can_be_missing=False)
Element = tuple[str, object, bool]
"""The question (is it an element, or does an element fit), the element or the tests, and whether case is ignored."""


def elements(test: ValueTest) -> tuple[Element, ...] | None:
    """Which elements a test asks for; None when it compares with something that is not known."""
    if test.operator == "any_element":
        return (("fits", test.element, False),)
    if test.operator not in ("any_of", "all_of", "none_of"):
        return () if test.operator == "exists" or size_of(test) is not None else None
    if any(isinstance(operand, TraitOperand | ListOperand) for operand in test.operands):
        return None
    return tuple(
        ("is", o.casefold() if test.ignore_case and isinstance(o, str) else o, test.ignore_case) for o in test.operands
    )


def size_of(test: ValueTest) -> ValueTest | None:
    """The comparison that `size` makes, when it is one with numbers."""
    if test.operator != "size":
        return None
    inner = test.element[0][1]
    return inner if isinstance(inner, ValueTest) and numbers.literals(inner) is not None else None


def list_cells(asked: Collection[Element], sizes: Collection[ValueTest]) -> list[Cell]:
    """Every combination of elements that are there, with every number of elements it can have."""
    counts = numbers.number_cells({b for test in sizes for b in numbers.literals(test) or ()} | {0}, _SIZES)
    cells: list[Cell] = []
    for known in assignments(list(asked), _implies, lambda _one, _other: False):
        exact = sum(yes for (asks, _, folds), yes in _plain(known) if asks == "is" and not folds)
        least = max(exact, int(any(known.values())))
        fitting = (count for count in counts if count.high is None or count.high >= least)
        cells += [Cell(value=count.value, low=count.low, high=count.high, atoms=known) for count in fitting]
        if len(cells) > MOST_CELLS:
            raise TooManyError
    return [*cells, MISSING]


def holds(test: ValueTest, cell: Cell) -> Answer:
    """The answer of a test of a list for all lists of a cell."""
    if test.operator == "exists":
        return (not cell.is_missing) == test.operands[0]
    if cell.is_missing:
        return None
    inner = size_of(test)
    if inner is not None:
        return numbers.answers(inner, [cell])[0]
    stands = [cell.atoms[element] for element in elements(test) or ()]
    if test.operator == "all_of":
        return all(stands)
    return any(stands) if test.operator != "none_of" else not any(stands)


def _plain(known: dict[object, bool]) -> list[tuple[Element, bool]]:
    return [(element, yes) for element, yes in known.items() if isinstance(element, tuple)]


def _implies(one: object, other: object) -> bool:
    """An element as written is there folded too."""
    if not (isinstance(one, tuple) and isinstance(other, tuple)) or one[0] != "is" or other[0] != "is":
        return False
    return isinstance(one[1], str) and not one[2] and other[2] and one[1].casefold() == other[1]
