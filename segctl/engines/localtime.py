"""Local days, months and hours of instants by whole-number arithmetic, the same on every engine.

Instants are microseconds and days are days since 1970. Years and months follow the proleptic Gregorian
calendar by Howard Hinnant's `civil_from_days` and `days_from_civil`.
"""

from __future__ import annotations

from datetime import date
from functools import reduce

import narwhals.stable.v2 as nw

from segctl.compile.windows import year_days
from segctl.compile.zones import DAY, EPOCH_DAY, SECOND, day_shifts, offsets
from segctl.model.times import EXACT_SECONDS, Duration

HOUR = 3600 * SECOND
# Whole weeks before the year 1: quotients of what is not negative are the same on every engine.
_SHIFT = 719_166
_FIRST_DAY, _LAST_DAY = date(1800, 1, 1), date(2200, 1, 1)


def local_us(ts: nw.Expr, zone: str, lo: int, hi: int) -> nw.Expr:
    """Wall-clock microseconds of instants between `lo` and `hi`."""
    return ts + _piecewise(ts, [(start, seconds * SECOND) for start, seconds in offsets(zone, lo, max(lo, hi))])


def day_of(local: nw.Expr) -> nw.Expr:
    """The local day of wall-clock microseconds."""
    return (local + _SHIFT * DAY) // DAY - _SHIFT


def hour_of(local: nw.Expr) -> nw.Expr:
    """Hour 0–23 of wall-clock microseconds."""
    return (local + _SHIFT * DAY) // HOUR % 24


def weekday_of(day: nw.Expr) -> nw.Expr:
    """Weekday 1–7 of a day, Monday is 1; 1 January 1970 was a Thursday."""
    return (day + (_SHIFT + 3)) % 7 + 1


def week_of(day: nw.Expr) -> nw.Expr:
    """A number for the week from Monday that holds the day."""
    return (day + (_SHIFT + 3)) // 7


def year_of(day: nw.Expr) -> nw.Expr:
    """The calendar year of a day."""
    return _civil(day)[0]


def month_of(day: nw.Expr) -> nw.Expr:
    """The month 1–12 of a day."""
    return _civil(day)[1]


def month_number(day: nw.Expr) -> nw.Expr:
    """A number for the calendar month that holds the day."""
    year, month, _ = _civil(day)
    return year * 12 + month - 1


def month_and_day(day: nw.Expr) -> nw.Expr:
    """Month times 100 plus day of the month."""
    _, month, of_month = _civil(day)
    return month * 100 + of_month


def completed_years(day: nw.Expr, today: date) -> nw.Expr:
    """Completed years from a day to `today`; who was born on 29 February completes one on 28 in common years."""
    year, month, of_month = _civil(day)
    reached = max(month * 100 + day for month, day in year_days(today))
    not_yet = nw.when(month * 100 + of_month > reached).then(nw.lit(1)).otherwise(nw.lit(0))
    return nw.lit(today.year) - year - not_yet


def day_start_us(day: nw.Expr, zone: str) -> nw.Expr:
    """The first instant of a local day."""
    shifts = day_shifts(zone, _FIRST_DAY, _LAST_DAY)
    pieces = [(start.toordinal() - EPOCH_DAY, seconds * SECOND) for start, seconds in shifts]
    return day * DAY + _piecewise(day, pieces)


def later_us(ts: nw.Expr, duration: Duration, zone: str, lo: int, hi: int) -> nw.Expr:
    """The instant `duration` after `ts`; months and years on the local clock, clipped to the month's end."""
    if duration.unit in EXACT_SECONDS:
        return ts + duration.amount * EXACT_SECONDS[duration.unit] * SECOND
    local = local_us(ts, zone, lo, hi)
    day = day_of(local)
    moved = _months_later(day, duration.amount * (12 if duration.unit == "years" else 1))
    return _instant_of(local - day * DAY + moved * DAY, zone, lo, hi + duration.amount * 366 * DAY)


def _instant_of(local: nw.Expr, zone: str, lo: int, hi: int) -> nw.Expr:
    """The instant of wall-clock microseconds: of two the first, of none the first after the gap."""
    changes = offsets(zone, lo - 2 * DAY, hi + 2 * DAY)
    found = local - changes[0][1] * SECOND
    for (_, before), (at, after) in zip(changes, changes[1:], strict=False):
        # Clocks that jump forward skip the times between; clocks set back repeat those before, and the first counts.
        shown_before, shown_after = at + before * SECOND, at + after * SECOND
        if after > before:
            skipped = nw.when(local < shown_after).then(nw.lit(at)).otherwise(local - after * SECOND)
            found = nw.when(local >= shown_before).then(skipped).otherwise(found)
        else:
            found = nw.when(local >= shown_before).then(local - after * SECOND).otherwise(found)
    return found


def _months_later(day: nw.Expr, months: int) -> nw.Expr:
    year, month, of_month = _civil(day)
    count = year * 12 + (month - 1) + months
    year_then, month_then = count // 12, count % 12 + 1
    return _days(year_then, month_then) + nw.min_horizontal(of_month, _month_length(year_then, month_then)) - 1


def _month_length(year: nw.Expr, month: nw.Expr) -> nw.Expr:
    following = nw.when(month == 12).then(nw.lit(1)).otherwise(month + 1)
    year_following = nw.when(month == 12).then(year + 1).otherwise(year)
    return _days(year_following, following) - _days(year, month)


def _days(year: nw.Expr, month: nw.Expr) -> nw.Expr:
    """Days since 1970 of a month's first day."""
    late = nw.when(month <= 2).then(nw.lit(1)).otherwise(nw.lit(0))
    shifted_year = year - late
    era, of_era = shifted_year // 400, shifted_year % 400
    from_march = (month + 9) % 12
    of_year = (from_march * 153 + 2) // 5
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _civil(day: nw.Expr) -> tuple[nw.Expr, nw.Expr, nw.Expr]:
    """Year, month and day of the month."""
    since_march_0 = day + 719_468
    era = since_march_0 // 146_097
    of_era = since_march_0 - era * 146_097
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (year_of_era * 365 + year_of_era // 4 - year_of_era // 100)
    from_march = (of_year * 5 + 2) // 153
    month = (from_march + 2) % 12 + 1
    year = year_of_era + era * 400 + nw.when(month <= 2).then(nw.lit(1)).otherwise(nw.lit(0))
    return year, month, of_year - (from_march * 153 + 2) // 5 + 1


def _piecewise(value: nw.Expr, pieces: list[tuple[int, int]]) -> nw.Expr:
    """The number that belongs to the last piece that starts at or before the value."""
    first = nw.lit(pieces[0][1])

    def later(found: nw.Expr, piece: tuple[int, int]) -> nw.Expr:
        return nw.when(value >= piece[0]).then(nw.lit(piece[1])).otherwise(found)

    return reduce(later, pieces[1:], first)
