"""Small rounds of `tests/benchmarks/experiments_simulation.py`: bounds are Monte Carlo errors, seeds are fixed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = str(Path(__file__).resolve().parents[1] / "benchmarks")


@pytest.fixture(scope="module")
def simulated() -> Iterator[ModuleType]:
    """The simulation's modules."""
    sys.path.insert(0, BENCHMARKS)
    try:
        import experiments_simulation

        yield experiments_simulation
    finally:
        sys.path.remove(BENCHMARKS)


def test_rates_hold_their_level_in_a_small_holdout(simulated: ModuleType) -> None:
    """Exact: all outcomes of 200 held out and 1,800 messaged are added up."""
    from simulated_rates import DIFFERENCES, LIFTS, Shape, coverage

    shape = Shape(200, 1_800, 0.02, 0.5)
    score = coverage(shape, DIFFERENCES["difference, score (Mee)"], shape.treated - shape.rate)
    lift = coverage(shape, LIFTS["lift, score (Koopman)"], shape.lift)
    wald = coverage(shape, DIFFERENCES["difference, Wald (not printed)"], shape.treated - shape.rate)

    assert score == pytest.approx(0.95, abs=0.012)
    assert lift == pytest.approx(0.95, abs=0.012)
    assert wald < 0.935 < score


def test_looking_every_day_errs_less_than_promised(simulated: ModuleType) -> None:
    rows = list(simulated.peeking_at_rates(rounds=500))

    naive = [row.value for row in rows if row.target is None]
    kept = [row for row in rows if row.target is not None]
    assert min(naive) > 0.2
    assert all(row.misses == 0 for row in kept)


@pytest.mark.slow
def test_rates_hold_their_level_in_every_shape(simulated: ModuleType) -> None:
    """Counts are whole numbers: within 1.2 points in the smallest shape, half a point in the shapes of the design."""
    printed = [row for row in simulated.rates(simulated.DESIGN) if "not printed" not in row.figure]
    scored = [row for row in printed if "Newcombe" not in row.figure]

    assert all(abs(row.value - row.target) <= 0.0055 for row in scored)
    assert all(abs(row.value - row.target) <= 0.0075 for row in printed)
    holdouts = [row for row in simulated.rates(simulated.HOLDOUTS) if "not printed" not in row.figure]
    assert all(abs(row.value - row.target) <= 0.012 for row in holdouts)


@pytest.mark.slow
def test_limits_grow_with_conversions_as_the_sums_take_for_granted(simulated: ModuleType) -> None:
    from simulated_rates import DIFFERENCES, LIFTS

    from segctl.stats.values import Counts

    printed = {name: limits for name, limits in {**DIFFERENCES, **LIFTS}.items() if "not printed" not in name}
    for limits in printed.values():
        for held in (0, 1, 7):
            shown = [limits(Counts(300, held), Counts(2_700, at)) for at in range(120)]
            lows = [one.low for one in shown if one.low is not None]
            highs = [one.high for one in shown if one.high is not None]
            assert lows == sorted(lows)
            assert highs == sorted(highs)


@pytest.mark.slow
def test_revenue_holds_its_level_where_it_rests_on_enough_units(simulated: ModuleType) -> None:
    from simulated_means import SHAPES, Spending

    enough = [SHAPES[0], SHAPES[1], Spending(10_000, 30_000, 0.05, 1.0)]
    rows = list(simulated.means(tuple(enough), rounds=1_500))

    compared = [row for row in rows if "own mean" not in row.figure]
    assert len(compared) > 15
    assert all(row.misses == 0 for row in compared)


@pytest.mark.slow
def test_revenue_that_rests_on_few_units_is_known_to_miss_and_better_when_capped(simulated: ModuleType) -> None:
    from simulated_means import Spending, arm

    from segctl.stats.effective import UNRELIABLE, effective_units

    few = Spending(1_000, 9_000, 0.02, 1.6)
    rows = {row.figure: row.value for row in simulated.means((few,), rounds=1_000)}
    controls = arm(np.random.default_rng(1), few.control, few, 0.0, 200)

    assert rows["mean: difference"] < 0.9 < rows["mean, capped at 99.5 %: difference"]
    assert all(effective_units(one) < UNRELIABLE for one in controls)


@pytest.mark.slow
def test_strata_and_leaky_controls_hold_their_level(simulated: ModuleType) -> None:
    rows = [*simulated.stratified(rounds=3_000), *simulated.leaky(rounds=3_000)]

    assert all(row.misses == 0 for row in rows)


@pytest.mark.slow
def test_looks_splits_and_revenue_hold_their_level(simulated: ModuleType) -> None:
    rows = [
        *simulated.peeking_at_rates(rounds=5_000),
        *simulated.peeking_at_revenue(rounds=1_000),
        *simulated.planned_looks(rounds=5_000),
        *simulated.watched_splits(rounds=10_000),
    ]

    assert [row for row in rows if row.misses] == []
    found = {(row.shape, row.figure): row.value for row in rows}
    half = "50% / 50%, 30 days of 2,000, 5% of treated lost"
    assert found[half, "found, watched every day"] > 0.95
    assert found[half, "found, χ² on the last day"] > 0.99


@pytest.mark.slow
def test_a_bandit_loses_less_than_an_even_split_and_its_even_share_is_fair(simulated: ModuleType) -> None:
    rows = {row.figure: row for row in simulated.bandit(rounds=20)}

    even, thompson, explored = (
        rows[f"{name}: conversions lost"].value for name in ("even split", "Thompson", "Thompson, 10 % even")
    )
    assert thompson < 0.5 * even
    assert thompson < explored < 0.6 * even
    assert rows["Thompson: worst arm's plain average − truth, points"].value < 0
    assert rows["Thompson, 10 % even: the same over the even share alone"].misses == 0
