"""Exact tests of rates: against SciPy, against every table, and in holdouts where SciPy would not end."""

from __future__ import annotations

from math import comb, log
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from segctl.stats import exact
from segctl.stats.exact import boschloo, fisher_p, fisher_tails
from segctl.stats.values import Counts, Why


def sized(largest: int) -> st.SearchStrategy[Counts]:
    return st.integers(1, largest).flatmap(lambda n: st.builds(Counts, st.just(n), st.integers(0, n)))


def table(control: Counts, treatment: Counts) -> list[list[int]]:
    """Columns are arms, as SciPy wants it for Boschloo."""
    arms = (treatment, control)
    return [[arm.conversions for arm in arms], [arm.n - arm.conversions for arm in arms]]


@settings(max_examples=50)
@given(sized(400), sized(5_000))
def test_fisher_is_as_scipy(control: Counts, treatment: Counts) -> None:
    found = fisher_p(control, treatment)

    assert found.p == pytest.approx(stats.fisher_exact(table(control, treatment)).pvalue, rel=1e-6, abs=1e-300)
    less, greater = fisher_tails(control, treatment)
    for tail, side in ((less, "less"), (greater, "greater")):
        expected = stats.fisher_exact(table(control, treatment), alternative=side).pvalue
        assert np.exp(tail) == pytest.approx(expected, rel=1e-6, abs=1e-300)


@settings(max_examples=15)
@given(sized(25), sized(25))
def test_boschloo_is_as_scipy_or_tries_rates_that_scipy_missed(control: Counts, treatment: Counts) -> None:
    found = boschloo(control, treatment).p
    theirs = stats.boschloo_exact(table(control, treatment), n=64).pvalue

    # Theirs is the greatest of 64 sampled rates and the better of both sides, which can only be smaller.
    assert found >= theirs * (1 - 1e-6)
    if log(exact.BEYOND_DOUBT) < min(fisher_tails(control, treatment)) < log(0.2):
        assert found == pytest.approx(theirs, rel=0.02)


@pytest.mark.parametrize("whole", [2_000, 0], ids=["every rate", "plausible rates"])
@pytest.mark.parametrize("sizes", [(6, 9), (3, 14)])
def test_boschloo_holds_its_level_at_every_rate_over_all_tables(
    sizes: tuple[int, int], whole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "SEARCHED_WHOLE", whole)
    nc, nt = sizes
    tables = {(c, t): boschloo(Counts(nc, c), Counts(nt, t)).p for c in range(nc + 1) for t in range(nt + 1)}

    for rate in np.linspace(0.01, 0.99, 60):
        chances = {
            (c, t): comb(nc, c) * comb(nt, t) * rate ** (c + t) * (1 - rate) ** (nc + nt - c - t) for c, t in tables
        }
        for level in (0.01, 0.05, 0.1, 0.3):
            assert sum(chances[key] for key, p in tables.items() if p <= level) <= level + 1e-9


@given(sized(40), sized(200))
@settings(max_examples=20)
def test_boschloo_is_never_above_fisher_on_its_side_and_mirrors(control: Counts, treatment: Counts) -> None:
    found = boschloo(control, treatment)

    assert found.p <= min(1.0, 2 * np.exp(min(fisher_tails(control, treatment)))) + 1e-12
    assert found.p == pytest.approx(boschloo(treatment, control).p, rel=1e-6)


@pytest.mark.parametrize(("control", "treatment"), [((60, 2), (300, 24)), ((150, 3), (200, 13))])
def test_the_short_way_of_large_holdouts_is_the_sum_over_all_tables(
    control: tuple[int, int], treatment: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (nc, xc), (nt, xt) = control, treatment
    every = boschloo(Counts(*control), Counts(*treatment)).p
    monkeypatch.setattr(exact, "SEARCHED_WHOLE", 100)

    short = boschloo(Counts(*control), Counts(*treatment)).p

    c, t = np.arange(nc + 1)[:, None], np.arange(nt + 1)[None, :]
    tails = stats.hypergeom.sf(t - 1, nc + nt, c + t, nt)
    as_extreme = tails <= tails[xc, xt] * (1 + 1e-9)
    span = stats.beta.ppf([5e-7, 1 - 5e-7], [xc + xt, xc + xt + 1], [nc + nt - xc - xt + 1, nc + nt - xc - xt])
    chances = [
        stats.binom.pmf(c[:, 0], nc, rate) @ (as_extreme @ stats.binom.pmf(t[0], nt, rate))
        for rate in np.linspace(*span, 100)
    ]
    assert short == pytest.approx(2 * (max(chances) + 1e-6), rel=1e-3)
    assert short <= every + 2 * exact.GAMMA + 1e-9


@pytest.mark.parametrize(
    ("control", "treatment"),
    [
        ((1_000, 3), (100_000, 700)),
        ((5_000, 5), (5_000_000, 9_000)),
        ((1_000, 9), (100_000, 1_500)),
        ((50, 2), (100_000, 9_000)),
    ],
)
def test_large_holdouts_are_quick(control: tuple[int, int], treatment: tuple[int, int]) -> None:
    begin = process_time()

    p = boschloo(Counts(*control), Counts(*treatment)).p

    assert 0 < p <= 1
    # 10 to 40 ms on a quiet machine.
    assert process_time() - begin < 2


@pytest.mark.parametrize("arms", [(Counts(0, 0), Counts(5, 1)), (Counts(5, 1), Counts(0, 0))])
def test_an_empty_arm_has_no_exact_test(arms: tuple[Counts, Counts]) -> None:
    assert (fisher_p(*arms).p, fisher_p(*arms).why) == (None, Why.EMPTY_ARM)
    assert (boschloo(*arms).p, boschloo(*arms).why) == (None, Why.EMPTY_ARM)


def test_nobody_and_everybody_say_nothing() -> None:
    assert boschloo(Counts(50, 0), Counts(70, 0)).p == fisher_p(Counts(50, 0), Counts(70, 0)).p == 1.0
    assert boschloo(Counts(50, 50), Counts(70, 70)).p == 1.0


def test_an_exact_p_beyond_doubles_has_its_logarithm() -> None:
    found = fisher_p(Counts(20_000, 5), Counts(20_000, 15_000))

    assert found.p == 0.0
    assert found.log_p < -10_000
