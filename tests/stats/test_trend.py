"""Effects by week and by sub-group, against sums done by hand and other arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.stats.trend import Measured, heterogeneity, trend
from segctl.stats.values import Why

measured = st.builds(Measured, st.floats(-5, 5), st.floats(0.1, 3))


def test_a_straight_line_has_its_slope() -> None:
    found = trend([Measured(3.0 - 0.5 * week, 0.1) for week in range(5)])

    # Σ(k − 2)² = 10, so that the slope's error is 0.1/√10.
    assert found.slope.estimate == pytest.approx(-0.5)
    assert found.slope.high - found.slope.low == pytest.approx(2 * 1.959964 * 0.1 / 10**0.5, rel=1e-6)
    assert found.changes
    assert found.p < 1e-50


@given(st.lists(measured, min_size=2, max_size=8))
@settings(max_examples=40, deadline=None)
def test_the_slope_is_that_of_weighted_least_squares(effects: list[Measured]) -> None:
    import numpy as np

    weeks = np.arange(len(effects))
    wanted = np.polyfit(weeks, [one.effect for one in effects], 1, w=[1 / one.se for one in effects])[0]

    found = trend(effects)

    assert found.slope.estimate == pytest.approx(wanted, abs=1e-8)
    assert found.slope.excludes(0) == (found.p < 0.05)


def test_effects_that_go_together_tell_a_smaller_slope_apart() -> None:
    effects = [Measured(1.0, 1.0), Measured(1.6, 1.0), Measured(2.2, 1.0)]
    together = [[1.0 if one == other else 0.9 for one in range(3)] for other in range(3)]

    alone, joint = trend(effects), trend(effects, covariance=together)

    # Last minus first by 2: variance (1 + 1 − 2·0.9)/4.
    assert joint.slope.estimate == pytest.approx(alone.slope.estimate) == pytest.approx(0.6)
    assert joint.slope.high - 0.6 == pytest.approx(1.959964 * 0.05**0.5, rel=1e-6)
    assert joint.p < 0.01 < alone.p


@pytest.mark.parametrize("effects", [[], [Measured(1, 1)], [Measured(1, 1), Measured(None, None), Measured(2, 0)]])
def test_one_week_has_no_trend(effects: list[Measured]) -> None:
    found = trend(effects)

    assert (found.p, found.changes, found.slope.why) == (None, False, Why.TOO_FEW)


def test_weeks_without_an_effect_are_left_out_and_keep_their_place() -> None:
    found = trend([Measured(0, 1), Measured(None, None), Measured(2, 1)])

    assert (found.slope.estimate, found.used) == (pytest.approx(1.0), 2)


def test_a_week_without_variance_leaves_the_others_as_they_are_together() -> None:
    effects = [Measured(1.0, 1.0), Measured(1.6, 1.0), Measured(2.2, 1.0)]
    together = [[1.0 if one == other else 0.9 for one in range(3)] for other in range(3)]
    with_dead = [[*row, 0.0] for row in together] + [[0.0] * 4]

    assert trend([*effects, Measured(0.0, 0.0)], covariance=with_dead) == trend(effects, covariance=together)
    assert trend([*effects, Measured(0.0, 1.0)], covariance=with_dead) == trend(effects, covariance=together)


def test_weeks_that_repeat_each_other_are_taken_as_independent() -> None:
    effects = [Measured(1.0, 1.0), Measured(1.6, 1.0), Measured(2.2, 1.0)]

    assert trend(effects, covariance=[[1.0] * 3] * 3) == trend(effects)


# --- Sub-groups -------------------------------------------------------------------------------------------
def test_cochrans_q_by_hand() -> None:
    # Weights 4, 1, 1: pooled (4·1 + 2 + 6)/6 = 2; Q = 4·1 + 0 + 16 = 20.
    found = heterogeneity({"at": Measured(1, 0.5), "ch": Measured(2, 1), "de": Measured(6, 1), "fr": Measured(None, 1)})

    assert (found.pooled, found.q, found.df) == (pytest.approx(2), pytest.approx(20), 2)
    assert found.p == pytest.approx(4.539993e-05, rel=1e-6)  # e⁻¹⁰
    assert found.excess == pytest.approx(0.9)
    assert found.groups["at"].against_rest == pytest.approx(1 - 4)
    assert found.groups["at"].p == pytest.approx(0.000532, abs=1e-6)  # z = 3/√(1/4 + 1/2) = 3.4641
    assert found.groups["fr"].p is None


@given(measured, measured)
@settings(max_examples=40, deadline=None)
def test_of_two_groups_each_against_the_other_is_the_whole_test(one: Measured, other: Measured) -> None:
    found = heterogeneity({"one": one, "other": other})

    assert found.groups["one"].p == pytest.approx(found.p, abs=1e-9)
    assert found.groups["one"].against_rest == pytest.approx(one.effect - other.effect)
    assert found.groups["one"].p_adjusted == pytest.approx(found.p, abs=1e-9)


def test_groups_pay_for_being_many() -> None:
    groups = {str(at): Measured(0.0, 1.0) for at in range(19)} | {"odd": Measured(3.0, 1.0)}

    found = heterogeneity(groups)

    assert found.groups["odd"].p < 0.01 < found.groups["odd"].p_adjusted
    assert found.excess == 0


@pytest.mark.parametrize("groups", [{}, {"one": Measured(1, 1)}, {"one": Measured(None, None)}])
def test_one_group_differs_from_nothing(groups: dict[str, Measured]) -> None:
    found = heterogeneity(groups)

    assert (found.q, found.p) == (None, None)
    assert set(found.groups) == set(groups)
