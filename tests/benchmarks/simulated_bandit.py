"""What Thompson sampling loses and gains beside an even split, and what it does to plain averages."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from simulated_row import Row

from segctl.stats.thompson import Outcome, shares

RATES = (0.02, 0.022, 0.026)
SENDS, UNITS = 20, 3_000


def bandit(*, rounds: int, seed: int = 31, rates: tuple[float, ...] = RATES) -> Iterator[Row]:
    """Conversions lost beside always sending the best arm, over all sends; and averages of the worst arm."""
    shape = f"{', '.join(f'{rate:.1%}' for rate in rates)}; {SENDS} sends of {UNITS:,}"
    policies = {"even split": None, "Thompson": 0.0, "Thompson, 10 % even": 0.1, "Thompson, top two": -1.0}
    for name, explored in policies.items():
        lost, plain, fair = (np.empty(rounds) for _ in range(3))
        for at in range(rounds):
            draws = np.random.default_rng([seed, at])
            lost[at], plain[at], fair[at] = one_round(draws, explored, rates)
        yield _mean(shape, f"{name}: conversions lost", lost, None)
        yield _mean(shape, f"{name}: worst arm's plain average − truth, points", 100 * plain, None)
        if name == "Thompson, 10 % even":
            yield _mean(shape, f"{name}: the same over the even share alone", 100 * fair, 0.0)


def one_round(
    draws: np.random.Generator, explored: float | None, rates: tuple[float, ...]
) -> tuple[float, float, float]:
    """Conversions lost; bias of the worst arm's average over everything, and over the evenly dealt share."""
    n, x = np.zeros((2, len(rates)), dtype=int), np.zeros((2, len(rates)), dtype=int)
    lost = 0.0
    for _ in range(SENDS):
        even = np.full(len(rates), 1 / len(rates))
        outcomes = [Outcome(str(arm), int(n[:, arm].sum()), int(x[:, arm].sum())) for arm in range(len(rates))]
        top_two = explored == -1.0
        kept = max(explored or 0.0, 0.0)
        weights = even
        if explored is not None:
            found = shares(outcomes, explored=0.0, top_two=top_two)
            weights = np.array([share.weight for share in found])
        dealt = np.stack(
            [draws.multinomial(round(UNITS * kept), even), draws.multinomial(UNITS - round(UNITS * kept), weights)]
        )
        n += dealt
        x += draws.binomial(dealt, rates)
        lost += float(dealt.sum(axis=0) @ (max(rates) - np.array(rates)))
    worst = int(np.argmin(rates))
    alone = x[0, worst] / n[0, worst] - rates[worst] if n[0, worst] else 0.0
    return lost, x[:, worst].sum() / n[:, worst].sum() - rates[worst], alone


def _mean(shape: str, figure: str, values: np.ndarray, target: float | None) -> Row:
    return Row("bandit", shape, figure, float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5), target)
