"""Group sequential tests: a planned number of looks, none of which costs more than its part of α.

The bounds depend on how much information each look has really had, not on the plan: a look that comes early spends
less, one that comes late spends more, and the last look spends what is left. What was planned matters for the size
only. At every look the bound replaces the quantile of the single test (1.96), so that p, the interval of the difference
and that of the lift stay three faces of one test; the intervals hold at all looks together (Jennison, Turnbull 1989).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import e, exp, inf, log, sqrt
from typing import Literal

from segctl.model.dataclass import dataclass
from segctl.stats.recursion import Walk, crossings, sides, start
from segctl.stats.roots import root
from segctl.stats.special import normal_log_p, normal_quantile, normal_sf

Spending = Literal["obrien_fleming", "pocock", "power"]
FAR = 8.0
"""Bounds above this are reckoned as if there had been no look before, which is never too small a p."""
SMALLEST = -690.0
"""Logarithm of p below which the p of a single look is as good."""
CLOSE = 1e-4
"""A look with so little more information than the one before is no look of its own."""


def spent(share: float, alpha: float, *, spending: Spending = "obrien_fleming", power: float = 2.0) -> float:
    """How much of a two-sided α may be spent when this share of the information is there.

    Args:
        share: 0 to 1; above 1 counts as 1.
        alpha: Two-sided.
        spending: `obrien_fleming`: next to nothing early; `pocock`: about as much at each look; `power`: α·tᵖ.
        power: Exponent of `power`.

    Source:
        Lan, DeMets, Biometrika 70 (1983) 659; α/2 on each side.
    """
    if share >= 1:
        return alpha
    if share <= 0:
        return 0.0
    if spending == "pocock":
        return alpha * log(1 + (e - 1) * share)
    if spending == "power":
        return float(alpha * share**power)
    return 4 * normal_sf(-normal_quantile(alpha / 4) / sqrt(share))


@lru_cache(maxsize=256)
def bounds(
    information: tuple[float, ...],
    *,
    alpha: float,
    spending: Spending = "obrien_fleming",
    power: float = 2.0,
    is_over: bool = False,
) -> tuple[float, ...]:
    """Bounds of |z| at the looks so far.

    Args:
        information: Of each look as a share of the whole, ascending; the last may be above 1.
        alpha: Two-sided, over all looks.
        spending: See `spent`.
        power: See `spent`.
        is_over: There will be no further look, so that this one spends what is left.

    Returns:
        One bound per look; infinite where nothing may be spent. Crossing either way ends the walk, so that α is
        exact for both sides together (two one-sided designs are wider by 1e-5).
    """
    allowed = [spent(share, alpha, spending=spending, power=power) for share in information]
    if is_over and allowed:
        allowed[-1] = alpha
    walk, found = start(), []
    for reached, until, before in zip(information, allowed, [0.0, *allowed], strict=False):
        bound = _bound(walk, reached, (until - before) / 2)
        found.append(bound)
        walk = walk.on(bound, reached)
    return tuple(found)


def _bound(walk: Walk, information: float, target: float) -> float:
    """The bound that is crossed above with the probability `target`."""
    if target <= 0:
        return inf
    if walk.beyond(0.0, information)[0] <= target:
        return 0.0
    far = -normal_quantile(target)
    return far if far > FAR else root(lambda edge: walk.beyond(edge, information)[0] - target, 0.0, far + 0.1)


def constant_bounds(
    information: tuple[float, ...], *, alpha: float, shape: Literal["obrien_fleming", "pocock"]
) -> tuple[float, ...]:
    """The classical bounds for looks as planned: the same at each (Pocock), or falling with √information."""

    def shaped(constant: float) -> tuple[float, ...]:
        return tuple(
            constant if shape == "pocock" else constant / sqrt(share / information[-1]) for share in information
        )

    def excess(constant: float) -> float:
        return sum(crossings(shaped(constant), information)) - alpha

    single = -normal_quantile(alpha / 2)
    return shaped(root(excess, single * 0.999, -normal_quantile(alpha / 2 / len(information)) + 0.5))


# --- At a look --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Look:
    """A look at a group sequential test.

    Attributes:
        number: From 1.
        information: Share of the planned whole; may be above 1.
        bound: What |z| must reach; infinite when nothing may be spent.
        spent: Of α so far, this look included.
        is_last: All of α is spent: a later look decides nothing any more.
    """

    number: int
    information: float
    bound: float
    spent: float
    is_last: bool


def looks_of(
    reached: Sequence[float],
    planned: float,
    *,
    alpha: float,
    spending: Spending = "obrien_fleming",
    power: float = 2.0,
    is_over: bool = False,
) -> tuple[Look, ...]:
    """The looks that count, with their bounds.

    Args:
        reached: Information at each look, such as units with complete windows, in the order of the looks.
        planned: Information of the whole.
        alpha: Two-sided, over all looks.
        spending: See `spent`.
        power: See `spent`.
        is_over: The last look ends the experiment, however much is there.

    Returns:
        Looks without new information (under 0.01 % more) are left out, and so are those after the whole was reached:
        the last look's answer stands.
    """
    shares: list[float] = []
    for value in reached:
        share = value / planned
        if shares and shares[-1] >= 1:
            break
        if share > (shares[-1] if shares else 0.0) * (1 + CLOSE):
            shares.append(share)
    edges = bounds(tuple(shares), alpha=alpha, spending=spending, power=power, is_over=is_over)
    return tuple(
        Look(at, share, edge, alpha if last else spent(share, alpha, spending=spending, power=power), last)
        for at, (share, edge) in enumerate(zip(shares, edges, strict=True), 1)
        for last in [share >= 1 or (is_over and at == len(shares))]
    )


def repeated_p(
    z: float,
    information: tuple[float, ...],
    *,
    spending: Spending = "obrien_fleming",
    power: float = 2.0,
    is_over: bool = False,
) -> tuple[float, float]:
    """P at the last of these looks, and its logarithm: the smallest α at which its bound would have been reached.

    It is under α exactly when |z| reaches the bound of α, and over the looks so far its smallest value may be taken.

    Source:
        Jennison, Turnbull, Group Sequential Methods, 2000, chapter 9.
    """
    log_single = normal_log_p(z)
    if log_single < SMALLEST:
        return exp(log_single), log_single
    low, high = _bracket(exp(log_single), information, spending, power, is_over)

    def missing(log_alpha: float) -> float:
        edges = bounds(information, alpha=exp(log_alpha), spending=spending, power=power, is_over=is_over)
        return min(edges[-1], 1e3) - abs(z)

    if missing(high) >= 0:
        return exp(high), high
    log_p = low if missing(low) <= 0 else root(missing, low, high, tolerance=1e-9)
    return exp(log_p), log_p


def _bracket(
    single: float, information: tuple[float, ...], spending: Spending, power: float, is_over: bool
) -> tuple[float, float]:
    """Logarithms of two α between which p lies: at p, the bound's own p lies between what is spent now and so far."""

    def so_far(log_alpha: float) -> float:
        alpha = exp(log_alpha)
        return (alpha if is_over else spent(information[-1], alpha, spending=spending, power=power)) - single

    def now(log_alpha: float) -> float:
        before = information[-2] if len(information) > 1 else 0.0
        return so_far(log_alpha) - spent(before, exp(log_alpha), spending=spending, power=power)

    ends = [root(function, SMALLEST, 0.0, tolerance=1e-6) if function(0.0) > 0 else 0.0 for function in (so_far, now)]
    return max(ends[0] - 1e-4, SMALLEST), min(ends[1] + 1e-4, 0.0)


# --- What looks cost --------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Cost:
    """What planned looks cost in size, and what they save.

    Attributes:
        inflation: Largest size in terms of that without looks.
        expected: Expected size when the effect is real, in the same terms.
        expected_null: Likewise when there is none.
        stop: Probability to stop by each look when the effect is real.
    """

    inflation: float
    expected: float
    expected_null: float
    stop: tuple[float, ...]


@lru_cache(maxsize=64)
def cost_of_looks(
    shares: tuple[float, ...], *, alpha: float, beta: float, spending: Spending = "obrien_fleming", power: float = 2.0
) -> Cost:
    """What looks at these shares of the whole cost, for a two-sided α and a power of 1 − `beta`.

    Args:
        shares: Ascending; the last is 1.
        alpha: Two-sided.
        beta: Probability to miss the effect.
        spending: See `spent`.
        power: See `spent`.
    """
    edges = bounds(shares, alpha=alpha, spending=spending, power=power, is_over=True)
    single = normal_quantile(1 - alpha / 2) + normal_quantile(1 - beta)

    def lacking(drift: float) -> float:
        return sum(above for above, _ in sides(edges, shares, drift=drift)) - (1 - beta)

    drift = root(lacking, single * 0.9, single * 3, tolerance=1e-9)
    inflation = (drift / single) ** 2
    real, null = (crossings(edges, shares, drift=towards) for towards in (drift, 0.0))
    stop = tuple(sum(real[: at + 1]) for at in range(len(real)))
    return Cost(inflation, inflation * _size(shares, real), inflation * _size(shares, null), stop)


def _size(shares: Sequence[float], crossed: Sequence[float]) -> float:
    """Expected share of the whole, given where it ends early."""
    early = sum(share * chance for share, chance in zip(shares[:-1], crossed[:-1], strict=True))
    return shares[-1] * (1 - sum(crossed[:-1])) + early
