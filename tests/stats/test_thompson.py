"""Weights for the next send: right chances, fixed exploration, arms that nothing is known of, whole percents."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.stats.posteriors import Beta, Normal
from segctl.stats.thompson import Outcome, chances, shares, whole_percents
from segctl.stats.values import Why

ARMS = [Outcome("a", 4_000, 80), Outcome("b", 4_100, 102), Outcome("c", 3_900, 86)]
outcomes = st.lists(
    st.integers(0, 300).flatmap(lambda n: st.builds(Outcome, st.just("x"), st.just(n), st.integers(0, n))),
    min_size=1,
    max_size=6,
)


@given(outcomes, st.floats(0, 1), st.floats(0, 0.15))
@settings(max_examples=40, deadline=None)
def test_weights_add_up_and_every_arm_has_its_floor(arms: list[Outcome], explored: float, floor: float) -> None:
    found = shares(arms, explored=explored, floor=floor)

    least = explored / len(arms) + (1 - explored) * floor
    assert sum(share.weight for share in found) == pytest.approx(1)
    assert sum(share.percent for share in found) == 100
    assert min(share.weight for share in found) >= least - 1e-12
    assert [share.why for share in found] == [None if arm.n else Why.NO_DATA for arm in arms]


def test_without_exploration_weights_are_the_chances() -> None:
    found = shares(ARMS, explored=0)

    assert [share.weight for share in found] == [share.best for share in found]


def test_a_floor_keeps_the_proportions_above_it() -> None:
    plain, floored = (shares(ARMS, explored=0, floor=floor) for floor in (0, 0.05))

    ratios = [(with_floor.weight - 0.05) / share.weight for share, with_floor in zip(plain, floored, strict=True)]
    assert ratios == pytest.approx([0.85] * 3)


def test_an_arm_without_data_has_an_even_share_and_says_so() -> None:
    found = shares([*ARMS, Outcome("new", 0, 0)], explored=0.1)

    assert (found[3].weight, found[3].best, found[3].why) == (pytest.approx(0.25), None, Why.NO_DATA)
    seen = shares(ARMS, explored=0)
    assert found[1].weight == pytest.approx(0.1 / 4 + 0.9 * 0.75 * seen[1].weight)


def test_when_nothing_is_known_everything_is_even() -> None:
    assert [share.percent for share in shares([Outcome(str(at), 0, 0) for at in range(3)])] == [34, 33, 33]
    assert shares([]) == ()


def test_where_lower_is_better_the_lowest_leads() -> None:
    found = shares(ARMS, lower_is_better=True, explored=0)

    assert found[0].weight == max(share.weight for share in found) > 0.5


def test_two_arms_have_weights_where_top_two_is_asked_for() -> None:
    found = shares(ARMS[:2], top_two=True, explored=0)

    assert [share.weight for share in found] == pytest.approx([0.5, 0.5])


def test_means_are_drawn_from_as_well() -> None:
    found = shares([Outcome("a", 100, mean=10, se=1), Outcome("b", 100, mean=12, se=1)], explored=0)

    assert found[1].weight == pytest.approx(0.9213504, abs=1e-7)  # Φ(√2)
    with pytest.raises(ValueError, match="neither conversions nor a mean"):
        shares([Outcome("a", 100, mean=10)])


@pytest.mark.parametrize("second", [False, True])
def test_many_arms_are_drawn_by_their_seed_and_close_to_the_integral(second: bool) -> None:
    beliefs = [Beta(20 + at, 900) for at in range(10)]
    exact = chances(beliefs, second=second)

    drawn = chances([*beliefs, Beta(1, 9_000)], seed=4, second=second)

    assert list(drawn[:10]) == pytest.approx(list(exact), abs=0.006)
    assert drawn == chances([*beliefs, Beta(1, 9_000)], seed=4, second=second)
    assert chances([Normal(at, 1) for at in range(11)], seed=1)[10] > 0.6


@pytest.mark.parametrize(("explored", "floor"), [(1.1, 0), (-0.1, 0), (0, 0.5), (0, -0.1)])
def test_more_than_everything_cannot_be_dealt(explored: float, floor: float) -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        shares(ARMS, explored=explored, floor=floor)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=12).filter(any))
@settings(max_examples=100, deadline=None)
def test_whole_percents_are_within_one_of_the_weights(weights: list[float]) -> None:
    found = whole_percents(weights)

    assert sum(found) == 100
    assert all(abs(have - 100 * weight / sum(weights)) < 1 for have, weight in zip(found, weights, strict=True))


def test_no_weight_at_all_has_no_percents() -> None:
    with pytest.raises(ValueError, match="above 0"):
        whole_percents([0, 0])
