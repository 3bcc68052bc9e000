"""Strata: what mixes is taken apart, what is sparse is kept, what reverses is shouted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from segctl.stats.moments import of_rows
from segctl.stats.rates import pooled_z
from segctl.stats.strata import Stratum, arm_by_stratum, mantel_haenszel, over_strata
from segctl.stats.values import Counts, Flag, Why

ARM = st.integers(2, 300).flatmap(lambda n: st.builds(Counts, st.just(n), st.integers(0, n)))
PAIRS = st.lists(st.tuples(ARM, ARM), min_size=1, max_size=6)


def strata(pairs: list[tuple[Counts, Counts]]) -> list[Stratum]:
    return [Stratum(str(place), c, t) for place, (c, t) in enumerate(pairs)]


@settings(max_examples=30)
@given(PAIRS)
def test_the_post_stratified_effect_is_the_weighted_sum(pairs: list[tuple[Counts, Counts]]) -> None:
    found = over_strata(strata(pairs)).post_stratified

    n = sum(c.n + t.n for c, t in pairs)
    expected = sum((c.n + t.n) / n * (t.rate - c.rate) for c, t in pairs)
    apart = sum(
        ((c.n + t.n) / n) ** 2 * sum(arm.rate * (1 - arm.rate) / (arm.n - 1) for arm in (c, t)) for c, t in pairs
    )
    alike = sum(
        ((c.n + t.n) / n) ** 2 * both.rate * (1 - both.rate) * both.n / (both.n - 1) * (1 / c.n + 1 / t.n)
        for c, t, both in ((c, t, c.merged(t)) for c, t in pairs)
    )
    assert found.difference.estimate == pytest.approx(expected, abs=1e-12)
    assert (found.se or 0.0) == pytest.approx(max(apart, alike) ** 0.5, abs=1e-12)
    if found.p is not None:
        assert found.difference.excludes(0) is (found.p < 0.05)
        assert not found.lift.is_bounded or found.lift.excludes(0) is (found.p < 0.05)


@settings(max_examples=30)
@given(ARM, ARM)
def test_one_stratum_is_the_plain_comparison(c: Counts, t: Counts) -> None:
    found = mantel_haenszel([(c, t)])

    assert found.difference.estimate == pytest.approx(t.rate - c.rate, abs=1e-12)
    z, _, why = pooled_z(c, t)
    if why is None:
        # Cochran, Mantel and Haenszel divide by N − 1 where Pearson divides by N.
        n = c.n + t.n
        assert found.statistic == pytest.approx(z * z * (n - 1) / n, rel=1e-9, abs=1e-12)
        assert found.p == pytest.approx(stats.chi2.sf(found.statistic, 1), rel=1e-9)


@given(PAIRS)
@settings(max_examples=30)
def test_the_order_of_strata_does_not_matter(pairs: list[tuple[Counts, Counts]]) -> None:
    there, back = mantel_haenszel(pairs), mantel_haenszel(pairs[::-1])

    assert back.difference.estimate == pytest.approx(there.difference.estimate, abs=1e-12)
    assert (back.se, back.odds_ratio) == (pytest.approx(there.se), pytest.approx(there.odds_ratio))


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=6))
def test_the_split_by_stratum_is_pearsons_test_of_the_table(units: list[tuple[int, int]]) -> None:
    found = arm_by_stratum(units)
    rows = np.array([row for row in units if sum(row)])

    if len(rows) < 2 or not rows.sum(axis=0).all():
        assert (found.chi2, found.why) == (None, Why.ONE_ARM)
        return
    theirs = stats.chi2_contingency(rows, correction=False)
    assert (found.chi2, found.df) == (pytest.approx(theirs.statistic, abs=1e-9), theirs.dof)
    assert found.p == pytest.approx(theirs.pvalue, rel=1e-9)


def test_a_reversal_is_flagged_with_the_split_that_made_it() -> None:
    # Kidney stones (Charig et al., BMJ 292 (1986) 879): B looks better pooled and is worse in both groups.
    found = over_strata(strata([(Counts(270, 234), Counts(87, 81)), (Counts(80, 55), Counts(263, 192))]))

    assert found.pooled == pytest.approx(273 / 350 - 289 / 350)
    assert found.pooled < 0 < min(found.differences)
    assert found.post_stratified.difference.estimate > 0
    assert found.flags == (Flag.ALLOCATION_DIFFERS_BY_STRATUM, Flag.SIMPSON_REVERSAL)


def test_degrees_of_freedom_are_satterthwaites() -> None:
    rng = np.random.default_rng(3)
    rows = [(rng.normal(0, 9, 4), rng.normal(0, 1, 30)), (rng.normal(0, 9, 6), rng.normal(0, 1, 20))]

    found = over_strata([Stratum("", of_rows({"value": c}), of_rows({"value": t})) for c, t in rows]).post_stratified

    parts = [((34, 26)[at] / 60) ** 2 * arm.var(ddof=1) / len(arm) for at, pair in enumerate(rows) for arm in pair]
    degrees = [len(arm) - 1 for pair in rows for arm in pair]
    df = sum(parts) ** 2 / sum(part**2 / freedom for part, freedom in zip(parts, degrees, strict=True))
    assert found.df == pytest.approx(df)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.statistic), df))


@pytest.mark.parametrize(
    ("count", "control", "treated", "rate"), [(4, 2, 40, 0.1), (4, 2, 40, 0.3), (8, 20, 180, 0.02)]
)
def test_small_controls_in_many_strata_find_no_more_than_chance_allows(
    count: int, control: int, treated: int, rate: float
) -> None:
    rng, rounds = np.random.default_rng(7), 600
    c, t = (rng.binomial(n, rate, (rounds, count)) for n in (control, treated))

    found = [
        over_strata(strata([(Counts(control, int(x)), Counts(treated, int(y))) for x, y in zip(*row, strict=True)]))
        for row in zip(c, t, strict=True)
    ]

    wrong = sum(one.post_stratified.p is not None and one.post_stratified.p < 0.05 for one in found)
    assert wrong <= 0.05 * rounds


def test_means_of_two_units_in_a_stratum_find_no_more_than_chance_allows() -> None:
    rng, rounds, wrong = np.random.default_rng(8), 300, 0

    for _ in range(rounds):
        rows = [(rng.normal(10, 3, 2), rng.normal(10, 3, 40)) for _ in range(4)]
        parts = [Stratum("", of_rows({"value": c}), of_rows({"value": t})) for c, t in rows]
        wrong += over_strata(parts).post_stratified.p < 0.05

    assert wrong <= 0.05 * rounds


def test_strata_of_the_same_split_raise_nothing() -> None:
    found = over_strata(strata([(Counts(1_000, 50), Counts(9_000, 500)), (Counts(200, 30), Counts(1_800, 280))]))

    assert (found.flags, found.left_out) == ((), ())


def test_a_stratum_without_two_units_in_each_arm_is_left_out_and_named() -> None:
    found = over_strata(
        [
            Stratum("de", Counts(100, 10), Counts(100, 20)),
            Stratum("at", Counts(0, 0), Counts(50, 9)),
            Stratum("ch", Counts(1, 0), Counts(50, 9)),
        ]
    )

    assert found.left_out == ("at", "ch")
    assert found.differences[1] is None
    assert found.post_stratified.difference.estimate == pytest.approx(0.1)


def test_revenue_is_stratified_as_rates_are() -> None:
    rng = np.random.default_rng(1)
    rows = [(rng.gamma(2, 5, 40), rng.gamma(2, 6, 60)), (rng.gamma(2, 50, 30), rng.gamma(2, 60, 20))]

    found = over_strata(
        [Stratum(str(i), of_rows({"value": c}), of_rows({"value": t})) for i, (c, t) in enumerate(rows)]
    )

    expected = sum((len(c) + len(t)) / 150 * (t.mean() - c.mean()) for c, t in rows)
    assert found.post_stratified.difference.estimate == pytest.approx(expected)
    assert found.post_stratified.lift.excludes(0) is (found.post_stratified.p < 0.05)


@pytest.mark.parametrize(
    ("pairs", "why"),
    [
        ([], Why.EMPTY_ARM),
        ([(Counts(0, 0), Counts(5, 1))], Why.EMPTY_ARM),
        ([(Counts(5, 0), Counts(5, 0))], Why.NO_CONVERSIONS),
        ([(Counts(5, 5), Counts(5, 5))], Why.ALL_CONVERTED),
    ],
)
def test_what_cannot_be_estimated_has_a_reason(pairs: list[tuple[Counts, Counts]], why: Why) -> None:
    found = mantel_haenszel(pairs)

    assert (found.p, found.se, found.why) == (None, None, why)
    if why == Why.EMPTY_ARM:
        assert over_strata(strata(pairs)).post_stratified.why == why


def test_strata_that_separate_completely_have_a_test_and_no_limits() -> None:
    found = mantel_haenszel([(Counts(5, 0), Counts(5, 5))])

    assert (found.difference.estimate, found.difference.low, found.difference.why) == (1.0, None, Why.ZERO_VARIANCE)
    assert found.odds_ratio is None
    assert found.p < 0.01


def test_limits_of_the_common_difference_are_its_errors() -> None:
    pairs = [(Counts(120, 30), Counts(80, 26)), (Counts(40, 4), Counts(300, 45))]

    found = mantel_haenszel(pairs, confidence=0.9)

    # Greenland and Robins' variance written out for each stratum.
    above, weights = 0.0, 0.0
    for c, t in pairs:
        n = c.n + t.n
        above += (t.conversions * (t.n - t.conversions) * c.n**3 + c.conversions * (c.n - c.conversions) * t.n**3) / (
            t.n * c.n * n * n
        )
        weights += t.n * c.n / n
    assert found.se == pytest.approx(above**0.5 / weights)
    z = stats.norm.ppf(0.95)
    assert (found.difference.low, found.difference.high) == pytest.approx(
        (found.difference.estimate - z * found.se, found.difference.estimate + z * found.se)
    )
