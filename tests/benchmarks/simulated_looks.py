"""False positives of results that are looked at before the end, and of splits that are watched every day."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from simulated_row import CONFIDENCE, Row, share

from segctl.stats.always_valid import LEAST_CONVERSIONS, critical, tuning
from segctl.stats.sequential import bounds, cost_of_looks
from segctl.stats.special import normal_quantile
from segctl.stats.srm import FAIL, log_bayes_factor

ALPHA = 1 - CONFIDENCE
DAYS = 60
Table = np.ndarray


def pooled_z(xc: Table, nc: Table, xt: Table, nt: Table) -> Table:
    """z of the score test of two rates, of whole tables at once; 0 where nobody converted."""
    pooled = (xc + xt) / (nc + nt)
    variance = pooled * (1 - pooled) * (1 / nc + 1 / nt)
    return np.where(variance > 0, (xt / nt - xc / nc) / np.sqrt(np.maximum(variance, 1e-300)), 0.0)


def welch_z(sums: Table, squares: Table, n: Table) -> tuple[Table, Table]:
    """Means and squared standard errors from running sums."""
    mean = sums / n
    return mean, np.maximum(squares / n - mean**2, 0) / (n - 1)


# --- On any day -------------------------------------------------------------------------------------------
def peeking_at_rates(*, rounds: int, seed: int = 21) -> Iterator[Row]:
    """A look on each of 60 days at two equal rates; planned for day 60, and for day 15."""
    draws = np.random.default_rng(seed)
    for daily_control, daily_treatment, rate in (
        (100, 900, 0.02),
        (50, 950, 0.02),
        (20, 1_980, 0.02),
        (200, 200, 0.05),
    ):
        shape = f"{daily_control} / {daily_treatment} a day, {rate:.0%}, {DAYS} looks"
        days = np.arange(1, DAYS + 1)
        nc, nt = days * daily_control, days * daily_treatment
        xc = draws.binomial(daily_control, rate, (rounds, DAYS)).cumsum(axis=1)
        xt = draws.binomial(daily_treatment, rate, (rounds, DAYS)).cumsum(axis=1)
        z = np.abs(pooled_z(xc, nc, xt, nt))
        shown = xc + xt >= LEAST_CONVERSIONS
        yield share(
            "every day", shape, "false positives, 1.96 each day (not done)", (z > 1.959964).any(1).sum(), rounds, None
        )
        for planned in (DAYS, DAYS // 4):
            rho = tuning(float(planned * (daily_control + daily_treatment)), alpha=ALPHA)
            edges = np.array([critical(float(n), rho=rho, alpha=ALPHA) for n in nc + nt])
            hits = ((z > edges) & shown).any(1).sum()
            yield share(
                "every day",
                shape,
                f"false positives, always valid, planned for day {planned}",
                hits,
                rounds,
                ALPHA,
                at_most=True,
            )


def peeking_at_revenue(*, rounds: int, seed: int = 22) -> Iterator[Row]:
    """The same for revenue per unit, 5 % buy, lognormal; and whether the true effect is ever left out."""
    draws = np.random.default_rng(seed)
    for daily, lift in (((200, 1_800), 0.0), ((200, 1_800), 0.2), ((500, 500), 0.0)):
        tables, bought = [], np.zeros((rounds, DAYS))
        for n, rate in zip(daily, (0.05, 0.05 * (1 + lift)), strict=True):
            buyers = draws.binomial(n, rate, (rounds, DAYS))
            spent = np.exp(draws.normal(3.5, 1.0, buyers.sum()))
            ends = np.cumsum(buyers.ravel())
            parts = []
            for values in (spent, spent**2):
                total = np.concatenate([[0.0], np.cumsum(values)])
                parts.append((total[ends] - total[ends - buyers.ravel()]).reshape(rounds, DAYS).cumsum(axis=1))
            tables.append(welch_z(parts[0], parts[1], np.arange(1, DAYS + 1) * n))
            bought += buyers.cumsum(axis=1)
        (mean_c, var_c), (mean_t, var_t) = tables
        truth = 0.05 * lift * float(np.exp(3.5 + 0.5))
        z = np.abs(mean_t - mean_c - truth) / np.sqrt(var_c + var_t)
        n = np.arange(1, DAYS + 1) * sum(daily)
        rho = tuning(float(n[-1]), alpha=ALPHA)
        edges = np.array([critical(float(units), rho=rho, alpha=ALPHA) for units in n])
        hits = ((z > edges) & (bought >= LEAST_CONVERSIONS)).any(1).sum()
        shape = f"{daily[0]} / {daily[1]} a day, 5 % buy, σ 1.0, {lift:+.0%}, {DAYS} looks"
        yield share("every day", shape, "truth ever left out, revenue, always valid", hits, rounds, ALPHA, at_most=True)


# --- Planned looks ----------------------------------------------------------------------------------------
def planned_looks(*, rounds: int, seed: int = 23) -> Iterator[Row]:
    """False positives over all looks, and power at the size that the looks were planned with."""
    draws = np.random.default_rng(seed)
    for planned in ((0.2, 0.4, 0.6, 0.8, 1.0), (0.15, 0.3, 0.55, 0.8, 1.0), (0.5, 1.0)):
        for spending in ("obrien_fleming", "pocock"):
            edges = np.array(bounds(planned, alpha=ALPHA, spending=spending))
            shape = f"looks at {', '.join(f'{at:.0%}' for at in planned)}, {spending}"
            units = [np.diff([0, *(round(share_ * n) for share_ in planned)]) for n in (5_000, 45_000)]
            z = rates_z(draws, units, (0.03, 0.03), rounds)
            hits = (np.abs(z) > edges).any(1).sum()
            yield share("planned looks", shape, "false positives, 5,000 / 45,000, 3 %", hits, rounds, ALPHA)
            cost = cost_of_looks(planned, alpha=ALPHA, beta=0.2, spending=spending)
            size = even_size(0.03, 0.036) * cost.inflation
            units = [np.diff([0, *(round(share_ * size) for share_ in planned)]) for _ in range(2)]
            z = rates_z(draws, units, (0.03, 0.036), rounds)
            yield share(
                "planned looks", shape, f"power at {cost.inflation:.3f} × size", (z > edges).any(1).sum(), rounds, 0.8
            )


def even_size(control: float, treatment: float) -> float:
    from segctl.stats.power import rates_size

    return rates_size(control, treatment)


def rates_z(draws: np.random.Generator, units: list[np.ndarray], rates: tuple[float, float], rounds: int) -> Table:
    """z at each look, of units that came between looks."""
    n = [part.cumsum() for part in units]
    x = [
        draws.binomial(part, rate, (rounds, len(part))).cumsum(axis=1) for part, rate in zip(units, rates, strict=True)
    ]
    return pooled_z(x[0], n[0], x[1], n[1])


# --- Splits -----------------------------------------------------------------------------------------------
def watched_splits(*, rounds: int, seed: int = 24) -> Iterator[Row]:
    """30 days of 2,000 units: false alarms, and how soon a loss of treated units is found."""
    draws = np.random.default_rng(seed)
    days, daily = 30, 2_000
    edge = normal_quantile(1 - FAIL / 2) ** 2
    for weight in (0.5, 0.1, 0.05, 0.01):
        for lost in (0.0, 0.02, 0.05):
            kept = draws.binomial(daily, weight, (rounds, days))
            treated = draws.binomial(daily - kept, 1 - lost)
            counts = np.stack([kept.cumsum(axis=1), treated.cumsum(axis=1)])
            n = counts.sum(axis=0)
            square = (counts[0] - n * weight) ** 2 / (n * weight * (1 - weight))
            shape = f"{weight:.0%} / {1 - weight:.0%}, {days} days of {daily:,}" + (
                f", {lost:.0%} of treated lost" if lost else ""
            )
            once, ever = (square[:, -1] > edge).sum(), (square > edge).any(1).sum()
            evidence = np.max(dirichlet(counts, weight), axis=1)
            found = (evidence > -np.log(FAIL)).sum()
            if lost:
                yield share("split", shape, "found, χ² on the last day", once, rounds, None)
                yield share("split", shape, "found, watched every day", found, rounds, None)
            else:
                yield share("split", shape, "false alarms, χ² on the last day", once, rounds, FAIL)
                yield share("split", shape, "false alarms, χ² every day (not done)", ever, rounds, None)
                yield share("split", shape, "false alarms, watched every day", found, rounds, FAIL, at_most=True)


def dirichlet(counts: Table, weight: float) -> Table:
    """`log_bayes_factor` of tables of counts, checked against it."""
    from scipy.special import gammaln

    a = 100.0 * np.array([weight, 1 - weight])
    log_beta = gammaln(a[0] + counts[0]) + gammaln(a[1] + counts[1]) - gammaln(100.0 + counts.sum(axis=0))
    found = log_beta - (gammaln(a).sum() - gammaln(100.0)) - counts[0] * np.log(weight) - counts[1] * np.log(1 - weight)
    one = (int(counts[0, 0, -1]), int(counts[1, 0, -1]))
    assert abs(found[0, -1] - log_bayes_factor(one, (weight, 1 - weight))) < 1e-6
    return found
