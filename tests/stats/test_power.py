"""Sizes, power and smallest effects: each undoes the other; what makes them larger; how long they take."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.stats.factors import design_effect, design_effect_of, icc_of, split_penalty
from segctl.stats.moments import of_rows
from segctl.stats.power import (
    Mean,
    Rate,
    mde_of,
    means_power,
    means_size,
    normal_size,
    power_of,
    rates_power,
    rates_size,
    ratio_figure,
    size_of,
)
from segctl.stats.run_time import expected_units, run_time
from segctl.stats.sizing import (
    Design,
    curve,
    findable,
    inflation_always,
    inflation_planned,
    needed,
    sizes_around,
)
from segctl.stats.values import Why

figures = st.one_of(st.builds(Rate, st.floats(0.005, 0.6)), st.builds(Mean, st.floats(0.1, 50), st.floats(0.1, 100)))
kappas = st.sampled_from([0.25, 1.0, 9.0, 99.0])
alphas = st.sampled_from([0.01, 0.05, 0.1])
powers = st.sampled_from([0.5, 0.8, 0.95])


# --- One comparison ---------------------------------------------------------------------------------------
def test_rates_as_the_power_prop_test_of_r() -> None:
    # power.prop.test(p1 = .50, p2 = .75, power = .90): n = 76.7.
    assert rates_size(0.50, 0.75, power=0.9) == pytest.approx(76.7, abs=0.05)


def test_means_as_the_power_t_test_of_r() -> None:
    # power.t.test(delta = 1, sd = 1, power = .90): n = 22.02; power.t.test(n = 20, delta = 1, sd = 1): 0.8689528.
    assert means_size(1, 1, power=0.9) == pytest.approx(22.02, abs=0.005)
    assert means_power(1, 1, n=20) == pytest.approx(0.8689528, abs=1e-6)
    assert normal_size(1, 1, power=0.9) == pytest.approx(2 * (1.959964 + 1.281552) ** 2, rel=1e-6)


@given(figures, kappas, alphas, powers, st.integers(200, 200_000), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_smallest_effect_undoes_power_and_size(
    figure: Rate | Mean, kappa: float, alpha: float, power: float, n: int, down: bool
) -> None:
    found = mde_of(figure, n=n, kappa=kappa, alpha=alpha, power=power, down=down)

    if found is None:
        assert isinstance(figure, Rate)
        return
    assert (found < 0) == down
    assert power_of(figure, found, n=n, kappa=kappa, alpha=alpha) == pytest.approx(power, abs=1e-6)
    assert size_of(figure, found, kappa=kappa, alpha=alpha, power=power) == pytest.approx(n, rel=1e-4)


@given(figures, kappas, st.lists(st.integers(50, 500_000), min_size=2, max_size=5, unique=True))
@settings(max_examples=40, deadline=None)
def test_more_units_find_smaller_effects(figure: Rate | Mean, kappa: float, sizes: list[int]) -> None:
    found = [mde_of(figure, n=n, kappa=kappa) for n in sorted(sizes)]

    known = [value for value in found if value is not None]
    assert found[len(found) - len(known) :] == known  # none is possible for the smallest sizes alone
    assert all(one > other for one, other in pairwise(known))


def test_arms_may_change_places() -> None:
    n = rates_size(0.02, 0.03, kappa=9)

    assert rates_size(0.03, 0.02, kappa=1 / 9) == pytest.approx(9 * n)
    assert rates_power(0.02, 0.03, n=n, kappa=9) == pytest.approx(rates_power(0.03, 0.02, n=9 * n, kappa=1 / 9))


def test_no_effect_needs_more_than_there_is() -> None:
    assert rates_size(0.1, 0.1) == inf
    assert means_size(1, 0) == inf
    assert size_of(Rate(0.9), 0.2) == inf
    assert power_of(Rate(0.9), 0.2, n=1e9) == 0
    assert mde_of(Rate(0.5), n=2) is None


def test_tiny_samples_have_no_power_and_no_error() -> None:
    assert means_power(1, 5, n=1) == 0
    assert means_size(1, 100) == pytest.approx(1.5, abs=1.5)
    assert means_power(0, 1, n=10) == 1
    assert mde_of(Mean(1, 0), n=10) == 0


def test_findings_in_the_wrong_direction_are_no_power() -> None:
    assert means_power(1, 0, n=1_000) == pytest.approx(0.025, abs=1e-9)
    assert means_power(1, 0, n=1_000, either_way=True) == pytest.approx(0.05, abs=1e-9)


def test_a_ratio_has_the_deviation_of_the_delta_method() -> None:
    value, below = [10.0, 0.0, 6.0, 12.0, 2.0], [2.0, 0.0, 1.0, 3.0, 1.0]
    ratio = 30 / 7
    rests = [(y - ratio * x) / (7 / 5) for y, x in zip(value, below, strict=True)]

    found = ratio_figure(of_rows({"value": value, "below": below}))

    assert found.baseline == pytest.approx(ratio)
    assert found.sd == pytest.approx((sum(rest**2 for rest in rests) / 4) ** 0.5)
    assert ratio_figure(of_rows({"value": [0.0, 0.0], "below": [0.0, 0.0]})) is None


# --- Several arms -----------------------------------------------------------------------------------------
def test_a_holdout_of_five_percent_costs_five_times_an_even_split() -> None:
    even, holdout = (needed(Mean(1, 5), Design(weights), relative=0.1).total for weights in ((1, 1), (5, 95)))

    assert holdout / even == pytest.approx(split_penalty(0.05), rel=1e-3) == pytest.approx(5.263, abs=1e-3)


def test_several_arms_share_alpha_and_the_smallest_decides() -> None:
    figure, design = Rate(0.05), Design((10, 45, 45))
    found = needed(figure, design, relative=0.2)

    control = rates_size(0.05, 0.06, kappa=4.5, alpha=0.025)
    assert found.arms == pytest.approx((control, 4.5 * control, 4.5 * control), abs=1)
    assert (found.total, found.formula) == (sum(found.arms), "fleiss")
    uneven = needed(figure, Design((10, 45, 20)), relative=0.2)
    assert uneven.arms[0] == pytest.approx(rates_size(0.05, 0.06, kappa=2, alpha=0.025), abs=1)


@given(figures, st.sampled_from([(1, 1), (5, 95), (10, 45, 45), (1, 1, 1, 3)]), st.integers(1_000, 500_000))
@settings(max_examples=40, deadline=None)
def test_what_a_size_finds_needs_that_size(figure: Rate | Mean, weights: tuple[float, ...], total: int) -> None:
    design = Design(weights, variance=0.7, inflation=1.2)
    found = findable(figure, design, total)

    if found.absolute is None:
        assert found.why == Why.OUT_OF_REACH
        return
    assert found.relative == pytest.approx(found.absolute / figure.baseline)
    assert needed(figure, design, absolute=found.absolute).total == pytest.approx(total, rel=2e-3, abs=2 * len(weights))


def test_what_is_impossible_has_a_reason() -> None:
    assert needed(Rate(0.9), Design((1, 1)), relative=0.5).why == Why.OUT_OF_REACH
    assert needed(Rate(0.9), Design((1, 1)), relative=0.0).total is None
    assert findable(Rate(0.99), Design((1, 1)), 20).why == Why.OUT_OF_REACH
    assert findable(Mean(-1, 3), Design((1, 1)), 2_000).relative is None


def test_a_curve_falls_with_size_and_has_the_planned_one_in_its_middle() -> None:
    sizes = sizes_around(10_000)
    found = curve(Rate(0.03), Design((1, 1)), sizes)

    assert sizes[len(sizes) // 2] == 10_000
    assert [point.absolute for point in found] == sorted((point.absolute for point in found), reverse=True)


# --- What makes a sample larger or smaller ----------------------------------------------------------------
def test_covariates_and_looks_multiply_the_size() -> None:
    plain, better = (needed(Mean(1, 5), Design((1, 1), variance=v), relative=0.1).total for v in (1, 1 - 0.6**2))

    assert better / plain == pytest.approx(0.64, rel=1e-3)
    assert inflation_planned((1.0,), alpha=0.05, power=0.8) == pytest.approx(1, abs=1e-6)
    assert 1 < inflation_planned((0.5, 1.0), alpha=0.05, power=0.8) < 1.02
    assert inflation_always(alpha=0.05, power=0.8) == pytest.approx(((3.0353 + 0.8416) / 2.8016) ** 2, rel=1e-3)


def test_clusters_of_equal_size_have_the_textbook_design_effect() -> None:
    # Two clusters of two: between 4, within 0.5, so that ICC = 3.5/4.5.
    sizes, sums, squares = [2, 2], [3.0, 7.0], [5.0, 25.0]

    assert icc_of(sizes, sums, squares) == pytest.approx(3.5 / 4.5)
    # Sums are 2 off the mean of 5 each: 2·(4 + 4)/16 = 1 is the variance; of units (1 + 4)/3/4.
    assert design_effect_of(sizes, sums, squares) == pytest.approx(1 / (5 / 12))
    assert design_effect(2, 3.5 / 4.5) == pytest.approx(1 + 3.5 / 4.5)
    assert design_effect(2.5, 0.1, cv=0.4) == pytest.approx(1 + (2.5 * 1.16 - 1) * 0.1)


def test_units_on_their_own_have_no_cluster() -> None:
    assert icc_of([1, 1, 1], [1, 2, 3], [1, 4, 9]) is None
    assert design_effect_of([1, 1, 1], [1, 2, 3], [1, 4, 9]) == pytest.approx(1)
    assert design_effect_of([2], [3], [5]) is None
    assert icc_of([2, 2, 0], [2, 2, 0], [2, 2, 0]) is None


# --- Days -------------------------------------------------------------------------------------------------
def test_days_are_counted_from_what_comes_on_each() -> None:
    found = run_time(30, [10, 0, 5, 5, 20], window=7)

    assert (found.enrol, found.total, found.reached) == (5, 12, 40)
    assert run_time(30, [10, 0, 5, 5, 20], window=6.5, stock=10).total == 4 + 7
    assert run_time(30, [10, 0, 5, 5, 20], window=7, traffic=0.5).enrol == 9


def test_after_the_series_its_last_weeks_go_on() -> None:
    series = [100] * 7 + [1, 1, 1, 1, 1, 0, 0] * 4

    assert run_time(720, series, window=0).enrol == 33
    assert run_time(721, series, window=0).enrol == 36
    assert expected_units(70, series) == pytest.approx(745)


def test_who_is_there_already_needs_no_day_but_the_window() -> None:
    found = run_time(100, [], window=14, stock=250, traffic=0.4)

    assert (found.enrol, found.total, found.reached) == (0, 14, 100)


@pytest.mark.parametrize("series", [[], [0, 0], [1, 0, 0, *[0] * 28]])
def test_when_nobody_comes_there_is_no_end_but_a_reason(series: list[float]) -> None:
    found = run_time(10, series, window=14, stock=5)

    assert (found.enrol, found.total, found.why) == (None, None, Why.NO_ARRIVALS)
    assert found.reached == 5 + sum(series)
    assert expected_units(40, series, stock=5) == 5 + sum(series)
