"""Moments: parts merge into the whole, however they were come by."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segctl.stats.moments import merge, nothing, of_counts, of_rows, of_spread, of_sums
from segctl.stats.values import Counts, Flag, Interval, Moments, Why, undefined

ROWS = st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(0, 50)), min_size=0, max_size=12)


def moments(rows: list[tuple[float, float]]) -> Moments:
    return of_rows({"value": [a for a, _ in rows], "before": [b for _, b in rows]})


def same(one: Moments, other: Moments) -> None:
    assert (one.n, one.names) == (other.n, other.names)
    if one.n:
        assert one.means == pytest.approx(other.means, rel=1e-9, abs=1e-6)
        for a, b in zip(one.products, other.products, strict=True):
            assert a == pytest.approx(b, rel=1e-9, abs=1e-3)


@given(st.lists(ROWS, min_size=1, max_size=5))
def test_moments_of_parts_merge_into_those_of_the_whole(parts: list[list[tuple[float, float]]]) -> None:
    same(merge([moments(part) for part in parts]), moments([row for part in parts for row in part]))


@given(ROWS, st.integers(0, 20))
def test_units_without_rows_are_zeros(rows: list[tuple[float, float]], others: int) -> None:
    same(moments(rows).merged(nothing(others, ("value", "before"))), moments([*rows, *([(0.0, 0.0)] * others)]))


@given(ROWS.filter(lambda rows: len(rows) > 1))
def test_sums_and_spreads_say_the_same_as_rows(rows: list[tuple[float, float]]) -> None:
    value, before = np.array(rows).T
    n = len(rows)
    pairs = {
        ("value", "value"): (value, value),
        ("value", "before"): (value, before),
        ("before", "before"): (before, before),
    }
    sums = of_sums(
        n, {"value": value.sum(), "before": before.sum()}, {key: float(a @ b) for key, (a, b) in pairs.items()}
    )
    means = {"value": value.mean(), "before": before.mean()}
    spread = of_spread(n, means, {key: float(np.cov(a, b)[0, 1]) for key, (a, b) in pairs.items()})

    same(spread, moments(rows))
    same(sums, moments(rows))


@given(ROWS.filter(bool), st.floats(-3, 3))
def test_weighted_sums_of_figures_have_the_moments_of_their_rows(
    rows: list[tuple[float, float]], weight: float
) -> None:
    found = moments(rows).combined({"value": {"value": 1.0, "before": -weight}, "before": {"before": 2.0}})

    same(found, of_rows({"value": [a - weight * b for a, b in rows], "before": [2 * b for _, b in rows]}))


def test_values_that_are_large_and_differ_little_keep_their_variance() -> None:
    whole = merge([of_rows({"value": [1e9 + 1]}), of_rows({"value": [1e9 + 2]}), of_rows({"value": [1e9 + 3]})])

    assert whole.covariance() == pytest.approx(1.0, rel=1e-6)


def test_counts_are_figures_of_zeros_and_ones() -> None:
    same(of_counts(Counts(5, 2)), of_rows({"value": [1, 1, 0, 0, 0]}))
    assert of_counts(Counts(0, 0)).n == 0
    assert Counts(3, 1).merged(Counts(7, 2)) == Counts(10, 3)
    assert Counts(0, 0).rate is None


def test_equal_values_have_no_variance_from_sums_either() -> None:
    assert of_sums(3_000, {"value": 3_000 * 0.1}, {("value", "value"): 3_000 * 0.01}).product() == 0.0


def test_nobody_has_no_mean_and_one_no_variance() -> None:
    assert of_rows({"value": []}) == nothing(0)
    assert (nothing(0).mean(), nothing(0).covariance(), of_rows({"value": [3]}).covariance()) == (None, None, None)
    assert of_spread(0, {"value": float("nan")}, {}) == nothing(0)
    assert of_spread(1, {"value": 4.0}, {}).products == ((0.0,),)


def test_different_figures_do_not_merge() -> None:
    with pytest.raises(ValueError, match="do not merge"):
        nothing(1).merged(nothing(1, ("value", "before")))


def test_a_factor_moves_an_interval_and_a_negative_one_turns_it() -> None:
    interval = Interval(2.0, 1.0, None, 0.95, "m", "high", Why.EFFECT_MAY_BE_ZERO)

    assert interval.scaled(10, -5) == Interval(15.0, 5.0, None, 0.95, "m", "high", Why.EFFECT_MAY_BE_ZERO)
    assert interval.scaled(-1) == Interval(-2.0, None, -1.0, 0.95, "m", "low", Why.EFFECT_MAY_BE_ZERO)
    assert interval.excludes(0.5)
    assert not interval.excludes(1e9)
    assert not undefined(Why.EMPTY_ARM, confidence=0.95, method="m").excludes(0)


def test_words_of_flags_and_reasons_are_plain_text_in_json() -> None:
    assert json.dumps([Flag.SMALL_COUNTS, Why.EMPTY_ARM]) == '["small_counts", "empty_arm"]'
