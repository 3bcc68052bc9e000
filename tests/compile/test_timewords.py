from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segctl.compile.timewords import Problem, parse_as_of, parse_duration, parse_period, parse_time_point
from segctl.model.times import (
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
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7 days", Duration(7, "days")),
        ("1 day", Duration(1, "days")),
        ("36 hours", Duration(36, "hours")),
        (" 3  months ", Duration(3, "months")),
        ("2 calendar weeks", Duration(2, "weeks", calendar=True)),
        ("1 calendar year", Duration(1, "years", calendar=True)),
        ("9998 years", Duration(9998, "years")),
    ],
)
def test_durations_are_a_whole_number_and_a_unit(text: str, expected: Duration) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("7 Tage", "7 days"),
        ("1 Monat", "1 month"),
        ("7d", "7 days"),
        ("24h", "24 hours"),
        ("P7D", "7 days"),
        ("PT30M", "30 minutes"),
        ("eine Woche", "1 week"),
        ("7 Kalendertage", "7 calendar days"),
        ("2 Quartale", "6 months"),
        ("1,5 Stunden", "90 minutes"),
        ("0.5 years", "6 months"),
        ("7 Days", "7 days"),
        ("7 calendar hours", "7 hours"),
        ("week", "1 week"),
        ("0 days", "1 day"),
    ],
)
def test_what_is_nearly_a_duration_is_mended(text: str, mended: str) -> None:
    found = parse_duration(text)

    assert isinstance(found, Problem)
    assert found.hint == f"write `{mended}`"
    assert parse_duration(mended) == parse_duration(mended.replace("  ", " "))
    assert not isinstance(parse_duration(mended), Problem)


@pytest.mark.parametrize(
    "text", ["", "99,90", "days", "7", "7 lightyears", "-3 days", "9999 years", "9" * 400 + " days"]
)
def test_nonsense_and_absurd_amounts_are_problems(text: str) -> None:
    found = parse_duration(text)

    assert isinstance(found, Problem)
    assert len(found.message) < 120


def test_zero_is_allowed_where_the_caller_says_so() -> None:
    assert parse_duration("0 minutes", minimum=0) == Duration(0, "minutes")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", RelativeTime(None)),
        ("today", RelativeDay(0)),
        ("yesterday", RelativeDay(-1)),
        ("tomorrow", RelativeDay(1)),
        ("2 hours ago", RelativeTime(Duration(2, "hours"), -1)),
        ("1 month ago", RelativeTime(Duration(1, "months"), -1)),
        ("in 3 days", RelativeTime(Duration(3, "days"), 1)),
        ("2026-11-01", LocalDay(date(2026, 11, 1))),
        ("2026-11-01T10:00", LocalTime(datetime(2026, 11, 1, 10))),  # noqa: DTZ001 - a wall clock
        ("2026-11-01 10:00:30.25", LocalTime(datetime(2026, 11, 1, 10, 0, 30, 250_000))),  # noqa: DTZ001 - local times have no zone
        ("2026-11-01T10:00Z", Instant(datetime(2026, 11, 1, 10, tzinfo=UTC))),
        ("2026-11-01T10:00:00+05:45", Instant(datetime(2026, 11, 1, 4, 15, tzinfo=UTC))),
        ("2026-11-01 10:00-0330", Instant(datetime(2026, 11, 1, 13, 30, tzinfo=UTC))),
    ],
)
def test_points_in_time(text: str, expected: TimePoint) -> None:
    assert parse_time_point(text) == expected


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("01.11.2026", "2026-11-01"),
        ("1.3.2026 8:05 Uhr", "2026-03-01 08:05"),
        ("vor 2 Stunden", "2 hours ago"),
        ("1 Woche her", "1 week ago"),
        ("gestern", "yesterday"),
        ("Heute", "today"),
        ("in 3 Tagen", "in 3 days"),
        ("3 days from now", "in 3 days"),
        ("2026/1/5", "2026-01-05"),
        ("20260105", "2026-01-05"),
        ("2026-1-5", "2026-01-05"),
        ("vorgestern", "2 days ago"),
        ("7 days", "7 days ago"),
        ("2 calendar days ago", "2 days ago"),
    ],
)
def test_what_is_nearly_a_time_is_mended(text: str, mended: str) -> None:
    found = parse_time_point(text)

    assert isinstance(found, Problem)
    assert found.hint == f"write `{mended}`"
    assert not isinstance(parse_time_point(mended), Problem)


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026-11-01T24:01", "0000-01-01", "0001-01-01T00:00+05:00", "99,90", "x"]
)
def test_times_outside_the_calendar_are_problems(text: str) -> None:
    found = parse_time_point(text)

    assert isinstance(found, Problem)
    assert found.length == len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-W47", NamedPeriod("week", date(2026, 11, 16))),
        ("2026-W01", NamedPeriod("week", date(2025, 12, 29))),
        ("2026-W53", NamedPeriod("week", date(2026, 12, 28))),
        ("2025-11", NamedPeriod("month", date(2025, 11, 1))),
        ("2026-Q4", NamedPeriod("quarter", date(2026, 10, 1))),
        ("2025", NamedPeriod("year", date(2025, 1, 1))),
        ("2026-11-21", NamedPeriod("day", date(2026, 11, 21))),
        ("today", RelativePeriod("day", 0)),
        ("tomorrow", RelativePeriod("day", 1)),
        ("previous month", RelativePeriod("month", -1)),
        ("this quarter", RelativePeriod("quarter", 0)),
        ("next year", RelativePeriod("year", 1)),
    ],
)
def test_periods(text: str, expected: Period) -> None:
    assert parse_period(text) == expected


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("KW 47", "2026-W47"),
        ("KW 7/2025", "2025-W07"),
        ("2025-KW7", "2025-W07"),
        ("Q1 2027", "2027-Q1"),
        ("3. Quartal 2025", "2025-Q3"),
        ("letzter Monat", "previous month"),
        ("last week", "previous week"),
        ("nächstes Jahr", "next year"),
        ("März 2025", "2025-03"),
        ("11.2025", "2025-11"),
        ("01.11.2026", "2026-11-01"),
        ("gestern", "yesterday"),
    ],
)
def test_what_is_nearly_a_period_is_mended(text: str, mended: str) -> None:
    found = parse_period(text)

    assert isinstance(found, Problem)
    assert found.hint == f"write `{mended}`"
    assert not isinstance(parse_period(mended), Problem)


@pytest.mark.parametrize("text", ["2025-W53", "2026-W00", "2025-13", "2026-Q5", "0000", "99,90", "", "previous hour"])
def test_periods_that_do_not_exist_are_problems(text: str) -> None:
    assert isinstance(parse_period(text), Problem)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2026-11-20", datetime(2026, 11, 20, 22, 59, 59, 999_999, tzinfo=UTC), id="end of the local day"),
        pytest.param("yesterday", datetime(2026, 11, 20, 22, 59, 59, 999_999, tzinfo=UTC), id="day word"),
        pytest.param("2026-10-25", datetime(2026, 10, 25, 22, 59, 59, 999_999, tzinfo=UTC), id="day of 25 hours"),
        pytest.param("2 hours ago", datetime(2026, 11, 21, 10, tzinfo=UTC), id="relative"),
        pytest.param("1 month ago", datetime(2026, 10, 21, 11, tzinfo=UTC), id="month on the local clock"),
        pytest.param("2026-03-29 02:30", datetime(2026, 3, 29, 1, tzinfo=UTC), id="skipped time: end of the gap"),
        pytest.param("2026-10-25 02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), id="doubled time: the first"),
        pytest.param("now", NOW, id="now"),
    ],
)
def test_as_of_in_berlin(text: str, expected: datetime) -> None:
    assert parse_as_of(text, NOW, "Europe/Berlin") == expected


@pytest.mark.parametrize(("text", "hour"), [("2026-03-29", 23), ("today", 23), ("2026-03-29 04:00", 2)])
def test_a_day_from_which_something_begins_is_its_first_instant(text: str, hour: int) -> None:
    now = datetime(2026, 3, 29, 12, tzinfo=UTC)

    found = parse_as_of(text, now, "Europe/Berlin", begins=True)

    assert found == datetime(2026, 3, 29 - (hour == 23), hour, tzinfo=UTC)


@pytest.mark.parametrize("text", ["9000 years ago", "in 9998 years", "9999-12-31"])
def test_an_as_of_outside_the_calendar_is_a_problem(text: str) -> None:
    assert isinstance(parse_as_of(text, NOW, "America/Adak"), Problem)


@given(st.text(max_size=40))
def test_no_text_breaks_the_parsers(text: str) -> None:
    for found in (parse_duration(text), parse_time_point(text), parse_period(text)):
        if isinstance(found, Problem):
            assert found.start + found.length <= max(1, len(text) + 1)


@given(st.text(alphabet="0123456789 .,-:/TWQKPdayshourvKW", max_size=24))
def test_hints_never_repeat_the_text_itself(text: str) -> None:
    for parse in (parse_duration, parse_time_point, parse_period):
        found = parse(text)
        if isinstance(found, Problem) and found.hint is not None:
            assert found.hint != f"write `{text}`"


@given(st.integers(1, 999), st.sampled_from(["seconds", "minutes", "hours", "days", "weeks", "months", "years"]))
def test_a_duration_reads_back_what_it_prints(amount: int, unit: str) -> None:
    duration = Duration(amount, unit)

    assert parse_duration(str(duration)) == duration
