"""The sum behind a pair, step by step and as a chart."""

from __future__ import annotations

import pytest

from segctl.cli.waterfall import bars, chance, rungs, said
from segctl.identity.explain import FieldEvidence, PairEvidence

PAIR = PairEvidence(
    1, 2, -8.0,
    (
        FieldEvidence("given", "jorg", "jorg", "equal", 3.0, 1.5, 0.9, 0.1),
        FieldEvidence("surname", "koch", None, "missing", 0.0, 0.0, 0.0, 0.0),
        FieldEvidence("city", "bonn", "ulm", "different", -2.5, 0.0, 0.1, 0.6),
        FieldEvidence("email", "a", "a", "equal", 10.0, 0.0, 0.9, 0.001),
    ),
    4.0, 0.941, "",
)  # fmt: skip


def test_the_steps_go_from_the_prior_to_the_total() -> None:
    steps = rungs(PAIR)

    assert [(s.field, s.bits, s.end) for s in steps] == [
        ("prior", -8.0, -8.0), ("given", 4.5, -3.5), ("surname", 0.0, -3.5), ("city", -2.5, -6.0),
        ("email", 10.0, 4.0), ("total", 4.0, 4.0),
    ]  # fmt: skip
    assert steps[1].agreement == "equal, rare"
    assert said(PAIR) == "prior -8.0 given +4.5 city -2.5 email +10.0 = +4.0 bits, probability 94.1 %"


def test_every_bar_begins_where_the_one_before_ended() -> None:
    lines = bars(rungs(PAIR), width=25)

    assert lines == [
        "░░░░░░░░░░░░░░░░░        ",
        "██████████      │        ",
        "                │        ",
        "    ░░░░░░      │        ",
        "    █████████████████████",
        "                █████████",
    ]


@pytest.mark.parametrize(
    ("share", "text"), [(0.9995, "more than 99.9 %"), (0.0001, "less than 0.1 %"), (0.5, "50.0 %")]
)
def test_no_chance_is_certain(share: float, text: str) -> None:
    assert chance(share) == text
