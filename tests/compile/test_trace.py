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
from case_tools import Case
from cases import CASES
from oracle_data import World, leaves_of
from row_tools import event_rows, profile_row

from segctl.compile.lower import lower_segment
from segctl.compile.trace import trace as traced


def check(world: World) -> None:
    """Every leaf and every condition as a whole, for every profile."""
    found = oracle.answers(world)
    lists = {name: sorted(texts) for name, texts in world.lists.items()}
    for definition in world.definitions.segments.values():
        if definition.name not in found.members:
            continue
        lowered = lower_segment(definition, world.definitions, lists=lists)
        for profile in world.profiles:
            person = oracle.Person(world, profile, found.members)
            members = {name: profile.profile_id in ids for name, ids in found.members.items()}
            result = traced(
                lowered,
                profile_row(world, profile),
                event_rows(world, profile),
                as_of=world.as_of,
                zone=world.project.timezone,
                members=members,
            )
            expected = {path: person.answer(leaf) for path, leaf in leaves_of(definition.where)}
            assert {leaf.path: leaf.answer for leaf in result.leaves} == expected
            assert result.answer is person.answer(definition.where)
            assert result.tree.answer is result.answer


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_rows_answer_as_the_language_says(case: Case) -> None:
    check(case.world())


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_rows_answer_as_the_oracle(seed: int) -> None:
    check(strategies.world(seed))
