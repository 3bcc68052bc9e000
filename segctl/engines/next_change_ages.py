"""How long comparisons stay as they are while ages grow: interval arithmetic over the time to come, by columns.

The same as `compile/trace_ranges.py` does for one row. Float operations round monotonically, so the ends of an
interval, computed like the values themselves, enclose every value between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from segctl.compile import ir
from segctl.compile.moving_bounds import MOST_DAYS
from segctl.compile.plan import Node, parts
from segctl.compile.trace_flips import FOREVER
from segctl.compile.zones import DAY, MAX_US, SECOND, offsets
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Us = NDArray[np.int64]
    Real = NDArray[np.float64]
    Truth = NDArray[np.bool_]

AGEING = (ir.DaysSince, ir.YearsSince)
_ANSWERED = (ir.MetricValue, ir.Score, ir.Colleagues)
_EARLY, _LATE = -5_364_662_400_000_000, 7_258_118_400_000_000
"""The years 1800 and 2200: outside, the offset beside holds."""


@dataclass(frozen=True, slots=True)
class Values:
    """A column of numbers.

    Attributes:
        number: What they are; anything where missing.
        present: Which are not missing.
    """

    number: NDArray[Any]
    present: Truth


@dataclass(frozen=True, slots=True)
class Range:
    """All values of an expression from now to an instant, by rows.

    Attributes:
        low: The least.
        high: The greatest.
        present: Not missing; it never changes.
        open: Rows of which nothing can be said.
    """

    low: Real
    high: Real
    present: Truth
    open: Truth


Column = Callable[[ir.Expression, str], Values]
"""Gives the values of an expression that does not age: ``real`` numbers, the ``instant`` or the local ``day``."""


def stays_until(node: ir.Predicate | ir.Expression, column: Column, rows: int, now: int, zone: str) -> Us:
    """For each row the first instant after `now` at which a test of ages, or a value made of some, can be another.

    Args:
        node: A comparison, a list of values, a test for presence; or an expression.
        column: Gives what its ages are made of.
        rows: How many there are.
        now: The as_of.
        zone: The project's zone.
    """
    memory: dict[tuple[int, str], Values] = {}

    def remembered(of: ir.Expression, form: str) -> Values:
        if (id(of), form) not in memory:
            memory[id(of), form] = column(of, form)
        return memory[id(of), form]

    def settled(until: Us, at: Us) -> Truth:
        ages = _Ages(lambda of, form: _taken(remembered(of, form), at), now, until, zone)
        return ages.is_settled(node)

    found = np.full(rows, FOREVER)
    asked = np.arange(rows)
    for limit in (MAX_US - DAY, now + MOST_DAYS * DAY):
        stays = settled(np.full(len(asked), limit), asked)
        found[asked[stays]] = np.minimum(found[asked[stays]], limit if limit < MAX_US - DAY else FOREVER)
        asked = asked[~stays]
    low, high = np.full(len(asked), now), np.full(len(asked), now + MOST_DAYS * DAY)
    while (high - low > 1).any():
        middle = (low + high) // 2
        stays = settled(middle, asked)
        low, high = np.where(stays, middle, low), np.where(stays, high, middle)
    found[asked] = high
    return found


def _taken(values: Values, at: Us) -> Values:
    return Values(values.number[at], values.present[at])


class _Ages:
    """Ranges of expressions from `now` to an instant of each row's own."""

    def __init__(self, column: Column, now: int, until: Us, zone: str) -> None:
        self._column, self._now, self._until, self._zone = column, now, until, zone

    def is_settled(self, node: ir.Predicate | ir.Expression) -> Truth:
        """Rows in which the answer is the same all the time."""
        match node:
            case ir.Exists(value):
                known: Truth = ~self.range(value).open
                return known
            case ir.Compare(op, left, right):
                if left == right:
                    return np.ones(len(self._until), dtype=bool)
                one, other = self.range(left), self.range(right)
                missing = ~one.present | ~other.present
                settled: Truth = ~(one.open | other.open) & (missing | _decided(op, one, other))
                return settled
            case ir.In(value, options):
                found = self.range(value)
                reached = [(found.low <= float(one)) & (float(one) <= found.high) for one in options]  # type: ignore[arg-type]  # options of a number are numbers
                touched: Truth = np.logical_or.reduce(reached)
                return self._steady(found) | (~found.open & ~touched)
            case ir.TextTest() | ir.FoldedIn() | ir.Near():
                return np.zeros(len(self._until), dtype=bool)
        return self._steady(self.range(node))  # type: ignore[arg-type]  # all other predicates have been taken apart

    def _steady(self, found: Range) -> Truth:
        steady: Truth = ~found.open & (~found.present | (found.low == found.high))
        return steady

    def range(self, node: ir.Expression) -> Range:
        """All values of an expression."""
        if not has_ages(node):
            values = self._column(node, "real")
            number = values.number.astype(np.float64)
            return self._range(number, number, values.present)
        match node:
            case ir.DaysSince(of):
                at = self._column(of, "instant")
                return self._range(_days(self._now - at.number), _days(self._until - at.number), at.present)
            case ir.YearsSince(of):
                day = self._column(of, "day")
                ages = [self._years(day.number, us) for us in (np.full_like(self._until, self._now), self._until)]
                return self._range(np.minimum(*ages), np.maximum(*ages), day.present)
            case ir.Arithmetic(function, operands):
                return self._calculated(function, [self.range(operand) for operand in operands])
        everywhere = np.ones(len(self._until), dtype=bool)
        zero = np.zeros(len(self._until))
        return Range(zero, zero, everywhere, everywhere)

    def _range(self, low: Real, high: Real, present: Truth) -> Range:
        return Range(low, high, present, np.zeros(len(self._until), dtype=bool))

    def _years(self, day: Us, us: Us) -> Real:
        changes = offsets(self._zone, _EARLY, _LATE)
        starts, seconds = np.array([at for at, _ in changes]), np.array([by for _, by in changes])
        place = np.maximum(np.searchsorted(starts, us, side="right") - 1, 0)
        return completed_years(day, (us + seconds[place] * SECOND) // DAY)

    def _calculated(self, function: str, ranges: Sequence[Range]) -> Range:
        is_open = np.logical_or.reduce([one.open for one in ranges])
        if function == "coalesce":
            return _first_present(ranges, is_open)
        present = np.logical_and.reduce([one.present for one in ranges])
        with np.errstate(all="ignore"):
            if function == "/":
                low, high = ranges[1].low, ranges[1].high
                is_zero = (low == 0.0) & (high == 0.0)
                is_open = is_open | (present & ~is_zero & (low <= 0.0) & (high >= 0.0))
                present = present & ~is_zero
            corners = [_FUNCTIONS[function](*ends) for ends in product(*((one.low, one.high) for one in ranges))]
            low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
        if function == "abs":
            low = np.where((ranges[0].low < 0.0) & (ranges[0].high > 0.0), 0.0, low)
        return Range(low, high, present, is_open)


def completed_years(day: Us, today: Us) -> Real:
    """Completed years between local days, both counted from 1970; who was born on 29 February may complete on 28."""
    year, place = _year_and_place(day)
    this_year, reached = _year_and_place(today)
    is_leap = (this_year % 4 == 0) & ((this_year % 100 != 0) | (this_year % 400 == 0))
    reached = np.where((reached == 228) & ~is_leap, 229, reached)
    return (this_year - year - (place > reached)).astype(np.float64)


def has_ages(node: Node) -> bool:
    """True for an expression that grows with time by itself, metrics and scores aside."""
    if isinstance(node, AGEING):
        return True
    return not isinstance(node, _ANSWERED) and any(has_ages(part) for part in parts(node))


def _year_and_place(day: Us) -> tuple[Us, Us]:
    """The year, and month times 100 plus day of the month."""
    dates = day.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    number = months.astype(np.int64)
    return number // 12 + 1970, (number % 12 + 1) * 100 + (dates - months).astype(np.int64) + 1


def _days(us: Us) -> Real:
    return us.astype(np.float64) / float(DAY)


def _decided(op: str, one: Range, other: Range) -> Truth:
    """The comparison has the same answer for all values of two ranges."""
    alike = np.zeros(len(one.low), dtype=bool)
    if op in ("lt", "ge"):
        below, above = one.high < other.low, one.low >= other.high
    elif op in ("le", "gt"):
        below, above = one.high <= other.low, one.low > other.high
    else:
        below, above = one.high < other.low, one.low > other.high
        alike = (one.low == one.high) & (other.low == other.high) & (one.low == other.low)
    decided: Truth = below | above | alike
    return decided


def _first_present(ranges: Sequence[Range], is_open: Truth) -> Range:
    low, high, present = ranges[-1].low, ranges[-1].high, ranges[-1].present
    for one in reversed(ranges[:-1]):
        low, high = np.where(one.present, one.low, low), np.where(one.present, one.high, high)
        present = one.present | present
    return Range(low, high, present, is_open)


def _rounded(value: Real) -> Real:
    size = np.abs(value)
    whole = np.floor(size)
    away = np.where(size - whole >= 0.5, whole + 1.0, whole)
    return np.where(value < 0.0, -away, away)


_FUNCTIONS: dict[str, Callable[..., Real]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "neg": np.negative,
    "min": lambda *values: np.minimum.reduce(values),
    "max": lambda *values: np.maximum.reduce(values),
    "abs": np.abs,
    "round": _rounded,
}
