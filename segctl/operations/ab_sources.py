"""Where each number of a report comes from: formula, inputs, literature; for `--explain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.ab_formulas import Formula, formula

if TYPE_CHECKING:
    from segctl.operations.ab_parts import ArmValue, Effect, Grouping, MetricReport
    from segctl.operations.ab_result import AbReport, MoneyReport
    from segctl.stats.values import Comparison, Interval

Inputs = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Explained:
    """One number with its origin.

    Attributes:
        path: Place in the report, such as ``metrics.bought.mail.difference``.
        value: None when undefined; `why` says the reason.
        low: Limits of an interval; None without.
        formula: In symbols, see `Formula`.
        key: Name of the formula.
        inputs: What went in, by name.
        source: Literature.
        why: Reason code.
    """

    path: str
    value: object
    low: float | None
    high: float | None
    key: str
    formula: str
    source: str
    inputs: Inputs = field(default_factory=dict)
    why: str | None = None


def explained(report: AbReport, ask: str | None = None) -> tuple[Explained, ...]:
    """Every number of a report, or those whose path has all parts of `ask`.

    Args:
        report: The report.
        ask: Parts of a path with points or blanks between them, such as ``bought.mail.lift``; None for all.
    """
    found = (*_metrics(report), *_money(report), *_checks(report), *_groups(report), *_rest(report))
    parts = (ask or "").replace(".", " ").split()
    return tuple(one for one in found if all(part in one.path.split(".") for part in parts))


def _made(path: str, value: object, key: str, inputs: Inputs, why: str | None = None) -> Explained:
    told = formula(key) or Formula(key)
    return Explained(path, value, None, None, key, told.text, told.source, inputs, why)


def _of(path: str, one: Interval, key: str, inputs: Inputs) -> Explained:
    told = formula(key) or Formula(key)
    inputs = {**inputs, "confidence": one.confidence}
    return Explained(path, one.estimate, one.low, one.high, key, told.text, told.source, inputs, one.why)


# --- Metrics ----------------------------------------------------------------------------------------------
def _metrics(report: AbReport) -> Iterator[Explained]:
    for metric in report.metrics:
        control = metric.arm(report.control)
        for arm in metric.arms:
            path = f"metrics.{metric.name}.{arm.arm}.value"
            yield _of(path, arm.value, arm.value.method, _own(arm, ""))
        for effect in metric.effects:
            inputs = {**_own(control, "_c"), **_own(metric.arm(effect.arm), "_t")}
            yield from _effect(metric, effect, inputs)
        for belief in metric.beliefs:
            path, own = f"beliefs.{metric.name}.{belief.arm}", _own(metric.arm(belief.arm), "")
            yield _made(f"{path}.best", belief.best, "best", own)
            yield _made(f"{path}.loss", belief.loss, "loss", own)
            if belief.lift is not None:
                yield _made(f"{path}.better", belief.better, "best", own)
                yield _of(f"{path}.lift", belief.lift, "credible", own)


def _own(arm: ArmValue, side: str) -> dict[str, object]:
    known = {
        "n": arm.n,
        "x": arm.events,
        "sum": arm.total,
        "below": arm.below,
        "s": arm.sd,
        "value": arm.value.estimate,
    }
    return {f"{name}{side}": value for name, value in known.items() if value is not None}


def _effect(metric: MetricReport, effect: Effect, inputs: Inputs) -> Iterator[Explained]:
    path = f"metrics.{metric.name}.{effect.arm}"
    inputs = {**inputs, **effect.figures}
    yield from _comparison(path, effect.compared, inputs)
    if effect.basis != "fixed":
        key = "spending" if effect.basis == "planned" else "confidence_sequence"
        yield _made(f"{path}.edge", effect.figures.get("edge"), key, inputs)
    if metric.correction is not None:
        own = {"p": effect.compared.p, "m": metric.tests}
        yield _made(f"{path}.p_adjusted", effect.p_adjusted, metric.correction, own, effect.compared.why)
    if effect.simultaneous is not None:
        yield _of(f"{path}.simultaneous", effect.simultaneous, effect.simultaneous.method, inputs)
    if effect.simultaneous_lift is not None:
        yield _of(f"{path}.simultaneous_lift", effect.simultaneous_lift, effect.simultaneous_lift.method, inputs)
    if effect.compliance is not None:
        yield _of(f"{path}.compliance", effect.compliance, effect.compliance.method, inputs)
    if effect.variance_reduction is not None:
        yield _made(f"{path}.variance_reduction", effect.variance_reduction, "cuped", inputs)
    for name, other in effect.also.items():
        more = {**inputs, "capped_at": metric.capped_at} if name == "capped" else inputs
        yield from _comparison(f"{path}.{name}", other, more)


def _comparison(path: str, one: Comparison, inputs: Inputs) -> Iterator[Explained]:
    own = {name: value for name, value in (("statistic", one.statistic), ("se", one.se), ("df", one.df))
           if value is not None}  # fmt: skip
    yield _of(f"{path}.difference", one.difference, one.difference.method, inputs)
    yield _of(f"{path}.lift", one.lift, one.lift.method, inputs)
    yield _made(f"{path}.p", one.p, one.test, {**inputs, **own, "log_p": one.log_p}, one.why)


# --- Money ------------------------------------------------------------------------------------------------
def _money(report: AbReport) -> Iterator[Explained]:
    for one in report.money:
        yield from money_explained(one, f"money.{one.arm}")


def money_explained(one: MoneyReport, path: str) -> Iterator[Explained]:
    """The numbers of an arm in money."""
    inputs: Inputs = {"n": one.units, "delta": one.per_unit.estimate, "cost": one.cost, "messages": one.messages}
    intervals = {
        "revenue": one.revenue, "profit": one.profit, "roi": one.roi, "break_even": one.break_even,
        "per_thousand": one.per_thousand, "cost_per_extra": one.cost_per_extra,
    }  # fmt: skip
    yield _made(f"{path}.cost", one.cost, "messages", {"messages": one.messages})
    for name, interval in intervals.items():
        if interval is not None:
            yield _of(f"{path}.{name}", interval, "cost" if name == "break_even" else name, inputs)
    yield _made(f"{path}.p_above", one.p_above, "p_above", {**inputs, "break_even": one.break_even.estimate})
    yield _made(f"{path}.attributed", one.attributed, "attributed", {"n": one.units})


# --- The rest ---------------------------------------------------------------------------------------------
def _checks(report: AbReport) -> Iterator[Explained]:
    split, contamination = report.check("split"), report.check("contamination")
    rows = {f"{row['arm']}.{name}": row[name] for row in split.rows for name in ("units", "expected")}
    for name in ("p", "p_analysed", "stratum_p", "day_p"):
        if split.figures.get(name) is not None:
            yield _made(f"checks.split.{name}", split.figures[name], "chi2", rows)
    yield _made("checks.contamination.share", contamination.figures["share"], "share", contamination.figures)
    for arm, p in (report.trend.p if report.trend is not None else {}).items():
        points = {f"week {one.week}": one.difference.estimate for one in report.trend.points if one.arm == arm}  # type: ignore[union-attr]  # there are none without a trend
        yield _made(f"checks.novelty.{arm}", p, "trend", points)


def _groups(report: AbReport) -> Iterator[Explained]:
    for grouping in report.groups:
        yield from _grouping(grouping)


def _grouping(grouping: Grouping) -> Iterator[Explained]:
    for one in grouping.groups:
        path = f"groups.{grouping.by}.{one.arm}.{one.group}"
        inputs: Inputs = {"n_c": one.n_control, "n_t": one.n_arm, "value_c": one.compared.control,
                          "value_t": one.compared.treatment}  # fmt: skip
        yield from _comparison(path, one.compared, inputs)
        yield _made(f"{path}.p_adjusted", one.p_adjusted, "bh", {"p": one.compared.p, "m": len(grouping.groups)})
    for arm, p in grouping.differs.items():
        yield _made(f"groups.{grouping.by}.{arm}.differs", p, "cochran_q", {})
    for arm, stratified in grouping.stratified.items():
        yield from _comparison(f"groups.{grouping.by}.{arm}.stratified", stratified, {})


def _rest(report: AbReport) -> Iterator[Explained]:
    ahead, first = report.next, report.headline
    main = next(one for one in report.metrics if one.role == "primary")
    key = "fleiss" if main.kind == "conversion" else "noncentral_t"
    inputs: Inputs = {"n": ahead.reached, "power": report.method.power, "confidence": report.method.confidence,
                      "baseline": main.arm(report.control).value.estimate}  # fmt: skip
    yield _made("next.mde", ahead.mde, key, inputs, ahead.why)
    yield _made("next.needed", ahead.needed, key, {**inputs, "effect": ahead.effect}, ahead.why)
    if first.extra is not None:
        units = next((arm.analysed for arm in report.arms if arm.name == first.arm), None)
        yield _of("headline.extra", first.extra, "extra", {"n": units})
    if report.allocation is not None:
        for arm, weight in report.allocation.weights.items():
            own = {"best": report.allocation.best.get(arm), "explore": report.allocation.explore}
            yield _made(f"allocation.{arm}", weight, "thompson", own)
