"""Local days, months and hours of instants; clock changes are numbers found beforehand, never an engine's zones.

Instants are microseconds and days are days since 1970, all UTC but for the *local* ones, which show what the
zone's clocks show.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import narwhals.stable.v2 as nw

from segctl.compile.windows import year_days
from segctl.compile.zones import DAY, EPOCH_DAY, SECOND, day_shifts, offsets
from segctl.engines.scope import Scope
from segctl.model.times import EXACT_SECONDS, Duration

HOUR = 3600 * SECOND
_FIRST_DAY, _LAST_DAY = date(1800, 1, 1), date(2200, 1, 1)


def divided(value: nw.Expr, number: float) -> nw.Expr:
    """The value divided by a constant, correctly rounded."""
    # Polars multiplies by the inverse of a constant, which rounds twice; by a column it divides.
    return value / (value * 0.0 + number)


def in_days(us: nw.Expr) -> nw.Expr:
    """Microseconds as days of 24 hours."""
    return divided(us.cast(nw.Float64), float(DAY))


def local_us(ts: nw.Expr, scope: Scope) -> nw.Expr:
    """Wall-clock microseconds of instants inside the scope's range."""
    changes = offsets(scope.zone, scope.lo, max(scope.lo, scope.hi))
    return ts + _piecewise(ts, [(start, seconds * SECOND) for start, seconds in changes])


def day_of(local: nw.Expr, scope: Scope) -> nw.Expr:
    """The local day of wall-clock microseconds."""
    return scope.dialect.quotient(local, DAY)


def hour_of(local: nw.Expr, scope: Scope) -> nw.Expr:
    """Hour 0–23 of wall-clock microseconds."""
    return scope.dialect.quotient(local % DAY, HOUR)


def weekday_of(day: nw.Expr, scope: Scope) -> nw.Expr:  # noqa: ARG001 - one signature for all parts of a day
    """Weekday 1–7, Monday is 1; 1 January 1970 was a Thursday."""
    return (day + 3) % 7 + 1


def week_of(day: nw.Expr, scope: Scope) -> nw.Expr:
    """A number for the week from Monday that holds the day."""
    return scope.dialect.quotient(day + 3, 7)


def year_of(day: nw.Expr, scope: Scope) -> nw.Expr:
    """The calendar year."""
    return scope.dialect.as_date(day).dt.year().cast(nw.Int64)


def month_of(day: nw.Expr, scope: Scope) -> nw.Expr:
    """The month 1–12."""
    # Months come as 8-bit numbers on some engines and would wrap.
    return scope.dialect.as_date(day).dt.month().cast(nw.Int64)


def month_number(day: nw.Expr, scope: Scope) -> nw.Expr:
    """A number for the calendar month that holds the day."""
    return year_of(day, scope) * 12 + month_of(day, scope)


def month_and_day(day: nw.Expr, scope: Scope) -> nw.Expr:
    """Month times 100 plus day of the month."""
    return month_of(day, scope) * 100 + scope.dialect.as_date(day).dt.day().cast(nw.Int64)


def completed_years(day: nw.Expr, scope: Scope) -> nw.Expr:
    """Completed years from a day to as_of's; who was born on 29 February completes one on 28 in common years."""
    today = scope.today
    reached = max(month * 100 + of_month for month, of_month in year_days(today))
    not_yet = nw.when(month_and_day(day, scope) > reached).then(nw.lit(1)).otherwise(nw.lit(0))
    return nw.lit(today.year) - year_of(day, scope) - not_yet


def day_start_us(day: nw.Expr, scope: Scope) -> nw.Expr:
    """The first instant of a local day."""
    shifts = day_shifts(scope.zone, _FIRST_DAY, _LAST_DAY)
    pieces = [(start.toordinal() - EPOCH_DAY, seconds * SECOND) for start, seconds in shifts]
    return day * DAY + _piecewise(day, pieces)


def later_us(ts: nw.Expr, duration: Duration, scope: Scope) -> nw.Expr:
    """The instant `duration` after `ts`; months and years on the local clock, clipped to the month's end."""
    if duration.unit in EXACT_SECONDS:
        return ts + duration.amount * EXACT_SECONDS[duration.unit] * SECOND
    local = local_us(ts, scope)
    months = duration.amount * (12 if duration.unit == "years" else 1)
    moved = scope.dialect.as_day(scope.dialect.as_date(day_of(local, scope)).dt.offset_by(f"{months}mo"))
    return _instant_of(local % DAY + moved * DAY, scope, reach=months * 31 * DAY)


def _instant_of(local: nw.Expr, scope: Scope, *, reach: int) -> nw.Expr:
    """The instant of wall-clock microseconds: of two the first, of none the first after the gap."""
    changes = offsets(scope.zone, scope.lo - 2 * DAY, scope.hi + reach + 2 * DAY)
    pieces = [(changes[0][0], local - changes[0][1] * SECOND)]
    for (_, before), (at, after) in pairwise(changes):
        # Clocks that jump forward skip the times between; clocks set back repeat those before, and the first counts.
        if after > before:
            pieces.append((at + before * SECOND, nw.lit(at)))
        pieces.append((at + max(before, after) * SECOND, local - after * SECOND))
    return _pick(local, pieces)


def _piecewise(value: nw.Expr, pieces: Sequence[tuple[int, int]]) -> nw.Expr:
    """The number that belongs to the last piece that starts at or before the value."""
    return _pick(value, [(start, nw.lit(number)) for start, number in pieces])


def _pick(value: nw.Expr, pieces: Sequence[tuple[int, nw.Expr]]) -> nw.Expr:
    """What belongs to the last piece that starts at or before the value."""
    if len(pieces) == 1:
        return pieces[0][1]
    # Halves keep the depth small: a zone has hundreds of clock changes.
    middle = len(pieces) // 2
    late, early = _pick(value, pieces[middle:]), _pick(value, pieces[:middle])
    return nw.when(value >= pieces[middle][0]).then(late).otherwise(early)
