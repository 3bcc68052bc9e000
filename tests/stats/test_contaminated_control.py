"""Who was messaged is not who was assigned: effects by assignment, then per person reached."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from segctl.stats.compliance import compliance, of_conversions
from segctl.stats.moments import nothing, of_rows
from segctl.stats.values import Flag, Why

NAMES = ("value", "messaged")


def two_stages(value: np.ndarray, messaged: np.ndarray, assigned: np.ndarray) -> tuple[float, float]:
    """Two-stage least squares with matrices, and its HC0 error: an oracle that knows no formula for two arms."""
    design = np.column_stack([np.ones(len(value)), messaged])
    instruments = np.column_stack([np.ones(len(value)), assigned])
    bread = np.linalg.inv(instruments.T @ design)
    found = bread @ instruments.T @ value
    meat = instruments.T * (value - design @ found) ** 2 @ instruments
    return found[1], float(np.sqrt((bread @ meat @ bread.T)[1, 1]))


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_the_effect_per_person_reached_is_two_stage_least_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assigned = np.repeat([0, 1], rng.integers(20, 200, 2))
    messaged = (rng.random(len(assigned)) < np.where(assigned == 1, 0.8, 0.1)).astype(float)
    value = rng.gamma(2, 3, len(assigned)) + messaged
    arms = [of_rows({"value": value[assigned == a], "messaged": messaged[assigned == a]}) for a in (0, 1)]
    assume(arms[0].mean("messaged") != arms[1].mean("messaged"))

    found = compliance(*arms)

    estimate, se = two_stages(value, messaged, assigned)
    assert (found.cace.estimate, found.se) == (pytest.approx(estimate), pytest.approx(se))
    assert found.itt == pytest.approx(value[assigned == 1].mean() - value[assigned == 0].mean())
    assert found.as_treated == pytest.approx(value[messaged == 1].mean() - value[messaged == 0].mean())
    if found.cace_by_test.is_bounded:
        assert found.cace_by_test.low <= estimate <= found.cace_by_test.high


def test_limits_by_test_agree_with_the_test_by_assignment() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        value, messaged = rng.normal(0.3, 1, 300), rng.random(300) < np.repeat([0.05, 0.7], 150)
        arms = [of_rows({"value": value[i : i + 150], "messaged": messaged[i : i + 150]}) for i in (0, 150)]
        found = compliance(*arms)
        z = found.itt / np.sqrt(sum(np.var(value[i : i + 150], ddof=1) / 150 for i in (0, 150)))

        assert found.cace_by_test.excludes(0) is bool(abs(z) > 1.959963985)


@pytest.mark.parametrize(
    ("leaked", "n", "flagged"), [(9, 100, False), (10, 100, True), (10, 1_000, False), (11, 1_000, True)]
)
def test_a_control_is_contaminated_above_one_percent_and_from_ten_on(leaked: int, n: int, flagged: bool) -> None:
    found = compliance(of_conversions(n, 20, leaked, 1), of_conversions(n, 30, n - 5, 28))

    assert found.leaked == leaked
    assert (Flag.CONTAMINATION in found.flags) is flagged


def test_everybody_as_assigned_makes_both_effects_the_same() -> None:
    found = compliance(of_conversions(1_000, 20, 0, 0), of_conversions(1_000, 35, 1_000, 35))

    assert found.cace.estimate == pytest.approx(found.itt)
    assert found.as_treated == pytest.approx(found.itt)
    assert found.flags == ()


def test_an_assignment_that_changed_nothing_has_no_effect_per_person() -> None:
    found = compliance(of_conversions(100, 20, 50, 10), of_conversions(100, 30, 50, 20))

    assert found.itt == pytest.approx(0.1)
    assert (found.cace.estimate, found.se, found.why) == (None, None, Why.NO_COMPLIANCE)


def test_an_assignment_that_hardly_changed_anything_has_no_limits_by_test() -> None:
    found = compliance(of_conversions(50, 10, 20, 5), of_conversions(50, 12, 22, 8))

    assert found.cace_by_test.estimate is not None
    assert (found.cace_by_test.low, found.cace_by_test.why) == (None, Why.NO_COMPLIANCE)


def test_an_empty_arm_and_arms_without_variance_have_a_reason() -> None:
    some = of_conversions(50, 12, 22, 8)

    assert compliance(nothing(0, NAMES), some).why == Why.EMPTY_ARM
    assert compliance(of_conversions(5, 0, 0, 0), of_conversions(5, 0, 5, 0)).why == Why.ZERO_VARIANCE
    assert compliance(of_conversions(5, 0, 0, 0), of_conversions(5, 0, 5, 0)).cace.estimate == 0.0


def test_limits_of_the_effect_per_person_are_its_errors() -> None:
    found = compliance(of_conversions(100, 20, 5, 1), of_conversions(900, 260, 800, 240), confidence=0.9)

    assert found.cace.high - found.cace.estimate == pytest.approx(1.6448536 * found.se, rel=1e-6)
    assert found.cace.estimate - found.cace.low == pytest.approx(1.6448536 * found.se, rel=1e-6)
