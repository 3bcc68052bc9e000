"""Bayesian view: how likely an arm is the best, what a wrong choice is expected to cost, credible intervals.

A winner is called at a probability of 1 − α/2 beside an interval of 1 − α, never earlier: then, and only then, the
interval excludes 0. None of this repairs peeking: who stops at the first probability above a threshold errs more often,
here as elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import exp, pi, sqrt
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.stats.credible import belief_interval, difference_interval, lift_interval
from segctl.stats.posteriors import (
    Normal,
    Posterior,
    below_all,
    integral,
    joint_knots,
    others_above,
    others_product,
    pieces,
)
from segctl.stats.special import normal_sf
from segctl.stats.values import Interval

if TYPE_CHECKING:
    from segctl.stats.posteriors import Array


@dataclass(frozen=True, slots=True)
class Versus:
    """Treatment against control.

    Attributes:
        better: Probability that the treatment is better.
        loss_treatment: Expected loss of choosing the treatment, in the figure's unit.
        loss_control: Expected loss of staying with the control.
        difference: Credible interval, equal tails.
        lift: Likewise of treatment / control − 1.
        winner: ``treatment`` or ``control`` when the interval excludes 0, else None.
    """

    better: float
    loss_treatment: float
    loss_control: float
    difference: Interval
    lift: Interval
    winner: str | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """All arms against each other, in their order.

    Attributes:
        best: Probability to be the best; together 1.
        loss: Expected loss of choosing the arm rather than whichever is best.
    """

    best: tuple[float, ...]
    loss: tuple[float, ...]


def ranking(beliefs: Sequence[Posterior], *, lower_is_better: bool = False) -> Ranking:
    """Probability to be the best, and expected loss, of each arm.

    Args:
        beliefs: One per arm, all of one kind.
        lower_is_better: The best arm is the one with the smallest figure.

    Source:
        Scott, Appl Stoch Models Bus Ind 26 (2010) 639; loss: Stucchio, Bayesian A/B Testing at VWO, 2015.
    """
    turned = [belief.flipped() for belief in beliefs] if lower_is_better else list(beliefs)
    knots = joint_knots(turned)
    best, losses = zip(*_summed(turned, knots), strict=True)
    whole = sum(best)
    return Ranking(tuple(value / whole for value in best), losses)


def probabilities_best(beliefs: Sequence[Posterior]) -> tuple[float, ...]:
    """Probability of each arm to have the largest figure; together 1."""
    found = [best for best, _ in _summed(beliefs, joint_knots(beliefs), with_loss=False)]
    whole = sum(found)
    return tuple(value / whole for value in found)


def _summed(beliefs: Sequence[Posterior], knots: Array, *, with_loss: bool = True) -> list[tuple[float, float]]:
    """Probability to be the best, not yet made to add up, and expected loss of each arm.

    What the others do is the product of all before and of all behind an arm, so that many arms cost no more than
    as many, and not their square.
    """
    import numpy as np

    best, losses = (np.zeros(len(beliefs)) for _ in range(2))
    for place, weight in pieces(knots):
        below = np.array([belief.below(place) for belief in beliefs])
        density = np.array([belief.density(place) for belief in beliefs])
        best += (density * others_product(below)) @ weight
        if with_loss:
            missed = below * others_above([belief.above(place) for belief in beliefs]) * beliefs[0].stretch(place)
            losses += missed @ weight
    return list(zip(best.tolist(), losses.tolist(), strict=True))


def probabilities_second(beliefs: Sequence[Posterior]) -> tuple[float, ...]:
    """Probability of each arm to have the second largest figure; together 1."""
    knots = joint_knots(beliefs)
    found = [
        sum(
            integral(partial(_follows, belief, first, _others(beliefs, at, ahead)), knots)
            for ahead, first in enumerate(beliefs)
            if ahead != at
        )
        for at, belief in enumerate(beliefs)
    ]
    whole = sum(found) or 1.0
    return tuple(value / whole for value in found)


def _others(beliefs: Sequence[Posterior], *without: int) -> list[Posterior]:
    return [belief for at, belief in enumerate(beliefs) if at not in without]


def _follows(belief: Posterior, first: Posterior, others: Sequence[Posterior], place: Array) -> Array:
    return belief.density(place) * first.above(place) * below_all(others, place)


def versus(
    control: Posterior, treatment: Posterior, *, confidence: float = 0.95, lower_is_better: bool = False
) -> Versus:
    """Two arms against each other.

    Args:
        control: Belief about the control.
        treatment: Belief about the treatment, of the same kind.
        confidence: Of the intervals.
        lower_is_better: The smaller figure wins; intervals stay treatment minus control.
    """
    ranked = ranking([control, treatment], lower_is_better=lower_is_better)
    return Versus(
        ranked.best[1],
        ranked.loss[1],
        ranked.loss[0],
        difference_interval(control, treatment, confidence=confidence),
        lift_interval(control, treatment, confidence=confidence),
        winner(ranked.best[1], confidence=confidence),
    )


def winner(better: float, *, confidence: float = 0.95) -> str | None:
    """Who wins beside an interval of this confidence: the coherence rule of this module."""
    enough = (1 + confidence) / 2
    return "treatment" if better >= enough else "control" if 1 - better >= enough else None


# --- Normal beliefs about an effect -----------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class EffectBelief:
    """Belief about an effect, such as a lift, from its estimate and a prior.

    Attributes:
        mean: Expected effect.
        sd: Its standard deviation.
        better: Probability that it is above 0.
        interval: Credible interval, equal tails.
        loss_treatment: Expected loss of choosing the treatment, in the effect's unit.
        loss_control: Expected loss of staying with the control.
        winner: By the rule of `winner`.
    """

    mean: float
    sd: float
    better: float
    interval: Interval
    loss_treatment: float
    loss_control: float
    winner: str | None


def effect_belief(
    estimate: float, se: float, *, prior: tuple[float, float] | None = None, confidence: float = 0.95
) -> EffectBelief:
    """What is believed about an effect.

    Args:
        estimate: Of the effect.
        se: Its standard error, above 0.
        prior: Mean and standard deviation in the same unit; None takes the data alone.
        confidence: Of the interval.
    """
    belief = Normal(estimate, se) if prior is None else _updated(estimate, se, *prior)
    ratio = belief.mean / belief.sd
    hump = belief.sd * exp(-ratio * ratio / 2) / sqrt(2 * pi)
    better = normal_sf(-ratio)
    return EffectBelief(
        belief.mean,
        belief.sd,
        better,
        belief_interval(belief, confidence=confidence),
        hump - belief.mean * normal_sf(ratio),
        hump + belief.mean * better,
        winner(better, confidence=confidence),
    )


def _updated(estimate: float, se: float, mean: float, sd: float) -> Normal:
    precision = 1 / (se * se) + 1 / (sd * sd)
    return Normal((estimate / (se * se) + mean / (sd * sd)) / precision, precision**-0.5)
