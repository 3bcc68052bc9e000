"""The oracle itself is held to the language's sentences, one hand-made case each."""

from __future__ import annotations

import oracle
import pytest
from case_tools import Case
from cases import CASES


def test_cases_have_unique_names() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_the_oracle_answers_as_the_language_says(case: Case) -> None:
    world = case.world()

    found = oracle.answers(world)

    people = {p.profile.profile_id: p for p in oracle.everybody(world, found.members)}
    assert {name: people[name].answer(case.where) for name in case.expected} == dict(case.expected)
    expected = {name for name, answer in case.expected.items() if answer} if case.members is None else set(case.members)
    assert found.members["case"] == expected
