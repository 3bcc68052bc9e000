"""Instants of workflows: when quiet hours end, the next time of day, when a schedule is due."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from segctl.compile.zones import EPOCH, MICROSECOND, SECOND, instant_of, local_day, offset_at, wall_clock
from segctl.model.workflows import Quiet, Trigger

_DAY = timedelta(days=1)
_MOST_DAYS = 400
"""Days that are looked through for the next one that fits."""


def is_quiet(quiet: Quiet, us: int, zone: str) -> bool:
    """Whether an instant lies in quiet hours by the clocks of a zone."""
    wall = wall_clock(us, zone)
    return wall.isoweekday() in quiet.days or _in_hours(quiet, wall.time())


def _in_hours(quiet: Quiet, at: time) -> bool:
    if quiet.begin is None or quiet.end is None:
        return False
    if quiet.begin < quiet.end:
        return quiet.begin <= at < quiet.end
    return at >= quiet.begin or at < quiet.end


def quiet_until(quiet: Quiet | None, us: int, zone: str) -> int:
    """The first instant from `us` on that is not quiet, in microseconds since 1970."""
    now = us
    while quiet is not None and is_quiet(quiet, now, zone):
        wall = wall_clock(now, zone)
        if wall.isoweekday() in quiet.days:
            end = datetime.combine(wall.date() + _DAY, time())
        else:
            assert quiet.end is not None
            day = wall.date() if wall.time() < quiet.end else wall.date() + _DAY
            end = datetime.combine(day, quiet.end)
        now = _when_clocks_show(end, now, zone)
    return now


def _when_clocks_show(wall: datetime, after: int, zone: str) -> int:
    """The first instant after another at which clocks show a time, or a later one where they skip it."""
    # Clocks that are set back show an hour twice: the second time lies ahead while the first is over.
    naive = (wall - EPOCH) // MICROSECOND
    straight = naive - offset_at(after, zone) * SECOND
    if straight > after and wall_clock(straight, zone) == wall:
        return straight
    found = instant_of(wall, zone)
    if found > after:
        return found
    return naive - offset_at(found + 3 * 3600 * SECOND, zone) * SECOND


def next_clock(at: time, days: tuple[int, ...], us: int, zone: str) -> int:
    """The first instant from `us` on at which clocks show a time of day, on one of some days of the week."""
    first = local_day(us, zone)
    for number in range(_MOST_DAYS):
        day = first + number * _DAY
        found = instant_of(datetime.combine(day, at), zone)
        if found >= us and (not days or day.isoweekday() in days):
            return found
    raise AssertionError("a week has every day")


def occurrences(trigger: Trigger, after: int, until: int, zone: str) -> Iterator[int]:
    """Instants of a schedule later than one and not later than another, in order."""
    assert trigger.at is not None
    day, last = local_day(after, zone) - _DAY, local_day(until, zone)
    while day <= last:
        if _fits(trigger, day):
            found = instant_of(datetime.combine(day, trigger.at), zone)
            if after < found <= until:
                yield found
        day += _DAY


def _fits(trigger: Trigger, day: date) -> bool:
    if trigger.period == "week":
        return day.isoweekday() == trigger.day
    if trigger.period == "month":
        is_last = (day + _DAY).month != day.month
        return day.day == trigger.day or (is_last and day.day < (trigger.day or 0))
    return True
