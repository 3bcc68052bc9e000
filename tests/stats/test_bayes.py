"""Beliefs: exact where there is a closed form, coherent with their intervals, the same for every size of counts."""

from __future__ import annotations

from math import exp, lgamma, sqrt
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.stats.bayes import effect_belief, probabilities_best, probabilities_second, ranking, versus, winner
from segctl.stats.credible import belief_interval, difference_interval, lift_interval
from segctl.stats.posteriors import Beta, Normal, Posterior, beta_posterior
from segctl.stats.values import Counts, Why

counts = st.integers(0, 400).flatmap(lambda n: st.builds(Counts, st.just(n), st.integers(0, n)))
betas = counts.map(beta_posterior)
normals = st.builds(Normal, st.floats(-5, 5), st.floats(0.05, 3))


def log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def miller(control: Beta, treatment: Beta) -> float:
    """P(treatment > control) by the sum of Evan Miller, for whole numbers."""
    return sum(
        exp(
            log_beta(control.a + i, control.b + treatment.b)
            - log_beta(1 + i, treatment.b)
            - log_beta(control.a, control.b)
        )
        / (treatment.b + i)
        for i in range(round(treatment.a))
    )


# --- Who is best ------------------------------------------------------------------------------------------
@given(betas, betas)
@settings(max_examples=25, deadline=None)
def test_the_better_of_two_rates_as_in_the_closed_form(control: Beta, treatment: Beta) -> None:
    assert probabilities_best([control, treatment])[1] == pytest.approx(miller(control, treatment), abs=1e-10)


@given(normals, normals)
@settings(max_examples=40, deadline=None)
def test_the_better_of_two_means_as_in_the_closed_form(control: Normal, treatment: Normal) -> None:
    away = (treatment.mean - control.mean) / sqrt(control.sd**2 + treatment.sd**2)

    assert probabilities_best([control, treatment])[1] == pytest.approx(NormalDist().cdf(away), abs=1e-10)


@given(st.one_of(st.lists(betas, min_size=1, max_size=6), st.lists(normals, min_size=1, max_size=6)), st.randoms())
@settings(max_examples=12, deadline=None)
def test_chances_add_up_and_do_not_depend_on_the_order(beliefs: list[Posterior], shuffler: object) -> None:
    order = list(range(len(beliefs)))
    shuffler.shuffle(order)
    found = ranking(beliefs)
    other = ranking([beliefs[at] for at in order])

    assert sum(found.best) == pytest.approx(1, abs=1e-12)
    assert list(other.best) == pytest.approx([found.best[at] for at in order], abs=1e-9)
    assert list(other.loss) == pytest.approx([found.loss[at] for at in order], abs=1e-9)
    assert min(found.loss) >= 0
    if len(beliefs) > 1:
        assert sum(probabilities_second(beliefs)) == pytest.approx(1, abs=1e-12)


def test_equal_arms_share_the_chance_and_uniform_ones_their_loss() -> None:
    found = ranking([Beta(1, 1)] * 4)

    assert found.best == pytest.approx((0.25,) * 4)
    assert found.loss == pytest.approx((4 / 5 - 1 / 2,) * 4)  # the largest of four uniform numbers is 4/5 on average


def test_two_thirds_of_a_rising_belief_are_above_a_flat_one() -> None:
    assert probabilities_best([Beta(1, 1), Beta(2, 1)])[1] == pytest.approx(2 / 3)


@given(st.integers(0, 300), st.integers(0, 299), st.integers(20, 500))
@settings(max_examples=25, deadline=None)
def test_one_more_conversion_never_lowers_the_chance(bought: int, others: int, rest: int) -> None:
    control = beta_posterior(Counts(others + rest, others))
    n = bought + rest + 1
    fewer, more = (beta_posterior(Counts(n, converted)) for converted in (bought, bought + 1))

    assert probabilities_best([control, more])[1] > probabilities_best([control, fewer])[1] - 1e-13


@pytest.mark.parametrize(("n", "others"), [(2_000, 4_000), (20_000_000, 1_000), (3, 300_000_000)])
def test_very_large_counts_beside_small_ones_are_exact(n: int, others: int) -> None:
    control, treatment = Beta(1 + 0.02 * n, 1 + 0.98 * n), Beta(1 + 0.021 * others, 1 + 0.979 * others)

    found = probabilities_best([control, treatment])

    # Independent: the mean chance of the narrower belief over equally likely values of the wider one.
    import numpy as np
    from scipy.special import betainc, betaincinv

    u = (0.5 + np.arange(20_000)) / 20_000
    wide, narrow = (control, treatment) if control.sd > treatment.sd else (treatment, control)
    better = 1 - betainc(narrow.a, narrow.b, betaincinv(wide.a, wide.b, u)).mean()
    expected = better if narrow is treatment else 1 - better
    assert found[1] == pytest.approx(expected, abs=1e-5)


def test_of_many_arms_each_is_looked_at_as_often_as_there_are_arms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred took half a minute: every arm asked every other one at every place."""
    asked = []
    below = Normal.below
    monkeypatch.setattr(Normal, "below", lambda self, place: asked.append(len(place)) or below(self, place))
    alike = [Normal(0.0, 1.0)] * 150
    one = Normal(9.0, 0.001)

    ranked = ranking([*alike, one])

    assert ranked.best[-1] == pytest.approx(1, abs=1e-9)
    assert sum(ranked.best) == pytest.approx(1)
    # The largest of 150 standard normal values is 2.61 on average, and the one is 9.
    assert ranked.loss[0] == pytest.approx(9, abs=1e-6)
    assert ranking(alike).best == pytest.approx([1 / 150] * 150, rel=1e-9)
    assert sum(asked) < 2 * 151 * 20_000


def test_where_lower_is_better_the_order_turns_round() -> None:
    arms = [Beta(20, 980), Beta(30, 970), Beta(60, 940)]

    high, low = ranking(arms), ranking(arms, lower_is_better=True)

    assert high.best[2] > 0.99
    assert low.best[0] > 0.9
    assert low.loss[2] > high.loss[2]
    assert low.best == pytest.approx(ranking([arm.flipped() for arm in arms]).best)


# --- Intervals and winners --------------------------------------------------------------------------------
@given(st.one_of(st.tuples(betas, betas), st.tuples(normals, normals)), st.sampled_from([0.8, 0.95, 0.99]))
@settings(max_examples=30, deadline=None)
def test_there_is_a_winner_exactly_when_the_intervals_exclude_no_effect(
    pair: tuple[Posterior, Posterior], confidence: float
) -> None:
    found = versus(*pair, confidence=confidence)

    if min(abs(found.better - level) for level in ((1 + confidence) / 2, (1 - confidence) / 2)) < 1e-9:
        return
    side = "treatment" if found.difference.low > 0 else "control" if found.difference.high < 0 else None
    assert found.winner == side
    assert found.lift.why is not None or found.lift.excludes(0) == found.difference.excludes(0)
    expected = pair[1].mean - pair[0].mean
    assert found.loss_control - found.loss_treatment == pytest.approx(expected, abs=1e-9)


def test_a_chance_of_95_percent_is_no_winner_beside_an_interval_of_95_percent() -> None:
    assert winner(0.96, confidence=0.95) is None
    assert winner(0.976, confidence=0.95) == "treatment"
    assert winner(0.024, confidence=0.95) == "control"
    assert winner(0.96, confidence=0.9) == "treatment"


@given(betas, betas)
@settings(max_examples=8, deadline=None)
def test_intervals_change_sign_when_arms_change_places(one: Beta, other: Beta) -> None:
    there, back = difference_interval(one, other), difference_interval(other, one)

    assert (there.low, there.high) == (pytest.approx(-back.high, abs=1e-8), pytest.approx(-back.low, abs=1e-8))
    up, down = lift_interval(one, other), lift_interval(other, one)
    assert 1 + up.low == pytest.approx(1 / (1 + down.high), rel=1e-6)


@pytest.mark.parametrize(
    ("control", "treatment"),
    [(Counts(1_000, 0), Counts(1_000, 20)), (Counts(100, 5), Counts(9_900, 700)), (Counts(0, 0), Counts(50, 50))],
)
def test_intervals_hold_what_draws_say(control: Counts, treatment: Counts) -> None:
    import numpy as np

    draws = np.random.default_rng(3)
    c, t = beta_posterior(control), beta_posterior(treatment)
    drawn_c, drawn_t = draws.beta(c.a, c.b, 100_000), draws.beta(t.a, t.b, 100_000)
    difference, lift = difference_interval(c, t), lift_interval(c, t)

    for shown, drawn in ((difference, drawn_t - drawn_c), (lift, drawn_t / drawn_c - 1)):
        assert (drawn < shown.low).mean() == pytest.approx(0.025, abs=0.0025)
        assert (drawn > shown.high).mean() == pytest.approx(0.025, abs=0.0025)


def test_the_lift_of_means_is_fiellers_and_missing_where_control_may_be_nothing() -> None:
    found = lift_interval(Normal(10, 1), Normal(12, 1.5))

    for theta in (1 + found.low, 1 + found.high):
        assert abs(12 - 10 * theta) / sqrt(1.5**2 + theta**2) == pytest.approx(1.959964, rel=1e-6)
    assert lift_interval(Normal(1, 1), Normal(12, 1.5)).why == Why.CONTROL_NEAR_ZERO
    assert lift_interval(Normal(-1, 0.1), Normal(12, 1.5)).why == Why.CONTROL_NEGATIVE
    assert lift_interval(Normal(0, 0.1), Normal(12, 1.5)).why == Why.CONTROL_ZERO


def test_rates_near_one_have_limits_below_one() -> None:
    found = belief_interval(Beta(1e6 + 1, 1))

    assert 0.999996 < found.low < found.high < 1
    assert found.high == pytest.approx(1 - 2.53e-8, abs=1e-10)


# --- A belief about an effect -----------------------------------------------------------------------------
def test_a_strong_prior_pulls_and_none_leaves_the_data_alone() -> None:
    data, pulled = effect_belief(0.1, 0.05), effect_belief(0.1, 0.05, prior=(0.0, 0.05))

    assert (data.mean, data.sd) == (0.1, 0.05)
    assert (pulled.mean, pulled.sd) == (pytest.approx(0.05), pytest.approx(0.05 / sqrt(2)))
    assert data.loss_control - data.loss_treatment == pytest.approx(data.mean)


@given(st.floats(-3, 3), st.floats(0.1, 2), st.sampled_from([0.8, 0.95, 0.99]))
@settings(max_examples=50, deadline=None)
def test_effects_win_when_their_interval_excludes_zero(estimate: float, se: float, confidence: float) -> None:
    found = effect_belief(estimate, se, confidence=confidence)

    if abs(abs(estimate / se) - NormalDist().inv_cdf((1 + confidence) / 2)) > 1e-9:
        assert (found.winner is not None) == found.interval.excludes(0)
    assert min(found.loss_treatment, found.loss_control) >= 0
