"""Planned looks: bounds spend α and no more; p, bounds and size belong together; recursion against known tables."""

from __future__ import annotations

from math import inf, sqrt
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.stats.recursion import crossings, sides
from segctl.stats.sequential import bounds, constant_bounds, cost_of_looks, looks_of, repeated_p, spent

QUARTERS = (0.25, 0.5, 0.75, 1.0)
spendings = st.sampled_from(["obrien_fleming", "pocock", "power"])
informations = st.lists(st.integers(1, 40), min_size=1, max_size=5, unique=True).map(
    lambda found: tuple(one / max(found) for one in sorted(found))
)


# --- Recursion --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("looks", "error"), [(1, 0.05), (2, 0.083), (3, 0.107), (4, 0.126), (5, 0.142), (10, 0.193), (20, 0.248)]
)
def test_looking_at_five_percent_again_and_again_errs_as_in_the_table_of_armitage(looks: int, error: float) -> None:
    information = tuple((at + 1) / looks for at in range(looks))

    assert sum(crossings([1.959964] * looks, information)) == pytest.approx(error, abs=6e-4)


@pytest.mark.parametrize(
    ("shape", "constant", "inflation"), [("pocock", 2.413, 1.228), ("obrien_fleming", 2.040, 1.028)]
)
def test_five_looks_have_the_constants_and_sizes_of_jennison_and_turnbull(
    shape: str, constant: float, inflation: float
) -> None:
    information = (0.2, 0.4, 0.6, 0.8, 1.0)
    edges = constant_bounds(information, alpha=0.05, shape=shape)
    drift = sqrt(inflation) * (1.959964 + 0.841621)

    power = sum(above for above, _ in sides(edges, information, drift=drift))

    assert edges[-1] == pytest.approx(constant, abs=5e-4)
    assert power == pytest.approx(0.8, abs=5e-4)


def test_a_walk_without_bounds_is_normal_at_every_look() -> None:
    found = sides((50.0, 50.0, 1.3), (0.1, 0.5, 1.0), drift=0.7)

    assert found[-1][0] == pytest.approx(1 - NormalDist(0.7).cdf(1.3), abs=1e-7)
    assert found[-1][1] == pytest.approx(NormalDist(0.7).cdf(-1.3), abs=1e-7)


@pytest.mark.slow
def test_sixty_looks_cross_as_often_as_simulated_walks() -> None:
    import numpy as np

    information = tuple((at + 1) / 60 for at in range(60))
    edges = bounds(information, alpha=0.05, spending="pocock")
    steps = np.random.default_rng(7).normal(size=(200_000, 60)) / sqrt(60)
    walks = np.abs(np.cumsum(steps, axis=1)) / np.sqrt(information)
    crossed = (walks > np.array(edges)).any(axis=1).mean()

    assert sum(crossings(edges, information)) == pytest.approx(0.05, abs=1e-9)
    assert crossed == pytest.approx(0.05, abs=4 * sqrt(0.05 * 0.95 / 200_000))


# --- Bounds -----------------------------------------------------------------------------------------------
@given(informations, spendings, st.floats(0.001, 0.2))
@settings(max_examples=25, deadline=None)
def test_bounds_spend_alpha_as_allowed_at_every_look(
    information: tuple[float, ...], spending: str, alpha: float
) -> None:
    edges = bounds(information, alpha=alpha, spending=spending)

    crossed = crossings(edges, information)

    for at, share in enumerate(information):
        assert sum(crossed[: at + 1]) == pytest.approx(spent(share, alpha, spending=spending), abs=2e-8)


def test_two_looks_have_the_published_bounds() -> None:
    # Lan and DeMets with O'Brien-Fleming's shape, 5 % on both sides: 2.963, 1.969.
    assert bounds((0.5, 1.0), alpha=0.05) == pytest.approx((2.963, 1.969), abs=5e-4)


def test_one_look_at_the_end_is_the_single_test() -> None:
    assert bounds((1.0,), alpha=0.05) == pytest.approx((1.959964,), abs=1e-6)


def test_later_looks_do_not_change_earlier_bounds() -> None:
    assert bounds((0.3, 0.7), alpha=0.05) == bounds((0.3, 0.7, 1.0), alpha=0.05)[:2]


def test_a_very_early_look_spends_next_to_nothing() -> None:
    assert bounds((0.01,), alpha=0.05)[0] > 20
    assert bounds((0.0001, 1.0), alpha=0.05)[1] == pytest.approx(1.959964, abs=1e-4)


# --- Looks as they come -----------------------------------------------------------------------------------
def test_looks_at_other_sizes_than_planned_spend_by_what_they_have() -> None:
    found = looks_of([180, 460, 1_000], 1_000, alpha=0.05)

    assert [look.information for look in found] == [0.18, 0.46, 1.0]
    assert [look.bound for look in found] == list(bounds((0.18, 0.46, 1.0), alpha=0.05))
    assert [look.is_last for look in found] == [False, False, True]
    assert found[-1].spent == 0.05


def test_looks_without_new_data_and_after_the_end_are_none() -> None:
    found = looks_of([0, 500, 500, 500.01, 1_100, 1_200], 1_000, alpha=0.05)

    assert [look.information for look in found] == [0.5, 1.1]
    assert sum(crossings([look.bound for look in found], [0.5, 1.1])) == pytest.approx(0.05)


def test_an_experiment_that_ends_early_spends_what_is_left() -> None:
    open_end, over = (looks_of([500, 800], 1_000, alpha=0.05, is_over=is_over)[-1] for is_over in (False, True))

    assert not open_end.is_last
    assert over.is_last
    assert over.bound < open_end.bound
    assert over.spent == 0.05


def test_no_look_has_no_bounds() -> None:
    assert looks_of([], 1_000, alpha=0.05) == ()
    assert looks_of([0], 1_000, alpha=0.05, is_over=True) == ()


# --- p at a look ------------------------------------------------------------------------------------------
@given(st.floats(-5, 5), st.integers(1, 3), spendings, st.sampled_from([0.01, 0.05, 0.1]))
@settings(max_examples=25, deadline=None)
def test_p_is_below_alpha_exactly_when_z_is_beyond_the_bound(z: float, looks: int, spending: str, alpha: float) -> None:
    information = QUARTERS[:looks]
    edge = bounds(information, alpha=alpha, spending=spending)[-1]

    p, _ = repeated_p(z, information, spending=spending)
    just_within, just_beyond = (repeated_p(edge * off, information, spending=spending)[0] for off in (0.9999, 1.0001))

    assert just_beyond < alpha < just_within

    if abs(abs(z) - edge) > 1e-6:
        assert (p < alpha) == (abs(z) > edge)
    assert p == repeated_p(-z, information, spending=spending)[0]


def test_p_of_one_look_is_that_of_the_single_test() -> None:
    assert repeated_p(2.5, (1.0,))[0] == pytest.approx(2 * NormalDist().cdf(-2.5), rel=1e-6)


def test_p_falls_as_z_grows_and_keeps_its_logarithm() -> None:
    found = [repeated_p(z, (0.5, 1.0)) for z in (0.0, 0.01, 1.0, 3.0, 8.5, 30.0, 60.0)]

    assert [p for p, _ in found] == sorted((p for p, _ in found), reverse=True)
    assert found[0] == (1.0, 0.0)
    assert -470 < found[5][1] < -440  # ln of 2Φ(−30) is −453.6


# --- What looks cost --------------------------------------------------------------------------------------
def test_looks_cost_a_little_and_save_more() -> None:
    careful, even = (
        cost_of_looks(QUARTERS, alpha=0.05, beta=0.2, spending=spending) for spending in ("obrien_fleming", "pocock")
    )

    assert 1 < careful.inflation < 1.05 < even.inflation < 1.25
    assert careful.expected < 0.9 < careful.expected_null < careful.inflation
    assert careful.stop[-1] == pytest.approx(0.8, abs=1e-3)
    assert cost_of_looks((1.0,), alpha=0.05, beta=0.2).inflation == pytest.approx(1, abs=1e-6)


def test_nothing_is_spent_before_the_beginning() -> None:
    for spending in ("obrien_fleming", "pocock", "power"):
        assert spent(0, 0.05, spending=spending) == 0
        assert spent(1.4, 0.05, spending=spending) == 0.05
    assert bounds((), alpha=0.05) == ()
    assert inf not in bounds(QUARTERS, alpha=0.05)
