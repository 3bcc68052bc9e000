"""`explain --until`: the answer does not change before the instant named, and does at it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "properties"))

import strategies
from case_tools import (
    Case,
    at,
    calendar,
    count,
    day,
    days,
    event,
    formula,
    last,
    metric,
    no,
    passes,
    person,
    sequence,
    step,
)
from oracle_data import World
from row_tools import event_rows, profile_row
from strategies_data import Dice

from segctl.compile import ir
from segctl.compile.lower import lower_segment
from segctl.compile.trace import trace
from segctl.compile.trace_times import NextChange, due_at, next_change
from segctl.model import conditions as c
from segctl.model import times as t
from segctl.model.types import REAL, TIME

HORIZON = timedelta(days=800)


class Asked:
    """One profile of a world and the questions about it."""

    def __init__(self, world: World, segment: ir.LoweredSegment, number: int) -> None:
        self.world, self.segment, self.profile = world, segment, world.profiles[number]
        self.zone = world.project.timezone
        self.events = event_rows(world, self.profile)
        self.members = dict.fromkeys(world.definitions.segments, True)

    def answer(self, when: datetime) -> bool | None:
        row = profile_row(self.world, self.profile, when)
        return trace(self.segment, row, self.events, as_of=when, zone=self.zone, members=self.members, limit=0).answer

    def next(self) -> NextChange | None:
        return next_change(
            self.segment,
            profile_row(self.world, self.profile),
            self.events,
            as_of=self.world.as_of,
            zone=self.zone,
            members=self.members,
            until=self.world.as_of + HORIZON,
        )

    def due(self) -> datetime | None:
        row = profile_row(self.world, self.profile)
        return due_at(self.segment, row, self.events, as_of=self.world.as_of, zone=self.zone, members=self.members)


def asked(world: World, name: str, number: int = 0) -> Asked:
    lists = {key: sorted(texts) for key, texts in world.lists.items()}
    return Asked(world, lower_segment(world.definitions.segments[name], world.definitions, lists=lists), number)


@settings(max_examples=24, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_nothing_changes_before_the_next_change(seed: int) -> None:
    world, dice = strategies.world(seed, segments=2), Dice(seed)
    for name in world.definitions.segments:
        question = asked(world, name)
        before = question.answer(world.as_of)

        found, due = question.next(), question.due()

        end = min(found.at, world.as_of + HORIZON) if found else world.as_of + HORIZON
        for when in instants(question, dice, end):
            assert question.answer(when) is before, (seed, name, when, found)
        if found is not None and found.is_exact:
            assert question.answer(found.at) is found.answer is not before
            assert due is not None
            assert due <= found.at


def instants(question: Asked, dice: Dice, end: datetime) -> list[datetime]:
    """Instants before `end` at which something might happen."""
    start = question.world.as_of
    spans = [timedelta(days=n) for n in (1, 2, 7, 14, 28, 31, 92, 365)] + [timedelta(hours=n) for n in (1, 2, 36)]
    near = [e.ts + span + dice.wobble() for e in question.events for span in spans]
    midnights = [start.replace(hour=0) + timedelta(hours=n) for n in range(0, 24 * 40, 7)]
    somewhere = [start + (end - start) * dice.random.random() for _ in range(15)]
    options = [w for w in (*near, *midnights, *somewhere, end - timedelta(microseconds=1)) if start < w < end]
    return dice.random.sample(options, min(len(options), 40))


def next_of(case: Case) -> NextChange | None:
    return asked(case.world(), "case").next()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_member_leaves_when_the_event_leaves_the_window() -> None:
    case = Case("", count("visit", window=last(7)), {"a": True}, events=(event("a", "visit", "2026-11-20 12:00Z"),))

    assert next_of(case) == NextChange(utc("2026-11-27T12:00"), answer=False)


def test_the_event_whose_leaving_matters_decides() -> None:
    visits = tuple(event("a", "visit", f"2026-11-{n} 12:00Z") for n in (15, 18, 20))
    case = Case("", count("visit", "at_least", 2, window=last(7)), {"a": True}, events=visits)

    assert next_of(case) == NextChange(utc("2026-11-25T12:00"), answer=False)


def test_calendar_words_change_at_local_midnight() -> None:
    case = Case(
        "",
        count("visit", window=t.WithinLast(calendar(1))),
        {"a": True},
        events=(event("a", "visit", "2026-11-21 09:00"),),
    )

    assert next_of(case) == NextChange(utc("2026-11-21T23:00"), answer=False)


def test_then_not_comes_true_at_its_deadline() -> None:
    case = Case(
        "",
        sequence(step("cart"), no("order", days(1))),
        {"a": False},
        events=(event("a", "cart", "2026-11-21 11:00Z"),),
    )

    assert next_of(case) == NextChange(utc("2026-11-22T11:00"), answer=True)


def test_an_age_passes_its_bound() -> None:
    old = formula("age", c.Call("days_since", (c.TraitValue("seen"),)))
    case = Case(
        "",
        c.TraitCondition("age", passes("above", 10)),
        {"a": False},
        (person("a", seen=utc("2026-11-20T12:00")),),
        computed=(old,),
    )

    assert next_of(case) == NextChange(utc("2026-11-30T12:00") + timedelta(microseconds=1), answer=True)


def test_an_overdue_ratio_passes_its_bound() -> None:
    gap = metric("gap", REAL, "order", c.Gap("average"))
    newest = metric("newest", TIME, "order", c.EdgeTime("last"))
    overdue = formula("overdue", c.Call("/", (c.Call("days_since", (c.TraitValue("newest"),)), c.TraitValue("gap"))))
    orders = tuple(event("a", "order", f"2026-11-{n} 12:00Z") for n in (10, 14, 18))
    case = Case(
        "",
        c.TraitCondition("overdue", passes("at_least", 2)),
        {"a": False},
        computed=(gap, newest, overdue),
        events=orders,
    )

    assert next_of(case) == NextChange(utc("2026-11-26T12:00"), answer=True)


def test_a_birthday_comes() -> None:
    case = Case(
        "", c.TraitCondition("born", t.Anniversary(days(1))), {"a": False}, (person("a", born=day("1990-12-24")),)
    )

    assert next_of(case) == NextChange(at("2026-12-24 00:00"), answer=True)


def test_an_event_dated_ahead_counts_when_it_comes() -> None:
    case = Case("", count("visit"), {"a": False}, events=(event("a", "visit", "2026-12-01 12:00Z"),))

    assert next_of(case) == NextChange(utc("2026-12-01T12:00"), answer=True)


def test_without_moving_parts_nothing_ever_changes() -> None:
    case = Case("", count("visit"), {"a": True}, events=(event("a", "visit", "2026-11-01 12:00Z"),))

    assert next_of(case) is None
