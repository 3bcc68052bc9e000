"""One figure of the simulation of experiments, and what it should be."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of the simulation.

    Attributes:
        error: Monte Carlo standard error; 0 where all outcomes were added up.
        target: What it should be; None for figures that have no target.
        at_most: It may be less than the target; else it should be equal.
    """

    part: str
    shape: str
    figure: str
    value: float
    error: float
    target: float | None
    at_most: bool = False

    @property
    def misses(self) -> float:
        """By how much the target is missed beyond three Monte Carlo errors; 0 when it is met."""
        if self.target is None:
            return 0.0
        away = self.value - self.target
        if self.at_most:
            return max(0.0, away - 3 * self.error)
        return max(0.0, abs(away) - 3 * self.error)


def share(part: str, shape: str, figure: str, hits: float, rounds: int, target: float | None, **options: bool) -> Row:
    """A share of so many rounds, with its Monte Carlo error."""
    value = hits / rounds
    error = sqrt(max(value * (1 - value), 0.25 / rounds) / rounds)
    return Row(part, shape, figure, value, error, target, **options)
