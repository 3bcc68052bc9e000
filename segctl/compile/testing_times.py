"""Times in tests: the language's words, a day for its first instant, and `+` or `-` a duration behind them."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache

from segctl.compile.timewords import Problem, parse_as_of, parse_duration, parse_time_point
from segctl.compile.zones import MAX_US, MIN_US, day_start, from_us, instant_of, local_day, shifted, to_us
from segctl.model.times import Instant, LocalDay, LocalTime, RelativeDay, RelativeTime, TimePoint

DEFAULT_AS_OF = "2026-06-17 12:00"
"""A Wednesday: away from month ends and clock changes, so that relative times mean what they seem to."""
_SUM = re.compile(r"(?P<point>.+?) (?P<sign>[+-]) (?P<length>[0-9]+ +[a-z ]+)")


@lru_cache(maxsize=65_536)
def given_instant(text: str, as_of: datetime, zone: str) -> int | Problem:
    """The instant a text names, in microseconds since 1970.

    Args:
        text: Such as ``3 days ago``, ``2026-03-29 02:30``, ``90 days ago + 1 second`` or ``today + 8 hours``.
        as_of: The case's instant, aware.
        zone: The project's zone.
    """
    found = _SUM.fullmatch(text.strip())
    point = parse_time_point(found["point"] if found else text)
    if isinstance(point, Problem):
        return point
    us = _us(point, to_us(as_of), zone)
    if found:
        length = parse_duration(found["length"])
        if isinstance(length, Problem):
            return length
        us = shifted(us, length, 1 if found["sign"] == "+" else -1, zone)
    if not MIN_US <= us <= MAX_US:
        return Problem(f"`{text}` lies outside the years 1 to 9999")
    return us


def given_day(text: str, as_of: datetime, zone: str) -> date | Problem:
    """The local day a text names: a date, or the day of an instant."""
    us = given_instant(text, as_of, zone)
    return us if isinstance(us, Problem) else local_day(us, zone)


def fixed_as_of(text: str, zone: str) -> datetime | Problem:
    """The instant of a test; a date is its end, as with `--as-of`. Words that need a clock are refused."""
    point = parse_time_point(text)
    if isinstance(point, Problem):
        return point
    if isinstance(point, RelativeTime | RelativeDay):
        return Problem(f"`{text.strip()}` is another time every day", "write a date, such as `2026-06-17 12:00`")
    return parse_as_of(text, from_us(0), zone)


def _us(point: TimePoint, now: int, zone: str) -> int:
    match point:
        case Instant(at):
            return to_us(at)
        case LocalTime(at):
            return instant_of(at, zone)
        case LocalDay(day):
            return day_start(day, zone)
        case RelativeDay(offset):
            return day_start(local_day(now, zone) + timedelta(days=offset), zone)
        case RelativeTime(duration, sign):
            return now if duration is None else shifted(now, duration, sign, zone)
        case _:
            raise ValueError(f"{point!r} is known for a profile only")
