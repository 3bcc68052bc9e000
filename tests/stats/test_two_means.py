"""Means and ratios: Welch and Fieller are one test; what has no percentage says why."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from segctl.stats.effects import Effect, compare, fieller, log_delta
from segctl.stats.means import compare_means, estimate, mean_interval
from segctl.stats.moments import nothing, of_rows
from segctl.stats.ratios import compare_ratios, linearised, ratio
from segctl.stats.special import t_quantile
from segctl.stats.values import Flag, Moments, Why

SPEND = st.lists(st.one_of(st.just(0.0), st.floats(-20, 500).map(lambda x: round(x, 2))), min_size=2, max_size=25)
CONFIDENCE = st.sampled_from([0.5, 0.8, 0.95, 0.99])
# SciPy warns about equal values in one arm, which are a case like any other here.
SILENT = pytest.mark.filterwarnings("ignore:Precision loss")


def moments(values: list[float]) -> Moments:
    return of_rows({"value": values})


@settings(max_examples=100)
@given(SPEND, SPEND, CONFIDENCE)
def test_p_difference_and_lift_never_contradict(c: list[float], t: list[float], confidence: float) -> None:
    found = compare_means(moments(c), moments(t), confidence=confidence)

    significant = found.p is not None and found.p < 1 - confidence
    assert found.difference.excludes(0) is significant
    if found.lift.is_bounded:
        assert found.lift.excludes(0) is significant
        assert found.lift.low <= found.lift.estimate <= found.lift.high
    else:
        assert found.lift.why is not None


@SILENT
@settings(max_examples=60)
@given(SPEND, SPEND)
def test_welch_is_as_scipy_and_mirrors(c: list[float], t: list[float]) -> None:
    assume(np.var(c) + np.var(t) > 1e-6)
    found, back = (compare_means(moments(a), moments(b)) for a, b in ((c, t), (t, c)))

    theirs = stats.ttest_ind(t, c, equal_var=False)
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert found.df == pytest.approx(theirs.df)
    assert found.log_p == pytest.approx(np.log(theirs.pvalue), rel=1e-9, abs=1e-9)
    interval = theirs.confidence_interval()
    assert (found.difference.low, found.difference.high) == pytest.approx((interval.low, interval.high), abs=1e-9)
    assert (back.p, back.difference.low) == (pytest.approx(found.p), pytest.approx(-found.difference.high))


@settings(max_examples=30)
@given(st.lists(st.floats(5, 50), min_size=3, max_size=20), st.lists(st.floats(5, 50), min_size=3, max_size=20))
def test_fiellers_limits_are_the_lifts_that_a_test_just_does_not_reject(c: list[float], t: list[float]) -> None:
    found = compare_means(moments(c), moments(t))
    assume(found.lift.is_bounded and found.df is not None)
    one, other = estimate(moments(c)), estimate(moments(t))

    quantile = t_quantile(0.975, found.df)
    for limit in (found.lift.low, found.lift.high):
        ratio = 1 + limit
        apart = abs(other.value - ratio * one.value)
        assert apart == pytest.approx(quantile * (other.variance + ratio**2 * one.variance) ** 0.5, rel=1e-6, abs=1e-9)


@settings(max_examples=30)
@given(SPEND, SPEND, st.floats(0.01, 1000))
def test_the_currency_does_not_matter(c: list[float], t: list[float], factor: float) -> None:
    found = compare_means(moments(c), moments(t))
    other = compare_means(moments([factor * x for x in c]), moments([factor * x for x in t]))

    assert (found.p is None) is (other.p is None)
    if found.p is not None:
        assert other.p == pytest.approx(found.p, rel=1e-6, abs=1e-12)
        assert (found.lift.low is None) is (other.lift.low is None)


@pytest.mark.parametrize(
    ("control", "treatment", "why", "flag"),
    [
        pytest.param(
            [-3.0, -2.0, 2.0, -1.0], [0.5, 1.0, 0.0], Why.CONTROL_NEGATIVE, Flag.BASELINE_NOT_POSITIVE, id="negative"
        ),
        pytest.param([-1.0, 1.0, 0.0], [0.5, 1.0, 0.0], Why.CONTROL_ZERO, Flag.BASELINE_NOT_POSITIVE, id="zero"),
        pytest.param([0, 0, 30.0, 0], [0.5, 1.0, 0.0], Why.CONTROL_NEAR_ZERO, Flag.BASELINE_NEAR_ZERO, id="near zero"),
    ],
)
def test_a_control_without_a_positive_mean_has_no_percentages(
    control: list[float], treatment: list[float], why: Why, flag: Flag
) -> None:
    found = compare_means(moments(control), moments(treatment))

    # tea-tasting prints −150 % with limits in reverse for a mean of −1.0 against +0.5.
    assert (found.lift.estimate, found.lift.low, found.lift.high, found.lift.why) == (None, None, None, why)
    assert flag in found.flags
    assert found.p is not None
    assert found.difference.is_bounded


def test_one_arm_without_variance_leaves_the_other_its_degrees_of_freedom() -> None:
    found = compare_means(moments([2.0] * 5), moments([1.0, 3.0, 8.0]))

    assert found.df == 2
    assert found.flags == (Flag.SMALL_SAMPLE, Flag.ZERO_VARIANCE)
    assert found.p == pytest.approx(stats.ttest_1samp([1.0, 3.0, 8.0], 2.0).pvalue)
    assert found.lift.excludes(0) is (found.p < 0.05)


@pytest.mark.parametrize("value", [0.1, 1e9 + 0.1, 7.0])
def test_two_arms_without_variance_have_a_difference_and_no_test(value: float) -> None:
    found = compare_means(moments([value] * 7), moments([value + 1] * 5))

    assert found.difference.estimate == pytest.approx(1.0)
    assert (found.p, found.difference.low, found.why) == (None, None, Why.ZERO_VARIANCE)
    assert found.lift.estimate == pytest.approx(1 / value)


@pytest.mark.parametrize(
    ("control", "treatment", "why"),
    [
        ([], [1.0, 2.0], Why.EMPTY_ARM),
        ([1.0, 2.0], [], Why.EMPTY_ARM),
        ([1.0], [2.0, 3.0], Why.ONE_UNIT),
        ([], [], Why.EMPTY_ARM),
    ],
)
def test_too_few_units_have_a_reason(control: list[float], treatment: list[float], why: Why) -> None:
    found = compare_means(moments(control), moments(treatment))

    assert (found.p, found.why, found.difference.why, found.lift.why) == (None, why, why, why)
    assert (Flag.EMPTY_ARM in found.flags) is (why == Why.EMPTY_ARM)


def test_a_mean_has_an_interval_or_a_reason() -> None:
    interval = mean_interval(moments([1.0, 2.0, 6.0]))

    expected = stats.t.interval(0.95, 2, loc=3, scale=stats.sem([1, 2, 6]))
    assert (interval.low, interval.high) == pytest.approx(expected)
    assert mean_interval(moments([3.0])).why == Why.ONE_UNIT
    assert mean_interval(nothing(0)).why == Why.EMPTY_ARM
    assert (mean_interval(nothing(4)).estimate, mean_interval(nothing(4)).why) == (0.0, Why.ZERO_VARIANCE)


@given(
    st.floats(-50, 50), st.floats(0.1, 100), st.floats(0.5, 80), st.floats(0.01, 30), st.floats(-0.95, 0.95),
    st.sampled_from([3.0, 40.0, inf]),
)  # fmt: skip
def test_fieller_with_any_covariance_is_the_test_at_zero(
    difference: float, variance: float, base: float, base_variance: float, correlation: float, df: float
) -> None:
    covariance = correlation * (variance * base_variance) ** 0.5
    found = compare(Effect(difference, variance, df, base, base_variance, 30, covariance), confidence=0.9)

    if found.lift.is_bounded:
        assert found.lift.excludes(0) is (found.p < 0.1)
        assert found.lift.low <= found.lift.estimate <= found.lift.high


@pytest.mark.parametrize("value", [1e-276, 1e-150, 1e120])
def test_means_of_any_size_have_a_lift_or_a_reason(value: float) -> None:
    found = compare_means(moments([value, value, value]), moments([0.0, 1.0, 3.0]))

    assert found.lift.is_bounded or found.lift.why == Why.CONTROL_NEAR_ZERO
    assert found.p is not None


def test_fieller_without_a_lift_or_variance_has_a_reason() -> None:
    assert fieller(Effect(1, 1, 9, 1, 1, 9, -0.5), confidence=0.95).why == Why.CONTROL_NEAR_ZERO
    assert fieller(Effect(1, 0, 9, 1, 0, 9, 0), confidence=0.95).why == Why.ZERO_VARIANCE
    one, other = estimate(moments([1.0, 2.0])), estimate(moments([-1.0, -2.0]))
    assert log_delta(one, other, confidence=0.95).why == Why.TREATMENT_NOT_POSITIVE
    assert log_delta(other, one, confidence=0.95).why == Why.CONTROL_NEGATIVE


BASKETS = st.lists(
    st.tuples(st.integers(0, 20_000).map(lambda cents: cents / 100), st.integers(0, 4)), min_size=3, max_size=25
)


def baskets(rows: list[tuple[float, int]]) -> Moments:
    return of_rows({"value": [a if b else 0.0 for a, b in rows], "below": [b for _, b in rows]})


@SILENT
@settings(max_examples=30)
@given(BASKETS, BASKETS)
def test_a_ratio_is_compared_as_the_mean_of_its_linearised_rows(
    c: list[tuple[float, int]], t: list[tuple[float, int]]
) -> None:
    assume(sum(b for _, b in c) and sum(b for _, b in t))
    rows = []
    for arm in (c, t):
        y, x = np.array([(a if b else 0.0, b) for a, b in arm]).T
        r = y.sum() / x.sum()
        rows.append(r + (y - r * x) / x.mean())
    assume(rows[0].var() + rows[1].var() > 1e-6)

    found = compare_ratios(baskets(c), baskets(t))

    theirs = stats.ttest_ind(rows[1], rows[0], equal_var=False)
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)
    assert found.test == "delta"
    if found.lift.is_bounded:
        assert found.lift.excludes(0) is (found.p < 0.05)


def test_a_ratio_that_is_the_same_for_every_unit_has_no_variance() -> None:
    same = of_rows({"value": [3.3, 6.6, 9.9], "below": [1, 2, 3]})

    assert linearised(same).product() == 0.0
    assert compare_ratios(same, same).why == Why.ZERO_VARIANCE


def test_a_ratio_without_denominators_has_a_reason() -> None:
    none, some = (
        of_rows({"value": [0.0, 0.0], "below": [0, 0]}),
        of_rows({"value": [3.0, 8.0, 0.0], "below": [1, 2, 0]}),
    )

    assert ratio(none) is None
    assert compare_ratios(none, some).why == Why.DENOMINATOR_ZERO
    assert compare_ratios(some, nothing(0, ("value", "below"))).why == Why.EMPTY_ARM
    assert compare_ratios(some, of_rows({"value": [3.0], "below": [1]})).why == Why.ONE_UNIT
    assert compare_ratios(none, some).treatment == pytest.approx(11 / 3)


@pytest.mark.parametrize(("n", "flagged"), [(29, True), (30, False)])
def test_a_sample_is_small_under_thirty_units(n: int, flagged: bool) -> None:
    found = compare_means(moments([1.0, 2.0] * 20), moments([float(i) for i in range(n)]))

    assert (Flag.SMALL_SAMPLE in found.flags) is flagged
