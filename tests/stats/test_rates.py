"""Rates: one test with three faces, at every size and at both ends."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from segctl.stats import rate_intervals
from segctl.stats.rates import compare_rates, omnibus, pooled_z, rate_flags, unpooled_z
from segctl.stats.score_intervals import koopman, mee, miettinen_nurminen, ratio_chi2, variance_under
from segctl.stats.special import normal_quantile
from segctl.stats.values import Counts, Flag, Interval, Why

SIZES = st.one_of(st.integers(1, 40), st.integers(1, 5_000), st.integers(1, 10**9))


@st.composite
def arms(draw: st.DrawFn) -> Counts:
    """Any arm; often with nobody, everybody or few who converted, or did not."""
    n = draw(SIZES)
    few = st.integers(0, min(n, 30))
    return Counts(n, draw(st.one_of(st.just(0), st.just(n), few, few.map(lambda x: n - x), st.integers(0, n))))


CONFIDENCE = st.sampled_from([0.8, 0.9, 0.95, 0.99, 0.999])


@settings(max_examples=120)
@given(arms(), arms(), CONFIDENCE)
@example(Counts(1000, 0), Counts(1000, 20), 0.95)
@example(Counts(1000, 8), Counts(9000, 131), 0.95)
@example(Counts(7_040_082, 7_040_065), Counts(5_350_527, 5_350_513), 0.9)
def test_p_and_both_intervals_never_contradict(control: Counts, treatment: Counts, confidence: float) -> None:
    found = compare_rates(control, treatment, confidence=confidence)

    significant = found.p is not None and found.p < 1 - confidence
    assert found.difference.excludes(0) is significant
    assert found.lift.excludes(0) is (significant and found.lift.why != Why.NO_CONVERSIONS)


@settings(max_examples=40)
@given(arms(), arms(), CONFIDENCE)
def test_swapping_the_arms_mirrors_everything(one: Counts, other: Counts, confidence: float) -> None:
    there, back = compare_rates(one, other, confidence=confidence), compare_rates(other, one, confidence=confidence)

    assert there.p == (None if back.p is None else pytest.approx(back.p, rel=1e-9))
    low, high = there.difference.low, there.difference.high
    assert low is not None
    assert high is not None
    assert (low, high) == pytest.approx((-back.difference.high, -back.difference.low), rel=1e-8, abs=1e-15)
    if there.lift.is_bounded and back.lift.is_bounded and there.lift.low > -1:
        assert (1 + there.lift.low) * (1 + back.lift.high) == pytest.approx(1, rel=1e-8)


@settings(max_examples=40)
@given(arms(), arms(), CONFIDENCE)
def test_limits_stand_around_the_estimate_and_inside_what_is_possible(c: Counts, t: Counts, confidence: float) -> None:
    difference, lift = mee(c, t, confidence=confidence), koopman(c, t, confidence=confidence)

    assert -1 <= difference.low <= difference.estimate <= difference.high <= 1
    if lift.estimate is not None and lift.is_bounded:
        assert -1 <= lift.low <= lift.estimate + 1e-12
        assert lift.estimate <= lift.high * (1 + 1e-12) + 1e-12


def likelihood(control: Counts, treatment: Counts, rates: tuple[float, float]) -> float:
    total = 0.0
    for arm, rate in zip((control, treatment), rates, strict=True):
        for count, chance in ((arm.conversions, rate), (arm.n - arm.conversions, 1 - rate)):
            total += count * math.log(chance) if count and chance > 0 else (-math.inf if count else 0.0)
    return total


def best(value: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one maximum has it: thirds are thrown away until nothing is left."""
    for _ in range(200):
        one, other = low + (high - low) / 3, high - (high - low) / 3
        low, high = (one, high) if value(one) < value(other) else (low, other)
    return (low + high) / 2


SMALL = st.integers(1, 60).flatmap(lambda n: st.builds(Counts, st.just(n), st.integers(0, n)))


@settings(max_examples=40)
@given(SMALL, SMALL, st.floats(-0.95, 0.95))
def test_the_variance_under_a_difference_is_that_of_the_most_likely_rates(c: Counts, t: Counts, gap: float) -> None:
    rate = best(lambda p: likelihood(c, t, (p, p + gap)), max(0.0, -gap), min(1.0, 1 - gap))

    expected = rate * (1 - rate) / c.n + (rate + gap) * (1 - rate - gap) / t.n
    assert variance_under(c, t, gap) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@settings(max_examples=40)
@given(SMALL, SMALL, st.floats(-3, 3))
def test_koopmans_chi_squared_is_that_of_the_most_likely_rates(c: Counts, t: Counts, log_ratio: float) -> None:
    assume(c.conversions + t.conversions > 0)
    ratio = math.exp(log_ratio)
    rate = best(lambda p: likelihood(c, t, (p, ratio * p)), 0.0, min(1.0, 1 / ratio))
    moved = min(ratio * rate, 1.0)
    below = [n * p * (1 - p) for n, p in ((c.n, rate), (t.n, moved))]
    assume(min(below) > 1e-6)

    expected = (c.conversions - c.n * rate) ** 2 / below[0] + (t.conversions - t.n * moved) ** 2 / below[1]
    assert ratio_chi2(c, t, log_ratio) == pytest.approx(expected, rel=1e-5, abs=1e-7)


@settings(max_examples=40)
@given(SMALL, SMALL)
def test_the_limits_are_where_the_score_test_begins_to_reject(c: Counts, t: Counts) -> None:
    z = normal_quantile(0.975)
    found = mee(c, t)

    for limit in (found.low, found.high):
        if -1 < limit < 1:
            apart = found.estimate - limit
            assert apart**2 == pytest.approx(z * z * variance_under(c, t, limit), rel=1e-6, abs=1e-12)


def test_nobody_converted_is_no_evidence_but_an_interval_all_the_same() -> None:
    found = compare_rates(Counts(1000, 0), Counts(9000, 0))

    assert (found.p, found.why) == (None, Why.NO_CONVERSIONS)
    z2 = normal_quantile(0.975) ** 2
    # Without conversions the score limit of each side is z²/(n + z²).
    assert (found.difference.low, found.difference.high) == pytest.approx(
        (-z2 / (1000 + z2), z2 / (9000 + z2)), rel=1e-9
    )
    assert (found.lift.estimate, found.lift.why) == (None, Why.NO_CONVERSIONS)
    assert found.flags == (Flag.SMALL_COUNTS, Flag.ZERO_CONVERSIONS)


def test_everybody_converted() -> None:
    found = compare_rates(Counts(50, 50), Counts(70, 70))

    assert (found.p, found.why, found.difference.estimate, found.lift.estimate) == (None, Why.ALL_CONVERTED, 0.0, 0.0)
    assert found.difference.low < 0 < found.difference.high
    assert Flag.ALL_CONVERTED in found.flags


def test_no_conversion_in_control_gives_a_lift_of_so_much_at_least() -> None:
    lift = koopman(Counts(1000, 0), Counts(1000, 20))

    assert (lift.estimate, lift.high, lift.unbounded, lift.why) == (None, None, "high", Why.CONTROL_ZERO)
    assert lift.low == pytest.approx(4.22318, rel=1e-5)
    assert lift.excludes(0)


def test_no_conversion_in_treatment_is_a_lift_of_minus_one() -> None:
    lift = koopman(Counts(1000, 20), Counts(1000, 0))

    assert (lift.estimate, lift.low) == (-1.0, -1.0)
    assert lift.high == pytest.approx(1 / 5.22318 - 1, rel=1e-5)


@pytest.mark.parametrize("empty", [(Counts(0, 0), Counts(10, 3)), (Counts(10, 3), Counts(0, 0)), (Counts(0, 0),) * 2])
def test_an_empty_arm_makes_everything_undefined(empty: tuple[Counts, Counts]) -> None:
    found = compare_rates(*empty)

    assert (found.p, found.log_p, found.statistic, found.why) == (None, None, None, Why.EMPTY_ARM)
    assert found.difference.why == found.lift.why == Why.EMPTY_ARM
    assert Flag.EMPTY_ARM in found.flags
    for other in (rate_intervals.newcombe, rate_intervals.wald, rate_intervals.agresti_caffo, rate_intervals.katz):
        assert other(*empty).why == Why.EMPTY_ARM
    assert rate_intervals.linear_delta(*empty).estimate is None
    assert unpooled_z(*empty) == (None, None)


def test_a_single_unit_has_a_result() -> None:
    found = compare_rates(Counts(1, 0), Counts(1, 1))

    assert found.p == pytest.approx(0.157299, rel=1e-5)  # z = √2
    assert found.difference.estimate == 1.0


def test_p_beyond_doubles_has_its_logarithm() -> None:
    found = compare_rates(Counts(10**7, 10**5), Counts(10**7, 2 * 10**5))

    assert found.p == 0.0
    assert found.log_p == pytest.approx(-(found.statistic**2) / 2, rel=0.01)


def test_a_million_each_does_not_come_out_as_zero() -> None:
    # GrowthBook prints p = 0.0 here, from 1 − cdf.
    assert compare_rates(Counts(10**6, 10_000), Counts(10**6, 12_000)).p == pytest.approx(7e-42, rel=0.1)


@given(st.integers(20, 500), st.integers(1, 19))
def test_more_conversions_move_both_limits_up(n: int, x: int) -> None:
    control, before, after = Counts(n, x), Counts(n, x), Counts(n, x + 1)
    for interval in (mee, koopman):
        one, other = interval(control, before), interval(control, after)
        assert one.low < other.low
        assert one.high < other.high


@given(SMALL, SMALL)
def test_more_confidence_is_wider(c: Counts, t: Counts) -> None:
    for interval in (mee, miettinen_nurminen, rate_intervals.newcombe):
        narrow, wide = interval(c, t, confidence=0.9), interval(c, t, confidence=0.99)
        assert wide.low <= narrow.low
        assert narrow.high <= wide.high


@given(SMALL)
def test_wilson_limits_stay_between_zero_and_one(arm: Counts) -> None:
    found = rate_intervals.wilson(arm)

    assert 0 <= found.low <= found.estimate <= found.high <= 1
    assert (found.low == 0) is (arm.conversions == 0)
    assert (found.high == 1) is (arm.conversions == arm.n)


@pytest.mark.parametrize(
    ("interval", "control", "treatment", "why"),
    [
        pytest.param(rate_intervals.katz, Counts(10, 0), Counts(10, 2), Why.CONTROL_ZERO, id="katz, control 0"),
        pytest.param(
            rate_intervals.katz, Counts(10, 2), Counts(10, 0), Why.TREATMENT_NOT_POSITIVE, id="katz, treatment 0"
        ),
        pytest.param(rate_intervals.linear_delta, Counts(10, 0), Counts(10, 0), Why.NO_CONVERSIONS, id="delta, nobody"),
        pytest.param(rate_intervals.wald, Counts(10, 0), Counts(10, 10), Why.ZERO_VARIANCE, id="wald without variance"),
        pytest.param(rate_intervals.wilson, Counts(0, 0), None, Why.EMPTY_ARM, id="wilson of nobody"),
    ],
)
def test_what_does_not_exist_has_a_reason(
    interval: Callable[..., Interval], control: Counts, treatment: Counts | None, why: Why
) -> None:
    found = interval(control) if treatment is None else interval(control, treatment)

    assert (found.low, found.high, found.why) == (None, None, why)


def test_several_arms_of_two_are_the_square_of_z() -> None:
    c, t = Counts(10_000, 230), Counts(90_000, 2_520)
    whole = omnibus([c, Counts(0, 0), t])

    assert (whole.chi2, whole.df) == (pytest.approx(pooled_z(c, t)[0] ** 2), 1)
    assert whole.p == pytest.approx(compare_rates(c, t).p)
    assert omnibus([c]).why == Why.EMPTY_ARM
    assert omnibus([Counts(5, 0), Counts(7, 0)]).why == Why.NO_CONVERSIONS


@pytest.mark.parametrize(("conversions", "flagged"), [(9, True), (10, False), (990, False), (991, True)])
def test_counts_are_small_under_ten_on_either_side(conversions: int, flagged: bool) -> None:
    assert (Flag.SMALL_COUNTS in rate_flags(Counts(1000, 500), Counts(1000, conversions))) is flagged
