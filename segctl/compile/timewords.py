"""Durations, points in time and calendar periods from text, with the mended text for what is nearly right."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import cast, get_args

from segctl.compile import timehints
from segctl.compile.zones import MAX_US, MIN_US, day_end, day_start, from_us, instant_of, local_day, shifted, to_us
from segctl.model.dataclass import dataclass
from segctl.model.times import (
    EXACT_SECONDS,
    Duration,
    Instant,
    LocalDay,
    LocalTime,
    NamedPeriod,
    Period,
    RelativeDay,
    RelativePeriod,
    RelativeTime,
    TimePoint,
    Unit,
)

DAY_WORDS = {"yesterday": -1, "today": 0, "tomorrow": 1}
STEP_WORDS = {"previous": -1, "this": 0, "next": 1}
UNITS: tuple[str, ...] = get_args(Unit)
LONGEST_YEARS = 9998

_DURATION = re.compile(r"([0-9]+) +(calendar +)?([a-z]+)")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DATETIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?"
    r" ?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_PERIODS = {
    "week": re.compile(r"([0-9]{4})-W([0-9]{2})"),
    "quarter": re.compile(r"([0-9]{4})-Q([0-9])"),
    "month": re.compile(r"([0-9]{4})-([0-9]{2})"),
    "year": re.compile(r"([0-9]{4})()"),
}
_RELATIVE_PERIOD = re.compile(r"(previous|this|next) +(day|week|month|quarter|year)")

A_DURATION = "a duration is a whole number and a unit: `7 days`, `36 hours`, `3 months`, `7 calendar days`"
A_TIME = "a time is `2026-11-21`, `2026-11-21 14:30`, `2 hours ago`, `in 3 days`, `now`, `today`, `yesterday`"
A_PERIOD = "a period is `2026-W47`, `2025-11`, `2026-Q1`, `2025`, `2026-11-21`, `today`, `previous month`"


@dataclass(frozen=True, slots=True)
class Problem:
    """Text that cannot be read.

    Attributes:
        message: One sentence without a full stop, the user's text in backticks.
        hint: What to write instead.
        start: 0-based position in the text.
        length: Characters concerned, at least 1.
    """

    message: str
    hint: str | None = None
    start: int = 0
    length: int = 1


def parse_duration(text: str, *, minimum: int = 1) -> Duration | Problem:
    """A duration such as ``7 days``, ``3 months`` or ``2 calendar weeks``.

    Args:
        text: As written.
        minimum: Smallest amount allowed: 1 for windows, 0 in sequences.
    """
    cleaned = text.strip()
    found = _DURATION.fullmatch(cleaned)
    unit = _unit(found[3]) if found else None
    if found is None or unit is None:
        return _problem(text, "is not a duration", timehints.duration(cleaned), A_DURATION)
    amount, calendar = int(found[1][:20]), bool(found[2])
    if calendar and unit in ("seconds", "minutes", "hours"):
        return _problem(text, f"has no calendar form: {unit} are exact", f"{amount} {unit}", A_DURATION)
    if amount < minimum:
        return _problem(
            text, f"is too short; the least is {minimum}", str(Duration(minimum, cast("Unit", unit))), A_DURATION
        )
    if amount > _longest(unit):
        return _problem(text, f"is longer than {LONGEST_YEARS} years", None, A_DURATION)
    return Duration(amount, cast("Unit", unit), calendar)


def parse_time_point(text: str) -> TimePoint | Problem:
    """A date (a whole local day), a time with or without offset, or a relative word; never a trait."""
    cleaned = text.strip()
    if cleaned == "now":
        return RelativeTime(None)
    if cleaned in DAY_WORDS:
        return RelativeDay(DAY_WORDS[cleaned])
    if cleaned.endswith(" ago") or cleaned.startswith("in "):
        return _relative(text, cleaned)
    if _DATE.fullmatch(cleaned):
        day = _date(text, cleaned)
        return day if isinstance(day, Problem) else LocalDay(day)
    if _DATETIME.fullmatch(cleaned):
        return _datetime(text, cleaned)
    return _problem(text, "is not a time", timehints.time_point(cleaned), A_TIME)


def parse_period(text: str) -> Period | Problem:
    """A calendar period: ``2026-W47``, ``2025-11``, ``2026-Q1``, ``2025``, ``2026-11-21``, ``previous month``."""
    cleaned = text.strip()
    if cleaned in DAY_WORDS:
        return RelativePeriod("day", DAY_WORDS[cleaned])
    if _DATE.fullmatch(cleaned):
        day = _date(text, cleaned)
        return day if isinstance(day, Problem) else NamedPeriod("day", day)
    if relative := _RELATIVE_PERIOD.fullmatch(cleaned):
        return RelativePeriod(relative[2], STEP_WORDS[relative[1]])  # type: ignore[arg-type]  # the pattern has only these
    for unit, pattern in _PERIODS.items():
        if found := pattern.fullmatch(cleaned):
            return _named_period(text, unit, int(found[1]), int(found[2] or 1))
    return _problem(text, "is not a calendar period", timehints.period(cleaned), A_PERIOD)


def parse_as_of(text: str, now: datetime, zone: str, *, begins: bool = False) -> datetime | Problem:
    """The instant, in UTC, that ``--as-of`` names.

    Args:
        text: A time as in definitions; a DATE, ``today``, ``yesterday`` and ``tomorrow`` mean the last
            microsecond of that local day.
        now: Aware start of the run, for relative words.
        zone: The project's zone.
        begins: Something begins there, so such a day means its first instant.
    """
    point = parse_time_point(text)
    if isinstance(point, Problem):
        return point
    us = _as_of_us(point, to_us(now), zone, day_start if begins else day_end)
    if not MIN_US <= us <= MAX_US:
        return _problem(text, "lies outside the years 1 to 9999", None, A_TIME)
    return from_us(us)


def _as_of_us(point: TimePoint, now: int, zone: str, edge: Callable[[date, str], int]) -> int:
    match point:
        case Instant(at):
            return to_us(at)
        case LocalTime(at):
            return instant_of(at, zone)
        case LocalDay(day):
            return edge(day, zone)
        case RelativeDay(offset):
            return edge(local_day(now, zone) + timedelta(days=offset), zone)
        case RelativeTime(duration, sign):
            return now if duration is None else shifted(now, duration, sign, zone)
        case _:
            raise ValueError(f"{point!r} is known for a profile only")


def _relative(text: str, cleaned: str) -> RelativeTime | Problem:
    future = cleaned.startswith("in ")
    inner = cleaned[3:] if future else cleaned[:-4]
    duration = parse_duration(inner)
    if isinstance(duration, Problem):
        return _problem(text, "is not a time", timehints.time_point(cleaned), A_TIME)
    if duration.calendar:
        plain = str(Duration(duration.amount, duration.unit))
        said = f"in {plain}" if future else f"{plain} ago"
        return _problem(text, "mixes a calendar word with a relative time", said, A_TIME)
    return RelativeTime(duration, 1 if future else -1)


def _date(text: str, cleaned: str) -> date | Problem:
    try:
        return date.fromisoformat(cleaned)
    except ValueError:
        return _problem(text, "is not a day of the calendar", None, A_TIME)


def _datetime(text: str, cleaned: str) -> TimePoint | Problem:
    found = _DATETIME.fullmatch(cleaned)
    assert found is not None
    day, hour, minute, second, fraction, offset = found.groups()
    try:
        wall = datetime.fromisoformat(f"{day}T{hour}:{minute}:{second or '00'}.{(fraction or '').ljust(6, '0')}")
        if offset is None:
            return LocalTime(wall)
        aware = datetime.fromisoformat(f"{wall.isoformat()}{'+00:00' if offset == 'Z' else offset}")
        return Instant(aware.astimezone(UTC))
    except (ValueError, OverflowError):
        return _problem(text, "is not a time of the calendar", None, A_TIME)


def _named_period(text: str, unit: str, year: int, number: int) -> Period | Problem:
    try:
        match unit:
            case "week":
                return NamedPeriod("week", date.fromisocalendar(year, number, 1))
            case "quarter":
                return NamedPeriod("quarter", date(year, 3 * number - 2 if 1 <= number <= 4 else 0, 1))
            case "month":
                return NamedPeriod("month", date(year, number, 1))
            case _:
                return NamedPeriod("year", date(year, 1, 1))
    except ValueError:
        return _problem(text, f"names a {unit} that does not exist", None, A_PERIOD)


def _unit(word: str) -> str | None:
    plural = word if word.endswith("s") else f"{word}s"
    return plural if plural in UNITS else None


def _longest(unit: str) -> int:
    months = {"months": 12, "years": 1}
    if unit in months:
        return LONGEST_YEARS * months[unit]
    return LONGEST_YEARS * 365 * 86_400 // EXACT_SECONDS[unit]


def _problem(text: str, message: str, mended: str | None, otherwise: str) -> Problem:
    """A problem that covers the whole text, its hint the mended text if there is one."""
    start = len(text) - len(text.lstrip())
    hint = f"write `{mended}`" if mended else otherwise
    return Problem(f"`{_short(text.strip())}` {message}", hint, start, max(1, len(text.strip())))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
