"""Thompson sampling: how much of the next send each arm gets, by how likely it is the best.

Weights change between sends only, and on matured outcomes: units of all arms whose windows are complete, so that arms
are compared at the same age. Weights that follow results bias plain means of all sends together; so a fixed share is
always dealt evenly, and effects are to be estimated within sends and put together as strata.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.stats.bayes import probabilities_best, probabilities_second
from segctl.stats.posteriors import Normal, Posterior, beta_posterior
from segctl.stats.values import Counts, Why

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT_ARMS = 10
"""Up to so many arms are integrated; more are drawn."""
DRAWS = 200_000
EXPLORED = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of an arm, of units with complete windows only.

    Attributes:
        name: Of the arm.
        n: Such units; 0 for an arm that nothing is known of yet.
        conversions: Of them; for rates.
        mean: Mean per unit and
        se: its standard error, above 0; for other figures, instead of conversions.
    """

    name: str
    n: int
    conversions: int | None = None
    mean: float | None = None
    se: float | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What an arm gets of the next send.

    Attributes:
        name: Of the arm.
        best: Probability to be the best of the arms that something is known of; None for the others.
        weight: Of the next send; together 1.
        percent: The same in whole percents; together 100.
        why: ``no_data`` for an arm that nothing is known of: it gets an even share.
    """

    name: str
    best: float | None
    weight: float
    percent: int
    why: Why | None = None


def shares(
    outcomes: Sequence[Outcome],
    *,
    explored: float = EXPLORED,
    floor: float = 0.0,
    prior: tuple[float, float] = (1.0, 1.0),
    lower_is_better: bool = False,
    top_two: bool = False,
    seed: int = 0,
) -> tuple[Share, ...]:
    """Weights for the next send.

    Args:
        outcomes: One per arm that may be sent; all with conversions, or all with means.
        explored: Share of the send that is dealt evenly whatever the results, for estimates without bias.
        floor: Smallest weight of an arm within the rest; added on the simplex, so that proportions above it stay.
        prior: Of rates, see `beta_posterior`.
        lower_is_better: The best arm is the one with the smallest figure.
        top_two: Half the probability to be first or second, which explores more (Russo 2016).
        seed: Of the draws for the second of more than ten arms.

    Raises:
        ValueError: The floors together exceed 1, or a share is not between 0 and 1.

    Source:
        Thompson, Biometrika 25 (1933) 285; Scott, Appl Stoch Models Bus Ind 26 (2010) 639.
    """
    if not 0 <= explored <= 1 or not 0 <= floor * len(outcomes) <= 1:
        raise ValueError("explored is 0 to 1, and so are the floors together")
    if not outcomes:
        return ()
    seen = [one for one in outcomes if one.n]
    beliefs = [_belief(one, prior) for one in seen]
    turned = [belief.flipped() for belief in beliefs] if lower_is_better else beliefs
    best = chances(turned, seed=seed)
    if top_two and len(turned) > 1:
        second = chances(turned, seed=seed, second=True)
        aimed = [(one + other) / 2 for one, other in zip(best, second, strict=True)]
    else:
        aimed = list(best)
    weights = _dealt(outcomes, aimed, floor=floor, explored=explored)
    known = iter(best)
    found = [next(known) if one.n else None for one in outcomes]
    return tuple(
        Share(one.name, chance, weight, percent, None if one.n else Why.NO_DATA)
        for one, chance, weight, percent in zip(outcomes, found, weights, whole_percents(weights), strict=True)
    )


def chances(beliefs: Sequence[Posterior], *, seed: int = 0, second: bool = False) -> tuple[float, ...]:
    """Probability of each to be first by integration; to be second by seeded draws where there are more than ten."""
    if not beliefs:
        return ()
    if not second:
        return probabilities_best(beliefs)
    if len(beliefs) <= EXACT_ARMS:
        return probabilities_second(beliefs)
    import numpy as np

    draws = np.random.default_rng(seed)
    drawn = np.array([_draw(belief, draws) for belief in beliefs])
    place = np.argsort(drawn, axis=0)[-2]
    return tuple((np.bincount(place, minlength=len(beliefs)) / DRAWS).tolist())


def whole_percents(weights: Sequence[float]) -> tuple[int, ...]:
    """Weights in whole percents that add up to 100; the largest remainders are rounded up, earlier arms first.

    >>> whole_percents([1, 1, 1])
    (34, 33, 33)
    """
    total = sum(weights)
    if not total:
        raise ValueError("no weight is above 0")
    exact = [round(100 * weight / total, 9) for weight in weights]
    found = [int(value) for value in exact]
    order = sorted(range(len(exact)), key=lambda at: (found[at] - exact[at], at))
    for at in order[: 100 - sum(found)]:
        found[at] += 1
    return tuple(found)


def _belief(outcome: Outcome, prior: tuple[float, float]) -> Posterior:
    if outcome.conversions is not None:
        return beta_posterior(Counts(outcome.n, outcome.conversions), prior)
    if outcome.mean is None or not outcome.se:
        raise ValueError(f"`{outcome.name}` has neither conversions nor a mean with a standard error")
    return Normal(outcome.mean, outcome.se)


def _dealt(outcomes: Sequence[Outcome], aimed: Sequence[float], *, floor: float, explored: float) -> list[float]:
    """Weights with floor and exploration; arms without data have an even share, the others what is left."""
    count = len(outcomes)
    known = iter(aimed)
    left = len(aimed) / count if count else 0.0
    chosen = [next(known) * left if one.n else 1 / count for one in outcomes]
    floored = [floor + (1 - count * floor) * weight for weight in chosen]
    return [explored / count + (1 - explored) * weight for weight in floored]


def _draw(belief: Posterior, draws: np.random.Generator) -> NDArray[np.float64]:
    if isinstance(belief, Normal):
        return draws.normal(belief.mean, belief.sd, DRAWS)
    return draws.beta(belief.a, belief.b, DRAWS)
