"""Weights against Fellegi and Sunter written down plainly, and against what the data were made with."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from likeness_data import ROLES, people
from likeness_oracle import equal_by_chance, expectation_maximisation, weight

from segctl.identity import chance, scoring
from segctl.identity.blocking import rules_for
from segctl.identity.evidence import Counter, Scorer, compared
from segctl.identity.fields import Records, coded, prepared
from segctl.identity.fuzzy import match
from segctl.identity.pairs import Comparer, comparer


def all_pairs(number: int) -> tuple[np.ndarray, np.ndarray]:
    left, right = np.triu_indices(number, 1)
    return left.astype(np.int32), right.astype(np.int32)


def learnt(records: Records) -> tuple[Comparer, scoring.Weights]:
    compares = comparer(records)
    rules = rules_for(records, max_block=1_000, pairs_per_record=1_000)
    counter = Counter(len(rules))
    for chunk in compared(compares, rules, chunk=5_000):
        counter.add(chunk)
    by_chance = chance.chance(compares, samples=100_000, seed=1)
    sessions = tuple(scoring.session_of(records, rule.fields, rule.given_away) for rule in rules)
    return compares, scoring.learnt(compares, counter.counts(), sessions, by_chance)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_the_weight_of_every_pair_is_that_of_the_plain_formula(seed: int) -> None:
    records = prepared(people(12, seed).drop("person"), ROLES)
    compares, weights = learnt(records)
    left, right = all_pairs(len(records))

    scored = Scorer(compares, weights).score(left, right)

    m, u = [row.tolist() for row in weights.m], [row.tolist() for row in weights.u]
    vectors = compares.levels(left, right).T.tolist()
    for at, (a, b) in enumerate(zip(left.tolist(), right.tolist(), strict=True)):
        rare = 0.0
        for comparison, level in zip(compares.comparisons, vectors[at], strict=True):
            field = records.fields[comparison.field]
            if comparison.by_frequency and level == comparison.equal:
                values = [field.values[code] if code >= 0 else None for code in field.codes.tolist()]
                share = values.count(values[a]) / sum(value is not None for value in values)
                rare += np.log2(max(equal_by_chance(values), 1e-6) / share)
        assert scored.bits[at] == pytest.approx(weight(tuple(vectors[at]), m, u, weights.prior) + rare), (a, b)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_no_pair_is_passed_over_that_matters(seed: int, harsh: bool) -> None:
    frame = people(25, seed).drop("person")
    # Some names in each other's place, which reach a level of their own and make the surname say nothing.
    turned = frame.with_columns(record=pl.col("record") + 1_000, first="last", last="first").head(8)
    records = prepared(pl.concat([frame, turned.select(frame.columns)]), ROLES)
    compares, weights = learnt(records)
    if harsh:
        weights = replace(weights, bits=tuple(np.r_[np.minimum(bits[:-1], -1.0), bits[-1]] for bits in weights.bits))
    scorer = Scorer(compares, weights)
    left, right = all_pairs(len(records))

    scored = scorer.score(left, right)

    assert scorer.may_weigh(left, right, scored.bits).all()
    assert scorer.may_weigh(left, right, 1_000.0)[scored.household > 0].all()
    assert not scorer.may_weigh(left, right, 1_000.0).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_expectation_maximisation_is_that_of_the_plain_formula(seed: int) -> None:
    random = np.random.default_rng(seed)
    levels = random.integers(-1, 3, (3, 60)).astype(np.int8)
    guess = tuple(np.array([0.1, 0.1, 0.8]) for _ in range(3))
    u = tuple(random.dirichlet([5, 2, 1]) for _ in range(3))

    m, _ = expectation_maximisation(
        [tuple(column) for column in levels.T.tolist()],
        [row.tolist() for row in guess], [row.tolist() for row in u], worth=5.0, steps=60,
    )  # fmt: skip
    expected = scoring._expected(levels, np.ones(60), [False] * 3, u, guess, 0.2)
    ours = [scoring._share_of(total, one) for total, one in zip(expected, guess, strict=True)]

    assert np.allclose(ours, m, atol=2e-3)


def test_a_session_learns_nothing_about_the_fields_its_rule_fixes() -> None:
    levels = np.array([[2, 2, 0], [2, 1, 0]], np.int8)
    guess = (np.array([0.1, 0.1, 0.8]),) * 2

    fixed, free = scoring._expected(levels, np.ones(3), [True, False], guess[::-1], guess, 0.2)

    assert fixed.tolist() == [0, 0, 0]
    assert free.sum() > 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=2, max_size=30))
def test_equality_by_chance_is_counted_exactly(values: list[str | None]) -> None:
    field = coded(pl.Series(values, dtype=pl.String))

    assert chance.equal_by_chance(field) == pytest.approx(equal_by_chance(values))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(["ana", "kim", "leo", None])] * 2), min_size=2, max_size=20))
def test_swapped_names_by_chance_are_counted_exactly(rows: list[tuple[str | None, str | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"g": pl.String, "s": pl.String}, orient="row").with_row_index("record")
    records = prepared(frame, {"g": "given_name", "s": "surname"})
    if len(records.fields) < 5:
        return
    present = [row for row in rows if row[0] is not None]
    swapped = [a[0] == b[1] and a[1] == b[0] and a[0] != a[1] for a, b in combinations(present, 2)]

    share = chance._swapped_by_chance(comparer(records))

    assert share == pytest.approx(sum(swapped) / max(len(swapped), 1))


def test_what_is_missing_says_nothing() -> None:
    frame = people(60, 3).drop("person")
    compares, weights = learnt(prepared(frame, ROLES))
    nothing = np.full((len(compares.comparisons), 1), -1, np.int8)

    assert weights.of(nothing)[0] == pytest.approx(weights.prior_bits)


def test_a_rare_name_says_more_than_a_frequent_one() -> None:
    bits = chance.frequency_bits(coded(pl.Series(["müller"] * 90 + ["zeck"] * 2 + ["abt"])))

    abt, frequent, rare = bits.tolist()
    assert abt == 0
    assert rare - frequent == pytest.approx(np.log2(45))


def test_the_prior_is_the_share_of_pairs_the_data_were_made_with() -> None:
    frame = people(400, 5)
    _, weights = learnt(prepared(frame.drop("person"), ROLES))
    sizes = frame.group_by("person").len()["len"].to_list()
    true = sum(size * (size - 1) // 2 for size in sizes) / (len(frame) * (len(frame) - 1) / 2)

    assert weights.prior == pytest.approx(true, rel=0.1)


def test_shares_are_shares_and_agreement_weighs_more_than_disagreement() -> None:
    compares, weights = learnt(prepared(people(300, 8).drop("person"), ROLES))

    for m, u, bits, comparison in zip(weights.m, weights.u, weights.bits, compares.comparisons, strict=True):
        assert m.sum() == pytest.approx(1, abs=1e-3)
        assert u.sum() == pytest.approx(1, abs=1e-3)
        assert bits[comparison.equal] > 0 > bits[0]


def test_a_session_that_chance_explains_is_impure() -> None:
    session = scoring.Session(frozenset(), (0.01, 0.01), 1_000_000.0)

    assert session.purity(50.0, 0.0) == 0
    assert session.purity(400.0, 0.0) == pytest.approx(0.5)
    assert session.purity(100_000.0, 0.0) == pytest.approx(0.998)
    # Where most of what agrees is one person, agreement by chance is rarer than it looks.
    assert session.purity(400.0, 0.005) > session.purity(400.0, 0.0)


def test_impure_sessions_are_left_out_while_there_are_better_ones() -> None:
    guess = np.array([0.2, 0.8])
    good, bad = (np.array([1.0, 99.0]),), (np.array([900.0, 100.0]),)

    both = scoring._pooled(0, guess, [good, bad], [[False], [False]], [0.9, 0.1])

    assert both[1] > 0.95
    assert scoring._pooled(0, guess, [good, bad], [[True], [False]], [0.9, 0.1])[1] < 0.2


@pytest.mark.parametrize("columns", [("first", "last", "born", "town", "mail"), ("first", "last", "mail")])
def test_people_of_one_name_are_not_one_person_for_their_similar_addresses(columns: tuple[str, ...]) -> None:
    # 260 names for 1,500 persons, whose addresses are made of their names.
    frame = people(1_500, 2, copies=1).with_columns(born=pl.when(pl.col("record") % 3 > 0).then("born"))
    roles = {name: ROLES[name] for name in columns}

    result = match(frame.drop("person"), roles)

    joined = result.links.join(frame.select(left="record", a="person"), on="left")
    joined = joined.join(frame.select(right="record", b="person"), on="right")
    assert (joined["a"] == joined["b"]).mean() > 0.95


def test_many_duplicates_do_not_pass_for_chance() -> None:
    # Every second pair with the same e-mail is one person: agreement must still weigh much.
    compares, weights = learnt(prepared(people(60, 4, copies=5).drop("person"), ROLES))
    email = [comparison.field for comparison in compares.comparisons].index("email")

    assert weights.bits[email][-1] > 8


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_a_pattern_gives_its_levels_back(seed: int) -> None:
    records = prepared(people(20, seed).drop("person"), ROLES)
    compares = comparer(records)
    left, right = all_pairs(len(records))

    assert np.array_equal(compares.decoded(compares.patterns(left, right)), compares.levels(left, right))
