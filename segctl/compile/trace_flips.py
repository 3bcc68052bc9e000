"""When one instant enters or leaves one window as `as_of` moves on.

A window is one or two bounds that move with `as_of`. A bound passes a given instant near a place that is
known up to the calendar's irregularities, and moves one way only while neither the zone's clocks change nor a
day begins; so a bisection between these turns finds the exact microsecond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from segctl.compile.moving_bounds import turns
from segctl.compile.windows import anniversary_days, span
from segctl.compile.zones import DAY, MAX_US, day_start, from_us, local_day
from segctl.model.dataclass import dataclass
from segctl.model.times import (
    EXACT_SECONDS,
    Anniversary,
    Before,
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

FOREVER = 2**63 - 1
_SPREAD = 5 * DAY
_LENGTH = {"days": DAY, "weeks": 7 * DAY, "months": 2_629_746 * 1_000_000, "years": 31_556_952 * 1_000_000}
_PERIOD = {
    "day": DAY,
    "week": 7 * DAY,
    "month": _LENGTH["months"],
    "quarter": 3 * _LENGTH["months"],
    "year": _LENGTH["years"],
}


@dataclass(frozen=True, slots=True)
class _Bound:
    """One side of a window: a half-open window whose truth flips once, within `slack` of ``at + shift``."""

    window: Window
    shift: int
    slack: int


def next_flip(window: Window | None, at: int, now: int, zone: str) -> int:
    """The first instant after `now` at which a time may enter or leave a window, `FOREVER` if none comes.

    Args:
        window: Bounds that are traits are taken as fixed.
        at: The time, in microseconds.
        now: The as_of from which on to look.
        zone: The project's zone.
    """
    if isinstance(window, Anniversary):
        return _next_anniversary(window, at, now, zone)
    crossed = at if at > now and isinstance(window, WithinLast | WithinNext) else FOREVER
    return min((crossed, *(_crossing(bound, at, now, zone) for bound in _bounds(window))))


def _bounds(window: Window | None) -> Iterator[_Bound]:
    """The sides of a window that move with as_of, but for as_of itself."""
    match window:
        case WithinLast(length) | OlderThan(length):
            yield _Bound(OlderThan(length), *_distance(length, -1))
        case WithinNext(length):
            if length.calendar:
                yield _Bound(Since(RelativeDay(0)), 0, _SPREAD)
            yield _Bound(window, *_distance(length, 1))
        case Between(start, end):
            yield from _moving(start, Between(start, Instant(from_us(MAX_US))))
            yield from _moving(end, Between(Instant(from_us(0)), end))
        case Since(start):
            yield from _moving(start, window)
        case Before(end):
            yield from _moving(end, window)
        case During(RelativePeriod(unit, offset)):
            yield _Bound(window, -offset * _PERIOD[unit], _PERIOD[unit] + _SPREAD)
        case _:
            return


def _moving(point: TimePoint, half: Window) -> Iterator[_Bound]:
    match point:
        case RelativeTime(None, _):
            yield _Bound(half, 0, DAY)
        case RelativeTime(length, sign) if length is not None:
            yield _Bound(half, *_distance(length, sign))
        case RelativeDay(offset):
            yield _Bound(half, -offset * DAY, _SPREAD)
        case _:
            return


def _distance(length: Duration, sign: int) -> tuple[int, int]:
    """How far behind the tested time as_of is when the bound passes it, and how exactly that is known."""
    if length.unit in EXACT_SECONDS and not length.calendar:
        return -sign * length.amount * EXACT_SECONDS[length.unit] * 1_000_000, 1_000_000
    unit = _LENGTH[length.unit]
    return -sign * length.amount * unit, (unit if length.calendar else 0) + _SPREAD


def _crossing(bound: _Bound, at: int, now: int, zone: str) -> int:
    """The first instant after `now` at which a bound passes a time."""
    first, last = at + bound.shift - bound.slack, at + bound.shift + bound.slack
    if last <= now or first > MAX_US:
        return FOREVER
    start, end = max(first, now), min(last, MAX_US - DAY)
    sides = _sides(bound.window, at, zone)
    return min((_first_change(side, now, start, end, zone) for side in sides), default=FOREVER)


def _sides(window: Window, at: int, zone: str) -> tuple[Callable[[int], bool], ...]:
    """Whether a time is past the lower and before the upper bound, as a function of as_of."""

    def above(us: int) -> bool:
        lo = span(window, from_us(us), zone).lo
        return lo is None or lo <= at

    def below(us: int) -> bool:
        hi = span(window, from_us(us), zone).hi
        return hi is None or at <= hi

    return above, below


def _first_change(holds: Callable[[int], bool], now: int, start: int, end: int, zone: str) -> int:
    """The first instant after `now` at which a truth differs from the one at `now`."""
    before = holds(now)
    if start > now and holds(start) != before:
        # The estimate of where to look was too narrow: the earliest instant is still a sound answer.
        return now + 1
    low = start
    for turn in (*turns(start, end, zone), end):
        if turn > low and holds(turn - 1) != before:
            return _bisect(holds, before, low, turn - 1)
        if holds(turn) != before:
            return turn
        low = turn
    return FOREVER


def _bisect(holds: Callable[[int], bool], before: bool, low: int, high: int) -> int:
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle) == before:
            low = middle
        else:
            high = middle
    return high


def _next_anniversary(window: Anniversary, at: int, now: int, zone: str) -> int:
    """The next local midnight (or clock change) at which an anniversary's answer differs."""
    day = local_day(at, zone)
    before = _has_anniversary(window, day, now, zone)
    today = local_day(now, zone)
    for ahead in range(1, 3_000):
        start = day_start(date.fromordinal(min(today.toordinal() + ahead, date.max.toordinal())), zone)
        if start > now and _has_anniversary(window, day, start, zone) != before:
            return start
    return FOREVER


def _has_anniversary(window: Anniversary, day: date, us: int, zone: str) -> bool:
    return (day.month, day.day) in anniversary_days(window, from_us(us), zone)
