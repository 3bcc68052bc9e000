"""How long a comparison stays as it is while ages grow: interval arithmetic over the time to come.

Float operations round monotonically, so the ends of an interval, computed like the values themselves,
enclose every value between.
"""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import TYPE_CHECKING

from segctl.compile import ir
from segctl.compile.trace_eval import as_real, calculate, completed_years
from segctl.compile.trace_flips import FOREVER
from segctl.compile.zones import DAY, MAX_US, day_start, local_day

if TYPE_CHECKING:
    from segctl.compile.trace_eval import Rows, Same
    from segctl.compile.trace_rows import EventRow

Range = tuple[float, float]


class _Undecided(Exception):  # noqa: N818 - the range can hold anything, missing included
    pass


def stays_until(rows: Rows, node: ir.Predicate, event: EventRow | None, same: Same | None) -> int:
    """The first instant at which a test of ages can answer otherwise, `FOREVER` when it never will."""

    def stays(until: int) -> bool:
        try:
            return _is_settled(rows, node, event, same, until)
        except _Undecided:
            return False

    low, high = rows.now, MAX_US - DAY
    if stays(high):
        return FOREVER
    while high - low > 1:
        middle = (low + high) // 2
        if stays(middle):
            low = middle
        else:
            high = middle
    return high


def _is_settled(rows: Rows, node: ir.Predicate, event: EventRow | None, same: Same | None, until: int) -> bool:
    match node:
        case ir.Exists(value):
            _range(rows, value, event, same, until)
            return True
        case ir.Compare(_, left, right) if left == right:
            return True
        case ir.Compare(op, left, right):
            one, other = (_range(rows, side, event, same, until) for side in (left, right))
            return one is None or other is None or _decided(op, one, other)
        case ir.In(value, options):
            found = _range(rows, value, event, same, until)
            return found is None or found[0] == found[1] or not any(found[0] <= float(o) <= found[1] for o in options)  # type: ignore[arg-type]  # options of a number are numbers
    return False


def _decided(op: str, one: Range, other: Range) -> bool:
    """The comparison has the same answer for all values of two ranges."""
    (low, high), (least, most) = one, other
    match op:
        case "lt" | "ge":
            return high < least or low >= most
        case "le" | "gt":
            return high <= least or low > most
    return high < least or low > most or low == high == least == most


def _range(rows: Rows, node: ir.Expression, event: EventRow | None, same: Same | None, until: int) -> Range | None:
    """All values of an expression from now to an instant; None when missing all the time."""
    match node:
        case ir.DaysSince(of):
            at = _instant(rows, of, event, same)
            return None if at is None else (float(rows.now - at) / float(DAY), float(until - at) / float(DAY))
        case ir.YearsSince(of):
            at = _instant(rows, of, event, same)
            if at is None:
                return None
            value = rows.value(of, event, same)
            day = value if isinstance(value, date) else local_day(at, rows.zone)
            ages = [completed_years(day, local_day(us, rows.zone)) for us in (rows.now, until)]
            return float(min(ages)), float(max(ages))
        case ir.OfProfile(of):
            return _range(rows, of, event, None, until)
        case ir.Arithmetic(function, operands):
            return _calculated(function, [_range(rows, o, event, same, until) for o in operands])
    found = (
        as_real(rows.value(node, event, same), node.type)
        if isinstance(node, ir.Real)
        else rows.value(node, event, same)
    )
    return None if found is None else (float(found), float(found))  # type: ignore[arg-type]  # literals of numbers only


def _calculated(function: str, ranges: list[Range | None]) -> Range | None:
    if function == "coalesce":
        return next((r for r in ranges if r is not None), None)
    present = [r for r in ranges if r is not None]
    if len(present) < len(ranges):
        return None
    if function in ("min", "max"):
        pick = min if function == "min" else max
        return pick(low for low, _ in present), pick(high for _, high in present)
    if function == "/" and present[1][0] <= 0 <= present[1][1]:
        if present[1] == (0.0, 0.0):
            return None
        raise _Undecided
    if function == "abs" and present[0][0] < 0 < present[0][1]:
        return 0.0, max(-present[0][0], present[0][1])
    corners = [calculate(function, corner) for corner in product(*present)]
    values = [value for value in corners if value is not None]
    return min(values), max(values)


def _instant(rows: Rows, of: ir.Expression, event: EventRow | None, same: Same | None) -> int | None:
    value = rows.value(of, event, same)
    if value is None:
        return None
    return value if isinstance(value, int) else day_start(value, rows.zone)
