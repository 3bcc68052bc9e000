"""Ends of windows as cuts of the time line, ordered as far as they can be for every `as_of`.

A time is at or after a cut or before it, so a window is one cut, or two. Cuts move with `as_of`, stand still, or follow
the calendar of the project's zone; two of them have an order only where it is the same at every instant.
"""

from __future__ import annotations

from functools import lru_cache

from segctl.compile import zones
from segctl.model.dataclass import dataclass
from segctl.model.times import (
    EXACT_SECONDS,
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

_DAY = 86_400_000_000
_SLACK = 26 * 3_600_000_000
"""Clock changes move a local midnight by hours, and a zone that changes sides of the date line by a day."""

_LENGTHS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
_PERIODS = {"day": 0, "week": 1, "month": 1, "quarter": 2, "year": 3}
_AVERAGE = {"day": 1.0, "week": 7.0, "month": 30.436875, "quarter": 91.310625, "year": 365.2425}
_WANDER = {"day": 0, "week": 0, "month": 5, "quarter": 5, "year": 5}
"""Days by which so many periods can differ from their average length."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Everything at or after one moment.

    Attributes:
        base: ``instant``; ``now``, moved by microseconds; ``months``, `as_of` moved by calendar months; or a
            calendar unit: the start of the local period so many after the current one.
        steps: Microseconds since 1970, microseconds, months, or periods.
        plus: Microseconds added afterwards.
    """

    base: str
    steps: int
    plus: int = 0


NOW_END = Cut("now", 0, 1)
"""What lies after `as_of`."""
Ends = tuple[Cut | None, Cut | None]
"""From the first cut on, before the second; None is open."""


@lru_cache(maxsize=4096)
def ends(window: Window | None, zone: str) -> Ends | None:
    """A window as two cuts; None for windows that traits bound and for anniversaries."""
    match window:
        case None:
            return None, None
        case WithinLast(length):
            return _back(length), NOW_END
        case OlderThan(length):
            return None, _back(length)
        case WithinNext(length) if length.calendar:
            return Cut("day", 0), Cut(_unit(length), length.amount)
        case WithinNext(length):
            return NOW_END, _later(_moved(length, 1), 1)
        case Between(start, end):
            if isinstance(start, TraitTime) or isinstance(end, TraitTime):
                return None
            return _start(start, zone, 1 if isinstance(start, RelativeTime) else 0), _end(end, zone)
        case Since(point) if not isinstance(point, TraitTime):
            return _start(point, zone, 0), None
        case Before(point) if not isinstance(point, TraitTime):
            return None, _start(point, zone, 0)
        case During(period):
            return _period(period, zone)
    return None


def event_ends(window: Window | None, zone: str) -> Ends | None:
    """The same for events, which never lie after `as_of`."""
    found = ends(window, zone)
    if found is None:
        return None
    start, end = found
    return start, NOW_END if end is None or is_at_or_before(NOW_END, end) else end


def is_within(inner: Ends, outer: Ends) -> bool:
    """True when every time in the inner window certainly lies in the outer one."""
    start = outer[0] is None or (inner[0] is not None and is_at_or_before(outer[0], inner[0]))
    return start and (outer[1] is None or (inner[1] is not None and is_at_or_before(inner[1], outer[1])))


def is_empty(window: Ends) -> bool:
    """True when certainly no time lies inside."""
    start, end = window
    return start is not None and end is not None and is_at_or_before(end, start)


@lru_cache(maxsize=65536)
def is_at_or_before(one: Cut, other: Cut, today: int | None = None) -> bool:
    """True when the first cut certainly comes no later than the second, at every `as_of`.

    Args:
        one: A cut.
        other: Another.
        today: Microseconds since 1970 before which no `as_of` is asked for; None asks for all.
    """
    if one.base == other.base:
        if one.base in ("instant", "now"):
            return one.steps + one.plus <= other.steps + other.plus
        return one.plus <= other.plus if one.steps <= other.steps else False
    if other.base == "instant":
        return False
    if one.base == "instant":
        # `as_of` only moves on, and every other cut with it.
        return today is not None and one.steps + one.plus <= today + _reach(other)[0]
    return _reach(one)[1] <= _reach(other)[0] or _is_nested(one, other)


def _is_nested(one: Cut, other: Cut) -> bool:
    """The start of this year is never after that of this month, nor that after now, nor now after the next month."""
    if one.base in _PERIODS and other.base in _PERIODS:
        is_inside = _PERIODS[one.base] > _PERIODS[other.base] and {one.base, other.base} not in _CROSSING
        return is_inside and one.steps <= 0 <= other.steps and one.plus <= other.plus
    if one.base in _PERIODS and other.base == "now":
        return one.steps <= 0 and one.plus <= other.steps + other.plus
    if one.base == "now" and other.base in _PERIODS:
        return other.steps >= 1 and one.steps + one.plus - 1 <= other.plus
    return False


_CROSSING = ({"week", "quarter"}, {"week", "year"})
"""Weeks go over the ends of quarters and years."""


@lru_cache(maxsize=4096)
def _reach(cut: Cut) -> tuple[int, int]:
    """Between how many microseconds after `as_of` a cut always lies."""
    if cut.base == "now":
        return cut.steps + cut.plus, cut.steps + cut.plus
    unit = "month" if cut.base == "months" else cut.base
    days = cut.steps * _AVERAGE[unit]
    wander = min(_WANDER[unit], abs(cut.steps) * 2) if cut.steps else 0
    back = 0 if cut.base == "months" else _LENGTHS[unit]
    return (
        int((days - wander - back) * _DAY) - _SLACK + cut.plus,
        int((days + wander) * _DAY) + _SLACK + cut.plus,
    )


def span_us(window: Ends) -> int | None:
    """The longest a window can be, in microseconds; None when open or when the ends follow different clocks."""
    start, end = window
    if start is None or end is None:
        return None
    if start.base == "instant" or end.base == "instant":
        is_fixed = start.base == end.base
        return end.steps + end.plus - start.steps - start.plus if is_fixed else None
    return _reach(end)[1] - _reach(start)[0]


# --- Ends of windows ---------------------------------------------------------------------------------------
def _unit(length: Duration) -> str:
    return length.unit[:-1]


def _moved(length: Duration, sign: int) -> Cut:
    seconds = EXACT_SECONDS.get(length.unit)
    if seconds is not None:
        return Cut("now", sign * length.amount * seconds * zones.SECOND)
    return Cut("months", sign * length.amount * (12 if length.unit == "years" else 1))


def _later(cut: Cut, by: int) -> Cut:
    return Cut(cut.base, cut.steps, cut.plus + by)


def _back(length: Duration) -> Cut:
    """Where `within_last` begins and `older_than` ends."""
    return Cut(_unit(length), 1 - length.amount) if length.calendar else _later(_moved(length, -1), 1)


def _start(point: TimePoint, zone: str, plus: int) -> Cut | None:
    match point:
        case Instant(at):
            return Cut("instant", zones.to_us(at))
        case LocalTime(at):
            return Cut("instant", zones.instant_of(at, zone))
        case LocalDay(day):
            return Cut("instant", zones.day_start(day, zone))
        case RelativeDay(offset):
            return Cut("day", offset)
        case RelativeTime(None, _):
            return Cut("now", 0, plus)
        case RelativeTime(length, sign) if length is not None:
            return _later(_moved(length, sign), plus)
    raise TypeError(point)


def _end(point: TimePoint, zone: str) -> Cut | None:
    """The first moment that is no longer inside: an end is included, a day as a whole."""
    match point:
        case LocalDay(day):
            return Cut("instant", zones.day_end(day, zone) + 1)
        case RelativeDay(offset):
            return Cut("day", offset + 1)
    return _start(point, zone, 1) if isinstance(point, RelativeTime) else _plus_one(_start(point, zone, 0))


def _plus_one(cut: Cut | None) -> Cut | None:
    return None if cut is None else _later(cut, 1)


def _period(period: Period, zone: str) -> Ends:
    if not isinstance(period, NamedPeriod):
        return Cut(period.unit, period.offset), Cut(period.unit, period.offset + 1)
    from segctl.compile.windows import period_days  # loaded by whoever evaluates; few definitions name a period

    first, last = period_days(period, period.first_day)
    return Cut("instant", zones.day_start(first, zone)), Cut("instant", zones.day_end(last, zone) + 1)
