"""Windows and durations changed in one place each, by one of the unit they are written in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from segctl.compile.zones import shifted_day
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
    RelativePeriod,
    RelativeTime,
    Since,
    TimePoint,
    Window,
    WithinLast,
    WithinNext,
)

_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def window_variants(window: Window, *, of_events: bool) -> Iterator[Window]:
    """The window with each change in turn: its bounds, and its operator turned round.

    Args:
        window: As written.
        of_events: Nothing lies ahead of as_of.
    """
    match window:
        case WithinLast(duration):
            yield from map(WithinLast, duration_variants(duration))
            yield OlderThan(duration)
        case OlderThan(duration):
            yield from map(OlderThan, duration_variants(duration))
            yield WithinLast(duration)
        case WithinNext(duration):
            yield from map(WithinNext, duration_variants(duration))
            yield WithinLast(duration)
        case Between(start, end):
            yield from (Between(other, end) for other in _points(start, of_events=of_events))
            yield from (Between(start, other) for other in _points(end, of_events=of_events))
        case Since(point):
            yield from map(Since, _points(point, of_events=of_events))
            yield Before(point)
        case Before(point):
            yield from map(Before, _points(point, of_events=of_events))
            yield Since(point)
        case During(period):
            yield from map(During, _periods(period))
        case Anniversary(duration, direction):
            yield from (Anniversary(other, direction) for other in _lengths(duration, 1))
            yield Anniversary(duration, "within_last" if direction == "within_next" else "within_next")


def duration_variants(duration: Duration, *, least: int = 1) -> Iterator[Duration]:
    """One unit less, one more, and exact instead of calendar units."""
    yield from _lengths(duration, least)
    if duration.calendar:
        yield replace(duration, calendar=False)


def _lengths(duration: Duration, least: int) -> Iterator[Duration]:
    for amount in (duration.amount - 1, duration.amount + 1):
        if amount >= least:
            yield replace(duration, amount=amount)


def _points(point: TimePoint, *, of_events: bool) -> Iterator[TimePoint]:
    match point:
        case RelativeTime(None, _):
            yield RelativeTime(Duration(1, "hours"))
        case RelativeTime(Duration() as duration, sign):
            yield from (RelativeTime(other, sign) for other in _lengths(duration, 1))
            if not of_events:
                yield RelativeTime(duration, -1 if sign == 1 else 1)
        case LocalDay(day):
            yield LocalDay(day - timedelta(days=1))
            yield LocalDay(day + timedelta(days=1))
        case RelativeDay(offset):
            yield from (RelativeDay(other) for other in (-1, 0, 1) if other != offset)
        case LocalTime(at) | Instant(at):
            yield replace(point, at=at - timedelta(minutes=1))
            yield replace(point, at=at + timedelta(minutes=1))


def _periods(period: Period) -> Iterator[Period]:
    if isinstance(period, RelativePeriod):
        yield from (replace(period, offset=other) for other in (-1, 0, 1) if other != period.offset)
        return
    for step in (-1, 1):
        yield from _beside(period, step)


def _beside(period: NamedPeriod, step: int) -> Iterator[Period]:
    if period.unit in _MONTHS:
        first = shifted_day(period.first_day, step * _MONTHS[period.unit])
        if first is not None:
            yield replace(period, first_day=first)
        return
    yield replace(period, first_day=period.first_day + timedelta(days=step * (7 if period.unit == "week" else 1)))
