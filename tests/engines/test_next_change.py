"""The next change that an engine tells of one profile, condition by condition."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "properties"))

from case_tools import (
    NOON,
    Case,
    at,
    calendar,
    count,
    day,
    days,
    event,
    formula,
    hours,
    last,
    measured,
    metric,
    no,
    passes,
    person,
    sequence,
    step,
    trait,
    where,
)
from cases_scores import score
from next_change_tools import NEVER, NextChanges, moment, us
from oracle_data import Record
from row_tools import event_rows, profile_row

from segctl.compile.lower import lower_segment
from segctl.compile.trace_times import due_at
from segctl.engines.duckdb_engine import DuckDBEngine
from segctl.engines.polars_engine import PolarsEngine
from segctl.model import conditions as c
from segctl.model import times as t
from segctl.model.project import StoredTrait
from segctl.model.types import REAL, TIME, Kind, ValueType

MICROSECOND = timedelta(microseconds=1)
Due = Callable[[Case], datetime | None]


@pytest.fixture
def due(tmp_path: Path) -> Due:
    def of(case: Case) -> datetime | None:
        (found,) = NextChanges(case.world(), tmp_path, 0).at(case.as_of).values()
        return None if found == NEVER else moment(found)

    return of


def visits(*dates: str, **properties: object) -> tuple:
    return tuple(event("a", "visit", f"2026-{when} 12:00Z", **properties) for when in dates)


def asking(condition: c.Condition, *events: object, **more: object) -> Case:
    return Case("", condition, {"a": None}, events=events, **more)


def test_the_earliest_event_in_the_window_leaves_first(due: Due) -> None:
    case = asking(count("visit", window=last(7)), *visits("11-10", "11-16", "11-20"))

    assert due(case) == utc("11-23 12:00")


def test_only_events_that_are_selected_matter(due: Due) -> None:
    case = asking(
        count("visit", window=last(7), where=where(page="x")),
        *visits("11-16", page="y"),
        *visits("11-18", page="x"),
    )

    assert due(case) == utc("11-25 12:00")


def test_the_shortest_wait_of_several_windows_counts(due: Due) -> None:
    case = asking(c.All((count("visit", window=last(3)), count("visit", window=last(30)))), *visits("11-01", "11-20"))

    assert due(case) == utc("11-23 12:00")


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (t.OlderThan(days(7)), "11-27 12:00"),
        (t.Before(t.RelativeTime(days(7))), "11-27 12:00:00.000001"),
        (t.Between(t.RelativeTime(days(9)), t.RelativeTime(days(3))), "11-23 12:00"),
        (t.WithinLast(calendar(2)), "11-21 23:00"),
        (t.During(t.RelativePeriod("day", -1)), "11-21 23:00"),
        (t.During(t.RelativePeriod("week", -2)), "11-29 23:00"),
        (t.During(t.RelativePeriod("week", 0)), "11-22 23:00"),
        (t.During(t.RelativePeriod("quarter", -1)), "12-31 23:00"),
        (t.Since(t.RelativeDay(-1)), "11-21 23:00"),
        (t.WithinLast(t.Duration(1, "months")), "12-20 12:00"),
        (t.Anniversary(days(1), "within_last"), "2027-11-19 23:00"),
    ],
)
def test_an_event_enters_or_leaves_any_window(due: Due, window: t.Window, expected: str) -> None:
    assert due(asking(count("visit", window=window), *visits("11-20"))) == utc(expected)


def test_an_event_that_a_month_has_passed_is_back_where_the_month_is_clipped(due: Due) -> None:
    case = asking(
        count("visit", window=last(1, "months")),
        event("a", "visit", "2026-02-28 12:00"),
        as_of=at("2026-03-28 13:00"),
    )

    assert due(case) == at("2026-03-29 00:00")


def test_of_quarters_the_next_begin_counts_for_all_that_may_come_in(due: Due) -> None:
    before_last = t.During(t.RelativePeriod("quarter", -2))
    case = asking(
        count("visit", window=before_last, where=where(until=last(20))),
        *visits("06-15", until=at("2020-01-01 00:00")),
        *visits("09-15", until=at("2026-12-31 00:00")),
    )

    assert due(case) == at("2027-01-01 00:00")


def test_without_moving_parts_nothing_ever_changes(due: Due) -> None:
    assert due(asking(count("visit", window=t.Since(t.LocalDay(day("2026-11-01")))), *visits("11-20"))) is None


def test_an_event_dated_ahead_counts_when_it_comes(due: Due) -> None:
    assert due(asking(count("visit"), *visits("11-20", "12-01"))) == utc("12-01 12:00")


def test_a_wait_ends_at_its_deadline(due: Due) -> None:
    case = asking(sequence(step("cart"), no("order", days(1))), event("a", "cart", "2026-11-21 11:00Z"))

    assert due(case) == utc("11-22 11:00")


@pytest.mark.parametrize(
    ("begin", "end"),
    [("2026-10-31 12:00", "2026-11-30 12:00"), ("2026-10-21 12:30", "2026-11-21 12:30")],
)
def test_a_wait_of_a_month_ends_at_its_deadline(due: Due, begin: str, end: str) -> None:
    waits = sequence(step("cart"), no("order", t.Duration(1, "months")))

    assert due(asking(waits, event("a", "cart", begin))) == at(end)


def test_what_a_sequence_begins_with_leaves_its_window(due: Due) -> None:
    case = asking(sequence(step("cart", window=last(7)), step("order")), event("a", "cart", "2026-11-20 12:00Z"))

    assert due(case) == utc("11-27 12:00")


def test_a_wait_that_is_over_never_ends_again(due: Due) -> None:
    case = asking(sequence(step("cart"), no("order", hours(2))), event("a", "cart", "2026-11-20 11:00Z"))

    assert due(case) is None


def test_an_age_passes_its_bound_to_the_microsecond(due: Due) -> None:
    old = formula("age", c.Call("days_since", (c.TraitValue("seen"),)))
    seen = (person("a", seen=utc("11-20 12:00")),)

    above = asking(trait("age", "above", 10), people=seen, computed=(old,))

    assert due(above) == utc("11-30 12:00") + MICROSECOND
    assert due(replace(above, where=trait("age", "at_least", 10))) == utc("11-30 12:00")
    assert due(replace(above, where=trait("age", "below", Decimal("0.5")))) is None
    assert due(replace(above, where=trait("age", "below", 1), as_of=utc("11-21 12:00"))) is None


def test_an_age_in_years_passes_its_bound_on_a_birthday(due: Due) -> None:
    years = formula("years", c.Call("years_since", (c.TraitValue("born"),)))
    case = asking(trait("years", "at_least", 18), people=(person("a", born=day("2008-12-24")),), computed=(years,))

    assert due(case) == utc("12-23 23:00")


def test_who_was_born_on_29_february_is_older_on_the_28th(due: Due) -> None:
    years = formula("years", c.Call("years_since", (c.TraitValue("born"),)))
    leaping = (person("a", born=day("2008-02-29")),)
    case = asking(trait("years", "at_least", 18), people=leaping, computed=(years,), as_of=at("2026-02-10 12:00"))

    assert due(case) == at("2026-02-28 00:00")


def test_an_overdue_ratio_passes_its_bound(due: Due) -> None:
    gap = metric("gap", REAL, "order", c.Gap("average"))
    newest = metric("newest", TIME, "order", c.EdgeTime("last"))
    overdue = formula("overdue", c.Call("/", (c.Call("days_since", (c.TraitValue("newest"),)), c.TraitValue("gap"))))
    orders = tuple(event("a", "order", f"2026-11-{n} 12:00Z") for n in (10, 14, 18))

    case = asking(trait("overdue", "at_least", 2), *orders, computed=(gap, newest, overdue))

    assert due(case) == utc("11-26 12:00")


def test_an_age_that_ranks_is_another_one_at_once(due: Due) -> None:
    old = formula("age", c.Call("days_since", (c.TraitValue("seen"),)))
    keep = c.Keep("top", "age", 1)
    case = asking(c.Not(count("visit")), people=(person("a", seen=utc("11-20 12:00")),), computed=(old,), keep=keep)

    assert due(case) == NOON + MICROSECOND
    assert due(replace(case, keep=replace(keep, by="points"))) is None


def test_a_trait_enters_a_window(due: Due) -> None:
    soon = c.TraitCondition("seen", t.WithinNext(days(3)))

    assert due(asking(soon, people=(person("a", seen=utc("11-30 12:00")),))) == utc("11-27 12:00")


def test_a_birthday_comes(due: Due) -> None:
    birthday = c.TraitCondition("born", t.Anniversary(days(1)))

    assert due(asking(birthday, people=(person("a", born=day("1990-12-24")),))) == utc("12-23 23:00")


def test_the_last_event_leaves_the_window_of_its_own_test(due: Due) -> None:
    case = asking(measured("visit", c.EdgeTime("last"), last(7)), *visits("11-10", "11-18"))

    assert due(case) == utc("11-25 12:00")


def test_a_property_of_an_event_enters_a_window(due: Due) -> None:
    ends_soon = count("visit", where=where(until=t.WithinNext(days(3))))

    assert due(asking(ends_soon, *visits("11-20", until=utc("11-28 12:00")))) == utc("11-25 12:00")


def test_events_that_come_into_the_window_may_fulfil_a_test_by_then(due: Due) -> None:
    old = count("visit", window=t.OlderThan(days(7)), where=where(until=last(20)))

    assert due(asking(old, *visits("11-20", until=utc("11-28 12:00")))) == utc("11-27 12:00")


def test_a_test_of_one_and_the_same_value_moves(due: Due) -> None:
    recent = measured("cart", c.EdgeTime("last"), last(7))
    one = c.All((count("cart"), recent), same=("product",))
    case = asking(one, *(event("a", "cart", f"2026-11-{n} 12:00Z", product=f"x{n}") for n in (17, 18)))

    assert due(case) == utc("11-24 12:00")


def test_a_share_moves_with_what_it_is_of(due: Due) -> None:
    soon = c.Share(where(until=t.WithinNext(days(3))))

    assert due(asking(measured("visit", soon, passes("above", 0)), *visits("11-20", until=utc("11-28 12:00")))) == utc(
        "11-25 12:00"
    )


def test_a_follower_moves_with_its_own_test(due: Due) -> None:
    follower = c.FollowedBy(("visit",), where(until=t.WithinNext(days(3))))
    case = asking(
        count("cart", followed_by=follower),
        event("a", "cart", "2026-11-19 12:00Z"),
        *visits("11-20", until=utc("11-28 12:00")),
    )

    assert due(case) == utc("11-25 12:00")


def test_an_element_of_a_list_leaves_a_window(tmp_path: Path) -> None:
    stay = ValueType(Kind.STRUCT, fields=(("until", TIME),))
    some = c.ValueTest("any_element", element=(("until", last(7)),))
    stays = [{"until": utc(text)} for text in ("11-10 12:00", "11-18 12:00", "11-20 12:00")]
    world = asking(c.TraitCondition("stays", some), people=(person("a", stays=stays),)).world()
    traits = (*world.project.traits, StoredTrait("stays", ValueType(Kind.LIST, element=stay)))
    known = replace(world.definitions, project=replace(world.project, traits=traits))

    assert NextChanges(replace(world, definitions=known), tmp_path, 0).at(NOON) == {0: us(utc("11-25 12:00"))}


def test_a_score_moves_with_what_it_ranks(due: Due) -> None:
    recent = metric("recent", REAL, "visit", c.Count(), window=last(7))
    case = asking(trait("x", "equals", 1), *visits("11-18"), computed=(recent, score("x", "recent")))

    assert due(case) == utc("11-25 12:00")


def test_a_score_by_recency_moves_only_with_events(due: Due) -> None:
    newest = metric("newest", TIME, "visit", c.EdgeTime("last"))
    since = formula("since", c.Call("days_since", (c.TraitValue("newest"),)))
    case = asking(trait("x", "equals", 1), *visits("11-18"), computed=(newest, since, score("x", "since")))

    assert due(case) is None


def test_a_record_dated_ahead_becomes_valid(due: Due) -> None:
    record = Record("crm", 9, {"points": 3}, valid_from=utc("12-05 12:00"))
    one = person("a", points=1)

    assert due(asking(trait("points", "above", 2), people=(replace(one, records=(*one.records, record)),))) == utc(
        "12-05 12:00"
    )


def test_columns_say_what_is_said_of_one_profile(due: Due) -> None:
    conditions = (
        count("visit", window=last(7)),
        sequence(step("cart"), no("order", days(3))),
        c.TraitCondition("born", t.Anniversary(days(7))),
        c.TraitCondition("seen", t.Between(t.RelativeTime(days(2)), t.RelativeTime(days(4), 1))),
    )
    people = (person("a", born=day("1980-12-24"), seen=utc("11-20 12:00")),)
    for condition in conditions:
        case = asking(condition, *visits("11-16"), event("a", "cart", "2026-11-20 18:00"), people=people)
        world = case.world()
        lowered = lower_segment(world.definitions.segments["case"], world.definitions)
        profile = world.profiles[0]

        one = due_at(
            lowered, profile_row(world, profile), event_rows(world, profile), as_of=NOON, zone=case.zone, members={}
        )

        assert due(case) == one


def test_next_changes_are_told_where_they_are_asked_for(tmp_path: Path) -> None:
    case = asking(count("visit", window=last(7)), *visits("11-18"))
    changes = NextChanges(case.world(), tmp_path, 0)
    data = changes.input(NOON)

    quiet = PolarsEngine().evaluate(changes.plan, data, as_of=NOON, zone=case.zone)
    duck = DuckDBEngine().evaluate(changes.plan, data, as_of=NOON, zone=case.zone, due=True)

    assert "due" not in quiet.answers.columns
    assert duck.answers["due"].to_list() == [us(NOON) + 1]


def test_of_nobody_nothing_is_told(tmp_path: Path) -> None:
    case = asking(count("visit", window=last(7)), *visits("11-18"))
    changes = NextChanges(case.world(), tmp_path, 0)

    assert changes.at(at("2026-11-01 12:00"), only=[5]) == {}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text if text.startswith("20") else f"2026-{text}").replace(tzinfo=UTC)
