"""Windows read off a minute-by-minute scan of the zone's clocks: slow, obvious, independent."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from segctl.model import times as t

US = timedelta(microseconds=1)
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}


def wall(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@lru_cache(maxsize=100_000)
def first_instant(clock: datetime, zone: str) -> datetime:
    """The first minute at which the zone's clocks show `clock` or later."""
    rest = timedelta(seconds=clock.second, microseconds=clock.microsecond)
    minute = clock - rest
    at = minute.replace(tzinfo=UTC) - timedelta(hours=28)
    while wall(at, zone) < minute:
        at += timedelta(minutes=1)
    return at + rest if wall(at, zone) == minute else at


def first_of_day(day: date, zone: str) -> datetime:
    return first_instant(datetime.combine(day, time()), zone)


def months_later(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 + months
    year, month = count // 12, count % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def moved(at: datetime, duration: t.Duration, sign: int, zone: str) -> datetime:
    if duration.unit in SECONDS:
        return at + sign * timedelta(seconds=duration.amount * SECONDS[duration.unit])
    clock = wall(at, zone)
    months = sign * duration.amount * (12 if duration.unit == "years" else 1)
    return first_instant(datetime.combine(months_later(clock.date(), months), clock.time()), zone)


def unit_key(day: date, unit: str) -> tuple[int, ...]:
    """Two days have the same key when they lie in the same calendar unit."""
    return {
        "day": (day.toordinal(),),
        "week": tuple(day.isocalendar())[:2],
        "month": (day.year, day.month),
        "quarter": (day.year, (day.month - 1) // 3),
        "year": (day.year,),
    }[unit]


def unit_days(today: date, unit: str, offset: int) -> tuple[date, date]:
    """First and last day of the calendar unit that many units from today's, found by walking day by day."""
    step, first = (1 if offset > 0 else -1), today
    for _ in range(abs(offset)):
        here = unit_key(first, unit)
        while unit_key(first, unit) == here:
            first += timedelta(days=step)
    while unit_key(first - timedelta(days=1), unit) == unit_key(first, unit):
        first -= timedelta(days=1)
    last = first
    while unit_key(last + timedelta(days=1), unit) == unit_key(last, unit):
        last += timedelta(days=1)
    return first, last


def is_inside(window: t.Window, value: datetime, as_of: datetime, zone: str) -> bool:
    today = wall(as_of, zone).date()
    match window:
        case t.WithinLast(t.Duration(amount, unit, True)):
            return first_of_day(unit_days(today, unit[:-1], 1 - amount)[0], zone) <= value <= as_of
        case t.WithinLast(duration):
            return moved(as_of, duration, -1, zone) < value <= as_of
        case t.OlderThan(duration):
            return value <= as_of and not is_inside(t.WithinLast(duration), value, as_of, zone)
        case t.WithinNext(t.Duration(amount, unit, True)):
            end = first_of_day(unit_days(today, unit[:-1], amount - 1)[1] + timedelta(days=1), zone)
            return first_of_day(today, zone) <= value < end
        case t.WithinNext(duration):
            return as_of < value <= moved(as_of, duration, 1, zone)
        case t.During(t.NamedPeriod(unit, first)):
            return in_days(value, *unit_days(first, unit, 0), zone)
        case t.During(t.RelativePeriod(unit, offset)):
            return in_days(value, *unit_days(today, unit, offset), zone)
        case t.Between(start, end):
            return after_start(start, value, as_of, zone) and before_end(end, value, as_of, zone)
        case t.Since(t.RelativeTime() as start):
            return value >= point(start, as_of, zone)
        case t.Since(start):
            return after_start(start, value, as_of, zone)
        case t.Before(end):
            return value < point(end, as_of, zone)
        case _:
            raise AssertionError(window)


def in_days(value: datetime, first: date, last: date, zone: str) -> bool:
    return first_of_day(first, zone) <= value < first_of_day(last + timedelta(days=1), zone)


def after_start(start: t.TimePoint, value: datetime, as_of: datetime, zone: str) -> bool:
    bound = point(start, as_of, zone)
    return value > bound if isinstance(start, t.RelativeTime) else value >= bound


def before_end(end: t.TimePoint, value: datetime, as_of: datetime, zone: str) -> bool:
    if isinstance(end, t.LocalDay | t.RelativeDay):
        day = end.day if isinstance(end, t.LocalDay) else wall(as_of, zone).date() + timedelta(days=end.offset)
        return value < first_of_day(day + timedelta(days=1), zone)
    return value <= point(end, as_of, zone)


def point(at: t.TimePoint, as_of: datetime, zone: str) -> datetime:
    match at:
        case t.Instant(moment):
            return moment
        case t.LocalTime(clock):
            return first_instant(clock, zone)
        case t.LocalDay(day):
            return first_of_day(day, zone)
        case t.RelativeDay(offset):
            return first_of_day(wall(as_of, zone).date() + timedelta(days=offset), zone)
        case t.RelativeTime(None, _):
            return as_of
        case t.RelativeTime(duration, sign):
            return moved(as_of, duration, sign, zone)
        case _:
            raise AssertionError(at)
