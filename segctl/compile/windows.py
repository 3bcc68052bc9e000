"""Windows as instants: what `within_last: 7 calendar days` means for one `as_of` in the project's zone.

Spans are inclusive on both sides, in whole microseconds since 1970 (UTC), so an excluded bound is the
microsecond beside it. Engines compare with these numbers and never ask for a zone themselves.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal

from segctl.compile.zones import MAX_US, MIN_US, day_end, day_start, instant_of, local_day, shifted, shifted_day, to_us
from segctl.model.dataclass import dataclass
from segctl.model.times import (
    Anniversary,
    Before,
    Between,
    Duration,
    During,
    Instant,
    LocalDay,
    LocalTime,
    NamedPeriod,
    OlderThan,
    Period,
    RelativeDay,
    RelativeTime,
    Since,
    TimePoint,
    TraitTime,
    Window,
    WithinLast,
    WithinNext,
)

_BEYOND = MAX_US + 1


@dataclass(frozen=True, slots=True)
class Span:
    """Instants from `lo` to `hi`, both included.

    Attributes:
        lo: Microseconds since 1970, None when open to the past.
        hi: Microseconds since 1970, None when open to the future.
    """

    lo: int | None = None
    hi: int | None = None

    @property
    def is_empty(self) -> bool:
        """True when no instant lies inside."""
        return self.lo is not None and self.hi is not None and self.lo > self.hi

    def __contains__(self, us: int) -> bool:
        return (self.lo is None or self.lo <= us) and (self.hi is None or us <= self.hi)


EMPTY = Span(1, 0)


@dataclass(frozen=True, slots=True)
class TraitBound:
    """A bound of a window that is another trait's value, so engines compare with a column.

    Attributes:
        trait: The trait.
        op: How the tested instant compares with an *instant* bound: ``value >= bound`` and so on.
        date_op: The same for a *date* bound, against an instant of its local day.
        date_edge: Which instant: the ``first`` of the day, or the first of the ``next`` day.
    """

    trait: str
    op: Literal["ge", "le", "lt"]
    date_op: Literal["ge", "lt"]
    date_edge: Literal["first", "next"]


def span(window: Window | None, as_of: datetime, zone: str, *, clip: bool = False) -> Span:
    """The instants inside a window; bounds that are traits stay open, see `trait_bounds`.

    Args:
        window: No anniversary: those are days of the year, see `anniversary_days`. None is all time.
        as_of: Aware.
        zone: The project's zone.
        clip: Events: nothing after `as_of` exists.
    """
    now = to_us(as_of)
    lo, hi = _bounds(window, now, zone)
    if clip:
        hi = now if hi is None else min(hi, now)
    if (lo is not None and lo > MAX_US) or (hi is not None and hi < MIN_US):
        return EMPTY
    found = Span(None if lo is None or lo < MIN_US else lo, None if hi is None or hi > MAX_US else hi)
    return EMPTY if found.is_empty else found


def date_span(window: Window | None, as_of: datetime, zone: str) -> tuple[date | None, date | None]:
    """First and last day, both included, of the dates in a window; None is open.

    A date stands for its first local instant. When no date fits, the first day is after the last.
    """
    inside = span(window, as_of, zone)
    if inside.is_empty:
        return date.max, date.min
    first = None if inside.lo is None else _first_day_from(inside.lo, zone)
    last = None if inside.hi is None else _last_day_until(inside.hi, zone)
    if inside.lo is not None and first is None:
        return date.max, date.min
    return (first, last) if last is not None or inside.hi is None else (date.max, date.min)


def anniversary_days(window: Anniversary, as_of: datetime, zone: str) -> frozenset[tuple[int, int]]:
    """Months and days whose anniversary falls into the window, today included.

    29 February is in it when 28 February of a common year is.
    """
    today = local_day(to_us(as_of), zone)
    sign = 1 if window.direction == "within_next" else -1
    days = _anniversary_window(window.duration, today, sign)
    return frozenset(key for day in days for key in year_days(day))


def year_days(day: date) -> tuple[tuple[int, int], ...]:
    """The (month, day) pairs that have their anniversary on a day: its own, and 29 for 28 February in common years."""
    own = (day.month, day.day)
    if own == (2, 28) and not _is_leap(day.year):
        return own, (2, 29)
    return (own,)


def trait_bounds(window: Window | None) -> tuple[TraitBound, ...]:
    """The bounds of a window that are traits, start before end."""
    match window:
        case Since(TraitTime(trait)):
            return (TraitBound(trait, "ge", "ge", "first"),)
        case Before(TraitTime(trait)):
            return (TraitBound(trait, "lt", "lt", "first"),)
        case Between(start, end):
            lower = (TraitBound(start.trait, "ge", "ge", "first"),) if isinstance(start, TraitTime) else ()
            upper = (TraitBound(end.trait, "le", "lt", "next"),) if isinstance(end, TraitTime) else ()
            return lower + upper
        case _:
            return ()


def period_days(period: Period, today: date) -> tuple[date, date]:
    """First and last local day of a calendar period; both the same day beyond the calendar's ends."""
    if isinstance(period, NamedPeriod):
        first: date | None = period.first_day
    else:
        first = _stepped(_period_start(period.unit, today), period.unit, period.offset)
    if first is None:
        return (date.min, date.min) if getattr(period, "offset", 0) < 0 else (date.max, date.max)
    following = _stepped(first, period.unit, 1)
    return first, date.max if following is None else following - timedelta(days=1)


def _bounds(window: Window | None, now: int, zone: str) -> tuple[int | None, int | None]:
    """Inclusive bounds before clipping; they may lie outside the years 1 to 9999."""
    match window:
        case None:
            return None, None
        case WithinLast(duration):
            return _last_start(duration, now, zone), now
        case OlderThan(duration):
            return None, _last_start(duration, now, zone) - 1
        case WithinNext(duration):
            return _next_bounds(duration, now, zone)
        case Between(start, end):
            return _start_of(start, now, zone, relative_included=False), _end_of(end, now, zone)
        case Since(start):
            return _start_of(start, now, zone, relative_included=True), None
        case Before(end):
            first = _start_of(end, now, zone, relative_included=True)
            return None, None if first is None else first - 1
        case During(period):
            first_day, last_day = period_days(period, local_day(now, zone))
            return day_start(first_day, zone), day_end(last_day, zone)
        case Anniversary():
            raise ValueError("an anniversary has no span of instants")


def _last_start(duration: Duration, now: int, zone: str) -> int:
    """The first microsecond of `within_last`."""
    if not duration.calendar:
        return shifted(now, duration, -1, zone) + 1
    first = _calendar_day(duration, local_day(now, zone), -1)
    return MIN_US - 1 if first is None else day_start(first, zone)


def _next_bounds(duration: Duration, now: int, zone: str) -> tuple[int, int]:
    if not duration.calendar:
        return now + 1, shifted(now, duration, 1, zone)
    today = local_day(now, zone)
    last = _calendar_day(duration, today, 1)
    return day_start(today, zone), _BEYOND if last is None else day_end(last, zone)


def _calendar_day(duration: Duration, today: date, sign: int) -> date | None:
    """The outermost day of N calendar units that count from today's own; None beyond the calendar."""
    unit = duration.unit[:-1]
    first = _stepped(_period_start(unit, today), unit, sign * (duration.amount - 1))
    if first is None or sign < 0:
        return first
    following = _stepped(first, unit, 1)
    return None if following is None else following - timedelta(days=1)


def _period_start(unit: str, day: date) -> date:
    match unit:
        case "week":
            return day - timedelta(days=min(day.weekday(), (day - date.min).days))
        case "month":
            return day.replace(day=1)
        case "quarter":
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        case "year":
            return date(day.year, 1, 1)
        case _:
            return day


def _stepped(first: date, unit: str, steps: int) -> date | None:
    """The first day of the period so many periods later; None outside the years 1 to 9999."""
    months = {"month": 1, "quarter": 3, "year": 12}
    if unit in months:
        return shifted_day(first, steps * months[unit])
    ordinal = first.toordinal() + steps * (7 if unit == "week" else 1)
    return date.fromordinal(ordinal) if date.min.toordinal() <= ordinal <= date.max.toordinal() else None


def _start_of(point: TimePoint, now: int, zone: str, *, relative_included: bool) -> int | None:
    """The first microsecond at or after a bound; None for a trait."""
    match point:
        case TraitTime():
            return None
        case Instant(at):
            return to_us(at)
        case LocalTime(at):
            return instant_of(at, zone)
        case LocalDay(day):
            return day_start(day, zone)
        case RelativeDay(offset):
            day_then = _stepped(local_day(now, zone), "day", offset)
            return (_BEYOND if offset > 0 else MIN_US - 1) if day_then is None else day_start(day_then, zone)
        case RelativeTime(duration, sign):
            at_then = now if duration is None else shifted(now, duration, sign, zone)
            return at_then if relative_included else at_then + 1


def _end_of(point: TimePoint, now: int, zone: str) -> int | None:
    """The last microsecond up to a bound; None for a trait."""
    match point:
        case LocalDay(day):
            return day_end(day, zone)
        case RelativeDay(offset):
            day_then = _stepped(local_day(now, zone), "day", offset)
            return (_BEYOND if offset > 0 else MIN_US - 1) if day_then is None else day_end(day_then, zone)
        case _:
            return _start_of(point, now, zone, relative_included=True)


def _first_day_from(us: int, zone: str) -> date | None:
    """The earliest date that begins at or after an instant."""
    day = local_day(us, zone)
    # A day the zone skipped begins at the same instant as the next one, so look back before looking ahead.
    while day > date.min and day_start(day - timedelta(days=1), zone) >= us:
        day -= timedelta(days=1)
    while day_start(day, zone) < us:
        if day == date.max:
            return None
        day += timedelta(days=1)
    return day


def _last_day_until(us: int, zone: str) -> date | None:
    """The latest date that begins at or before an instant."""
    day = local_day(us, zone)
    # Clocks set back over midnight show the old day again although the new one has begun.
    while day < date.max and day_start(day + timedelta(days=1), zone) <= us:
        day += timedelta(days=1)
    while day_start(day, zone) > us:
        if day == date.min:
            return None
        day -= timedelta(days=1)
    return day


def _anniversary_window(duration: Duration, today: date, sign: int) -> list[date]:
    """The days of an anniversary's window; 366 of them hold every day of the year."""
    if duration.calendar or duration.unit == "days":
        last = _calendar_day(duration, today, sign)
    elif duration.unit == "weeks":
        last = _stepped(today, "day", sign * (duration.amount * 7 - 1))
    else:
        shift = duration.amount * (12 if duration.unit == "years" else 1)
        beyond = shifted_day(today, sign * shift)
        last = None if beyond is None else beyond - timedelta(days=sign)
    longest = 366 if last is None else min(366, abs((last - today).days) + 1)
    steps = (_stepped(today, "day", sign * step) for step in range(longest))
    return [day for day in steps if day is not None]


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
