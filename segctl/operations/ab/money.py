"""What an arm earned compared with the control, and the effect on those who were messaged when controls were too."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.operations.ab.contacts import is_own, messages
from segctl.operations.ab.result import MoneyReport
from segctl.stats.compliance import MESSAGED, compliance
from segctl.stats.early import FARTHEST, level_of
from segctl.stats.money import Cost, cost_per_effect, worth
from segctl.stats.values import Interval, Why, undefined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from segctl.operations.ab.contacts import Reached
    from segctl.operations.ab.parts import Effect, MetricReport
    from segctl.operations.ab.trial import Trial
    from segctl.stats.values import Comparison, Moments


def money_reports(
    of: Trial, metrics: Sequence[MetricReport], found: Reached, *, claim: bool
) -> tuple[MoneyReport, ...]:
    """Every arm by the first metric of money; nothing without one."""
    revenue = next((one for one in metrics if one.is_money), None)
    if revenue is None:
        return ()
    extra = next((one for one in metrics if one.role == "primary" and one.kind == "conversion"), None)
    return tuple(
        money_of(of, revenue, _decided(effect), cost_of(of, found, [effect.arm]), of.analysed[effect.arm], effect.arm,
                 extra.effect(effect.arm) if extra is not None else None, claim=claim)
        for effect in revenue.effects
    )  # fmt: skip


def _decided(effect: Effect) -> Comparison:
    """The comparison with the ranges that agree with its p among several: money is no surer than its figure."""
    return replace(effect.compared, difference=effect.told, lift=effect.told_lift)


def cost_of(of: Trial, found: Reached, arms: Sequence[str]) -> Cost:
    """Of the messages of some arms; the fixed cost is shared by all messages, by arms where there are none."""
    prices = {arm.name: float(arm.cost or 0) for arm in of.experiment.arms}
    sent = {arm: messages(of, found, arm) for arm in of.arms}
    mine, all_sent = sum(sent[arm] for arm in arms), sum(sent[one.name] for one in of.experiment.arms if one.is_sent)
    paid = sum(sent[arm] * prices[arm] for arm in arms)
    share = mine / all_sent if all_sent else len(arms) / max(sum(one.is_sent for one in of.experiment.arms), 1)
    fixed = float(of.experiment.money.fixed) * share
    return Cost(mine, paid / mine if mine else 0.0, fixed, float(of.experiment.money.margin))


def money_of(
    of: Trial, revenue: MetricReport, compared: Comparison, cost: Cost, units: int, arm: str, extra: Effect | None,
    *, claim: bool,
) -> MoneyReport:  # fmt: skip
    """One comparison of revenue in money."""
    made = worth(compared, units, cost)
    confidence = compared.difference.confidence
    alpha = 1 - float(of.experiment.confidence)
    at = made.break_even
    break_even = (
        Interval(at, at, at, confidence, "cost")
        if at is not None
        else undefined(made.break_even_why, confidence=confidence, method="cost")  # type: ignore[arg-type]  # there is a reason where there is no number
    )
    per_extra = None
    if extra is not None:
        per_extra = cost_per_effect(extra.told, units, made.cost)
    return MoneyReport(
        arm, revenue.name, units, cost.messages, made.per_unit, made.revenue, made.cost, made.profit, made.roi,
        break_even, _corrected(made.p_below, alpha, 1 - confidence), made.per_thousand, per_extra, made.attributed,
        currency=of.experiment.money.currency or revenue.unit, claim=claim,
    )  # fmt: skip


def _corrected(p: float | None, alpha: float, step: float) -> float | None:
    """As large as its range is wide: below α/2 exactly when the whole range at the α of its step is above the bound."""
    return None if p is None else min(p * alpha / step, 1.0)


def with_compliance(of: Trial, metrics: tuple[MetricReport, ...], found: Reached) -> tuple[MetricReport, ...]:
    """The effect of a message beside that of the assignment, where pushes of the experiment reached controls."""
    quiet = {arm.name for arm in of.experiment.arms if not arm.is_sent}
    if of.experiment.control not in quiet or not found.own.get(of.experiment.control):
        return metrics
    return tuple(_with_compliance(of, one, found) if one.kind in ("conversion", "mean") else one for one in metrics)


def _with_compliance(of: Trial, one: MetricReport, found: Reached) -> MetricReport:
    import polars as pl

    from segctl.stats.moments import of_rows

    own = found.rows.filter(is_own(of))["position"].cast(pl.UInt32)
    reached = pl.int_range(of.frame.height, dtype=pl.UInt32, eager=True).is_in(own.implode()).cast(pl.Float64)
    frame = of.frame.select("arm", value=pl.col(one.name), messaged=reached)
    moments = {}
    for arm in of.arms:
        rows = frame.filter(arm=arm)
        moments[arm] = of_rows({"value": rows["value"].to_numpy(), MESSAGED: rows["messaged"].to_numpy()})
    effects = [replace(effect, compliance=_of_messages(of, moments, effect)) for effect in one.effects]
    return replace(one, effects=tuple(effects))


def _of_messages(of: Trial, moments: Mapping[str, Moments], effect: Effect) -> Interval:
    """By the same look as the effect of the assignment; nothing but the estimate where that has no limits."""
    confidence, edge = float(of.experiment.confidence), effect.figures.get("edge")
    level = confidence if edge is None else level_of(min(edge, FARTHEST))
    found = compliance(moments[of.experiment.control], moments[effect.arm], confidence=level).cace_by_test
    if edge is not None and effect.compared.difference.low is None:
        why = effect.compared.difference.why or Why.TOO_FEW
        return undefined(why, confidence=confidence, method=found.method, estimate=found.estimate)
    return replace(found, confidence=confidence)
