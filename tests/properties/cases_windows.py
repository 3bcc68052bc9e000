"""Time words, each with the instants just inside and just outside, computed by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from case_tools import Case, at, calendar, count, day, days, last, person

from segctl.model import conditions as c
from segctl.model import times as t

US = timedelta(microseconds=1)
NOON = "2026-11-21 12:00"  # a Saturday


def window(name: str, of: t.Window, inside: list[Any], outside: list[Any], as_of: str = NOON, **more: Any) -> Case:
    """A time trait in and out of a window; texts are local times of the zone."""
    zone = more.get("zone", "Europe/Berlin")
    moments = [(at(m, zone) if isinstance(m, str) else m, True) for m in inside]
    moments += [(at(m, zone) if isinstance(m, str) else m, False) for m in outside]
    people = tuple(person(chr(97 + i), seen=moment) for i, (moment, _) in enumerate(moments))
    expected = {p.profile_id: answer for p, (_, answer) in zip(people, moments, strict=True)}
    return Case(name, c.TraitCondition("seen", of), expected, people, as_of=at(as_of, zone), **more)


def after(text: str) -> datetime:
    """A microsecond later."""
    return at(text) + US


def until(text: str) -> datetime:
    """A microsecond earlier."""
    return at(text) - US


LEAP = c.TraitCondition("born", t.Anniversary(days(1)))
CASES = [
    window(
        "within_last N is (as_of − N, as_of]",
        last(7),
        [NOON, after("2026-11-14 12:00")],
        ["2026-11-14 12:00", after(NOON)],
    ),
    window(
        "a day is 24 hours, also over a clock change",
        last(1),
        [after("2026-10-24 13:00")],
        ["2026-10-24 13:00"],
        "2026-10-25 12:00",
    ),
    window(
        "older_than N is its complement: at or before as_of − N",
        t.OlderThan(days(7)),
        ["2026-11-14 12:00"],
        [after("2026-11-14 12:00"), NOON],
    ),
    window(
        "within_next N is (as_of, as_of + N]",
        t.WithinNext(days(2)),
        [after(NOON), "2026-11-23 12:00"],
        [NOON, after("2026-11-23 12:00")],
    ),
    window(
        "months are calendar arithmetic in the zone",
        last(1, "months"),
        [after("2026-10-21 12:00"), NOON],
        ["2026-10-21 12:00"],
    ),
    window(
        "months are clipped to the month's end",
        last(1, "months"),
        [after("2026-02-28 12:00")],
        ["2026-02-28 12:00"],
        "2026-03-31 12:00",
    ),
    window(
        "years are clipped on 29 February",
        last(1, "years"),
        [after("2023-02-28 12:00")],
        ["2023-02-28 12:00"],
        "2024-02-29 12:00",
    ),
    window(
        "a month back into a skipped hour starts at the first instant after the gap",
        last(1, "months"),
        [after("2026-03-29 03:00")],
        ["2026-03-29 03:00", "2026-03-29 01:59"],
        "2026-04-29 02:30",
    ),
    window(
        "a month back into a doubled hour starts at the first of the two",
        last(1, "months"),
        [after("2026-10-25 02:30")],
        ["2026-10-25 02:30"],
        "2026-11-25 02:30",
    ),
    window(
        "7 calendar days begin at local midnight, today included",
        t.WithinLast(calendar(7)),
        ["2026-11-15 00:00", NOON],
        [until("2026-11-15 00:00"), after(NOON)],
    ),
    window(
        "calendar weeks begin on Monday",
        t.WithinLast(calendar(1, "weeks")),
        ["2026-11-16 00:00"],
        [until("2026-11-16 00:00")],
    ),
    window(
        "2 calendar months are this one and the one before",
        t.WithinLast(calendar(2, "months")),
        ["2026-10-01 00:00"],
        [until("2026-10-01 00:00")],
    ),
    window(
        "a calendar year begins on 1 January",
        t.WithinLast(calendar(1, "years")),
        ["2026-01-01 00:00"],
        [until("2026-01-01 00:00")],
    ),
    window(
        "older_than calendar days ends before the first of them",
        t.OlderThan(calendar(1)),
        [until("2026-11-21 00:00")],
        ["2026-11-21 00:00"],
    ),
    window(
        "within_next calendar days are whole local days, today included",
        t.WithinNext(calendar(2)),
        ["2026-11-21 00:00", until("2026-11-23 00:00")],
        [until("2026-11-21 00:00"), "2026-11-23 00:00"],
    ),
    window(
        "within_next calendar weeks end on Sunday",
        t.WithinNext(calendar(1, "weeks")),
        ["2026-11-21 00:00", until("2026-11-23 00:00")],
        ["2026-11-20 23:59", "2026-11-23 00:00"],
    ),
    window(
        "between with relative times is (a, b]",
        t.Between(t.RelativeTime(days(2)), t.RelativeTime(days(1))),
        [after("2026-11-19 12:00"), "2026-11-20 12:00"],
        ["2026-11-19 12:00", after("2026-11-20 12:00")],
    ),
    window(
        "between dates includes all of the last day",
        t.Between(t.LocalDay(day("2026-01-01")), t.LocalDay(day("2026-03-31"))),
        ["2026-01-01 00:00", until("2026-04-01 00:00")],
        [until("2026-01-01 00:00"), "2026-04-01 00:00"],
    ),
    window(
        "between includes both local times",
        t.Between(t.LocalTime(datetime(2026, 1, 1, 10)), t.LocalTime(datetime(2026, 1, 1, 12))),  # noqa: DTZ001 - local times have no zone
        ["2026-01-01 10:00", "2026-01-01 12:00"],
        [until("2026-01-01 10:00"), after("2026-01-01 12:00")],
    ),
    window(
        "between yesterday and now takes the whole of yesterday",
        t.Between(t.RelativeDay(-1), t.RelativeTime(None)),
        ["2026-11-20 00:00", NOON],
        [until("2026-11-20 00:00"), after(NOON)],
    ),
    window(
        "since is included and open to the future",
        t.Since(t.RelativeTime(days(2))),
        ["2026-11-19 12:00", "2030-01-01 00:00"],
        [until("2026-11-19 12:00")],
    ),
    window(
        "before is excluded", t.Before(t.LocalDay(day("2026-11-20"))), [until("2026-11-20 00:00")], ["2026-11-20 00:00"]
    ),
    window(
        "before an instant", t.Before(t.Instant(at("2026-11-20 10:00Z"))), ["2026-11-20 10:59"], ["2026-11-20 11:00"]
    ),
    window(
        "during an ISO week",
        t.During(t.NamedPeriod("week", day("2026-11-16"))),
        ["2026-11-16 00:00", until("2026-11-23 00:00")],
        [until("2026-11-16 00:00"), "2026-11-23 00:00"],
    ),
    window(
        "during a quarter",
        t.During(t.NamedPeriod("quarter", day("2026-01-01"))),
        ["2026-01-01 00:00", until("2026-04-01 00:00")],
        ["2026-04-01 00:00"],
    ),
    window(
        "during today",
        t.During(t.RelativePeriod("day", 0)),
        ["2026-11-21 00:00", "2026-11-21 23:59"],
        ["2026-11-20 23:59", "2026-11-22 00:00"],
    ),
    window(
        "during previous month",
        t.During(t.RelativePeriod("month", -1)),
        ["2026-10-01 00:00", "2026-10-31 23:59"],
        ["2026-09-30 23:59", "2026-11-01 00:00"],
    ),
    window(
        "a midnight that does not exist starts at the first instant after the gap",
        t.Since(t.LocalDay(day("2026-09-06"))),
        [at("2026-09-06 04:00Z")],
        [at("2026-09-06 04:00Z") - US],
        "2026-09-10 12:00",
        zone="America/Santiago",
    ),
    window(
        "of two midnights the first",
        t.Since(t.LocalDay(day("2026-11-01"))),
        [at("2026-11-01 04:00Z")],
        [at("2026-11-01 04:00Z") - US],
        "2026-11-10 12:00",
        zone="America/Havana",
    ),
    window(
        "an anniversary counts today and ignores the year",
        t.Anniversary(days(7)),
        ["1980-11-21 00:00", "1999-11-27 23:59", "2030-11-21 10:00"],
        ["1980-11-28 00:00", "1980-11-20 23:59"],
    ),
    window(
        "an anniversary in the last days counts today",
        t.Anniversary(days(2), "within_last"),
        ["1980-11-21 10:00", "1980-11-20 10:00"],
        ["1980-11-19 10:00", "1980-11-22 10:00"],
    ),
    Case(
        "29 February counts as 28 February in common years",
        LEAP,
        {"a": True, "b": True, "c": False},
        (person("a", born=day("1996-02-29")), person("b", born=day("1996-02-28")), person("c", born=day("1996-03-01"))),
        as_of=at("2026-02-28 12:00"),
    ),
    Case(
        "29 February is itself in leap years",
        LEAP,
        {"a": False, "b": True},
        (person("a", born=day("1996-02-29")), person("b", born=day("1996-02-28"))),
        as_of=at("2028-02-28 12:00"),
    ),
    Case(
        "an anniversary crosses the year's end",
        c.TraitCondition("born", t.Anniversary(calendar(7))),
        {"a": True, "b": False},
        (person("a", born=day("1970-01-03")), person("b", born=day("1970-01-06"))),
        as_of=at("2026-12-30 12:00"),
    ),
    Case(
        "a date stands for its first local instant",
        c.TraitCondition("born", last(1)),
        {"a": True, "b": False},
        (person("a", born=day("2026-11-21")), person("b", born=day("2026-11-20"))),
    ),
    Case(
        "a bound may be a trait: a time is included by since",
        c.TraitCondition("seen", t.Since(t.TraitTime("limit_at"))),
        {"a": True, "b": False, "c": None, "d": None},
        (
            person("a", seen=at(NOON), limit_at=at(NOON)),
            person("b", seen=at(NOON), limit_at=after(NOON)),
            person("c", seen=at(NOON)),
            person("d", limit_at=at(NOON)),
        ),
    ),
    Case(
        "a date trait as the end of between is a whole day",
        c.TraitCondition("seen", t.Between(t.LocalDay(day("2026-11-01")), t.TraitTime("born"))),
        {"a": True, "b": False, "c": None, "d": False},
        (
            person("a", seen=until("2026-11-06 00:00"), born=day("2026-11-05")),
            person("b", seen=at("2026-11-06 00:00"), born=day("2026-11-05")),
            person("c", seen=at("2026-11-06 00:00")),
            person("d", seen=at("2026-10-06 00:00")),
        ),
    ),
    Case(
        "an event window bounded by a missing trait selects nothing",
        count("visit", "equals", 0, window=t.Before(t.TraitTime("limit_at"))),
        {"a": True},
    ),
]
