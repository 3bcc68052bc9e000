"""Credible intervals, equal tails: of one belief, of the difference and of the lift of two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import exp, expm1, log, sqrt
from typing import TYPE_CHECKING

from segctl.stats.posteriors import Beta, Normal, Posterior, integral
from segctl.stats.roots import root
from segctl.stats.special import beta_quantile, normal_quantile, root_of_quadratic
from segctl.stats.values import Interval, Why, undefined

if TYPE_CHECKING:
    from segctl.stats.posteriors import Array

METHOD = "credible"
FAR = 600.0
"""Logarithm of ratios beyond which nothing is looked for."""


def belief_interval(belief: Posterior, *, confidence: float = 0.95) -> Interval:
    """Credible interval of one arm's figure, equal tails."""
    tail = (1 - confidence) / 2
    if isinstance(belief, Beta):
        limits = beta_quantile(tail, belief.a, belief.b), 1 - beta_quantile(tail, belief.b, belief.a)
    else:
        away = normal_quantile(1 - tail) * belief.sd
        limits = belief.mean - away, belief.mean + away
    return Interval(belief.mean, *limits, confidence, METHOD)


def difference_interval(control: Posterior, treatment: Posterior, *, confidence: float = 0.95) -> Interval:
    """Credible interval of treatment minus control, equal tails."""
    estimate = treatment.mean - control.mean
    sd = sqrt(control.sd**2 + treatment.sd**2)
    if isinstance(control, Normal):
        return belief_interval(Normal(estimate, sd), confidence=confidence)

    def below(difference: float) -> float:
        return _below(control, treatment, lambda value: value + difference, lambda value: value - difference)

    near = [max(-1.0, min(1.0, estimate + side * 12 * sd)) for side in (-1, 1)]
    return Interval(estimate, *_quantiles(below, near, (-1.0, 1.0), confidence), confidence, METHOD)


def lift_interval(control: Posterior, treatment: Posterior, *, confidence: float = 0.95) -> Interval:
    """Credible interval of treatment / control − 1, equal tails, from the distribution of the ratio.

    Its estimate is the ratio of the expected values − 1. Of normal beliefs it is Fieller's interval, and undefined
    while the control may be 0 or below.
    """
    if control.mean <= 0:
        why = Why.CONTROL_NEGATIVE if control.mean else Why.CONTROL_ZERO
        return undefined(why, confidence=confidence, method=METHOD)
    estimate = treatment.mean / control.mean - 1
    if isinstance(control, Normal):
        return _normal_lift(control, treatment, estimate, confidence)

    def below(log_ratio: float) -> float:
        ratio = exp(log_ratio)
        return _below(control, treatment, lambda value: value * ratio, lambda value: value / ratio)

    spread = sqrt((control.sd / control.mean) ** 2 + (treatment.sd / treatment.mean) ** 2)
    near = [log(1 + estimate) + side * 6 * spread for side in (-1, 1)]
    low, high = _quantiles(below, near, (-FAR, FAR), confidence)
    return Interval(estimate, expm1(low), expm1(high), confidence, METHOD)


def _normal_lift(control: Normal, treatment: Posterior, estimate: float, confidence: float) -> Interval:
    z = normal_quantile((1 + confidence) / 2)
    roots = root_of_quadratic(
        control.mean**2 - (z * control.sd) ** 2,
        -2 * control.mean * treatment.mean,
        treatment.mean**2 - (z * treatment.sd) ** 2,
    )
    if control.mean <= z * control.sd or roots is None:
        return undefined(Why.CONTROL_NEAR_ZERO, confidence=confidence, method=METHOD, estimate=estimate)
    return Interval(estimate, roots[0] - 1, roots[1] - 1, confidence, METHOD)


def _below(
    control: Posterior, treatment: Posterior, edge: Callable[[Array], Array], back: Callable[[Array], Array]
) -> float:
    """Probability that the treatment's figure is less than what `edge` makes of the control's."""
    import numpy as np

    own = control.knots()
    others = control.place(back(treatment.value(treatment.knots())))
    knots = np.concatenate([own, others[(others > own[0]) & (others < own[-1])]])
    return integral(
        lambda place: control.density(place) * treatment.below(treatment.place(edge(control.value(place)))), knots
    )


def _quantiles(
    below: Callable[[float], float], near: Sequence[float], widest: tuple[float, float], confidence: float
) -> tuple[float, float]:
    """Both ends of the interval of a distribution function."""
    tail, known = (1 - confidence) / 2, cache(below)  # Each value is an integral, and both ends ask for the same ones.

    def at(level: float) -> float:
        low = near[0] if known(near[0]) <= level else widest[0]
        high = near[1] if known(near[1]) >= level else widest[1]
        return root(lambda x: known(x) - level, low, high)

    return at(tail), at(1 - tail)
