"""Splits, sizes, bounds, beliefs and trends against SciPy, statsmodels and tea-tasting, on random inputs.

`pytest tests/stats -m slow` runs them where these are installed; tea-tasting 2 needs Python 3.12.
"""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from segctl.stats import bayes, posteriors, power, sequential, srm, trend
from segctl.stats.factors import design_effect_of, icc_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]
ROUNDS = 200


def drawn(seed: int) -> random.Random:
    return random.Random(seed)


def tea_tasting():
    module = pytest.importorskip("tea_tasting", reason="tea-tasting is not installed; 2.0 needs Python 3.12")
    if int(module.__version__.split(".")[0]) < 2:
        pytest.skip(f"tea-tasting {module.__version__}: the comparison is with 2.0, which needs Python 3.12")
    return module


# --- Splits -----------------------------------------------------------------------------------------------
def test_splits_as_scipy_chisquare() -> None:
    stats = pytest.importorskip("scipy.stats")
    draws = drawn(1)
    for _ in range(ROUNDS):
        weights = [draws.choice([1, 2, 5, 19, 99]) for _ in range(draws.randint(2, 6))]
        counts = [round(weight * draws.uniform(80, 120)) + 5 for weight in weights]
        found = srm.split_test(counts, weights)
        expected = [sum(counts) * weight / sum(weights) for weight in weights]
        wanted = stats.chisquare(counts, expected)
        assert found.chi2 == pytest.approx(wanted.statistic, rel=1e-10)
        assert found.p_chi2 == pytest.approx(wanted.pvalue, rel=1e-9)


def test_small_splits_as_scipy_binomtest() -> None:
    stats = pytest.importorskip("scipy.stats")
    draws = drawn(2)
    for _ in range(ROUNDS):
        n, share = draws.randint(1, 900), draws.choice([0.01, 0.05, 0.1, 1 / 3, 0.5])
        k = draws.randint(0, n)
        found = srm.split_test([k, n - k], [share, 1 - share]).p_exact
        assert found == pytest.approx(stats.binomtest(k, n, share).pvalue, rel=1e-8, abs=1e-12)


def test_splits_as_tea_tasting() -> None:
    tt = tea_tasting()
    draws = drawn(3)
    for _ in range(ROUNDS):
        control, ratio = draws.randint(200, 50_000), draws.choice([1, 3, 9, 19])
        treatment = round(control * ratio * draws.uniform(0.97, 1.03))
        aggregates = {0: tt.aggr.Aggregates(count_=control), 1: tt.aggr.Aggregates(count_=treatment)}
        found = srm.split_test([control, treatment], [1, ratio])
        for method, mine in (
            ("norm", found.p_chi2),
            ("binom", srm.exact_p([control, treatment], [1 / (1 + ratio), ratio / (1 + ratio)])),
        ):
            wanted = tt.SampleRatio(ratio, method=method, correction=False).analyze(aggregates, 0, 1)
            assert mine == pytest.approx(wanted.pvalue, rel=1e-6, abs=1e-12), method


# --- Sizes ------------------------------------------------------------------------------------------------
def test_rates_as_statsmodels() -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    draws = drawn(4)
    for _ in range(ROUNDS):
        base, kappa = draws.uniform(0.002, 0.4), draws.choice([0.2, 1, 4, 19, 99])
        effect, alpha, wanted = (
            base * draws.uniform(0.03, 0.6),
            draws.choice([0.01, 0.05]),
            draws.choice([0.7, 0.8, 0.95]),
        )
        size = proportion.samplesize_proportions_2indep_onetail(
            effect, base, wanted, ratio=1 / kappa, alpha=alpha, value=0, alternative="two-sided"
        )
        found = power.rates_size(base, base + effect, kappa=kappa, alpha=alpha, power=wanted)
        assert found * kappa == pytest.approx(size, rel=1e-9)
        reached = proportion.power_proportions_2indep(effect, base, found * kappa, ratio=1 / kappa, alpha=alpha).power
        assert reached == pytest.approx(wanted, abs=1e-4)


def test_means_as_statsmodels() -> None:
    solver = pytest.importorskip("statsmodels.stats.power").TTestIndPower()
    draws = drawn(5)
    for _ in range(ROUNDS):
        n, kappa = draws.randint(5, 20_000), draws.choice([0.5, 1, 4, 19])
        sd, alpha = draws.uniform(0.1, 100), draws.choice([0.01, 0.05, 0.1])
        difference = sd * draws.uniform(0.5, 4.5) * math.sqrt((1 + 1 / kappa) / n)
        wanted = solver.power(difference / sd, n, alpha, ratio=kappa)
        found = power.means_power(sd, difference, n=n, kappa=kappa, alpha=alpha, either_way=True)
        assert found == pytest.approx(wanted, abs=1e-8)


def test_means_as_tea_tasting() -> None:
    tt = tea_tasting()
    draws = drawn(6)
    for _ in range(ROUNDS // 4):
        n, kappa = draws.randint(200, 100_000), draws.choice([1, 4, 19])
        mean, sd = draws.uniform(1, 50), draws.uniform(1, 80)
        difference = sd * draws.uniform(0.2, 4) * math.sqrt((1 + 1 / kappa) * (1 + kappa) / n)
        data = tt.aggr.Aggregates(count_=n, mean_={"value": mean}, var_={"value": sd * sd})
        metric = tt.Mean("value", ratio=kappa, alpha=0.05, effect_size=difference, equal_var=True)
        found = power.means_power(sd, difference, n=n / (1 + kappa), kappa=kappa, either_way=True)
        assert found == pytest.approx(metric.solve_power(data, "power")[0].power, abs=1e-9)


def test_design_effects_as_cluster_robust_errors_of_statsmodels() -> None:
    api = pytest.importorskip("statsmodels.api")
    import numpy as np

    draws = np.random.default_rng(7)
    for _ in range(20):
        sizes = draws.integers(1, 6, 200)
        groups = np.repeat(np.arange(200), sizes)
        values = draws.normal(size=200)[groups] * 0.7 + draws.normal(size=len(groups))
        model = api.OLS(values, np.ones(len(values)))
        robust = model.fit(cov_type="cluster", cov_kwds={"groups": groups}).bse[0] ** 2
        sums, squares = (np.bincount(groups, of) for of in (values, values**2))
        assert design_effect_of(sizes, sums, squares) == pytest.approx(robust / model.fit().bse[0] ** 2, rel=1e-9)
        assert icc_of(sizes, sums, squares) == pytest.approx(0.49 / 1.49, abs=0.2)


# --- Bounds -----------------------------------------------------------------------------------------------
def test_bounds_hold_alpha_by_the_multivariate_normal_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    import numpy as np

    draws = drawn(8)
    for _ in range(12):
        information = (*sorted({draws.uniform(0.1, 0.95) for _ in range(draws.randint(1, 3))}), 1.0)
        alpha, spending = draws.choice([0.01, 0.05, 0.1]), draws.choice(["obrien_fleming", "pocock", "power"])
        edges = np.array(sequential.bounds(information, alpha=alpha, spending=spending))
        times = np.array(information)
        together = np.sqrt(np.minimum.outer(times, times) / np.maximum.outer(times, times))
        inside = stats.multivariate_normal.cdf(
            edges, np.zeros(len(times)), together, lower_limit=-edges, abseps=1e-7, releps=1e-7, maxpts=2_000_000
        )
        assert 1 - inside == pytest.approx(alpha, abs=2e-5)


# --- Beliefs ----------------------------------------------------------------------------------------------
def test_beliefs_as_integrals_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    integrate = pytest.importorskip("scipy.integrate")
    draws = drawn(9)
    for _ in range(20):
        arms = []
        for _ in range(draws.randint(2, 4)):
            n = draws.choice([0, 5, 80, 3_000, 100_000])
            arms.append(posteriors.Beta(1 + round(n * draws.uniform(0, 0.06)), 1 + round(n * draws.uniform(0.94, 1))))
        found = bayes.ranking(arms)
        best, loss = integrated([stats.beta(arm.a, arm.b) for arm in arms], integrate.quad)
        assert found.best[0] == pytest.approx(best, abs=1e-7)
        assert found.loss[0] == pytest.approx(loss, abs=1e-8)


def integrated(beliefs: list, quad) -> tuple[float, float]:
    """Chance of the first to be best, and its expected loss, piece by piece between quantiles."""
    first, *others = beliefs
    levels = (1e-10, 1e-3, 0.1, 0.5, 0.9, 0.999, 1 - 1e-10)
    ends = [0.0, *sorted({min(max(one.ppf(q), 1e-12), 1 - 1e-12) for one in beliefs for q in levels}), 1.0]

    def over(function) -> float:
        return sum(quad(function, a, b, epsabs=1e-12, epsrel=1e-9, limit=200)[0] for a, b in pairwise(ends))

    best = over(lambda x: first.pdf(x) * math.prod(other.cdf(x) for other in others))
    return best, over(lambda x: first.cdf(x) * (1 - math.prod(other.cdf(x) for other in others)))


# --- Trends -----------------------------------------------------------------------------------------------
def test_trends_as_weighted_least_squares_of_statsmodels() -> None:
    api = pytest.importorskip("statsmodels.api")
    import numpy as np

    draws = np.random.default_rng(10)
    for _ in range(ROUNDS // 4):
        weeks, k = np.arange(draws.integers(2, 9)), 0.3
        se = draws.uniform(0.1, 2, len(weeks))
        spread = np.diag(se) @ (k + (1 - k) * np.eye(len(weeks))) @ np.diag(se)
        effects = draws.multivariate_normal(0.2 * weeks, spread)
        fit = (
            api.GLS(effects, api.add_constant(weeks), sigma=spread).fit(cov_type="fixed scale")
            if len(weeks) > 1
            else None
        )
        measured = [trend.Measured(float(effect), float(error)) for effect, error in zip(effects, se, strict=True)]
        found = trend.trend(measured, covariance=spread)
        assert found.slope.estimate == pytest.approx(fit.params[1], rel=1e-8, abs=1e-10)
        error = math.sqrt(fit.normalized_cov_params[1, 1])
        assert found.slope.high - found.slope.low == pytest.approx(2 * 1.959963985 * error, rel=1e-7)


def test_differences_between_groups_as_meta_analysis_of_statsmodels() -> None:
    meta = pytest.importorskip("statsmodels.stats.meta_analysis")
    import numpy as np

    draws = np.random.default_rng(11)
    for _ in range(ROUNDS // 4):
        effects, variances = draws.normal(size=6), draws.uniform(0.05, 2, 6)
        wanted = meta.combine_effects(effects, variances)
        found = trend.heterogeneity(
            {str(at): trend.Measured(float(effects[at]), math.sqrt(variances[at])) for at in range(6)}
        )
        assert found.q == pytest.approx(wanted.q, rel=1e-9)
        assert found.p == pytest.approx(wanted.test_homogeneity().pvalue, rel=1e-8)
        assert found.pooled == pytest.approx(wanted.mean_effect_fe, rel=1e-9)
        assert found.excess == pytest.approx(max(0.0, wanted.i2), abs=1e-9)
