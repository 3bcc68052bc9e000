"""What values of each type can be, in cells, and what a test says of each cell."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol, cast

from segctl.compile.reason import lists, moments, numbers, texts
from segctl.compile.reason.cells import MISSING, MOST_CELLS, Answer, Cell, TooManyError
from segctl.compile.reason.cuts import Cut, Ends
from segctl.model.conditions import Test, ValueTest
from segctl.model.dataclass import dataclass
from segctl.model.types import Kind, ValueType


class Domain(Protocol):
    """Everything that one value can be."""

    def takes(self, test: object) -> bool:
        """True for tests whose answers are known for every value."""

    def cells(self, tests: Collection[object], extra: Iterable[Cut] = ()) -> list[Cell]:
        """Every way to answer the tests.

        Raises:
            TooManyError: There are too many.
        """

    def answers(self, test: object, cells: Sequence[Cell]) -> list[Answer]:
        """The answer of one of the tests for all values of each cell."""


@dataclass(frozen=True, slots=True)
class NumberDomain:
    """Numbers."""

    of: numbers.Numbers
    is_real: bool = False

    def takes(self, test: object) -> bool:
        """Comparisons with literals."""
        if not isinstance(test, ValueTest) or test.operator not in numbers.COMPARISONS:
            return False
        return test.operator == "exists" or numbers.literals(test, is_real=self.is_real) is not None

    def cells(self, tests: Collection[object], extra: Iterable[Cut] = ()) -> list[Cell]:
        """Bounds and gaps between them."""
        del extra
        compared = [test for test in tests if isinstance(test, ValueTest) and test.operator != "exists"]
        bounds = {b for test in compared for b in numbers.literals(test, is_real=self.is_real) or ()}
        return numbers.number_cells(bounds | {0}, self.of)

    def answers(self, test: object, cells: Sequence[Cell]) -> list[Answer]:
        """By the cells' numbers."""
        assert isinstance(test, ValueTest)
        return numbers.answers(test, cells, is_real=self.is_real)


@dataclass(frozen=True, slots=True)
class TextDomain:
    """Texts."""

    def takes(self, test: object) -> bool:
        """Comparisons with literals and lists."""
        return isinstance(test, ValueTest) and test.operator in texts.OPERATORS and texts.questions(test) is not None

    def cells(self, tests: Collection[object], extra: Iterable[Cut] = ()) -> list[Cell]:
        """Literals, and all other texts by what they answer."""
        del extra
        asked = {q: None for test in tests if isinstance(test, ValueTest) for q in texts.questions(test) or ()}
        return texts.text_cells(list(asked))

    def answers(self, test: object, cells: Sequence[Cell]) -> list[Answer]:
        """By what the cells' texts answer."""
        assert isinstance(test, ValueTest)
        return [texts.holds(test, cell) for cell in cells]


@dataclass(frozen=True, slots=True)
class TruthDomain:
    """True and false."""

    def takes(self, test: object) -> bool:
        """Comparisons with literals."""
        if not isinstance(test, ValueTest) or test.operator not in ("equals", "not_equals", "exists"):
            return False
        return all(isinstance(operand, bool) for operand in test.operands)

    def cells(self, tests: Collection[object], extra: Iterable[Cut] = ()) -> list[Cell]:
        """Both, and none."""
        del tests, extra
        return [Cell(value=True), Cell(value=False), MISSING]

    def answers(self, test: object, cells: Sequence[Cell]) -> list[Answer]:
        """By the cells' values."""
        assert isinstance(test, ValueTest)
        wanted, is_positive = test.operands[0], test.operator == "equals"
        if test.operator == "exists":
            return [(not cell.is_missing) == wanted for cell in cells]
        return [None if cell.is_missing else (cell.value == wanted) == is_positive for cell in cells]


@dataclass(frozen=True, slots=True)
class MomentDomain:
    """Dates and times.

    Attributes:
        zone: The project's.
        today: Microseconds since 1970 before which no `as_of` is asked for.
        inside: Where every such moment lies.
    """

    zone: str
    today: int | None = None
    inside: Ends = (None, None)

    def takes(self, test: object) -> bool:
        """Windows that no other trait bounds, and equalities."""
        return moments.asked_by(cast("Test", test), self.zone) is not None

    def cells(self, tests: Collection[object], extra: Iterable[Cut] = ()) -> list[Cell]:
        """Every way to lie to the windows' ends."""
        asked = [q for test in tests for q in moments.asked_by(cast("Test", test), self.zone) or ()]
        return moments.moment_cells([*asked, *extra], today=self.today, inside=self.inside)

    def answers(self, test: object, cells: Sequence[Cell]) -> list[Answer]:
        """By where the cells lie."""
        return [moments.holds(cast("Test", test), cell, self.zone) for cell in cells]


@dataclass(frozen=True, slots=True)
class ListDomain:
    """Lists."""

    def takes(self, test: object) -> bool:
        """Named elements and numbers of elements."""
        return isinstance(test, ValueTest) and test.operator in lists.OPERATORS and lists.elements(test) is not None

    def cells(self, tests: Collection[object], extra: Iterable[Cut] = ()) -> list[Cell]:
        """Which elements are there, and how many."""
        del extra
        compared = [test for test in tests if isinstance(test, ValueTest)]
        asked = {element: None for test in compared for element in lists.elements(test) or ()}
        if len(asked) * 4 > MOST_CELLS:
            raise TooManyError
        return lists.list_cells(list(asked), [inner for test in compared if (inner := lists.size_of(test))])

    def answers(self, test: object, cells: Sequence[Cell]) -> list[Answer]:
        """By the elements that are there."""
        assert isinstance(test, ValueTest)
        return [lists.holds(test, cell) for cell in cells]


@dataclass(frozen=True, slots=True)
class ExistsDomain:
    """Values of which only the existence is asked."""

    def takes(self, test: object) -> bool:
        """Only `exists`."""
        return isinstance(test, ValueTest) and test.operator == "exists"

    def cells(self, tests: Collection[object], extra: Iterable[Cut] = ()) -> list[Cell]:
        """There, or missing."""
        del tests, extra
        return [Cell(), MISSING]

    def answers(self, test: object, cells: Sequence[Cell]) -> list[Answer]:
        """Whether it is there."""
        assert isinstance(test, ValueTest)
        return [(not cell.is_missing) == test.operands[0] for cell in cells]


def domain_of(of: ValueType, zone: str, today: int | None = None, *, can_be_nan: bool = False) -> Domain:
    """Everything that a value of a type can be."""
    match of.kind:
        case Kind.TEXT:
            return TextDomain()
        case Kind.BOOLEAN:
            return TruthDomain()
        case Kind.DATE | Kind.TIME:
            return MomentDomain(zone, today)
        case Kind.LIST:
            return ListDomain()
        case Kind.REAL:
            return NumberDomain(numbers.Numbers(can_be_nan=can_be_nan), is_real=True)
        case Kind.INTEGER | Kind.NUMBER | Kind.MONEY:
            return NumberDomain(numbers.Numbers(digits=of.scale))
    return ExistsDomain()
