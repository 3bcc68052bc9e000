"""Who belongs where, and whose time comes when: small structures beside their obvious forms."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segctl.operations.live.evaluation import NEVER
from segctl.operations.stream import members as stream_members
from segctl.operations.stream.members import Members, Timers
from segctl.operations.stream.metrics import Latencies, Metrics

WHO, WHEN = st.integers(0, 9), st.one_of(st.integers(0, 50), st.just(NEVER))
SET = st.lists(st.tuples(WHO, WHEN), min_size=1, max_size=6, unique_by=lambda pair: pair[0])


@given(st.lists(st.one_of(SET, st.integers(0, 60)), max_size=30), st.integers(0, 8))
def test_timers_give_what_a_dictionary_would(steps: list[list[tuple[int, int]] | int], loose: int) -> None:
    timers, plain = Timers(10), dict[int, int]()
    before, stream_members._MOST_LOOSE = stream_members._MOST_LOOSE, loose
    try:
        for step in steps:
            if isinstance(step, int):
                due = sorted(who for who, when in plain.items() if when <= step)
                plain = {who: when for who, when in plain.items() if when > step}
                assert timers.take(step) == due
            else:
                timers.set([who for who, _ in step], [when for _, when in step])
                plain |= dict(step)
                plain = {who: when for who, when in plain.items() if when < NEVER}
            assert timers.first() == min(plain.values(), default=NEVER)
    finally:
        stream_members._MOST_LOOSE = before


def test_an_instant_is_only_ever_brought_forward() -> None:
    timers = Timers(0)
    timers.advance(200_000, 50)
    timers.advance(200_000, 70)
    timers.advance(200_000, 30)

    assert (timers.first(), timers.take(100)) == (30, [200_000])


def test_moves_are_what_differs_and_profiles_without_an_answer_belong_to_nothing() -> None:
    members = Members(("a", "b", "late"), 2)
    answers = pl.DataFrame({"subject": [1, 70_000], "a": [True, False], "b": [True, None]})

    first = members.moved([1, 70_000], answers, ("a", "b"))
    second = members.moved([1, 70_000], answers.head(0), ("a", "b"))

    assert first == [(1, "a", True), (1, "b", True)]
    assert second == [(1, "a", False), (1, "b", False)]
    assert members.length == 70_001


ANSWER = st.tuples(st.sampled_from([True, False, None]), st.sampled_from([True, False, None]))
ASKED = st.lists(st.dictionaries(WHO, ANSWER, max_size=8), max_size=4)


@given(ASKED)
def test_those_of_many_who_are_not_what_they_were_are_found_first(rounds: list[dict[int, tuple[bool, bool]]]) -> None:
    plain, quick, everybody = Members(("a", "b"), 0), Members(("a", "b"), 0), np.arange(0, 10)
    for asked in rounds:
        rows = [(who, *asked[who]) for who in sorted(asked)]
        schema = {"subject": pl.Int32, "a": pl.Boolean, "b": pl.Boolean}
        answers = pl.DataFrame(rows, schema=schema, orient="row")

        assert quick.moved_of_many(everybody, answers, ("a", "b")) == plain.moved(everybody, answers, ("a", "b"))
        assert quick.unknown == plain.unknown


@pytest.mark.parametrize(("share", "low", "high"), [(0.5, 9, 11), (0.99, 95, 110), (1.0, 1000, 1000)])
def test_quantiles_lie_within_a_tenth(share: float, low: float, high: float) -> None:
    latencies = Latencies()
    latencies.add(10, 60)
    latencies.add(100, 39)
    latencies.add(1000)

    assert low <= latencies.quantile(share) <= high


def test_figures_of_parts_add_up() -> None:
    total, part = Metrics(), Metrics(lines=3, events=2, bad=1, batches=1)
    part.latencies.add(5, 3)

    total.add(part)
    total.add(part)

    assert (total.lines, total.events, total.bad, total.latencies.total) == (6, 4, 2, 6)
