"""Results before the end: the tests of a single look, whose statistic has to reach further.

A rule says what |z| must reach at this look, and what p a z has. Any comparison is then made at the confidence that
belongs to that reach, so that rates keep their score test and its two intervals, means and ratios Welch's test and
Fieller's interval, adjusted figures their own: p, difference and lift stay three faces of one test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import exp
from typing import Protocol

from segctl.model.dataclass import dataclass
from segctl.stats import always_valid, sequential
from segctl.stats.sequential import Spending
from segctl.stats.special import LN2, normal_sf
from segctl.stats.values import Comparison, Interval, Why, undefined

FARTHEST = 7.0
"""Where more than this many standard errors are asked for, nothing is said yet (and doubles end soon after)."""


class Rule(Protocol):
    """What a look costs."""

    @property
    def alpha(self) -> float:
        """Two-sided, over all looks."""

    @property
    def critical(self) -> float:
        """What |z| must reach; infinite when nothing can be found yet."""

    def log_p(self, z: float) -> float:
        """Logarithm of the p of a z at this look; below that of α exactly when |z| goes beyond `critical`."""


@dataclass(frozen=True, slots=True)
class Always:
    """Looks on any day.

    Attributes:
        n: Units of both arms together at this look.
        planned: Units of both arms at which the decision is expected, fixed before the first look.
        alpha: Two-sided, over all looks.
        tuned: The α at which it is narrowest, `alpha` when left out. The same for all members of a family, so that an
            interval at the α of a step agrees with the p at that step.
    """

    n: float
    planned: float
    alpha: float = 0.05
    tuned: float | None = None

    @property
    def critical(self) -> float:
        """See `Rule`."""
        return always_valid.critical(self.n, rho=self._rho, alpha=self.alpha)

    def log_p(self, z: float) -> float:
        """See `Rule`."""
        return always_valid.log_p_of(z, self.n, rho=self._rho)

    @property
    def _rho(self) -> float:
        return always_valid.tuning(self.planned, alpha=self.tuned or self.alpha)


@dataclass(frozen=True, slots=True)
class Planned:
    """A planned number of looks.

    Attributes:
        information: Of each look so far as a share of the planned whole, this one last; see `sequential.looks_of`.
        alpha: Two-sided, over all looks.
        spending: See `sequential.spent`.
        is_over: There will be no further look.
    """

    information: tuple[float, ...]
    alpha: float = 0.05
    spending: Spending = "obrien_fleming"
    is_over: bool = False

    @property
    def critical(self) -> float:
        """See `Rule`."""
        return sequential.bounds(self.information, alpha=self.alpha, spending=self.spending, is_over=self.is_over)[-1]

    def log_p(self, z: float) -> float:
        """See `Rule`."""
        return sequential.repeated_p(z, self.information, spending=self.spending, is_over=self.is_over)[1]


def early(compare: Callable[[float], Comparison], rule: Rule, *, conversions: float | None = None) -> Comparison:
    """A comparison at a look before the end.

    Args:
        compare: Makes it at a confidence, such as ``lambda level: compare_rates(one, other, confidence=level)``.
        rule: What the look costs.
        conversions: Units of both arms that did anything; under 100 there is no result. None does not ask.

    Returns:
        What `compare` gives, with p and limits as the rule wants them; `too_few` while nothing can be said.
    """
    confidence, reach = 1 - rule.alpha, rule.critical
    if reach > FARTHEST or (conversions is not None and conversions < always_valid.LEAST_CONVERSIONS):
        return _nothing_yet(compare(confidence), confidence)
    found = compare(level_of(reach))
    difference, lift = (replace(interval, confidence=confidence) for interval in (found.difference, found.lift))
    if found.log_p is None:
        return replace(found, difference=difference, lift=lift)
    log_p = rule.log_p(z_of(found.log_p))
    return replace(found, difference=difference, lift=lift, p=exp(log_p), log_p=log_p)


def level_of(reach: float) -> float:
    """Confidence of ± so many standard errors."""
    return 1 - 2 * normal_sf(reach)


def z_of(log_p: float) -> float:
    """The z whose two-sided p has this logarithm."""
    from scipy.special import ndtri_exp

    return max(0.0, -float(ndtri_exp(log_p - LN2)))


def _nothing_yet(found: Comparison, confidence: float) -> Comparison:
    """What was measured, without test and limits."""

    def open_(interval: Interval) -> Interval:
        why = interval.why or Why.TOO_FEW
        return undefined(why, confidence=confidence, method=interval.method, estimate=interval.estimate)

    why = found.why or Why.TOO_FEW
    return replace(found, difference=open_(found.difference), lift=open_(found.lift), p=None, log_p=None, why=why)
