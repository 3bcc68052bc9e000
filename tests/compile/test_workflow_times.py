"""Quiet hours, times of day and schedules by the clocks of a zone, also when those change."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from segctl.compile.workflow_times import is_quiet, next_clock, occurrences, quiet_until
from segctl.compile.zones import from_us, to_us
from segctl.model.workflows import Quiet, Trigger

BERLIN = "Europe/Berlin"
MINUTE = 60_000_000
FORWARD, BACK = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)
"""Days on which Berlin's clocks change at 01:00 UTC."""


def us(text: str, zone: str = BERLIN) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


def quiet(begin: str, end: str, *days: int) -> Quiet:
    return Quiet(time.fromisoformat(begin), time.fromisoformat(end), days)


@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        (quiet("21:00", "08:00"), "2026-06-15 20:59:59", "2026-06-15 20:59:59"),
        (quiet("21:00", "08:00"), "2026-06-15 21:00", "2026-06-16 08:00"),
        (quiet("21:00", "08:00"), "2026-06-15 03:00", "2026-06-15 08:00"),
        (quiet("21:00", "08:00"), "2026-06-15 08:00", "2026-06-15 08:00"),
        (quiet("12:00", "13:00"), "2026-06-15 12:30", "2026-06-15 13:00"),
        (quiet("21:00", "08:00", 6, 7), "2026-06-12 22:00", "2026-06-15 08:00"),
        (Quiet(days=(7,)), "2026-06-14 00:00", "2026-06-15 00:00"),
        (quiet("22:00", "02:30"), "2026-03-28 23:00", "2026-03-29 03:00"),
    ],
)
def test_quiet_hours_end_when_clocks_say_so(hours: Quiet, at: str, until: str) -> None:
    assert quiet_until(hours, us(at), BERLIN) == us(until)


def test_without_quiet_hours_nothing_waits() -> None:
    assert quiet_until(None, 17, BERLIN) == 17


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("day", [FORWARD, BACK], ids=["forward", "back"])
def test_around_a_change_of_clocks_the_end_is_the_first_minute_that_is_not_quiet(day: datetime, seed: int) -> None:
    rng = random.Random(seed)
    zone = rng.choice([BERLIN, "America/New_York", "Australia/Lord_Howe", "UTC"])
    begin, end = rng.sample([time(hour, minute) for hour in range(24) for minute in (0, 30)], 2)
    hours = Quiet(begin, end, tuple(rng.sample(range(1, 8), rng.randint(0, 2))))
    start = to_us(day) + rng.randint(-1440, 1440) * MINUTE

    found = quiet_until(hours, start, zone)

    expected = start
    while is_quiet_by_the_clock(hours, expected, zone):
        expected += MINUTE
    assert found == expected
    assert not is_quiet(hours, found, zone)


def is_quiet_by_the_clock(hours: Quiet, at: int, zone: str) -> bool:
    wall = from_us(at).astimezone(ZoneInfo(zone))
    assert hours.begin is not None
    assert hours.end is not None
    clock = wall.time()
    inside = hours.begin <= clock < hours.end
    if hours.begin > hours.end:
        inside = clock >= hours.begin or clock < hours.end
    return inside or wall.isoweekday() in hours.days


@pytest.mark.parametrize(
    ("at", "days", "now", "found"),
    [
        ("09:00", (), "2026-06-15 08:00", "2026-06-15 09:00"),
        ("09:00", (), "2026-06-15 09:00", "2026-06-15 09:00"),
        ("09:00", (), "2026-06-15 09:01", "2026-06-16 09:00"),
        ("09:00", (2,), "2026-06-16 10:00", "2026-06-23 09:00"),
        ("02:30", (), "2026-03-29 00:00", "2026-03-29 03:00"),
    ],
)
def test_the_next_time_of_day(at: str, days: tuple[int, ...], now: str, found: str) -> None:
    assert next_clock(time.fromisoformat(at), days, us(now), BERLIN) == us(found)


@pytest.mark.parametrize(
    ("trigger", "found"),
    [
        (Trigger("every", "s", period="day", at=time(9)), ["2026-03-28", "2026-03-29", "2026-03-30", "2026-03-31"]),
        (Trigger("every", "s", period="week", day=1, at=time(9)), ["2026-03-30"]),
        (Trigger("every", "s", period="month", day=31, at=time(9)), ["2026-03-31"]),
        (Trigger("every", "s", period="month", day=5, at=time(9)), []),
    ],
)
def test_a_schedule_is_due_on_its_days(trigger: Trigger, found: list[str]) -> None:
    after, until = us("2026-03-27 09:00"), us("2026-03-31 09:00")

    assert list(occurrences(trigger, after, until, BERLIN)) == [us(f"{day} 09:00") for day in found]


def test_the_last_day_of_a_shorter_month_stands_for_the_thirty_first() -> None:
    trigger = Trigger("every", "s", period="month", day=31, at=time(0))

    assert list(occurrences(trigger, us("2026-02-01 00:00"), us("2026-04-30 00:00"), BERLIN)) == [
        us("2026-02-28 00:00"), us("2026-03-31 00:00"), us("2026-04-30 00:00"),
    ]  # fmt: skip


def test_each_instant_of_a_schedule_is_due_once_however_often_one_looks() -> None:
    trigger = Trigger("every", "s", period="day", at=time(2, 30))
    looks = [to_us(FORWARD) + number * 37 * MINUTE for number in range(-100, 400)]

    found = [at for before, now in pairwise(looks) for at in occurrences(trigger, before, now, BERLIN)]

    assert found == list(occurrences(trigger, looks[0], looks[-1], BERLIN))
    assert timedelta(microseconds=max(found) - min(found)) > timedelta(days=7)
