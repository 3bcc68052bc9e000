"""What an effect is worth: incremental revenue, profit, ROI, break-even, all with their uncertainty.

Everything but the cost of an order is linear in the difference per unit, so that its interval carries over. Cost is
taken as known. Attributed revenue (all of what messaged people bought) is no effect and is given to be seen as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf, sqrt

from segctl.model.dataclass import dataclass
from segctl.stats.special import t_p, t_quantile
from segctl.stats.values import Comparison, Interval, Why, undefined


@dataclass(frozen=True, slots=True)
class Cost:
    """What a campaign costs and what its revenue brings.

    Attributes:
        messages: Messages sent to the arm.
        per_message: Cost of one.
        fixed: Cost that does not depend on messages.
        margin: Share of revenue that is profit before these costs.
    """

    messages: int
    per_message: float = 0.0
    fixed: float = 0.0
    margin: float = 1.0

    @property
    def total(self) -> float:
        """Cost of the campaign."""
        return self.messages * self.per_message + self.fixed


@dataclass(frozen=True, slots=True)
class Worth:
    """An arm in money.

    Attributes:
        units: Of the treatment arm, to which the difference per unit is scaled.
        per_unit: Incremental revenue per unit.
        revenue: Incremental revenue of the arm.
        gross: Margin of that, before costs.
        profit: After costs.
        cost: Of the campaign.
        roi: Profit by cost; undefined without a cost.
        break_even: Incremental revenue per unit at which the profit is 0; None with `break_even_why`.
        p_below: One-sided p of an effect that is no more than break-even: small means that it pays.
        pays: Share of certainty that it pays: 1 − `p_below`, Φ for a flat prior.
        per_thousand: Gross profit per 1,000 messages; undefined when nothing was sent.
        attributed: All revenue of the arm.
    """

    units: int
    per_unit: Interval
    revenue: Interval
    gross: Interval
    profit: Interval
    cost: float
    roi: Interval
    break_even: float | None
    p_below: float | None
    pays: float | None
    per_thousand: Interval
    attributed: float | None
    break_even_why: Why | None = None


def worth(revenue: Comparison, units: int, cost: Cost) -> Worth:
    """What the difference of a revenue metric is worth for the units of the treatment arm.

    Args:
        revenue: Comparison of revenue per unit, plain or adjusted.
        units: Of the treatment arm.
        cost: Of that arm.
    """
    each, spent = revenue.difference, cost.total
    earned = each.scaled(units)
    gross = earned.scaled(cost.margin)
    profit = gross.scaled(1.0, -spent)
    confidence = each.confidence
    roi = undefined(Why.NO_COST, confidence=confidence, method=each.method)
    if spent > 0:
        roi = profit.scaled(1 / spent)
    per_thousand = undefined(Why.NOTHING_SENT, confidence=confidence, method=each.method)
    if cost.messages:
        per_thousand = gross.scaled(1000 / cost.messages)
    break_even, why = None, Why.NO_MARGIN if cost.margin <= 0 else Why.EMPTY_ARM if not units else None
    if why is None:
        break_even = spent / (cost.margin * units)
    below = None if break_even is None else p_not_above(revenue, break_even)
    return Worth(
        units, each, earned, gross, profit, spent, roi, break_even, below, None if below is None else 1 - below,
        per_thousand, None if revenue.treatment is None else revenue.treatment * units, why,
    )  # fmt: skip


def as_told(compared: Comparison) -> Comparison:
    """With the standard error that its interval has, so that what is made of it is as wide as what it says.

    An interval that pays for looking is wider than its standard error tells.
    """
    difference = compared.difference
    if difference.low is None or difference.high is None:
        return replace(compared, se=None, why=difference.why or compared.why)
    wide = t_quantile(0.5 + difference.confidence / 2, inf if compared.df is None else compared.df)
    return replace(compared, se=(difference.high - difference.low) / 2 / wide)


def p_not_above(comparison: Comparison, bound: float) -> float | None:
    """One-sided p of a difference that is `bound` at most; None without an interval.

    It is below α/2 exactly when the whole interval is above `bound`, whatever looks the interval pays for.
    """
    at, se = comparison.difference.estimate, as_told(comparison).se
    if at is None or not se:
        return None
    t = (at - bound) / se
    half = t_p(t, inf if comparison.df is None else comparison.df) / 2
    return half if t > 0 else 1 - half


def cost_per_effect(difference: Interval, units: int, cost: float) -> Interval:
    """Cost of one more order (conversion): cost by units times difference.

    All costs whose difference is in the interval, which is Fieller's set for a known numerator: without an upper
    limit while the difference may be 0, and undefined when it is surely not above 0.

    Args:
        difference: Orders or conversions per unit, treatment minus control.
        units: Of the treatment arm.
        cost: Of the campaign.
    """
    method = f"inverse_{difference.method}"
    at, low, high = difference.estimate, difference.low, difference.high
    if at is None or low is None or high is None:
        return undefined(difference.why or Why.MISSING, confidence=difference.confidence, method=method)
    if cost <= 0 or not units:
        return undefined(Why.NO_COST if units else Why.EMPTY_ARM, confidence=difference.confidence, method=method)
    if high <= 0:
        return undefined(Why.NO_EFFECT, confidence=difference.confidence, method=method)
    estimate = cost / (units * at) if at > 0 else None
    best = cost / (units * high)
    if low <= 0:
        return Interval(estimate, best, None, difference.confidence, method, "high", Why.EFFECT_MAY_BE_ZERO)
    return Interval(estimate, best, cost / (units * low), difference.confidence, method)


def total(parts: Sequence[tuple[Comparison, float]], *, confidence: float = 0.95) -> Interval:
    """The sum of factor × difference over independent comparisons, such as the revenue of all campaigns together.

    Degrees of freedom after Satterthwaite 1946. A part without a standard error makes the sum undefined, since leaving
    it out would pass for 0.

    Args:
        parts: Comparisons with their factors, such as the units of the arm.
        confidence: Of the interval.
    """
    method = "sum"
    if not parts:
        return undefined(Why.NO_DATA, confidence=confidence, method=method)
    at = variance = below = 0.0
    for comparison, factor in parts:
        estimate, se = comparison.difference.estimate, comparison.se
        if estimate is None or se is None:
            reason = comparison.why or Why.MISSING
            return undefined(reason, confidence=confidence, method=method)
        at += factor * estimate
        variance += (factor * se) ** 2
        below += (factor * se) ** 4 / comparison.df if comparison.df else 0.0
    half = t_quantile(0.5 + confidence / 2, variance**2 / below if below else inf) * sqrt(variance)
    return Interval(at, at - half, at + half, confidence, method)
