"""Other people's software on random inputs: statsmodels, SciPy, tea-tasting. Their own command: `pytest -m slow`.

Left out with their reason, since there the peers are known to be wrong or mean something else:
- statsmodels 0.15 `confint_proportions_2indep(method="score", compare="diff")`: its cubic has `count0 * diff` where
  Farrington and Manning have `nobs0 * diff`; the ratio is right and is compared.
- statsmodels' `StratifiedTable.test_null_odds` from χ² about 70 on: 1 − cdf is 0.
- tea-tasting's intervals of rates: a continuity correction and the pooled error are its default.
- tea-tasting's interval of the lift: on the logarithm, so that it may contradict its own p; compared with `log_delta`.
- tea-tasting's lifts of means that are not positive: limits in reverse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from scipy import stats

from segctl.stats import multiplicity, rate_intervals
from segctl.stats.cuped import cuped
from segctl.stats.effects import log_delta
from segctl.stats.means import compare_means, estimate
from segctl.stats.moments import of_rows
from segctl.stats.rates import compare_rates, omnibus, unpooled_z
from segctl.stats.ratios import compare_ratios
from segctl.stats.regression import ancova, lin
from segctl.stats.score_intervals import koopman
from segctl.stats.strata import mantel_haenszel
from segctl.stats.values import Counts, Interval

pytestmark = pytest.mark.slow
ROUNDS = 300


def rates(seed: int) -> Iterator[tuple[Counts, Counts, float]]:
    """Holdouts and even splits, rare and common conversions, each with a confidence."""
    rng = np.random.default_rng(seed)
    for _ in range(ROUNDS):
        sizes = rng.integers(20, [2_000, 40_000])
        base = rng.choice([0.005, 0.02, 0.1, 0.4, 0.9])
        found = [
            int(rng.binomial(n, rate)) for n, rate in zip(sizes, (base, base * rng.uniform(0.7, 1.1)), strict=True)
        ]
        arms = [Counts(int(n), x) for n, x in zip(sizes, found, strict=True)]
        yield arms[0], arms[1], float(rng.choice([0.8, 0.95, 0.99]))


def both(interval: Interval) -> tuple[float | None, float | None]:
    return interval.low, interval.high


@pytest.mark.parametrize(
    ("ours", "method", "compare", "shift"),
    [
        (rate_intervals.newcombe, "newcomb", "diff", 0),
        (rate_intervals.agresti_caffo, "agresti-caffo", "diff", 0),
        (rate_intervals.wald, "wald", "diff", 0),
        (rate_intervals.katz, "log", "ratio", 1),
        (koopman, "score", "ratio", 1),
    ],
)
def test_intervals_of_rates_are_as_statsmodels(
    ours: Callable[..., Interval], method: str, compare: str, shift: int
) -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    seen = 0
    for control, treatment, confidence in rates(1):
        found = ours(control, treatment, confidence=confidence)
        if not found.is_bounded or not treatment.conversions or treatment.conversions == treatment.n:
            continue
        options = {"correction": False} if method == "score" else {}
        theirs = proportion.confint_proportions_2indep(
            treatment.conversions, treatment.n, control.conversions, control.n,
            method=method, compare=compare, alpha=1 - confidence, **options,
        )  # fmt: skip
        tolerance = 1e-5 if method == "score" else 1e-9
        assert both(found) == pytest.approx([limit - shift for limit in theirs], rel=tolerance, abs=1e-9)
        seen += 1
    assert seen > ROUNDS / 2


def test_tests_of_rates_are_as_statsmodels_and_scipy() -> None:
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    for control, treatment, confidence in rates(2):
        found = compare_rates(control, treatment, confidence=confidence)
        if found.p is None:
            continue
        counts, sizes = [treatment.conversions, control.conversions], [treatment.n, control.n]
        z, p = proportion.proportions_ztest(counts, sizes)
        assert (found.statistic, found.p) == (pytest.approx(z, rel=1e-9, abs=1e-12), pytest.approx(p, rel=1e-8))
        table = [counts, [n - x for n, x in zip(sizes, counts, strict=True)]]
        pearson = stats.chi2_contingency(table, correction=False)
        assert omnibus([control, treatment]).p == pytest.approx(pearson.pvalue, rel=1e-8)
        low, high = proportion.proportion_confint(counts[0], sizes[0], alpha=1 - confidence, method="wilson")
        assert both(rate_intervals.wilson(treatment, confidence=confidence)) == pytest.approx((low, high), abs=1e-12)
        if min(counts) and all(x < n for x, n in zip(counts, sizes, strict=True)):
            wald = proportion.test_proportions_2indep(counts[0], sizes[0], counts[1], sizes[1], method="wald")
            assert unpooled_z(control, treatment) == pytest.approx((wald.statistic, wald.pvalue), rel=1e-8, abs=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("holm", "holm"),
        ("hochberg", "simes-hochberg"),
        ("bonferroni", "bonferroni"),
        ("bh", "fdr_bh"),
        ("by", "fdr_by"),
    ],
)
def test_adjusted_p_are_as_statsmodels(ours: multiplicity.Method, theirs: str) -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    rng = np.random.default_rng(3)
    # Holm's answer takes statsmodels a third of a second.
    for _ in range(ROUNDS // 10):
        ps = rng.beta(0.4, 1.5, rng.integers(1, 30)).tolist()
        found = multiplicity.adjust(ps, ours)
        reject, adjusted, *_ = multitest.multipletests(ps, method=theirs)
        assert found.p == pytest.approx(tuple(adjusted), rel=1e-9)
        assert found.rejected(0.05) == tuple(np.flatnonzero(reject))


def test_strata_are_as_statsmodels() -> None:
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    rng = np.random.default_rng(4)
    for _ in range(ROUNDS):
        sizes = rng.integers(5, 400, (rng.integers(2, 7), 2))
        pairs = [tuple(Counts(int(n), int(rng.binomial(n, 0.3))) for n in row) for row in sizes]
        found = mantel_haenszel(pairs)
        stacked = np.stack(
            [[[t.conversions, t.n - t.conversions], [c.conversions, c.n - c.conversions]] for c, t in pairs], axis=2
        )
        theirs = tables.StratifiedTable(stacked)
        result = theirs.test_null_odds(correction=False)
        assert found.odds_ratio == pytest.approx(theirs.oddsratio_pooled)
        assert found.statistic == pytest.approx(result.statistic)
        if result.statistic < 40:
            assert found.p == pytest.approx(result.pvalue, rel=1e-6)


def covariate_worlds(seed: int) -> Iterator[list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    for _ in range(ROUNDS // 3):
        columns = []
        for n in rng.integers(10, [60, 400]):
            before = rng.gamma(1.0, 20.0, n)
            columns += [0.5 * before + rng.gamma(1.0, 15.0, n), before]
        yield columns


def test_regressions_are_as_statsmodels() -> None:
    api = pytest.importorskip("statsmodels.api")
    for yc, xc, yt, xt in covariate_worlds(5):
        arm = np.repeat([0.0, 1.0], [len(yc), len(yt)])
        centred = np.r_[xc, xt] - np.r_[xc, xt].mean()
        columns = [np.ones(len(arm)), arm, centred]
        for form, design in ((ancova, columns), (lin, [*columns, arm * centred])):
            theirs = api.OLS(np.r_[yc, yt], np.column_stack(design)).fit(cov_type="HC2", use_t=True)
            found = form(yc, xc, yt, xt)
            assert (found.difference.estimate, found.se) == pytest.approx((theirs.params[1], theirs.bse[1]))
            assert found.p == pytest.approx(theirs.pvalues[1], rel=1e-6)
            assert both(found.difference) == pytest.approx(tuple(theirs.conf_int()[1]))


def test_means_ratios_and_covariates_are_as_tea_tasting() -> None:
    tea = pytest.importorskip("tea_tasting")
    aggregates = pytest.importorskip("tea_tasting.aggr").Aggregates

    def theirs_of(columns: dict[str, np.ndarray]) -> object:
        names = sorted(columns)
        return aggregates(
            count_=len(columns[names[0]]),
            mean_={name: float(columns[name].mean()) for name in names},
            var_={name: float(columns[name].var(ddof=1)) for name in names},
            cov_={(a, b): float(np.cov(columns[a], columns[b])[0, 1]) for a in names for b in names if a < b},
        )

    for yc, xc, yt, xt in covariate_worlds(6):
        arms = [{"value": y, "before": x, "below": np.ceil(x / 10)} for y, x in ((yc, xc), (yt, xt))]
        peers = [theirs_of(arm) for arm in arms]
        control, treatment = (of_rows(arm) for arm in arms)
        mean = tea.Mean("value").analyze_aggregates(*peers)
        found = compare_means(control, treatment)
        assert found.p == pytest.approx(mean.pvalue, rel=1e-8)
        assert both(found.difference) == pytest.approx((mean.effect_size_ci_lower, mean.effect_size_ci_upper))
        logs = log_delta(estimate(control), estimate(treatment), confidence=0.95)
        assert both(logs) == pytest.approx((mean.rel_effect_size_ci_lower, mean.rel_effect_size_ci_upper))
        ratio = tea.RatioOfMeans("value", "below").analyze_aggregates(*peers)
        assert compare_ratios(control, treatment).p == pytest.approx(ratio.pvalue, rel=1e-8)
        adjusted = tea.Mean("value", "before").analyze_aggregates(*peers)
        ours = cuped(control, treatment).adjusted
        assert ours.p == pytest.approx(adjusted.pvalue, rel=1e-8)
        assert both(ours.difference) == pytest.approx((adjusted.effect_size_ci_lower, adjusted.effect_size_ci_upper))
