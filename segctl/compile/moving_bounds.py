"""Bounds of windows that move as time goes on, and their course over the time ahead.

A moving bound is the first microsecond behind one side of a window, as a function of as_of: instants before it have
been passed. It grows all the time but for few places: a month back from the 31st is clipped, and clocks are set back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from segctl.compile.windows import span
from segctl.compile.zones import DAY, MAX_US, MIN_US, day_start, from_us, local_day, offsets
from segctl.model.dataclass import dataclass
from segctl.model.times import (
    EXACT_SECONDS,
    Between,
    Duration,
    During,
    Instant,
    OlderThan,
    RelativeDay,
    RelativePeriod,
    RelativeTime,
    Since,
    TimePoint,
    Window,
    WithinLast,
    WithinNext,
)
from segctl.model.times import Before as BeforeTime

BEYOND = 2**62
"""Stands for a bound behind the end of the calendar; minus that, before its beginning."""
MOST_DAYS = 400
"""So far ahead courses are followed; an instant that nothing passes until then is looked at again at their end."""
_DAYS = {"seconds": 1, "minutes": 1, "hours": 1, "days": 1, "weeks": 7, "months": 31, "years": 366}
_PERIOD_DAYS = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


@dataclass(frozen=True, slots=True)
class MovingBound:
    """One side of a window that moves with as_of.

    Attributes:
        half: A window with this side.
        side: Which one.
        is_even: It moves exactly as as_of does.
        days: Within about so many days it passes everything that the window holds.
    """

    half: Window
    side: Literal["lo", "hi"]
    is_even: bool
    days: int


@dataclass(frozen=True, slots=True)
class Course:
    """A bound over the time ahead, in pieces within which it stands still or moves evenly; equal lengths.

    Attributes:
        begins: First instant of each piece, ascending.
        first: The bound at the begin of each piece.
        last: The bound at the last microsecond of each.
        lag: How far behind as_of the bound is, at least.
        end: The instant behind the last piece.
    """

    begins: tuple[int, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]
    lag: tuple[int, ...]
    end: int


def moving_bounds(window: Window | None) -> tuple[MovingBound | None, MovingBound | None]:
    """The lower and the upper side of a window, None for what stands still; not of anniversaries."""
    match window:
        case WithinLast(length):
            return _of_length(OlderThan(length), "hi", length), _now()
        case OlderThan(length):
            return None, _of_length(window, "hi", length)
        case WithinNext(length):
            lower = MovingBound(Since(RelativeDay(0)), "lo", False, 2) if length.calendar else _now()
            return lower, _of_length(window, "hi", length)
        case Between(start, end):
            below = _of_point(start, Between(start, Instant(from_us(MAX_US))), "lo")
            return below, _of_point(end, Between(Instant(from_us(MIN_US)), end), "hi")
        case Since(start):
            return _of_point(start, window, "lo"), None
        case BeforeTime(end):
            return None, _of_point(end, window, "hi")
        case During(RelativePeriod(unit, offset)):
            days = _PERIOD_DAYS[unit] * (abs(offset) + 1)
            return MovingBound(window, "lo", False, days), MovingBound(window, "hi", False, days)
        case _:
            return None, None


def bound_at(bound: MovingBound, us: int, zone: str) -> int:
    """Where a bound is at an instant: what lies before has been passed."""
    inside = span(bound.half, from_us(us), zone)
    if inside.is_empty:
        return BEYOND if bound.side == "lo" else -BEYOND
    if bound.side == "lo":
        return -BEYOND if inside.lo is None else inside.lo
    return BEYOND if inside.hi is None else inside.hi + 1


def course(bound: MovingBound, now: int, zone: str) -> Course:
    """The course of a bound that does not move evenly; its first piece is the one that holds `now`."""
    return _course(bound, present_piece(now, zone), zone)


def falls_at(bound: MovingBound, now: int, zone: str) -> int | None:
    """When a bound goes back behind where it is now, None if it never does."""
    if bound.is_even:
        return None
    here, ahead = bound_at(bound, now, zone), course(bound, now, zone)
    found = (at for at, first in zip(ahead.begins, ahead.first, strict=True) if at > now and first < here)
    return next(found, None)


def present_piece(now: int, zone: str) -> int:
    """The last local midnight or clock change up to an instant."""
    return max(turns(now - 2 * DAY, now, zone), default=now - 2 * DAY)


def turns(start: int, end: int, zone: str) -> list[int]:
    """Local midnights and clock changes after `start`, up to `end`, ascending."""
    changes = {at for at, _ in offsets(zone, start, end)[1:]}
    return sorted(changes | set(_midnights(start, end, zone)))


def _midnights(start: int, end: int, zone: str) -> Iterator[int]:
    last = min(local_day(end, zone).toordinal() + 1, date.max.toordinal())
    for day in range(local_day(start, zone).toordinal(), last + 1):
        at = day_start(date.fromordinal(day), zone)
        if start < at <= end:
            yield at


@lru_cache(maxsize=1_024)
def _course(bound: MovingBound, start: int, zone: str) -> Course:
    end = min(start + (min(bound.days + 40, MOST_DAYS)) * DAY, MAX_US - DAY)
    days = [start, *turns(start, end, zone)]
    begins = [at for day, after in pairwise([*days, end]) for at in _steady(bound, day, after, zone)]
    ends = [*begins[1:], end]
    first = [bound_at(bound, at, zone) for at in begins]
    last = [max(bound_at(bound, at - 1, zone), low) for at, low in zip(ends, first, strict=True)]
    lag = [min(at - low, end - 1 - high) for at, end, low, high in zip(begins, ends, first, last, strict=True)]
    return Course(tuple(begins), tuple(first), tuple(last), tuple(lag), end)


def _steady(bound: MovingBound, start: int, end: int, zone: str) -> Iterator[int]:
    """Begins of stretches in which a bound stands still, or moves evenly: clocks may have changed where it is now."""
    while start < end:
        yield start
        here = bound_at(bound, start, zone)
        is_still = bound_at(bound, min(start + 1, end - 1), zone) == here

        def goes_on(at: int, start: int = start, here: int = here, is_still: bool = is_still) -> bool:
            return bound_at(bound, at, zone) - here == (0 if is_still else at - start)

        if goes_on(end - 1):
            return
        low, high = start, end - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if goes_on(middle) else (low, middle)
        start = high


def _now() -> MovingBound:
    return MovingBound(Between(Instant(from_us(MIN_US)), RelativeTime(None)), "hi", True, 1)


def _of_length(half: Window, side: Literal["lo", "hi"], length: Duration) -> MovingBound:
    is_even = length.unit in EXACT_SECONDS and not length.calendar
    return MovingBound(half, side, is_even, length.amount * _DAYS[length.unit])


def _of_point(point: TimePoint, half: Window, side: Literal["lo", "hi"]) -> MovingBound | None:
    match point:
        case RelativeTime(None, _):
            return MovingBound(half, side, True, 1)
        case RelativeTime(length, _) if length is not None:
            return _of_length(half, side, length)
        case RelativeDay(offset):
            return MovingBound(half, side, False, abs(offset) + 1)
        case _:
            return None
