"""Candidate pairs: every one that a rule proposes, once, and never more than the budget."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from likeness_data import ROLES, people

from segctl.identity.blocking import Rule, candidates, rules_for
from segctl.identity.fields import Records, coded, prepared


def records_of(**fields: list[str | None]) -> Records:
    length = len(next(iter(fields.values())))
    return Records(
        pl.Series(range(length)),
        {name: coded(pl.Series(values, dtype=pl.String)) for name, values in fields.items()},
    )


def found(rules: tuple[Rule, ...], chunk: int = 1_000_000) -> dict[tuple[int, int], int]:
    pairs: dict[tuple[int, int], int] = {}
    for part in candidates(rules, chunk):
        for left, right, bits in zip(part.left.tolist(), part.right.tolist(), part.rules.tolist(), strict=True):
            assert left < right
            assert (left, right) not in pairs
            pairs[left, right] = bits
    return pairs


VALUES = st.lists(
    st.tuples(*[st.sampled_from(["a", "b", "c", None]) for _ in range(3)]), min_size=1, max_size=24
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(VALUES, st.integers(1, 40))
def test_candidates_are_the_pairs_that_agree_on_a_rule(rows: list[tuple[str | None, ...]], chunk: int) -> None:
    given_names, surnames, dates = ([row[at] for row in rows] for at in range(3))
    records = records_of(given=given_names, surname=surnames, birth_date=dates)
    rules = rules_for(records, max_block=1_000, pairs_per_record=1_000)

    expected = {}
    for left, right in combinations(range(len(rows)), 2):
        bits = 0
        for at, rule in enumerate(rules):
            columns = [[row[("given", "surname", "birth_date").index(field)] for row in rows] for field in rule.fields]
            bits |= all(column[left] == column[right] is not None for column in columns) << at
        if bits:
            expected[left, right] = bits

    assert found(rules, chunk) == expected
    assert [rule.fields for rule in rules] == [("surname", "birth_date"), ("given", "birth_date")]


def test_a_block_that_is_too_large_is_dropped_and_noted_with_its_value() -> None:
    records = records_of(email=["info@a.de"] * 12 + ["x@a.de", "x@a.de", None, None])

    (rule,) = rules_for(records, max_block=10, pairs_per_record=1_000)

    assert list(found((rule,))) == [(12, 13)]
    assert [(block.rule, block.values, block.records) for block in rule.dropped] == [("email", ("info@a.de",), 12)]


def test_a_pair_of_a_dropped_block_is_found_by_a_later_rule() -> None:
    births = [str(at // 2) for at in range(12)]
    records = records_of(email=["info@a.de"] * 12, surname=["abt"] * 12, birth_date=births)

    rules = rules_for(records, max_block=10, pairs_per_record=1_000)

    assert sorted(found(rules)) == [(at, at + 1) for at in range(0, 12, 2)]


def test_pairs_stay_within_the_budget_and_the_largest_blocks_go_first() -> None:
    number = 4_000
    records = records_of(email=[f"v{min(at // 5, 400)}" for at in range(number)])

    (rule,) = rules_for(records, max_block=10_000, pairs_per_record=5)

    assert rule.pairs == 400 * 10
    assert [block.records for block in rule.dropped] == [2_000]


def test_pairs_grow_with_the_records_and_not_with_their_square() -> None:
    per_record = []
    for number in (2_000, 8_000):
        records = prepared(people(number // 2, 1).drop("person"), ROLES)
        rules = rules_for(records, max_block=1_000, pairs_per_record=2)
        assert all(rule.pairs <= 2 * len(records) for rule in rules)
        per_record.append(sum(rule.pairs for rule in rules) / len(records))

    assert per_record[1] < 2 * per_record[0]


def test_without_any_rule_there_are_no_candidates() -> None:
    assert list(candidates(rules_for(records_of(gender=["f", "f"]), max_block=10, pairs_per_record=10))) == []


@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_chunks_are_no_larger_than_asked_but_for_one_record(chunk: int) -> None:
    records = records_of(email=["a@a.de"] * 30)
    rules = rules_for(records, max_block=100, pairs_per_record=100)

    sizes = [len(part.left) for part in candidates(rules, chunk)]

    assert sum(sizes) == 30 * 29 // 2
    assert max(sizes) <= max(chunk, 29)


def test_a_key_of_two_fields_is_missing_when_either_is() -> None:
    records = records_of(surname=["a", "a", None, "a"], birth_date=["1", "1", "1", None])
    (rule,) = rules_for(records, max_block=10, pairs_per_record=10)

    assert np.array_equal(rule.keys >= 0, [True, True, False, False])
