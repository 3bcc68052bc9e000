from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import naive_windows as naive
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.compile.windows import (
    Span,
    TraitBound,
    anniversary_days,
    date_span,
    span,
    trait_bounds,
)
from segctl.compile.zones import (
    MAX_US,
    MIN_US,
    day_shifts,
    day_start,
    from_us,
    instant_of,
    local_day,
    offset_at,
    offsets,
    to_us,
)
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
    RelativeDay,
    RelativePeriod,
    RelativeTime,
    Since,
    TimePoint,
    TraitTime,
    Window,
    WithinLast,
    WithinNext,
)

BERLIN = "Europe/Berlin"
AS_OF = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)  # a Saturday, 13:00 in Berlin

# Days around clock changes: gaps at noon of the night, at midnight, half hours, a skipped day, Ramadan pauses.
CHANGES = {
    "Europe/Berlin": ["2026-03-29", "2026-10-25", "1980-04-06"],
    "America/New_York": ["2026-03-08", "2026-11-01", "2007-03-11"],
    "Asia/Kathmandu": ["1986-01-01", "2026-06-01"],
    "Australia/Lord_Howe": ["2026-04-05", "2026-10-04"],
    "America/Sao_Paulo": ["2018-11-04", "2019-02-17", "2017-10-15"],
    "America/Havana": ["2026-03-08", "2025-11-02", "2012-04-01"],
    "Africa/Casablanca": ["2026-02-15", "2026-03-22", "2024-03-10"],
    "Pacific/Apia": ["2011-12-30", "2011-12-29", "2021-04-04"],
    "America/Goose_Bay": ["2010-11-07", "2010-03-14"],
    "UTC": ["2024-02-29", "2026-12-31"],
}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def bounds(window: Window, as_of: datetime = AS_OF, zone: str = BERLIN) -> tuple[datetime | None, datetime | None]:
    found = span(window, as_of, zone)
    return (None if found.lo is None else from_us(found.lo), None if found.hi is None else from_us(found.hi))


@st.composite
def moments(draw: st.DrawFn, zone: str) -> datetime:
    near = datetime.fromisoformat(draw(st.sampled_from(CHANGES[zone])))
    anywhere = draw(st.one_of(st.just(near), st.datetimes(datetime(1975, 1, 1), datetime(2036, 1, 1))))  # noqa: DTZ001 - local times have no zone
    minutes = draw(st.one_of(st.integers(-4000, 4000), st.sampled_from([0, 30, 60, 90, 120, 150, 180, 1440])))
    rest = draw(st.sampled_from([timedelta(0), naive.US, -naive.US, timedelta(seconds=59, microseconds=999_999)]))
    return anywhere.replace(tzinfo=UTC, second=0, microsecond=0) + timedelta(minutes=minutes) + rest


@st.composite
def durations(draw: st.DrawFn, *, calendar: bool | None = None) -> Duration:
    is_calendar = draw(st.booleans()) if calendar is None else calendar
    units = ["days", "weeks", "months", "years"] + ([] if is_calendar else ["seconds", "minutes", "hours"])
    return Duration(draw(st.integers(1, 14)), draw(st.sampled_from(units)), is_calendar)


def points(zone: str) -> st.SearchStrategy[TimePoint]:
    return st.one_of(
        moments(zone).map(Instant),
        moments(zone).map(lambda at: LocalTime(at.replace(tzinfo=None))),
        moments(zone).map(lambda at: LocalDay(at.date())),
        st.builds(RelativeTime, st.one_of(st.none(), durations(calendar=False)), st.sampled_from([-1, 1])),
        st.integers(-1, 1).map(RelativeDay),
    )


def windows(zone: str) -> st.SearchStrategy[Window]:
    unit = st.sampled_from(["day", "week", "month", "quarter", "year"])
    return st.one_of(
        durations().map(WithinLast),
        durations().map(OlderThan),
        durations().map(WithinNext),
        st.builds(Between, points(zone), points(zone)),
        points(zone).map(Since),
        points(zone).map(Before),
        st.builds(RelativePeriod, unit, st.integers(-2, 2)).map(During),
        st.builds(named_period, unit, moments(zone).map(datetime.date)).map(During),
    )


def named_period(unit: str, day: date) -> NamedPeriod:
    return NamedPeriod(unit, naive.unit_days(day, unit, 0)[0])


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_spans_agree_with_a_minute_by_minute_reading_of_the_clocks(data: st.DataObject) -> None:
    zone = data.draw(st.sampled_from(sorted(CHANGES)))
    as_of = data.draw(moments(zone))
    window = data.draw(windows(zone))

    found = span(window, as_of, zone)

    edges = [us for us in (found.lo, found.hi) if us is not None]
    values = [as_of, data.draw(moments(zone)), *(from_us(us + near) for us in edges for near in (-1, 0, 1))]
    for value in values:
        assert (to_us(value) in found) == naive.is_inside(window, value, as_of, zone), value


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_date_spans_agree_with_the_first_instants_of_days(data: st.DataObject) -> None:
    zone = data.draw(st.sampled_from(sorted(CHANGES)))
    as_of = data.draw(moments(zone))
    window = data.draw(windows(zone))

    first, last = date_span(window, as_of, zone)

    edges = [day for day in (first, last) if day is not None and date(1900, 1, 1) < day < date(2100, 1, 1)]
    days = [as_of.date(), *(day + timedelta(days=near) for day in edges for near in (-1, 0, 1))]
    for day in days:
        is_in = (first is None or first <= day) and (last is None or day <= last)
        assert is_in == naive.is_inside(window, naive.first_of_day(day, zone), as_of, zone), day


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_wall_clock_times_agree_with_a_scan(data: st.DataObject) -> None:
    zone = data.draw(st.sampled_from(sorted(CHANGES)))
    clock = data.draw(moments(zone)).replace(tzinfo=None)

    assert from_us(instant_of(clock, zone)) == naive.first_instant(clock, zone)


@pytest.mark.parametrize("zone", sorted(CHANGES))
def test_offsets_give_the_local_time_of_every_hour(zone: str) -> None:
    for change in CHANGES[zone]:
        start = utc(change) - timedelta(days=200)
        lo, hi = to_us(start), to_us(start + timedelta(days=400))
        table = offsets(zone, lo, hi)
        assert table[0][0] == lo
        for hour in range(0, 400 * 24, 1):
            at = start + timedelta(hours=hour)
            expected = at.astimezone(ZoneInfo(zone)).utcoffset()
            found = [seconds for begins, seconds in table if begins <= to_us(at)][-1]
            assert timedelta(seconds=found) == expected


@pytest.mark.parametrize("zone", sorted(CHANGES))
def test_a_clock_change_is_found_to_the_second(zone: str) -> None:
    table = offsets(zone, to_us(utc("2010-01-01")), to_us(utc("2019-01-01")))

    for (_, before), (at, after) in pairwise(table):
        assert (offset_at(at - 1, zone), offset_at(at, zone)) == (before, after)
        assert before != after


def test_offsets_of_all_the_calendar_come_quickly_and_whole() -> None:
    table = offsets(BERLIN, to_us(utc("0001-01-01")), to_us(utc("9999-12-31")))

    assert len(table) > 2 * (9999 - 1980)
    assert offset_at(to_us(utc("9000-07-01")), BERLIN) == 7200


@pytest.mark.parametrize("zone", sorted(CHANGES))
def test_day_shifts_give_the_first_instant_of_every_day(zone: str) -> None:
    for change in CHANGES[zone]:
        first = date.fromisoformat(change) - timedelta(days=40)
        table = day_shifts(zone, first, first + timedelta(days=80))
        for step in range(81):
            day = first + timedelta(days=step)
            shift = [seconds for begins, seconds in table if begins <= day][-1]
            assert utc(day.isoformat()) + timedelta(seconds=shift) == from_us(day_start(day, zone))


# --- Hand-computed cases -----------------------------------------------------------------------------------
def test_within_last_excludes_its_start_and_includes_as_of() -> None:
    lo, hi = bounds(WithinLast(Duration(7, "days")))

    assert lo == utc("2026-11-14T12:00:00.000001")
    assert hi == AS_OF


def test_older_than_is_the_complement_of_within_last() -> None:
    for duration in (Duration(7, "days"), Duration(3, "months"), Duration(2, "weeks", calendar=True)):
        inside, older = span(WithinLast(duration), AS_OF, BERLIN), span(OlderThan(duration), AS_OF, BERLIN)
        assert older.lo is None
        assert older.hi is not None
        assert older.hi + 1 == inside.lo


def test_a_day_is_24_hours_over_a_clock_change_but_a_calendar_day_is_not() -> None:
    monday = utc("2026-03-30T10:00")  # the day after the clocks went forward, 12:00 in Berlin

    assert bounds(WithinLast(Duration(1, "days")), monday)[0] == utc("2026-03-29T10:00:00.000001")
    assert bounds(WithinLast(Duration(2, "days", calendar=True)), monday)[0] == utc("2026-03-28T23:00")
    assert bounds(WithinLast(Duration(1, "days", calendar=True)), monday)[0] == utc("2026-03-29T22:00")


def test_months_are_clipped_to_the_months_end() -> None:
    last_of_march = utc("2026-03-31T10:00")

    assert bounds(WithinLast(Duration(1, "months")), last_of_march)[0] == utc("2026-02-28T11:00:00.000001")
    assert bounds(WithinLast(Duration(1, "years")), utc("2024-02-29T11:00"))[0] == utc("2023-02-28T11:00:00.000001")


def test_calendar_weeks_begin_on_monday_and_include_this_one() -> None:
    assert bounds(WithinLast(Duration(1, "weeks", calendar=True)))[0] == utc("2026-11-15T23:00")
    assert bounds(WithinLast(Duration(2, "weeks", calendar=True)))[0] == utc("2026-11-08T23:00")
    assert bounds(WithinLast(Duration(1, "months", calendar=True)))[0] == utc("2026-10-31T23:00")
    assert bounds(WithinLast(Duration(1, "years", calendar=True)))[0] == utc("2025-12-31T23:00")


def test_within_next_is_exact_or_whole_local_days_from_today() -> None:
    assert bounds(WithinNext(Duration(7, "days"))) == (utc("2026-11-21T12:00:00.000001"), utc("2026-11-28T12:00"))
    assert bounds(WithinNext(Duration(7, "days", calendar=True))) == (
        utc("2026-11-20T23:00"),
        utc("2026-11-27T22:59:59.999999"),
    )


def test_dates_in_between_name_whole_local_days() -> None:
    quarter = Between(LocalDay(date(2026, 1, 1)), LocalDay(date(2026, 3, 31)))

    assert bounds(quarter) == (utc("2025-12-31T23:00"), utc("2026-03-31T21:59:59.999999"))


def test_a_relative_start_is_excluded_and_a_relative_end_included() -> None:
    window = Between(RelativeTime(Duration(1, "days")), RelativeTime(Duration(2, "hours")))

    assert bounds(window) == (utc("2026-11-20T12:00:00.000001"), utc("2026-11-21T10:00"))


def test_since_includes_and_before_excludes_its_time() -> None:
    at = Instant(utc("2026-05-05T05:05"))

    assert bounds(Since(at)) == (at.at, None)
    assert bounds(Before(at)) == (None, utc("2026-05-05T05:04:59.999999"))
    assert bounds(Before(LocalDay(date(2026, 5, 5)))) == (None, utc("2026-05-04T21:59:59.999999"))
    assert bounds(Since(RelativeTime(Duration(1, "hours"))))[0] == utc("2026-11-21T11:00")


@pytest.mark.parametrize(
    ("period", "first", "end"),
    [
        (NamedPeriod("week", date(2026, 11, 16)), "2026-11-15T23:00", "2026-11-22T23:00"),
        (NamedPeriod("month", date(2025, 11, 1)), "2025-10-31T23:00", "2025-11-30T23:00"),
        (NamedPeriod("quarter", date(2026, 1, 1)), "2025-12-31T23:00", "2026-03-31T22:00"),
        (NamedPeriod("year", date(2025, 1, 1)), "2024-12-31T23:00", "2025-12-31T23:00"),
        (RelativePeriod("month", -1), "2026-09-30T22:00", "2026-10-31T23:00"),
        (RelativePeriod("day", -1), "2026-11-19T23:00", "2026-11-20T23:00"),
        (RelativePeriod("week", 1), "2026-11-22T23:00", "2026-11-29T23:00"),
        (RelativePeriod("quarter", 0), "2026-09-30T22:00", "2026-12-31T23:00"),
    ],
)
def test_periods_are_whole_local_days(period: NamedPeriod | RelativePeriod, first: str, end: str) -> None:
    assert bounds(During(period)) == (utc(first), utc(end) - naive.US)


def test_events_never_lie_after_as_of() -> None:
    week = During(NamedPeriod("week", date(2026, 11, 16)))

    assert span(week, AS_OF, BERLIN, clip=True).hi == to_us(AS_OF)
    assert span(None, AS_OF, BERLIN, clip=True) == Span(None, to_us(AS_OF))
    assert span(None, AS_OF, BERLIN) == Span()
    assert span(During(RelativePeriod("day", 1)), AS_OF, BERLIN, clip=True).is_empty


def test_a_skipped_midnight_starts_after_the_gap_and_a_doubled_one_the_first_time() -> None:
    # Brazil sprang forward at midnight: 4 November 2018 began at 01:00 local, 03:00 UTC.
    assert bounds(During(NamedPeriod("day", date(2018, 11, 4))), AS_OF, "America/Sao_Paulo")[0] == utc(
        "2018-11-04T03:00"
    )
    # Goose Bay fell back at 00:01, so 7 November 2010 began twice; the first midnight was 03:00 UTC.
    assert bounds(During(NamedPeriod("day", date(2010, 11, 7))), AS_OF, "America/Goose_Bay")[0] == utc(
        "2010-11-07T03:00"
    )


def test_a_day_the_zone_skipped_is_empty() -> None:
    assert span(During(NamedPeriod("day", date(2011, 12, 30))), AS_OF, "Pacific/Apia").is_empty


@pytest.mark.parametrize(
    "window",
    [
        WithinLast(Duration(9998, "years")),
        WithinLast(Duration(9998, "years", calendar=True)),
        OlderThan(Duration(100_000, "months")),
        WithinNext(Duration(9998, "years")),
        WithinNext(Duration(500_000, "weeks", calendar=True)),
        WithinNext(Duration(9_000_000, "weeks")),
        Between(RelativeTime(Duration(9000, "years")), RelativeTime(Duration(9000, "years"), 1)),
        Since(LocalDay(date.min)),
        Before(LocalDay(date.max)),
        During(NamedPeriod("year", date(9999, 1, 1))),
        During(NamedPeriod("year", date(1, 1, 1))),
        During(RelativePeriod("year", -1)),
        During(RelativePeriod("week", 1)),
        Between(RelativeDay(-1), RelativeDay(1)),
    ],
)
@pytest.mark.parametrize("as_of", ["0001-01-01T00:00", "2026-11-21T12:00", "9999-12-31T23:59"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Adak", "UTC"])
def test_nothing_overflows_at_the_ends_of_the_calendar(window: Window, as_of: str, zone: str) -> None:
    found = span(window, utc(as_of), zone)
    date_span(window, utc(as_of), zone)

    assert all(us is None or MIN_US <= us <= MAX_US for us in (found.lo, found.hi))


@pytest.mark.parametrize(
    ("amount", "unit", "calendar", "direction", "as_of", "first", "last"),
    [
        (7, "days", True, "within_next", "2026-11-21", (11, 21), (11, 27)),
        (1, "days", True, "within_next", "2026-11-21", (11, 21), (11, 21)),
        (7, "days", True, "within_last", "2026-11-21", (11, 15), (11, 21)),
        (2, "weeks", False, "within_next", "2026-11-21", (11, 21), (12, 4)),
        (1, "weeks", True, "within_next", "2026-11-21", (11, 21), (11, 22)),
        (1, "months", True, "within_next", "2026-11-21", (11, 21), (11, 30)),
        (1, "months", False, "within_next", "2026-11-21", (11, 21), (12, 20)),
        (20, "days", True, "within_next", "2026-12-20", (12, 20), (1, 8)),
    ],
)
def test_anniversaries_ignore_the_year_and_count_today(
    amount: int, unit: str, calendar: bool, direction: str, as_of: str, first: tuple[int, int], last: tuple[int, int]
) -> None:
    window = Anniversary(Duration(amount, unit, calendar), direction)

    found = anniversary_days(window, utc(as_of) + timedelta(hours=12), BERLIN)

    year = 2001  # no leap day lies in these
    day = date(year, *first)
    expected = {first}
    while (day.month, day.day) != last:
        day += timedelta(days=1)
        expected.add((day.month, day.day))
    assert found == expected


def test_29_february_has_its_anniversary_on_28_in_common_years_only() -> None:
    tomorrow = Anniversary(Duration(2, "days", calendar=True))

    assert (2, 29) in anniversary_days(tomorrow, utc("2026-02-27T12:00"), BERLIN)
    assert (2, 29) not in anniversary_days(tomorrow, utc("2024-02-27T12:00"), BERLIN)
    assert anniversary_days(tomorrow, utc("2024-02-28T12:00"), BERLIN) == {(2, 28), (2, 29)}


def test_an_anniversary_uses_the_local_day() -> None:
    today = Anniversary(Duration(1, "days", calendar=True))

    assert anniversary_days(today, utc("2026-11-21T23:30"), BERLIN) == {(11, 22)}
    assert anniversary_days(today, utc("2026-11-21T23:30"), "America/Havana") == {(11, 21)}


@pytest.mark.parametrize("as_of", ["2023-03-01", "2024-02-28", "2024-02-29", "2024-03-01", "2026-07-01"])
def test_a_year_of_anniversaries_holds_every_day(as_of: str) -> None:
    for amount, unit in ((366, "days"), (2, "years"), (99_999, "weeks")):
        found = anniversary_days(Anniversary(Duration(amount, unit)), utc(as_of), "UTC")
        assert len(found) == 366


def test_bounds_that_are_traits_say_how_to_compare() -> None:
    trait = TraitTime("signed_up_at")

    assert trait_bounds(Since(trait)) == (TraitBound("signed_up_at", "ge", "ge", "first"),)
    assert trait_bounds(Before(trait)) == (TraitBound("signed_up_at", "lt", "lt", "first"),)
    assert trait_bounds(Between(trait, RelativeTime(None))) == (TraitBound("signed_up_at", "ge", "ge", "first"),)
    assert trait_bounds(Between(LocalDay(date(2026, 1, 1)), trait)) == (TraitBound("signed_up_at", "le", "lt", "next"),)
    assert trait_bounds(WithinLast(Duration(1, "days"))) == ()
    assert span(Between(trait, RelativeTime(None)), AS_OF, BERLIN) == Span(None, to_us(AS_OF))


def test_the_local_day_of_an_instant() -> None:
    assert local_day(to_us(utc("2026-11-21T23:00")), BERLIN) == date(2026, 11, 22)
    assert local_day(to_us(utc("2026-11-21T22:59")), BERLIN) == date(2026, 11, 21)
