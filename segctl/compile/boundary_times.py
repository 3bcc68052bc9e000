"""Instants whose local month, weekday or hour passes a filter, for proposed tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segctl.compile.boundaries import Clock
from segctl.compile.trace_eval import time_part
from segctl.compile.zones import DAY, SECOND, local_day
from segctl.model import conditions as c

_HOUR = 3600 * SECOND


def fits_time(where: Sequence[c.PropertyTest], us: int, clock: Clock) -> bool:
    """The local time of an instant passes the parts of a filter that ask for it."""
    asked = [entry for entry in where if entry.property.startswith("time.") and isinstance(entry.test, c.ValueTest)]
    return all(
        _passes(entry.test, local_part(entry, us, clock)) for entry in asked if isinstance(entry.test, c.ValueTest)
    )


def local_part(entry: c.PropertyTest, us: int, clock: Clock) -> object:
    """The local month, weekday, hour or date that an entry of a filter asks for."""
    return time_part(entry.property.removeprefix("time."), us, clock.zone)


def _passes(test: c.ValueTest, value: Any) -> bool:  # noqa: ANN401 - a number or a date, as the operands are
    bounds: list[Any] = list(test.operands)
    match test.operator:
        case "equals" | "in":
            return value in bounds
        case "not_equals" | "not_in":
            return value not in bounds
        case "above" | "at_least":
            return bool(value > bounds[0] or (test.operator == "at_least" and value == bounds[0]))
        case "below" | "at_most":
            return bool(value < bounds[0] or (test.operator == "at_most" and value == bounds[0]))
        case "between":
            return bool(bounds[0] <= value <= bounds[1])
    return True


def fitting_time(where: Sequence[c.PropertyTest], base: int, clock: Clock) -> int:
    """The base, or the latest time before it at which the local time passes a filter, well inside of months."""
    if fits_time(where, base, clock) and not any(entry.property == "time.month" for entry in where):
        return base
    step = _HOUR if any(entry.property == "time.hour" for entry in where) else DAY
    found = [us for n in range(800) if fits_time(where, us := base - n * step, clock)]
    inside = [us for us in found if 10 <= local_day(us, clock.zone).day <= 20]
    return next(iter(inside or found), base)
