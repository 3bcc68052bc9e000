"""Looks on any day: how wide, where narrowest, and that p, difference and lift never contradict each other."""

from __future__ import annotations

from itertools import accumulate
from math import exp, inf, log, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.stats.always_valid import critical, interval, log_likelihood_ratio, log_p_of, running, tuning
from segctl.stats.early import Always, Planned, Rule, early, level_of, z_of
from segctl.stats.means import compare_means
from segctl.stats.moments import of_counts
from segctl.stats.rates import compare_rates
from segctl.stats.values import Comparison, Counts, Interval, Why, undefined

ALPHA = 0.05


def test_at_the_planned_size_it_is_half_as_wide_again_as_a_single_look() -> None:
    assert critical(8_000, rho=tuning(8_000, alpha=ALPHA), alpha=ALPHA) / 1.959964 == pytest.approx(1.55, abs=0.005)


@pytest.mark.parametrize("planned", [500, 20_000, 1_000_000])
def test_it_is_about_narrowest_where_it_is_planned_to_be(planned: int) -> None:
    """Among the sequences for other plans; the optimum of equation 161 is approximate."""
    own = critical(planned, rho=tuning(planned, alpha=ALPHA), alpha=ALPHA)

    for other in (0.2, 0.5, 2, 5):
        assert own < critical(planned, rho=tuning(planned * other, alpha=ALPHA), alpha=ALPHA)


@given(st.floats(0.1, 6), st.floats(1, 1e7), st.floats(10, 1e7), st.sampled_from([0.01, 0.05, 0.2]))
@settings(max_examples=100, deadline=None)
def test_p_is_below_alpha_exactly_beyond_the_critical_value(z: float, n: float, planned: float, alpha: float) -> None:
    rho = tuning(planned, alpha=alpha)
    edge = critical(n, rho=rho, alpha=alpha)

    assert log_p_of(edge * (1 + 1e-9), n, rho=rho) < log(alpha) < log_p_of(edge * (1 - 1e-9), n, rho=rho)
    assert log_p_of(z, n, rho=rho) == log_p_of(-z, n, rho=rho) <= 0


@given(st.floats(-3, 3), st.floats(0.01, 10), st.floats(10, 1e6), st.floats(10, 1e6))
@settings(max_examples=60, deadline=None)
def test_it_is_the_mixture_of_likelihoods(effect: float, se: float, n: float, planned: float) -> None:
    rho = tuning(planned, alpha=ALPHA)

    ratio = log_likelihood_ratio(effect, se * se, rho * sqrt(n) * se)

    assert log_p_of(effect / se, n, rho=rho) == pytest.approx(min(0.0, -ratio), abs=1e-9, rel=1e-9)


def test_before_the_first_unit_nothing_can_be_found() -> None:
    assert critical(0, rho=0.1, alpha=ALPHA) == inf


# --- Over the looks so far --------------------------------------------------------------------------------
looks = st.lists(st.tuples(st.floats(-4, 4), st.floats(0.2, 2), st.integers(50, 5_000)), min_size=1, max_size=8)


@given(looks)
@settings(max_examples=100, deadline=None)
def test_the_common_interval_excludes_nothing_exactly_when_the_smallest_p_is_above_alpha(
    seen: list[tuple[float, float, int]],
) -> None:
    rho = tuning(1_000, alpha=ALPHA)

    common = running(interval(z * se, se, n, planned=1_000, alpha=ALPHA) for z, se, n in seen)
    smallest = list(accumulate((log_p_of(z, n, rho=rho) for z, _, n in seen), min))

    for shown, log_p in zip(common, smallest, strict=True):
        found = shown.excludes(0) or shown.why == Why.CONTRADICTORY
        assert found == (log_p < log(ALPHA)) or abs(log_p - log(ALPHA)) < 1e-9


def test_looks_without_a_result_change_nothing() -> None:
    nothing = undefined(Why.TOO_FEW, confidence=0.95, method="confidence_sequence")
    known = Interval(2.0, 1.0, 3.0, 0.95, "confidence_sequence")

    common = running([nothing, known, nothing, Interval(2.5, 2.0, None, 0.95, "x", "high")])

    assert common[0] == nothing
    assert (common[2].low, common[2].high) == (1.0, 3.0)
    assert (common[3].low, common[3].high) == (2.0, 3.0)


def test_an_effect_that_turned_round_is_called_contradictory() -> None:
    common = running([Interval(2.0, 1.0, 3.0, 0.95, "x"), Interval(-2.0, -3.0, -1.0, 0.95, "x")])

    assert (common[1].low, common[1].high, common[1].why) == (None, None, Why.CONTRADICTORY)


# --- Any comparison before the end ------------------------------------------------------------------------
rules: st.SearchStrategy[Rule] = st.one_of(
    st.builds(Always, st.integers(2_000, 60_000), st.just(20_000)),
    st.sampled_from([Planned((0.5,)), Planned((0.25, 0.6)), Planned((0.5, 1.0)), Planned((0.5, 0.8), is_over=True)]),
)


@given(st.integers(60, 300), st.integers(500, 2_500), rules)
@settings(max_examples=60, deadline=None)
def test_p_difference_and_lift_of_rates_agree_at_every_look(bought: int, others: int, rule: Rule) -> None:
    control, treatment = Counts(5_000, bought), Counts(45_000, others)

    found = early(lambda level: compare_rates(control, treatment, confidence=level), rule, conversions=bought + others)

    agree(found)


@given(st.integers(60, 300), st.integers(500, 2_500), rules)
@settings(max_examples=60, deadline=None)
def test_p_difference_and_lift_of_means_agree_at_every_look(bought: int, others: int, rule: Rule) -> None:
    control, treatment = of_counts(Counts(5_000, bought)), of_counts(Counts(45_000, others))

    found = early(lambda level: compare_means(control, treatment, confidence=level), rule)

    agree(found)


def agree(found: Comparison) -> None:
    """All three faces say the same, and intervals carry the confidence of the design."""
    if found.p is None:
        assert found.why == Why.TOO_FEW
        return
    if abs(found.p - ALPHA) > 1e-6:
        assert found.difference.excludes(0) == (found.p < ALPHA)
        assert found.lift.why is not None or found.lift.excludes(0) == (found.p < ALPHA)
    assert found.difference.confidence == found.lift.confidence == 1 - ALPHA
    assert found.p == exp(found.log_p)


def test_looking_early_is_never_cheaper_than_a_single_look() -> None:
    single = compare_rates(Counts(5_000, 200), Counts(5_000, 260))

    for rule in (Always(10_000, 10_000), Planned((0.5,)), Planned((0.5, 1.0))):
        found = early(lambda level: compare_rates(Counts(5_000, 200), Counts(5_000, 260), confidence=level), rule)
        assert found.p > single.p
        assert found.difference.low < single.difference.low
        assert found.lift.high > single.lift.high


@pytest.mark.parametrize(
    ("rule", "conversions"), [(Always(300, 1_000_000), 500), (Planned((0.01,)), 500), (Always(10_000, 10_000), 99)]
)
def test_too_early_and_too_few_have_a_reason_and_keep_what_was_measured(rule: Rule, conversions: float) -> None:
    found = early(
        lambda level: compare_rates(Counts(5_000, 40), Counts(5_000, 59), confidence=level),
        rule,
        conversions=conversions,
    )

    assert (found.p, found.log_p, found.why) == (None, None, Why.TOO_FEW)
    assert (found.difference.low, found.difference.high, found.difference.why) == (None, None, Why.TOO_FEW)
    assert found.difference.estimate == pytest.approx(0.0038)
    assert found.lift.estimate == pytest.approx(59 / 40 - 1)


def test_what_is_undefined_stays_undefined() -> None:
    found = early(lambda level: compare_rates(Counts(50, 0), Counts(50, 0), confidence=level), Planned((0.5, 1.0)))

    assert (found.p, found.why) == (None, Why.NO_CONVERSIONS)


@pytest.mark.parametrize("z", [0.0, 0.3, 1.96, 5.0, 30.0])
def test_a_z_comes_back_from_its_p(z: float) -> None:
    from scipy.special import log_ndtr

    assert z_of(float(log_ndtr(-z)) + log(2)) == pytest.approx(z, abs=1e-9)
    assert level_of(z) == pytest.approx(1 - 2 * exp(float(log_ndtr(-z))))
