"""CUPED and regression: from moments as from rows, and honest when the covariate says nothing."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from segctl.stats.cuped import cuped, cuped_ratio
from segctl.stats.linear import solve
from segctl.stats.means import compare_means
from segctl.stats.moments import nothing, of_rows
from segctl.stats.regression import ancova, lin
from segctl.stats.values import Flag, Moments, Why

SEEDS = st.integers(0, 10**6)


class World:
    """Two arms of units with a figure, a time before, units without one, and denominators."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        sizes = rng.integers(6, 50, 2)
        n = int(sizes.sum())
        self.arm = np.repeat([0, 1], sizes)
        self.missing = (rng.random(n) < 0.3).astype(float)
        self.before = rng.lognormal(0, 1, n) * (1 - self.missing)
        self.value = 2 * self.before + rng.normal(5, 1, n) + 1.3 * self.missing
        self.below = rng.integers(1, 5, n).astype(float)
        self.below_before = rng.integers(0, 4, n).astype(float)

    def moments(self, arm: int) -> Moments:
        at = self.arm == arm
        names = ("value", "before", "missing", "below", "below_before")
        return of_rows({name: getattr(self, name)[at] for name in names})

    def split(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return values[self.arm == 0], values[self.arm == 1]


def welch_p(values: np.ndarray, world: World) -> float:
    control, treatment = world.split(values)
    return float(stats.ttest_ind(treatment, control, equal_var=False).pvalue)


@settings(max_examples=30)
@given(SEEDS)
def test_one_pass_of_moments_is_welch_on_adjusted_rows(seed: int) -> None:
    world = World(seed)
    covariates = np.column_stack([world.before, world.missing])
    spread = np.cov(np.column_stack([world.value, covariates]).T)
    slopes = np.linalg.solve(spread[1:, 1:], spread[1:, 0])
    rows = world.value - (covariates - covariates.mean(axis=0)) @ slopes

    found = cuped(world.moments(0), world.moments(1), ("before", "missing"))

    assert found.slopes == pytest.approx(tuple(slopes), rel=1e-6)
    assert found.adjusted.p == pytest.approx(welch_p(rows, world), rel=1e-6)
    variances = [sum(np.var(part, ddof=1) / len(part) for part in world.split(v)) for v in (rows, world.value)]
    assert found.reduction == pytest.approx(1 - variances[0] / variances[1], rel=1e-6)
    assert found.plain == compare_means(world.moments(0), world.moments(1))


@settings(max_examples=30)
@given(SEEDS, st.booleans())
def test_the_lift_with_covariates_is_the_same_test(seed: int, within: bool) -> None:
    world = World(seed)
    found = cuped(world.moments(0), world.moments(1), within=within).adjusted

    if found.lift.is_bounded:
        assert found.lift.excludes(0) is (found.p < 0.05)
        assert found.lift.estimate == pytest.approx(found.difference.estimate / found.control)


@settings(max_examples=30)
@given(SEEDS)
def test_a_ratio_is_adjusted_as_its_linearised_rows(seed: int) -> None:
    world = World(seed)
    rows = np.empty_like(world.value)
    for arm in (0, 1):
        at = world.arm == arm
        ratio = world.value[at].sum() / world.below[at].sum()
        rows[at] = ratio + (world.value[at] - ratio * world.below[at]) / world.below[at].mean()
    before = world.before - world.before.sum() / world.below_before.sum() * world.below_before
    for covariate, options in ((world.before, {}), (before, {"below_before": "below_before"})):
        slope = np.cov(rows, covariate)[0, 1] / np.var(covariate, ddof=1)

        found = cuped_ratio(world.moments(0), world.moments(1), **options)

        assert found.adjusted.p == pytest.approx(
            welch_p(rows - slope * (covariate - covariate.mean()), world), rel=1e-6
        )


@settings(max_examples=20)
@given(SEEDS)
def test_hc2_errors_are_those_of_the_regression_written_out(seed: int) -> None:
    world = World(seed)
    (yc, yt), (xc, xt) = world.split(world.value), world.split(world.before)
    centred = world.before - world.before.mean()
    columns = [np.ones(len(centred)), world.arm.astype(float), centred]
    for form, matrix in ((ancova, columns), (lin, [*columns, world.arm * centred])):
        design = np.column_stack(matrix)
        inverse = np.linalg.inv(design.T @ design)
        fitted = inverse @ design.T @ world.value
        leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
        meat = design.T * ((world.value - design @ fitted) ** 2 / (1 - leverage)) @ design
        errors = np.sqrt(np.diag(inverse @ meat @ inverse))

        found = form(yc, xc, yt, xt)

        assert found.difference.estimate == pytest.approx(fitted[1], rel=1e-6)
        assert found.se == pytest.approx(errors[1], rel=1e-6)
        assert found.difference.excludes(0) is (found.p < 0.05)
        assert found.df == len(centred) - design.shape[1]
        assert found.p == pytest.approx(2 * stats.t.sf(abs(fitted[1] / errors[1]), found.df), rel=1e-6)


def test_a_slope_for_each_arm_from_moments_is_lins_estimate() -> None:
    world = World(7)
    (yc, yt), (xc, xt) = world.split(world.value), world.split(world.before)

    found = cuped(world.moments(0), world.moments(1), within=True)

    assert found.adjusted.difference.estimate == pytest.approx(lin(yc, xc, yt, xt).difference.estimate)
    assert found.adjusted.se == pytest.approx(lin(yc, xc, yt, xt).se, rel=0.1)
    assert found.slopes[0] == pytest.approx(lin(yc, xc, yt, xt).slopes[0])


def test_a_covariate_that_says_nothing_reports_next_to_no_reduction() -> None:
    rng = np.random.default_rng(1)
    arms = [of_rows({"value": rng.normal(5, 1, 5_000), "before": rng.normal(0, 1, 5_000)}) for _ in "ct"]

    found = cuped(*arms)

    assert abs(found.reduction) < 0.01
    assert Flag.COVARIATE_USELESS in found.adjusted.flags
    assert Flag.COVARIATE_USELESS not in found.plain.flags


def test_a_constant_covariate_leaves_the_plain_comparison_with_a_reason() -> None:
    rng = np.random.default_rng(2)
    arms = [of_rows({"value": rng.normal(5, 1, 50), "before": np.zeros(50)}) for _ in "ct"]

    found = cuped(*arms)

    assert (found.reduction, found.why, found.slopes) == (0.0, Why.NO_COVARIATE, (0.0,))
    assert found.adjusted.p == found.plain.p
    assert Flag.COVARIATE_USELESS in found.adjusted.flags


def test_a_copied_covariate_changes_nothing() -> None:
    world = World(3)
    copies = [
        of_rows({"value": v, "before": b, "copy": 3 * b})
        for v, b in zip(world.split(world.value), world.split(world.before), strict=True)
    ]

    one, two = cuped(*copies, ("before",)), cuped(*copies, ("before", "copy"))

    assert two.adjusted.p == pytest.approx(one.adjusted.p)
    assert two.slopes[1] == 0.0


def test_a_covariate_that_explains_everything_leaves_no_test() -> None:
    arms = [of_rows({"value": [1.1, 2.2, 3.3, 4.4], "before": [0.1, 0.2, 0.3, 0.4]}) for _ in "ct"]

    found = cuped(*arms)

    assert found.adjusted.why == Why.ZERO_VARIANCE
    assert found.reduction == pytest.approx(1.0)


@pytest.mark.parametrize("arms", [(0, 10), (10, 0), (1, 10), (0, 0)])
def test_too_few_units_have_a_reason_with_covariates_too(arms: tuple[int, int]) -> None:
    names = ("value", "before", "below")
    empty = [nothing(n, names) for n in arms]

    for found in (cuped(*empty), cuped_ratio(*empty), cuped(*empty, within=True)):
        assert found.adjusted.p is None
        assert found.why is not None
        assert found.reduction is None
    columns = [np.zeros(n) for n in arms for _ in "yx"]
    for form in (ancova(*columns), lin(*columns)):
        assert (form.se, form.p, form.difference.low) == (None, None, None)
        assert form.why in (Why.EMPTY_ARM, Why.ONE_UNIT, Why.TOO_FEW)


def test_a_unit_that_alone_has_its_covariate_adds_no_error() -> None:
    rng = np.random.default_rng(4)
    yc, yt = rng.normal(0, 1, 9), rng.normal(0, 1, 9)
    alone = np.r_[1.0, np.zeros(8)]

    found = lin(yc, alone, yt, alone)

    assert np.isfinite(found.se)


@given(st.integers(1, 4), SEEDS)
@settings(max_examples=30)
def test_equations_are_solved_as_by_numpy(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    root = rng.normal(0, 1, (size, size + 3))
    matrix, right = root @ root.T, rng.normal(0, 1, size)

    assert solve(matrix.tolist(), right.tolist()) == pytest.approx(
        list(np.linalg.solve(matrix, right)), rel=1e-6, abs=1e-9
    )


@pytest.mark.slow
def test_intervals_of_the_adjusted_lift_cover_what_was_planted() -> None:
    """Of the unadjusted control mean; without that covariance it under-covers (GrowthBook 3610)."""
    rng = np.random.default_rng(8)
    rounds, lift, covered = 4_000, 0.2, {"pooled": 0, "within": 0}
    for _ in range(rounds):
        arms = []
        for n, factor in ((150, 1.0), (1_350, 1.0 + lift)):
            before = rng.gamma(2.0, 2.0, n)
            arms.append(of_rows({"value": factor * (before + rng.gamma(2.0, 1.0, n)), "before": before}))
        for name in covered:
            covered[name] += not cuped(*arms, within=name == "within").adjusted.lift.excludes(lift)

    # Four standard errors of 0.95 in 4,000 rounds are 0.014.
    for hits in covered.values():
        assert abs(hits / rounds - 0.95) < 0.014


@pytest.mark.slow
def test_a_million_units_take_a_fraction_of_a_second() -> None:
    rng = np.random.default_rng(9)
    columns = [rng.normal(5, 1, 1_000_000) for _ in range(4)]

    begin = time.process_time()
    yc, xc, yt, xt = columns
    cuped(of_rows({"value": yc, "before": xc}), of_rows({"value": yt, "before": xt}))
    ancova(*columns)
    lin(*columns)

    assert time.process_time() - begin < 3


def test_regressions_need_two_units_per_coefficient_of_an_arm_and_some_that_differ() -> None:
    two, three = np.array([1.0, 2.0]), np.array([1.0, 2.0, 4.0])

    assert ancova(two, two[::-1], two, two).why is None
    assert lin(two, two, three, three).why == Why.TOO_FEW
    flat = np.ones(5)
    assert (ancova(flat, flat, flat + 1, flat).why, lin(flat, flat, flat + 1, flat).why) == (Why.ZERO_VARIANCE,) * 2
    assert lin(flat, flat, flat + 1, flat).difference.estimate == 1.0
