"""Times as tests of segments write them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from segctl.compile.boundaries import Clock
from segctl.compile.testing_times import fixed_as_of, given_day, given_instant
from segctl.compile.timewords import Problem
from segctl.compile.zones import to_us

ZONE = "Europe/Berlin"
AS_OF = datetime(2026, 6, 17, 12, tzinfo=ZoneInfo(ZONE))


def at(text: str) -> int:
    return to_us(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-06-17 12:00"),
        ("3 days ago", "2026-06-14 12:00"),
        ("in 2 hours", "2026-06-17 14:00"),
        ("90 days ago", "2026-03-19 11:00"),  # exact days: clocks were changed on 29 March
        ("3 months ago", "2026-03-17 12:00"),
        ("90 days ago + 1 second", "2026-03-19 11:00:01"),
        ("90 days ago - 1 second", "2026-03-19 10:59:59"),
        ("today", "2026-06-17 00:00"),
        ("yesterday + 8 hours", "2026-06-16 08:00"),
        ("2026-03-29", "2026-03-29 00:00"),
        ("2026-03-29 02:30", "2026-03-29 03:00"),  # a time that clocks skip
        ("2026-06-01 08:00 - 1 month", "2026-05-01 08:00"),
    ],
)
def test_a_time_is_an_instant(text: str, expected: str) -> None:
    assert given_instant(text, AS_OF, ZONE) == at(expected)


@pytest.mark.parametrize("text", ["3 Tage", "soon", "2026-02-30", "3 days ago + soon", "9999-12-31 - 99999 years"])
def test_what_is_no_time_is_told(text: str) -> None:
    assert isinstance(given_instant(text, AS_OF, ZONE), Problem)


def test_a_day_is_that_of_the_instant_on_local_clocks() -> None:
    assert str(given_day("2026-06-16 23:30", AS_OF, ZONE)) == "2026-06-16"
    assert str(given_day("180 days ago", AS_OF, ZONE)) == "2025-12-19"


def test_the_instant_of_a_test_is_fixed() -> None:
    end = fixed_as_of("2026-06-17", ZONE)

    assert isinstance(end, datetime)
    assert to_us(end) == at("2026-06-18 00:00") - 1
    assert isinstance(fixed_as_of("today", ZONE), Problem)
    assert isinstance(fixed_as_of("2 hours ago", ZONE), Problem)


@pytest.mark.parametrize(
    ("us", "text"),
    [
        ("2026-06-17 12:00", "now"),
        ("2026-06-14 12:00", "3 days ago"),
        ("2026-06-14 12:00:01", "3 days ago + 1 second"),
        ("2026-06-14 11:00", "3 days ago - 1 hour"),
        ("2026-06-17 11:59:59", "1 second ago"),
        ("2026-06-18 12:00", "in 1 day"),
        ("2025-11-01 00:00", "2025-11-01 00:00"),
    ],
)
def test_instants_are_written_so_that_they_are_read_again(us: str, text: str) -> None:
    clock = Clock(AS_OF, ZONE)

    assert clock.text(at(us)) == text
    assert given_instant(text, AS_OF, ZONE) == at(us)


def test_a_time_that_clocks_show_twice_says_which_one_it_is() -> None:
    second = to_us(datetime(2025, 10, 26, 2, 30, fold=1, tzinfo=ZoneInfo(ZONE)))

    text = Clock(AS_OF, ZONE).text(second + 1_500_000)

    assert text.endswith("+01:00")
    assert given_instant(text, AS_OF, ZONE) == second + 1_500_000
