"""Splits against declared weights: once, within groups, every day; exact tests against going through everything."""

from __future__ import annotations

from itertools import product
from math import erfc, exp, factorial, prod, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.stats.contamination import contamination
from segctl.stats.multinomial import binomial_p, exact_p
from segctl.stats.srm import (
    homogeneity_p,
    log_bayes_factor,
    split_by_group,
    split_looks,
    split_test,
    split_test_of_epochs,
)
from segctl.stats.values import Flag, Why


def outcomes(n: int, arms: int) -> list[tuple[int, ...]]:
    """Every way to put n units into arms, found the slow way."""
    return [counts for counts in product(range(n + 1), repeat=arms) if sum(counts) == n]


def chance(counts: tuple[int, ...], shares: list[float]) -> float:
    ways = factorial(sum(counts)) / prod(factorial(have) for have in counts)
    return ways * prod(share**have for have, share in zip(counts, shares, strict=True))


# --- One look ---------------------------------------------------------------------------------------------
def test_declared_weights_are_what_is_expected_and_not_equal_ones() -> None:
    assert split_test([10_010, 89_990], [10, 90]).verdict == "pass"
    assert split_test([10_010, 89_990], [1, 1]).verdict == "fail"


def test_an_arm_of_weight_zero_without_units_costs_no_degree_of_freedom() -> None:
    # GrowthBook counts it and finds 0.165: p = P(χ²₁ > 3.6), for 470 and 530 of 1,000.
    found = split_test([470, 530, 0], [1, 1, 0])

    assert found.df == 1
    assert found.p == pytest.approx(0.05777957, abs=1e-8)


def test_somebody_in_an_arm_of_weight_zero_fails_for_that_reason() -> None:
    found = split_test([500, 500, 1], [1, 1, 0])

    assert (found.verdict, found.p, found.why) == ("fail", None, Why.WEIGHT_ZERO)
    assert found.flags == (Flag.SRM_FAIL,)


@pytest.mark.parametrize(
    ("counts", "weights", "why"), [([0, 0], [1, 1], Why.NOBODY), ([7], [1], Why.ONE_ARM), ([7, 0], [1, 0], Why.ONE_ARM)]
)
def test_nothing_to_compare_is_no_verdict(counts: list[int], weights: list[float], why: Why) -> None:
    found = split_test(counts, weights)

    assert (found.p, found.verdict, found.why, found.flags) == (None, None, why, ())


def test_excess_is_in_people_and_adds_up_to_nothing() -> None:
    found = split_test([9_000, 91_500], [10, 90])

    assert found.excess == (-1_050, 1_050)


def test_few_expected_units_are_judged_by_the_exact_test() -> None:
    found = split_test([4, 9], [1, 9])

    # binom.test(4, 13, 0.1) of R.
    assert found.p == found.p_exact == pytest.approx(0.0341615, rel=1e-4)
    assert found.p_chi2 == pytest.approx(erfc(sqrt((2.7**2 / 1.3 + 2.7**2 / 11.7) / 2)))
    assert split_test([40, 90], [1, 9]).p != split_test([40, 90], [1, 9]).p_exact


def test_a_probability_below_doubles_keeps_its_logarithm() -> None:
    found = split_test([10_000, 90_000], [1, 1])

    assert found.p == 0
    assert found.log_p == pytest.approx(-32_005.8, abs=0.1)  # −χ²/2 − ln√(πχ²/2), χ² = 64,000


@pytest.mark.parametrize(("counts", "weights"), [([-1, 2], [1, 1]), ([1, 2], [-1, 1]), ([1, 2, 3], [1, 1])])
def test_what_cannot_be_is_refused(counts: list[int], weights: list[float]) -> None:
    with pytest.raises(ValueError, match=r"0 or more|for each arm"):
        split_test(counts, weights)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=3), st.data())
@settings(max_examples=60, deadline=None)
def test_exact_p_is_that_of_all_outcomes_no_more_likely(counts: list[int], data: st.DataObject) -> None:
    raw = [data.draw(st.integers(1, 9)) for _ in counts]
    shares = [weight / sum(raw) for weight in raw]
    seen = chance(tuple(counts), shares)

    p = exact_p(counts, shares)

    every = (chance(other, shares) for other in outcomes(sum(counts), len(counts)))
    assert p == pytest.approx(sum(value for value in every if value <= seen * (1 + 1e-7)), abs=1e-9)


def test_an_outcome_that_is_just_more_likely_does_not_count() -> None:
    # Of 28 at a tenth, 4 are 0.3 % likelier than 1.
    n, shares, k = 28, [0.1, 0.9], 1
    tail = sum(chance((at, n - at), shares) for at in range(n + 1) if at <= k or at > 4)

    assert 1 < chance((4, 24), shares) / chance((k, n - k), shares) < 1.004
    assert binomial_p(k, n, 0.1) == pytest.approx(tail, rel=1e-9)


def test_many_arms_with_few_expected_have_a_p_without_going_through_everything() -> None:
    counts, shares = [0, 9, 4_000, 5_000], [0.0004, 0.0002, 0.4444, 0.555]

    p = exact_p(counts, shares)

    # Two small arms and the two large ones among themselves: three tests.
    assert p == pytest.approx(3 * binomial_p(9, 9_009, 0.0002))


# --- Several epochs ---------------------------------------------------------------------------------------
def test_epochs_with_other_weights_are_no_mismatch() -> None:
    ramp = [([500, 500], [1, 1]), ([100, 900], [1, 9])]

    assert split_test_of_epochs(ramp).expected == (600, 1_400)
    assert split_test_of_epochs(ramp).verdict == "pass"
    assert split_test([600, 1_400], [1, 9]).verdict == "fail"


def test_the_spread_of_epochs_is_that_of_a_draw_within_each() -> None:
    # Arm 1: 200·¼ + 1000·0.09 = 140 is its variance, so that 10 too few are 100/140.
    found = split_test_of_epochs([([100, 100], [1, 1]), ([90, 910], [1, 9])])

    assert (found.chi2, found.df) == (pytest.approx(100 / 140), 1)


def test_one_epoch_in_two_parts_is_that_epoch() -> None:
    whole = split_test([310, 340, 350], [1, 1, 1])
    parts = split_test_of_epochs([([200, 140, 150], [1, 1, 1]), ([110, 200, 200], [1, 1, 1])])

    assert parts.chi2 == pytest.approx(whole.chi2)
    assert parts.df == whole.df == 2


def test_arms_that_never_ran_together_are_compared_within_their_epochs() -> None:
    found = split_test_of_epochs([([60, 40, 0, 0], [1, 1, 0, 0]), ([0, 0, 50, 50], [0, 0, 1, 1])])

    assert (found.df, found.chi2) == (2, pytest.approx(4.0))


def test_an_arm_before_it_had_weight_is_an_error() -> None:
    found = split_test_of_epochs([([50, 50, 1], [1, 1, 0]), ([50, 50, 50], [1, 1, 1])])

    assert (found.verdict, found.why) == ("fail", Why.WEIGHT_ZERO)


# --- Groups -----------------------------------------------------------------------------------------------
def test_a_group_pays_for_being_one_of_many() -> None:
    groups = {str(day): [([500, 500], [1, 1])] for day in range(20)}
    groups |= {"bad": [([555, 445], [1, 1])], "empty": [([0, 0], [1, 1])]}

    found = split_by_group(groups)

    assert found.tests["bad"].verdict == "fail"
    assert (found.worst, found.verdict) == ("bad", "pass" if found.p["bad"] >= 0.01 else "warn")
    assert found.p["bad"] == pytest.approx(found.tests["bad"].p * 21)


def test_splits_that_cancel_out_are_found_within_groups() -> None:
    found = split_by_group({"at": [([700, 300], [1, 1])], "de": [([300, 700], [1, 1])]})

    assert found.verdict == "fail"
    assert found.differs_p < 1e-10


def test_groups_with_their_own_weights_pass() -> None:
    found = split_by_group(
        {"monday": [([500, 500], [1, 1])], "tuesday": [([100, 900], [1, 9])], "empty": [([0, 0], [1, 1])]}
    )

    assert found.verdict == "pass"
    assert "empty" not in found.p


def test_equal_shares_in_all_groups_are_tested_by_pearson() -> None:
    # 15 and 25 are expected in each cell of a row, 5 off everywhere: χ² = 2·25/15 + 2·25/25.
    assert homogeneity_p([[10, 20], [30, 20]]) == pytest.approx(erfc(sqrt((50 / 15 + 2) / 2)))
    assert homogeneity_p([[10, 20], [0, 0]]) is None
    assert homogeneity_p([]) is None


# --- Every day --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.05, 0.95], [0.2, 0.3, 0.5]])
def test_evidence_against_a_right_split_is_1_on_average(shares: list[float]) -> None:
    found = sum(
        chance(counts, shares) * exp(log_bayes_factor(counts, shares, concentration=7))
        for counts in outcomes(9, len(shares))
    )

    assert found == pytest.approx(1, rel=1e-9)


def test_p_never_grows_from_look_to_look() -> None:
    looks = split_looks([[([10, 30], [1, 1])], [([100, 100], [1, 1])], [([1_000, 1_000], [1, 1])]])

    assert [look.p for look in looks] == sorted((look.p for look in looks), reverse=True)
    assert looks[-1].p == looks[0].p < 1


def test_evidence_of_epochs_multiplies() -> None:
    first, second = ([130, 870], [1, 9]), ([450, 550], [1, 1])

    both = split_looks([[first, second]])[0]

    assert both.log_bayes_factor == pytest.approx(log_bayes_factor(*first) + log_bayes_factor(*second))


# --- Controls that were messaged --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("messaged", "controls", "level"),
    [
        (0, 0, "ok"),
        (0, 50, "ok"),
        (9, 500, "note"),
        (10, 1_000, "note"),
        (11, 1_000, "warn"),
        (2, 15, "fail"),
        (101, 1_000, "fail"),
    ],
)
def test_messaged_controls_matter_from_one_percent_on(messaged: int, controls: int, level: str) -> None:
    found = contamination(messaged, controls)

    assert found.level == level
    assert bool(found.flags) == (level in ("warn", "fail"))
