"""The row evaluator behind `explain` answers as the oracle does, and says what decided."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "properties"))

import oracle
import strategies
from case_tools import Case, at, count, days, euro, event, measured, no, passes, person, sequence, step, trait
from cases import CASES
from oracle_data import World, leaves_of
from row_tools import event_rows, profile_row

from segctl.compile.lower import lower_segment
from segctl.compile.trace import Trace
from segctl.compile.trace import trace as traced
from segctl.model import conditions as c
from segctl.model import times as t


def check(world: World) -> None:
    """Every leaf and every condition as a whole, for every profile."""
    found = oracle.answers(world)
    lists = {name: sorted(texts) for name, texts in world.lists.items()}
    for definition in world.definitions.segments.values():
        if definition.name not in found.members:
            continue
        lowered = lower_segment(definition, world.definitions, lists=lists)
        for judge in oracle.everybody(world, found.members):
            profile = judge.profile
            members = {name: profile.profile_id in ids for name, ids in found.members.items()}
            result = traced(
                lowered,
                profile_row(world, profile),
                event_rows(world, profile),
                as_of=world.as_of,
                zone=world.project.timezone,
                members=members,
            )
            expected = {path: judge.answer(leaf) for path, leaf in leaves_of(definition.where)}
            assert {leaf.path: leaf.answer for leaf in result.leaves} == expected
            assert result.answer is judge.answer(definition.where)
            assert result.tree.answer is result.answer


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_rows_answer_as_the_language_says(case: Case) -> None:
    check(case.world())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_rows_answer_as_the_oracle(seed: int) -> None:
    check(strategies.world(seed))


def explained(case: Case) -> Trace:
    """The trace of the case's first person."""
    world = case.world()
    found = oracle.answers(world)
    profile = world.profiles[0]
    lowered = lower_segment(world.definitions.segments["case"], world.definitions)
    members = {name: profile.profile_id in ids for name, ids in found.members.items()}
    return traced(
        lowered,
        profile_row(world, profile),
        event_rows(world, profile),
        as_of=world.as_of,
        zone=world.project.timezone,
        members=members,
    )


def visits(*when: str) -> tuple[object, ...]:
    return tuple(event("a", "visit", w, event_id=f"v{i}") for i, w in enumerate(when))


def test_a_false_count_says_how_many_are_there_and_which() -> None:
    wanted = count("visit", "at_least", 3, window=t.WithinLast(days(30)))
    events = visits("2026-11-01 10:00", "2026-11-02 10:00", "2026-01-01 10:00")

    leaf = explained(Case("", wanted, {"a": False}, events=events)).leaves[0]

    assert leaf.missing == "2, needs at least 3"
    assert [e.event_id for e in leaf.events] == ["v0", "v1"]
    assert leaf.values[0].value == 2
    assert leaf.values[0].name == "count of visit"


def test_an_unknown_leaf_names_what_is_missing() -> None:
    leaf = explained(Case("", trait("points", "above", 3), {"a": None})).leaves[0]

    assert leaf.answer is None
    assert leaf.missing == "`points` is missing"


def test_only_the_newest_deciding_events_are_kept_but_all_are_counted() -> None:
    events = visits(*(f"2026-11-{n:02} 10:00" for n in range(1, 15)))

    leaf = explained(Case("", count("visit"), {"a": True}, events=events)).leaves[0]

    assert leaf.event_count == 14
    assert len(leaf.events) == 10
    assert leaf.events[-1].event_id == "v13"
    assert leaf.missing is None


def test_the_last_event_decides_a_last_value() -> None:
    wanted = measured("order", c.EdgeValue("last", "category"), passes("equals", "x"))
    events = tuple(
        event("a", "order", f"2026-11-0{n} 10:00", category=value, event_id=str(n)) for n, value in ((1, "x"), (2, "y"))
    )

    leaf = explained(Case("", wanted, {"a": False}, events=events)).leaves[0]

    assert [e.event_id for e in leaf.events] == ["2"]
    assert leaf.missing == "y, needs exactly x"


def test_a_sequence_names_the_step_that_is_missing_and_what_matched() -> None:
    wanted = sequence(step("cart"), step("visit"), step("order"))
    events = (
        event("a", "cart", "2026-11-01 10:00", event_id="c"),
        event("a", "visit", "2026-11-02 10:00", event_id="v"),
    )

    leaf = explained(Case("", wanted, {"a": False}, events=events)).leaves[0]

    assert leaf.missing == "step 3: no fitting `order`"
    assert [e.event_id for e in leaf.events] == ["c", "v"]


def test_a_then_not_names_the_event_that_prevents_it() -> None:
    events = (event("a", "cart", "2026-11-01 10:00"), event("a", "order", "2026-11-01 11:00", event_id="o"))

    leaf = explained(Case("", sequence(step("cart"), no("order", days(1))), {"a": False}, events=events)).leaves[0]

    assert leaf.missing == "step 2: `order` at 2026-11-01 11:00:00+01:00 prevents it"
    assert "o" in [e.event_id for e in leaf.events]


def test_money_is_shown_with_its_digits_and_unit() -> None:
    wanted = measured("order", c.Aggregate("sum", "value"), passes("at_least", euro("100")))
    events = (event("a", "order", "2026-11-01 10:00", value=euro("99.90")),)

    leaf = explained(Case("", wanted, {"a": False}, events=events)).leaves[0]

    assert leaf.missing == "99.90 EUR, needs at least 100.00 EUR"


def test_the_tree_has_the_condition_s_shape() -> None:
    where = c.All((count("visit"), c.Not(trait("vip", "equals", True)), c.AnyOf((count("cart"), count("order")))))

    found = explained(Case("", where, {"a": False}, events=visits("2026-11-01 10:00")))

    assert [b.word for b in found.tree.items] == ["leaf", "not", "any"]
    assert [b.answer for b in found.tree.items] == [True, None, False]
    assert [b.leaf for b in found.tree.items[2].items] == [2, 3]
    assert found.tree.items[1].items[0].leaf == 1


def test_events_after_as_of_are_no_reason() -> None:
    case = Case(
        "", count("visit"), {"a": False}, (person("a"),), visits("2026-11-21 12:01"), as_of=at("2026-11-21 12:00")
    )

    leaf = explained(case).leaves[0]

    assert leaf.answer is False
    assert leaf.events == ()
