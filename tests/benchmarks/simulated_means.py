"""Coverage and false positives of revenue per unit, with and without covariates, of ratios, strata and leaky controls.

Most units buy nothing; what buyers spend is lognormal, so that a few of them make up much of the sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from simulated_row import CONFIDENCE, Row, share

from segctl.stats.compliance import compliance, of_conversions
from segctl.stats.cuped import cuped
from segctl.stats.means import compare_means, mean_interval
from segctl.stats.moments import of_sums
from segctl.stats.ratios import compare_ratios
from segctl.stats.strata import Stratum, over_strata
from segctl.stats.values import Comparison, Counts, Interval, Moments

MU = 3.5
CAPPED = 0.005
CHUNK = 500
"""Rounds that are drawn at once, for memory."""


@dataclass(frozen=True, slots=True)
class Spending:
    """Units of both arms, share of the control's that buy, deviation of the logarithm of what they spend, true lift.

    `sigma` 0.6 is mild; 1.0 is usual; 1.6 has a fifth of the sum in one of a hundred buyers.
    """

    control: int
    treatment: int
    rate: float
    sigma: float
    lift: float = 0.0

    def __str__(self) -> str:
        return f"{self.control:,} / {self.treatment:,}, {self.rate:.0%} buy, σ {self.sigma}, {self.lift:+.0%}"

    @property
    def mean(self) -> float:
        """Of the control, per unit."""
        return float(self.rate * np.exp(MU + self.sigma**2 / 2))

    @property
    def cap(self) -> float:
        """What 0.5 % of all units spend more than."""
        return float(np.exp(MU + self.sigma * NormalDist().inv_cdf(1 - CAPPED / self.rate)))


SHAPES = (
    Spending(5_000, 5_000, 0.05, 0.6, 0.1),
    Spending(5_000, 5_000, 0.05, 1.0),
    Spending(1_000, 9_000, 0.05, 1.0),
    Spending(1_000, 9_000, 0.05, 1.0, 0.2),
    Spending(1_000, 19_000, 0.05, 1.0),
    Spending(1_000, 99_000, 0.02, 1.0),
    Spending(10_000, 90_000, 0.02, 1.0),
    Spending(1_000, 9_000, 0.02, 1.6),
    Spending(10_000, 90_000, 0.02, 1.6),
)
Sums = dict[str, np.ndarray]


def summed(values: np.ndarray, buyers: np.ndarray) -> np.ndarray:
    """Sums over each round's buyers, in order; 0 for rounds without any."""
    ends = np.cumsum(buyers)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return sums[ends] - sums[ends - buyers]


def arm(
    draws: np.random.Generator, n: int, spending: Spending, lift: float, rounds: int, *, cap: float = np.inf
) -> list[Moments]:
    """One arm in every round: ``value``, ``below`` (orders) and ``before`` (what was spent in the time before)."""
    # Two kinds of units: a fifth buys eight times as often, before and after, and spends alike both times.
    often = draws.binomial(n, 0.2, rounds)
    base = spending.rate / 2.4
    parts = []
    for units, rate in ((often, base * 8), (n - often, base)):
        after = rate * (1 + lift)
        chances = [after * (1 - rate), (1 - after) * rate, after * rate]
        parts.append(draws.multinomial(units, [*chances, 1 - sum(chances)]))
    only_after, only_before, both = (parts[0] + parts[1]).T[:3]
    y = np.exp(draws.normal(MU, spending.sigma, only_after.sum()))
    x = np.exp(draws.normal(MU, spending.sigma, only_before.sum()))
    taste = draws.normal(0, spending.sigma * 0.8, both.sum())
    yb, xb = (np.exp(MU + taste + draws.normal(0, spending.sigma * 0.6, len(taste))) for _ in range(2))
    y, yb, x, xb = (np.minimum(values, cap) for values in (y, yb, x, xb))
    orders = 1 + draws.poisson(0.4, len(y) + len(yb))
    o, ob = orders[: len(y)], orders[len(y) :]

    def over(one: np.ndarray, of_both: np.ndarray) -> np.ndarray:
        return summed(one, only_after) + summed(of_both, both)

    columns: Sums = {
        "y": over(y, yb), "yy": over(y * y, yb * yb), "o": over(o, ob), "oo": over(o * o, ob * ob),
        "yo": over(y * o, yb * ob), "x": summed(x, only_before) + summed(xb, both),
        "xx": summed(x * x, only_before) + summed(xb * xb, both), "yx": summed(yb * xb, both),
        "ox": summed(ob * xb, both),
    }  # fmt: skip
    return [_moments(n, {name: float(values[at]) for name, values in columns.items()}) for at in range(rounds)]


def _moments(n: int, sums: dict[str, float]) -> Moments:
    products = {
        ("value", "value"): sums["yy"], ("below", "below"): sums["oo"], ("before", "before"): sums["xx"],
        ("value", "below"): sums["yo"], ("value", "before"): sums["yx"], ("below", "before"): sums["ox"],
    }  # fmt: skip
    return of_sums(n, {"value": sums["y"], "below": sums["o"], "before": sums["x"]}, products)


def holds(interval: Interval, truth: float) -> bool:
    """The interval exists and does not exclude the truth."""
    return interval.why is None and not interval.excludes(truth)


def means(shapes: tuple[Spending, ...], *, rounds: int, seed: int = 11) -> Iterator[Row]:
    """Coverage of difference and lift; where nothing changes, false positives."""
    for spending in shapes:
        draws = np.random.default_rng([seed, spending.control, spending.treatment])
        found: dict[str, list[Comparison]] = {}
        held = 0
        for begin in range(0, rounds, CHUNK):
            size = min(CHUNK, rounds - begin)
            pairs = list(zip(*arms(draws, spending, size), strict=True))
            found.setdefault("mean", []).extend(compare_means(*pair) for pair in pairs)
            found.setdefault("mean with covariate", []).extend(cuped(*pair).adjusted for pair in pairs)
            found.setdefault("ratio", []).extend(compare_ratios(*pair) for pair in pairs)
            held += sum(holds(mean_interval(control), spending.mean) for control, _ in pairs)
            if not spending.lift and spending.rate > CAPPED:
                capped = zip(*arms(draws, spending, size, cap=spending.cap), strict=True)
                found.setdefault("mean, capped at 99.5 %", []).extend(compare_means(*pair) for pair in capped)
        for name, compared in found.items():
            is_changed = name != "ratio"
            absolute = spending.mean * spending.lift if is_changed else 0.0
            yield from _rows(spending, name, compared, absolute, spending.lift if is_changed else 0.0)
        yield share("means", str(spending), "control's own mean", held, rounds, CONFIDENCE)


def arms(
    draws: np.random.Generator, spending: Spending, rounds: int, *, cap: float = np.inf
) -> tuple[list[Moments], list[Moments]]:
    """Control and treatment in every round."""
    return (
        arm(draws, spending.control, spending, 0.0, rounds, cap=cap),
        arm(draws, spending.treatment, spending, spending.lift, rounds, cap=cap),
    )


def _rows(spending: Spending, name: str, found: list[Comparison], absolute: float, lift: float) -> Iterator[Row]:
    rounds = len(found)
    held = sum(holds(one.difference, absolute) for one in found)
    yield share("means", str(spending), f"{name}: difference", held, rounds, CONFIDENCE)
    # Where the control's mean cannot be told from 0 there is no percentage; coverage is among the others.
    shown = [one.lift for one in found if one.lift.why is None]
    if shown:
        held = sum(holds(one, lift) for one in shown)
        label = f"{name}: lift" + (f" (shown in {len(shown) / rounds:.0%})" if len(shown) < rounds else "")
        yield share("means", str(spending), label, held, len(shown), CONFIDENCE)
    if not absolute:
        wrong = sum(one.p is not None and one.p < 1 - CONFIDENCE for one in found)
        yield share("means", str(spending), f"{name}: false positives", wrong, rounds, 1 - CONFIDENCE)


def stratified(*, rounds: int, seed: int = 12) -> Iterator[Row]:
    """Two countries with other rates and other splits; the effect is half a point in each."""
    draws = np.random.default_rng(seed)
    parts = {"at": (2_000, 18_000, 0.02), "de": (5_000, 15_000, 0.06)}
    drawn = {
        name: (draws.binomial(nc, rate, rounds), draws.binomial(nt, rate + 0.005, rounds))
        for name, (nc, nt, rate) in parts.items()
    }
    held: Counter[str] = Counter()
    base = sum((nc + nt) * rate for nc, nt, rate in parts.values()) / 40_000
    for at in range(rounds):
        strata = [
            Stratum(name, Counts(nc, int(drawn[name][0][at])), Counts(nt, int(drawn[name][1][at])))
            for name, (nc, nt, _) in parts.items()
        ]
        found = over_strata(strata).post_stratified
        held["difference"] += holds(found.difference, 0.005)
        held["lift"] += holds(found.lift, 0.005 / base)
    for name, count in held.items():
        yield share(
            "strata", "two countries, splits 90/10 and 75/25", f"post-stratified {name}", count, rounds, CONFIDENCE
        )


def leaky(*, rounds: int, seed: int = 13) -> Iterator[Row]:
    """A tenth of the controls is messaged, a fifth of the others is not; a message is worth 2 points."""
    draws = np.random.default_rng(seed)
    held: Counter[str] = Counter()
    for _ in range(rounds):
        arms = []
        for n, messaged in ((2_000, 0.1), (18_000, 0.8)):
            reached = int(draws.binomial(n, messaged))
            bought = int(draws.binomial(reached, 0.07))
            arms.append(of_conversions(n, bought + int(draws.binomial(n - reached, 0.05)), reached, bought))
        found = compliance(*arms)
        held["effect on the messaged, 2SLS"] += holds(found.cace, 0.02)
        held["effect on the messaged, by the test"] += holds(found.cace_by_test, 0.02)
    for name, count in held.items():
        yield share("leaky control", "2,000 / 18,000, 5 %, +2 points", name, count, rounds, CONFIDENCE)
