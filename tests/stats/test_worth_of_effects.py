"""Effects in money: every figure from one interval, with a reason where there is none."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.stats.early import Always, Planned, early
from segctl.stats.means import compare_means
from segctl.stats.moments import nothing, of_rows
from segctl.stats.money import Cost, cost_per_effect, p_not_above, total, worth
from segctl.stats.values import Comparison, Interval, Why

REVENUE = st.lists(st.floats(0, 300), min_size=3, max_size=20)


def compared(control: list[float], treatment: list[float]) -> Comparison:
    return compare_means(of_rows({"value": control}), of_rows({"value": treatment}))


HELD_OUT, MESSAGED = [0.0, 0.0, 30.0, 8.0], [0.0, 50.0, 12.0, 44.0, 20.0]


def test_money_by_hand() -> None:
    # 25.20 − 9.50 = 15.70 more for each of 1,000 units.
    found = worth(compared(HELD_OUT, MESSAGED), 1_000, Cost(2_000, per_message=0.05, fixed=400, margin=0.5))

    assert found.cost == 500
    assert found.revenue.estimate == pytest.approx(15_700)
    assert found.gross.estimate == pytest.approx(7_850)
    assert found.profit.estimate == pytest.approx(7_350)
    assert found.roi.estimate == pytest.approx(14.7)
    assert found.break_even == pytest.approx(1.0)
    assert found.per_thousand.estimate == pytest.approx(3_925)
    assert found.attributed == pytest.approx(25_200)


@settings(max_examples=30)
@given(REVENUE, REVENUE, st.floats(0.01, 1), st.floats(0.001, 5))
def test_roi_is_above_zero_for_sure_exactly_when_the_effect_is_above_break_even(
    c: list[float], t: list[float], margin: float, price: float
) -> None:
    revenue = compared(c, t)
    found = worth(revenue, 5_000, Cost(5_000, price, 100, margin))

    if revenue.se is None:
        assert (found.roi.low, found.p_below, found.pays) == (None, None, None)
        return
    assert (found.roi.low > 0) is (revenue.difference.low > found.break_even)
    assert (found.profit.low > 0) is (found.roi.low > 0)
    # The two-sided interval leaves 2.5 % on each side.
    assert (found.p_below < 0.025) is (found.roi.low > 0)
    assert found.pays == pytest.approx(1 - found.p_below)
    for interval in (found.revenue, found.gross, found.profit, found.roi, found.per_thousand):
        assert interval.low <= interval.estimate <= interval.high


@pytest.mark.parametrize("rule", [Always(900, 2_000), Planned((0.3, 0.6))])
def test_a_look_before_the_end_is_paid_for_in_whether_it_pays(rule: Always | Planned) -> None:
    """At break-even on an edge of the interval, p is what the interval leaves on that side."""
    rng = np.random.default_rng(4)
    c, t = (of_rows({"value": rng.gamma(1, mean, 450)}) for mean in (9, 11))
    told = early(lambda level: compare_means(c, t, confidence=level), rule)

    assert p_not_above(told, told.difference.low) == pytest.approx(0.025)
    assert p_not_above(told, told.difference.high) == pytest.approx(0.975)


def test_p_not_above_is_the_one_sided_test() -> None:
    from scipy import stats

    revenue = compared(HELD_OUT, MESSAGED)

    for bound in (-5.0, 0.0, 15.7, 40.0):
        theirs = stats.ttest_ind(np.array(MESSAGED) - bound, HELD_OUT, equal_var=False, alternative="greater")
        assert p_not_above(revenue, bound) == pytest.approx(theirs.pvalue)


@pytest.mark.parametrize(
    ("units", "cost", "figure", "why"),
    [
        pytest.param(10, Cost(10), "roi", Why.NO_COST, id="no cost, no ROI"),
        pytest.param(10, Cost(0, fixed=9), "per_thousand", Why.NOTHING_SENT, id="nothing sent"),
    ],
)
def test_what_cannot_be_divided_has_a_reason(units: int, cost: Cost, figure: str, why: Why) -> None:
    found = getattr(worth(compared(HELD_OUT, MESSAGED), units, cost), figure)

    assert (found.estimate, found.why) == (None, why)


def test_a_cost_of_cents_has_a_roi() -> None:
    assert worth(compared(HELD_OUT, MESSAGED), 1, Cost(1, 0.5)).roi.estimate == pytest.approx(15.2 / 0.5)


def test_without_margin_there_is_no_break_even() -> None:
    found = worth(compared(HELD_OUT, MESSAGED), 10, Cost(10, 1, margin=0.0))

    assert (found.break_even, found.break_even_why, found.p_below) == (None, Why.NO_MARGIN, None)
    assert found.profit.estimate == found.profit.low == -10


def test_an_undefined_effect_stays_undefined_in_money() -> None:
    found = worth(compare_means(nothing(0), of_rows({"value": [1.0, 2.0]})), 2, Cost(2, 1))

    for interval in (found.per_unit, found.revenue, found.profit, found.roi):
        assert (interval.estimate, interval.low, interval.high, interval.why) == (None, None, None, Why.EMPTY_ARM)
    assert found.attributed == 3.0


@pytest.mark.parametrize(
    ("low", "at", "high", "expected"),
    [
        pytest.param(0.01, 0.02, 0.04, (50.0, 25.0, 100.0, None, None), id="surely above 0"),
        pytest.param(-0.01, 0.02, 0.05, (50.0, 20.0, None, "high", Why.EFFECT_MAY_BE_ZERO), id="may be 0"),
        pytest.param(0.0, 0.02, 0.04, (50.0, 25.0, None, "high", Why.EFFECT_MAY_BE_ZERO), id="just touches 0"),
        pytest.param(-0.05, -0.01, 0.05, (None, 20.0, None, "high", Why.EFFECT_MAY_BE_ZERO), id="estimate below 0"),
        pytest.param(-0.05, -0.02, -0.01, (None, None, None, None, Why.NO_EFFECT), id="surely below 0"),
    ],
)
def test_the_cost_of_one_more_order_is_unbounded_while_the_effect_may_be_zero(
    low: float, at: float, high: float, expected: tuple[object, ...]
) -> None:
    found = cost_per_effect(Interval(at, low, high, 0.95, "mee"), units=1_000, cost=1_000)

    assert (found.estimate, found.low, found.high, found.unbounded, found.why) == expected
    assert found.method == "inverse_mee"


def test_the_cost_of_an_order_needs_cost_units_and_limits() -> None:
    known, unknown = (
        Interval(0.02, 0.01, 0.04, 0.95, "mee"),
        Interval(None, None, None, 0.95, "mee", None, Why.EMPTY_ARM),
    )

    assert cost_per_effect(known, 10, 0.0).why == Why.NO_COST
    assert cost_per_effect(known, 0, 5.0).why == Why.EMPTY_ARM
    assert cost_per_effect(unknown, 10, 5.0).why == Why.EMPTY_ARM


def test_campaigns_add_up_with_their_uncertainty() -> None:
    one, other = compared(HELD_OUT, MESSAGED), compared(MESSAGED, [3.0, 80.0, 9.0, 11.0])

    both = total([(one, 100), (other, 50)])

    assert both.estimate == pytest.approx(100 * 15.7 + 50 * other.difference.estimate)
    alone = total([(one, 100)])
    assert (alone.low, alone.high) == pytest.approx((100 * one.difference.low, 100 * one.difference.high))
    assert both.high - both.low > alone.high - alone.low


def test_a_sum_without_parts_or_with_an_unknown_part_is_undefined() -> None:
    empty = compare_means(nothing(0), nothing(5))

    assert total([]).why == Why.NO_DATA
    assert (total([(compared(HELD_OUT, MESSAGED), 1), (empty, 1)]).estimate) is None


def test_normal_comparisons_add_up_with_normal_limits() -> None:
    nothing_known = Interval(2.0, None, None, 0.95, "x")
    part = Comparison(1.0, 3.0, nothing_known, nothing_known, 0.1, None, "z", 1.0, 2.0, None)

    found = total([(part, 1), (part, 1)])

    assert found.high == pytest.approx(4 + 1.959963985 * 8**0.5)
    assert inf > found.high
