"""Local days and wall-clock times of an IANA zone as instants, in whole microseconds since 1970 (UTC).

A wall-clock time that a clock change skips stands for the first instant after the gap; one that occurs
twice stands for its first occurrence.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from segctl.model.times import EXACT_SECONDS, Duration

SECOND = 1_000_000
DAY = 86_400 * SECOND
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall clock and UTC share this arithmetic
EPOCH_DAY = EPOCH.toordinal()
MICROSECOND = timedelta(microseconds=1)
MIN_US = (datetime(1, 1, 1) - EPOCH) // MICROSECOND  # noqa: DTZ001 - as above
MAX_US = (datetime(9999, 12, 31, 23, 59, 59, 999_999) - EPOCH) // MICROSECOND  # noqa: DTZ001 - as above


def to_us(at: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    offset = at.utcoffset()
    if offset is None:
        raise ValueError(f"{at!r} has no zone")
    return (at.replace(tzinfo=None) - EPOCH - offset) // MICROSECOND


def from_us(us: int) -> datetime:
    """The instant as an aware datetime in UTC; values beyond the years 1 to 9999 stop at their ends."""
    return (EPOCH + timedelta(microseconds=min(max(us, MIN_US), MAX_US))).replace(tzinfo=UTC)


def offset_at(us: int, zone: str) -> int:
    """Seconds that the zone's clocks are ahead of UTC at an instant."""
    # Converting overflows in the first and the last day of the calendar; the offset there is that of the day beside.
    inside = min(max(us, MIN_US + DAY), MAX_US - DAY)
    return _seconds(from_us(inside).astimezone(ZoneInfo(zone)).utcoffset())


def wall_clock(us: int, zone: str) -> datetime:
    """What the zone's clocks show at an instant, without zone."""
    return from_us(us + offset_at(us, zone) * SECOND).replace(tzinfo=None)


def local_day(us: int, zone: str) -> date:
    """The local day an instant lies in."""
    return wall_clock(us, zone).date()


def instant_of(wall: datetime, zone: str) -> int:
    """The instant of a wall-clock time without zone; see the module for skipped and doubled ones."""
    here = wall.replace(tzinfo=ZoneInfo(zone), fold=0)
    earlier, later = _seconds(here.utcoffset()), _seconds(here.replace(fold=1).utcoffset())
    naive = (wall - EPOCH) // MICROSECOND
    if later <= earlier:
        return naive - earlier * SECOND
    return _first_with_offset(naive - later * SECOND, naive - earlier * SECOND, later, zone)


@lru_cache(maxsize=65_536)
def day_start(day: date, zone: str) -> int:
    """The first instant of a local day."""
    return instant_of(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001 - a wall clock


def day_end(day: date, zone: str) -> int:
    """The last microsecond of a local day; before its start for a day the zone skipped."""
    if day == date.max:
        return day_start(day, zone) + DAY - 1
    return day_start(day + timedelta(days=1), zone) - 1


def shifted(us: int, duration: Duration, sign: int, zone: str) -> int:
    """The instant `duration` after (sign 1) or before (−1) another; months and years on the local clock.

    The day is clipped to the month's end and the wall-clock time kept; results may lie outside the years
    1 to 9999, always on the right side.
    """
    amount = duration.amount * sign
    if duration.unit in EXACT_SECONDS:
        return us + amount * EXACT_SECONDS[duration.unit] * SECOND
    wall = wall_clock(us, zone)
    moved = shifted_day(wall.date(), amount * (12 if duration.unit == "years" else 1))
    if moved is None:
        return MAX_US + DAY if sign > 0 else MIN_US - DAY
    return instant_of(datetime.combine(moved, wall.time()), zone)


def shifted_day(day: date, months: int) -> date | None:
    """The day some months later, clipped to the month's end; None outside the years 1 to 9999."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        return None
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def _first_with_offset(before: int, after: int, offset: int, zone: str) -> int:
    """The clock change between two instants, the second of which has `offset`."""
    low, high = before // SECOND, after // SECOND
    while low < high:
        middle = (low + high) // 2
        if offset_at(middle * SECOND, zone) == offset:
            high = middle
        else:
            low = middle + 1
    return high * SECOND


def _seconds(offset: timedelta | None) -> int:
    return 0 if offset is None else offset.days * 86_400 + offset.seconds


# Two clock changes of one zone are never closer than four days; after the tables end (2087) two a year remain.
_STEP, _LATE_STEP, _LATE = 3 * DAY, 60 * DAY, 4_102_444_800 * SECOND
_FIRST_CHANGE = -5_364_662_400 * SECOND


@lru_cache(maxsize=256)
def offsets(zone: str, lo: int, hi: int) -> tuple[tuple[int, int], ...]:
    """The zone's offsets in a range of instants: (from, seconds ahead of UTC), the first from `lo`.

    Each holds until the next begins, so local time is ``ts + offset`` of the last entry at or before ``ts``.
    """
    found = [(lo, offset_at(lo, zone))]
    before, at = found[0][1], lo
    while at < hi:
        # No zone had a clock change before 1800.
        following = min(max(at, _FIRST_CHANGE) + (_STEP if at < _LATE else _LATE_STEP), hi)
        after = offset_at(following, zone)
        if after != before:
            found.append((_first_with_offset(at, following, after, zone), after))
        before, at = after, following
    return tuple(found)


@lru_cache(maxsize=256)
def day_shifts(zone: str, first: date, last: date) -> tuple[tuple[date, int], ...]:
    """How far local days begin from midnight UTC: (from day, seconds), the first from `first`.

    A day's first instant is its midnight in UTC plus the seconds of the last entry at or before it.
    """
    days = {first}
    for at, _ in offsets(zone, day_start(first, zone), day_end(last, zone))[1:]:
        change = local_day(at, zone).toordinal()
        days |= {date.fromordinal(min(max(change + near, 1), date.max.toordinal())) for near in (-2, -1, 0, 1, 2)}
    found: list[tuple[date, int]] = []
    for day in sorted(day for day in days if first <= day <= last):
        shift = day_start(day, zone) // SECOND - (day.toordinal() - EPOCH_DAY) * 86_400
        if not found or found[-1][1] != shift:
            found.append((day, shift))
    return tuple(found)
