"""Dates and times: which windows a moment can lie in, one beside another."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from segctl.compile import zones
from segctl.compile.reason.cells import MISSING, Answer, Cell, assignments
from segctl.compile.reason.cuts import Cut, Ends, ends, is_at_or_before
from segctl.model.conditions import Test, ValueTest
from segctl.model.times import Anniversary

Question = Cut | Anniversary
"""Is the moment at or after a cut; does its day come back in these days?"""
_OPERATORS = ("equals", "not_equals", "in", "not_in", "exists")


def asked_by(test: Test, zone: str) -> tuple[Question, ...] | None:
    """What a test asks of a moment; None when another trait bounds it or it cannot be said."""
    if isinstance(test, Anniversary):
        return (test,)
    if isinstance(test, ValueTest):
        found = _points(test, zone)
        return None if found is None else tuple(cut for point in found for cut in point if cut is not None)
    bounds = ends(test, zone)
    return None if bounds is None else tuple(cut for cut in bounds if cut is not None)


def moment_cells(
    asked: Collection[Question], *, today: int | None, inside: Ends = (None, None), can_be_missing: bool = True
) -> list[Cell]:
    """Every way in which a moment can lie to the cuts and days.

    Args:
        asked: Cuts and anniversaries.
        today: Microseconds since 1970 before which no `as_of` is asked for, None for all.
        inside: Where every such moment lies.
        can_be_missing: There may be none.
    """

    def implies(one: object, other: object) -> bool:
        if isinstance(one, Cut) and isinstance(other, Cut):
            return is_at_or_before(other, one, today)
        return isinstance(one, Anniversary) and isinstance(other, Anniversary) and _is_shorter(one, other)

    start, end = inside
    every = list(dict.fromkeys([*asked, *(cut for cut in inside if cut is not None)]))
    every.sort(key=repr)
    cells = [
        Cell(atoms=known)
        for known in assignments(every, implies, lambda _one, _other: False)
        if (start is None or known[start]) and (end is None or not known[end])
    ]
    return [*cells, MISSING] if can_be_missing else cells


def holds(test: Test, cell: Cell, zone: str) -> Answer:
    """The answer of a window, or of an equality, for all moments of a cell."""
    if isinstance(test, ValueTest):
        if test.operator == "exists":
            return (not cell.is_missing) == test.operands[0]
        if cell.is_missing:
            return None
        is_one = any(_lies(cell, point) for point in _points(test, zone) or ())
        return is_one if test.operator in ("equals", "in") else not is_one
    if cell.is_missing:
        return None
    if isinstance(test, Anniversary):
        return cell.atoms[test]
    return _lies(cell, ends(test, zone) or (None, None))


def _lies(cell: Cell, window: Ends) -> bool:
    start, end = window
    return (start is None or cell.atoms[start]) and (end is None or not cell.atoms[end])


def _points(test: ValueTest, zone: str) -> list[Ends] | None:
    """The moments that an equality names, each as the shortest of windows."""
    if test.operator not in _OPERATORS:
        return None
    if test.operator == "exists":
        return []
    starts = [_instant(operand, zone) for operand in test.operands]
    if None in starts:
        return None
    return [(Cut("instant", start), Cut("instant", start, 1)) for start in starts if start is not None]


def _instant(operand: object, zone: str) -> int | None:
    if isinstance(operand, datetime):
        return zones.to_us(operand)
    if isinstance(operand, date):
        start = zones.day_start(operand, zone)
        # A day that the zone skipped begins together with the next: equal instants are not equal days there.
        beside = {zones.day_start(day, zone) for day in _neighbours(operand)}
        return None if start in beside else start
    return None


def _neighbours(day: date) -> Iterable[date]:
    if day > date.min:
        yield day - timedelta(days=1)
    if day < date.max:
        yield day + timedelta(days=1)


def _is_shorter(one: Anniversary, other: Anniversary) -> bool:
    if one == other:
        return True
    mine, others = _days(one), _days(other)
    return one.direction == other.direction and mine is not None and others is not None and mine <= others


def _days(window: Anniversary) -> int | None:
    length = window.duration
    if length.unit == "days":
        return length.amount
    return length.amount * 7 if length.unit == "weeks" and not length.calendar else None
