"""Coverage and false positives of rates: exact, by adding up the probabilities of all outcomes.

Both limits of every interval grow with the treatment's conversions, so that for each number of the control's
conversions the outcomes whose interval holds the truth lie side by side; their ends are looked for by halving.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from math import sqrt

import numpy as np
from simulated_row import CONFIDENCE, Row

from segctl.stats import rate_intervals
from segctl.stats.bayes import difference_interval, lift_interval
from segctl.stats.posteriors import beta_posterior
from segctl.stats.rates import compare_rates
from segctl.stats.values import Counts, Interval


@dataclass(frozen=True, slots=True)
class Shape:
    """Held out, messaged, rate of who was held out, and the true lift."""

    control: int
    treatment: int
    rate: float
    lift: float = 0.0

    @property
    def treated(self) -> float:
        return self.rate * (1 + self.lift)

    def __str__(self) -> str:
        return f"{self.control:,} / {self.treatment:,}, {self.rate:.1%}, {self.lift:+.0%}"


DESIGN = (
    Shape(1_000, 9_000, 0.005),
    Shape(1_000, 9_000, 0.005, 0.3),
    Shape(2_000, 18_000, 0.01, 0.2),
    Shape(10_000, 90_000, 0.002, 0.2),
    Shape(500, 500, 0.02, 0.5),
    Shape(10_000, 10_000, 0.05, 0.1),
)
"""Shapes of `experiments.md` 1.4."""
HOLDOUTS = (
    Shape(1_000, 99_000, 0.02),
    Shape(1_000, 99_000, 0.02, 0.2),
    Shape(200, 19_800, 0.02),
    Shape(1_000, 19_000, 0.02),
    Shape(1_000, 19_000, 0.02, 0.2),
    Shape(250, 4_750, 0.01),
)
"""99/1 and 95/5."""

Limits = Callable[[Counts, Counts], Interval]


@cache
def _both(control: Counts, treatment: Counts) -> tuple[Interval, Interval]:
    found = compare_rates(control, treatment, confidence=CONFIDENCE)
    return found.difference, found.lift


def _believed(of: Callable[..., Interval]) -> Limits:
    return lambda c, t: of(beta_posterior(c), beta_posterior(t), confidence=CONFIDENCE)


DIFFERENCES: dict[str, Limits] = {
    "difference, score (Mee)": lambda c, t: _both(c, t)[0],
    "difference, Newcombe": lambda c, t: rate_intervals.newcombe(c, t, confidence=CONFIDENCE),
    "difference, Wald (not printed)": lambda c, t: rate_intervals.wald(c, t, confidence=CONFIDENCE),
}
LIFTS: dict[str, Limits] = {
    "lift, score (Koopman)": lambda c, t: _both(c, t)[1],
    "lift, linear delta (not printed)": lambda c, t: rate_intervals.linear_delta(c, t, confidence=CONFIDENCE),
}
BELIEFS: dict[str, tuple[Limits, bool]] = {
    "difference, credible": (_believed(difference_interval), False),
    "lift, credible": (_believed(lift_interval), True),
}


def span(n: int, rate: float, *, sds: float = 5.5) -> range:
    """Conversions that all but about 1e-7 of the outcomes have."""
    sd = sqrt(n * rate * (1 - rate))
    return range(max(0, int(n * rate - sds * sd - 4)), min(n, int(n * rate + sds * sd + 8)) + 1)


def pmf(n: int, rate: float, of: range) -> np.ndarray:
    from scipy.special import gammaln

    k = np.arange(of.start, of.stop)
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.exp(ways + k * np.log(rate) + (n - k) * np.log1p(-rate))


def coverage(shape: Shape, limits: Limits, truth: float) -> float:
    """Probability that the interval holds the truth; intervals that do not exist do not hold it."""
    controls, treated = span(shape.control, shape.rate), span(shape.treatment, shape.treated)
    below = np.concatenate([[0.0], np.cumsum(pmf(shape.treatment, shape.treated, treated))])
    held = 0.0
    for conversions, chance in zip(controls, pmf(shape.control, shape.rate, controls), strict=True):
        if chance < 1e-9:
            continue
        control = Counts(shape.control, conversions)

        def side(which: str, at: int, control: Counts = control) -> bool:
            """Whether an outcome's limit is beyond the truth; true from some outcome on."""
            shown = limits(control, Counts(shape.treatment, at))
            if which == "low":
                return shown.low is not None and shown.low > truth
            return (shown.high is None and shown.unbounded == "high") or (
                shown.high is not None and shown.high >= truth
            )

        first = halved(treated, lambda at, side=side: side("high", at))
        end = halved(treated, lambda at, side=side: side("low", at))
        held += chance * max(0.0, float(below[end - treated.start] - below[first - treated.start]))
    return held


def halved(of: range, holds: Callable[[int], bool]) -> int:
    """The first number for which a condition holds that holds ever after; the end when none does."""
    low, high = of.start, of.stop
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def rates(shapes: tuple[Shape, ...], *, beliefs: bool = False) -> Iterator[Row]:
    """Coverage of every interval; for shapes without effect the rest is the share of false positives."""
    for shape in shapes:
        for name, limits in DIFFERENCES.items():
            yield Row("rates", str(shape), name, coverage(shape, limits, shape.treated - shape.rate), 0.0, CONFIDENCE)
        for name, limits in LIFTS.items():
            yield Row("rates", str(shape), name, coverage(shape, limits, shape.lift), 0.0, CONFIDENCE)
        if beliefs:
            for name, (limits, is_lift) in BELIEFS.items():
                truth = shape.lift if is_lift else shape.treated - shape.rate
                yield Row("rates", str(shape), name, coverage(shape, limits, truth), 0.0, CONFIDENCE)
        if not shape.lift:
            wrong = 1 - coverage(shape, DIFFERENCES["difference, score (Mee)"], 0.0)
            yield Row("rates", str(shape), "false positives, pooled z", wrong, 0.0, 1 - CONFIDENCE)


def one_arm(shapes: tuple[Shape, ...]) -> Iterator[Row]:
    """Coverage of an arm's own rate (Wilson)."""
    for n, rate in dict.fromkeys((shape.control, shape.rate) for shape in shapes):
        of = span(n, rate)
        shown = [rate_intervals.wilson(Counts(n, at), confidence=CONFIDENCE) for at in of]
        held = [float(one.low <= rate <= one.high) for one in shown]
        value = float(pmf(n, rate, of) @ np.array(held))
        yield Row("one arm", f"{n:,}, {rate:.1%}", "rate, Wilson", value, 0.0, CONFIDENCE)
