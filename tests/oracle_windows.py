"""Windows, calendar words and zones, one sentence of the language per function; no speed, no sharing.

Written from the language's text, not from `segctl/compile/windows.py`, which it judges.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from segctl.model import times

MICROSECOND = timedelta(microseconds=1)
SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}
Moment = datetime | date


def instant_of(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a wall-clock time: of two the first; one that does not exist is the first after the gap."""
    early, late = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early.astimezone(zone).replace(tzinfo=None) == local:
        return early
    # In a gap the reading with the new offset lies before the jump, the one with the old offset after it.
    before, after = min(early, late), max(early, late)
    while after - before > MICROSECOND:
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == before.astimezone(zone).utcoffset():
            before = middle
        else:
            after = middle
    return after


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """Where a local day begins."""
    return instant_of(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001 - wall clock is meant


def last_instant(day: date, zone: ZoneInfo) -> datetime:
    """The last microsecond of a local day."""
    return first_instant(day + timedelta(days=1), zone) - MICROSECOND


def local_day(moment: Moment, zone: ZoneInfo) -> date:
    """The local calendar day of an instant; a date is its own."""
    return moment.astimezone(zone).date() if isinstance(moment, datetime) else moment


def plus_months(year: int, month: int, months: int) -> tuple[int, int]:
    """Year and month, so many months later (or earlier)."""
    count = year * 12 + (month - 1) + months
    return count // 12, count % 12 + 1


def days_in_month(year: int, month: int) -> int:
    """28 to 31."""
    next_year, next_month = plus_months(year, month, 1)
    return (date(next_year, next_month, 1) - timedelta(days=1)).day


def shifted(moment: datetime, length: times.Duration, sign: int, zone: ZoneInfo) -> datetime:
    """`moment` plus or minus a length; months and years by the local calendar, clipped to the month's end."""
    if length.unit in SECONDS:
        return moment + sign * timedelta(seconds=length.amount * SECONDS[length.unit])
    months = sign * length.amount * (12 if length.unit == "years" else 1)
    local = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    year, month = plus_months(local.year, local.month, months)
    return instant_of(local.replace(year=year, month=month, day=min(local.day, days_in_month(year, month))), zone)


def first_day_of(unit: str, day: date) -> date:
    """First day of the local day, week (Monday), month, quarter or year that holds `day`."""
    match unit.rstrip("s"):
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        case "year":
            return date(day.year, 1, 1)
    raise ValueError(unit)


def periods_later(unit: str, first: date, count: int) -> date:
    """First day of the period `count` periods after the one that begins on `first`."""
    match unit.rstrip("s"):
        case "day":
            return first + timedelta(days=count)
        case "week":
            return first + timedelta(weeks=count)
    months = {"month": 1, "quarter": 3, "year": 12}[unit.rstrip("s")] * count
    return date(*plus_months(first.year, first.month, months), 1)


class Clock:
    """The instant of the evaluation, the project's zone, and the profile's times that bounds may name.

    Args:
        as_of: Aware.
        zone: Zone of the project.
        trait: Value of a time or date trait of the profile, None when missing.
    """

    def __init__(self, as_of: datetime, zone: ZoneInfo, trait: Callable[[str], object] = lambda _: None) -> None:
        self.as_of, self.zone, self.trait = as_of.astimezone(UTC), zone, trait
        self.today = local_day(self.as_of, zone)

    def instant(self, moment: Moment) -> datetime:
        """An instant; a date stands for its first local instant."""
        return moment if isinstance(moment, datetime) else first_instant(moment, self.zone)

    def point(self, point: times.TimePoint) -> Moment | None:
        """What a point names: an instant, or a whole local day; None when it is a missing trait."""
        match point:
            case times.Instant(at):
                return at.astimezone(UTC)
            case times.LocalTime(at):
                return instant_of(at, self.zone)
            case times.LocalDay(day):
                return day
            case times.RelativeDay(offset):
                return self.today + timedelta(days=offset)
            case times.RelativeTime(None, _):
                return self.as_of
            case times.RelativeTime(length, sign):
                assert length is not None
                return shifted(self.as_of, length, sign, self.zone)
            case times.TraitTime(trait):
                value = self.trait(trait)
                assert value is None or isinstance(value, date)
                return value
        raise TypeError(point)

    def calendar_start(self, length: times.Duration) -> datetime:
        """First instant of `7 calendar days` and the like: today, this week, … is the last of them."""
        this = first_day_of(length.unit, self.today)
        return first_instant(periods_later(length.unit, this, 1 - length.amount), self.zone)

    def calendar_end(self, length: times.Duration) -> datetime:
        """Last instant of the next so many calendar periods: today, this week, … is the first of them."""
        this = first_day_of(length.unit, self.today)
        return first_instant(periods_later(length.unit, this, length.amount), self.zone) - MICROSECOND

    def holds(self, window: times.Window, moment: Moment) -> bool | None:
        """Whether a time lies in a window; None (unknown) when a trait that bounds it is missing and could decide."""
        at = self.instant(moment)
        match window:
            case times.WithinLast(length) if length.calendar:
                return self.calendar_start(length) <= at <= self.as_of
            case times.WithinLast(length):
                return shifted(self.as_of, length, -1, self.zone) < at <= self.as_of
            case times.OlderThan(length) if length.calendar:
                return at < self.calendar_start(length)
            case times.OlderThan(length):
                return at <= shifted(self.as_of, length, -1, self.zone)
            case times.WithinNext(length) if length.calendar:
                return first_instant(self.today, self.zone) <= at <= self.calendar_end(length)
            case times.WithinNext(length):
                return self.as_of < at <= shifted(self.as_of, length, 1, self.zone)
            case times.Between(start, end):
                return kleene_and(self.after_start(start, at), self.up_to_end(end, at))
            case times.Since(start):
                point = self.point(start)
                return None if point is None else self.instant(point) <= at
            case times.Before(end):
                point = self.point(end)
                return None if point is None else at < self.instant(point)
            case times.During(period):
                return self.in_period(period, at)
            case times.Anniversary(length, direction):
                return self.anniversary(length, direction, local_day(moment, self.zone))
        raise TypeError(window)

    def after_start(self, start: times.TimePoint, at: datetime) -> bool | None:
        """Start of `between`: relative times are excluded, all others included."""
        point = self.point(start)
        if point is None:
            return None
        return self.instant(point) < at if isinstance(start, times.RelativeTime) else self.instant(point) <= at

    def up_to_end(self, end: times.TimePoint, at: datetime) -> bool | None:
        """End of `between`: included; a day as a whole."""
        point = self.point(end)
        if point is None:
            return None
        return at <= (point if isinstance(point, datetime) else last_instant(point, self.zone))

    def in_period(self, period: times.Period, at: datetime) -> bool:
        """Inside a whole calendar period."""
        if isinstance(period, times.NamedPeriod):
            first = first_day_of(period.unit, period.first_day)
        else:
            first = periods_later(period.unit, first_day_of(period.unit, self.today), period.offset)
        after = periods_later(period.unit, first, 1)
        return first_instant(first, self.zone) <= at < first_instant(after, self.zone)

    def anniversary(self, length: times.Duration, direction: str, born: date) -> bool:
        """The day comes back within the next (last) days; today counts, 29 February is 28 in common years."""
        days = length.amount * (7 if length.unit == "weeks" else 1)
        step = 1 if direction == "within_next" else -1
        return any(
            anniversary_in(born, day.year) == day
            for day in (self.today + timedelta(days=step * n) for n in range(min(days, 367)))
        )


def anniversary_in(born: date, year: int) -> date:
    """The anniversary in a year."""
    return date(year, born.month, min(born.day, days_in_month(year, born.month)))


def kleene_and(*answers: bool | None) -> bool | None:
    """False if one is false, else unknown if one is unknown, else true."""
    return False if False in answers else None if None in answers else True


def kleene_not(answer: bool | None) -> bool | None:
    """Not of unknown is unknown."""
    return None if answer is None else not answer


def kleene_or(*answers: bool | None) -> bool | None:
    """True if one is true, else unknown if one is unknown, else false."""
    return True if True in answers else None if None in answers else False
