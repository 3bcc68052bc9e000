"""Numbers: the literals they are compared with, and one number between each two of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction

from segctl.compile.reason.cells import MISSING, MOST_CELLS, Answer, Cell, TooManyError
from segctl.model.conditions import ValueTest
from segctl.model.dataclass import dataclass
from segctl.model.times import EXACT_SECONDS, Duration

NAN = "not a number"
Exact = int | Fraction
"""Whole numbers stay `int`, which is much faster."""

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Numbers:
    """Which numbers a value can be.

    Attributes:
        low: Least one, None is open.
        high: Largest one.
        digits: After the point; None for numbers without gaps.
        can_be_missing: There may be none.
        can_be_nan: A formula may give what is no number, which no comparison holds for.
    """

    low: Exact | None = None
    high: Exact | None = None
    digits: int | None = None
    can_be_missing: bool = True
    can_be_nan: bool = False


def literals(test: ValueTest, *, is_real: bool = False) -> tuple[Exact, ...] | None:
    """The numbers a test compares with; None when it compares with something else."""
    found = tuple(_number(operand, is_real=is_real) for operand in test.operands)
    return None if None in found else tuple(f for f in found if f is not None)


def number_cells(bounds: Iterable[Exact], of: Numbers) -> list[Cell]:
    """Each bound, and one number in every gap between bounds, as far as the domain has such numbers."""
    ordered = sorted({bound for bound in bounds if _is_inside(bound, of)})
    if len(ordered) * 2 > MOST_CELLS:
        raise TooManyError
    cells = list(_cells(ordered, of))
    if of.can_be_missing:
        cells.append(MISSING)
    if of.can_be_nan:
        cells.append(Cell(value=NAN))
    return cells


def answers(test: ValueTest, cells: Iterable[Cell], *, is_real: bool = False) -> list[Answer]:
    """The answer of a comparison for all numbers of each cell."""
    if test.operator == "exists":
        return [(not cell.is_missing) == test.operands[0] for cell in cells]
    bounds = literals(test, is_real=is_real) or ()
    return [None if cell.is_missing else _holds(test.operator, bounds, cell.value) for cell in cells]


def _holds(operator: str, bounds: tuple[Exact, ...], value: object) -> bool:
    if operator in ("not_equals", "not_in"):
        return value not in bounds
    if not isinstance(value, int | Fraction):
        return False
    match operator:
        case "equals" | "in":
            return value in bounds
        case "above":
            return value > bounds[0]
        case "at_least":
            return value >= bounds[0]
        case "below":
            return value < bounds[0]
        case "at_most":
            return value <= bounds[0]
    return bounds[0] <= value <= bounds[1]


COMPARISONS = frozenset(
    {"equals", "not_equals", "in", "not_in", "above", "at_least", "below", "at_most", "between", "exists"}
)


def _number(operand: object, *, is_real: bool) -> Exact | None:
    if isinstance(operand, int) and not isinstance(operand, bool):
        return Fraction(float(operand)) if is_real else operand
    if isinstance(operand, Decimal):
        return Fraction(float(operand)) if is_real else Fraction(operand)
    if isinstance(operand, Duration):
        seconds = EXACT_SECONDS.get(operand.unit)
        return None if seconds is None else Fraction(operand.amount * seconds / _DAY)
    return None


def _is_inside(number: Exact, of: Numbers) -> bool:
    if (of.low is not None and number < of.low) or (of.high is not None and number > of.high):
        return False
    return of.digits is None or (number * 10**of.digits).denominator == 1


def _cells(ordered: list[Exact], of: Numbers) -> Iterator[Cell]:
    previous: Exact | None = None
    for bound in ordered:
        yield from _gap(previous, bound, of)
        yield Cell(value=bound, low=bound, high=bound)
        previous = bound
    yield from _gap(previous, None, of)


def _gap(after: Exact | None, before: Exact | None, of: Numbers) -> Iterator[Cell]:
    """One number strictly between two bounds, with the least and the largest of those that lie there."""
    if of.digits is not None:
        step = 1 if of.digits == 0 else Fraction(1, 10**of.digits)
        low, high = of.low if after is None else after + step, of.high if before is None else before - step
        if low is None or high is None or low <= high:
            yield Cell(value=low if low is not None else high if high is not None else 0, low=low, high=high)
        return
    low, high = of.low if after is None else after, of.high if before is None else before
    if low is not None and high is not None:
        if low < high:
            yield Cell(value=Fraction(low + high) / 2, low=low, high=high)
        return
    yield Cell(value=low + 1 if low is not None else high - 1 if high is not None else 0, low=low, high=high)
