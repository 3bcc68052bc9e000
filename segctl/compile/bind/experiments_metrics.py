"""Metrics of experiments: a figure per unit, made of the language's own measures of events."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import cast

from segctl.compile.bind import forms
from segctl.compile.bind.experiments_values import length_from_exposure, share
from segctl.compile.bind.literals import number
from segctl.compile.bind.measures import MEASURES, PERIODS, BoundMeasure, measure_of
from segctl.compile.bind.names import find_kinds
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.bind.times import TIME_OPERATORS
from segctl.compile.bind.where import bind_where
from segctl.compile.source import Mapping, Node, Scalar
from segctl.compile.suggest import one_of
from segctl.model.conditions import Count, EdgeTime, EventSelection
from segctl.model.dataclass import dataclass
from segctl.model.experiments import Better, Metric, MetricKind, Role
from segctl.model.times import Duration
from segctl.model.types import REAL

CODE = "SEG945"
OF_UNITS = ("count", "sum", "distinct", *PERIODS)
"""Measures that every unit has: 0 where there is no event."""
SELECTING = ("event", "where")
WORDS = ("role", "better", "unit", "before", "cap", "margin", "money", "title")
METRIC_KEYS = (*SELECTING, *OF_UNITS, "time", "ratio", "over", *WORDS)
SYNONYMS = {
    "guard_rail": "guardrail", "goal": "role", "direction": "better", "name": "title", "covariate": "before",
    "cuped": "before", "winsorize": "cap", "tolerance": "margin", "denominator": "over", "numerator": "ratio",
    "events": "event", "filter": "where", "total": "sum", "times": "count", "unique": "distinct",
    "currency": "unit", "is_money": "money",
}  # fmt: skip
_HINT = "write `bought: {event: order_completed, role: primary}`"
_OWN_KEYS = {"count": ("followed_by",), "sum": ("of",), "distinct": ("of",)}
_ROLES, _BETTER = ("primary", "secondary", "guardrail"), ("higher", "lower")
_WITHOUT_COVARIATE, _WITHOUT_CAP = ("time",), ("time", "conversion")


@dataclass(frozen=True, slots=True)
class _Figure:
    """What is measured, without the words around it."""

    kind: MetricKind
    selection: EventSelection
    measure: BoundMeasure
    below: tuple[EventSelection, BoundMeasure] | None = None


def bind_metrics(node: Node, scope: Scope) -> tuple[Metric, ...] | None:
    """The metrics of an experiment in their order, None when one is wrong."""
    found = forms.mapping(node, scope, "`metrics`", hint=_HINT)
    if found is None:
        return None
    if not found.entries:
        scope.error("SEG212", "`metrics` is empty", node.location, hint=_HINT)
        return None
    bound = [_metric(key, value, scope) for key, value in found.entries]
    metrics = tuple(metric for metric in bound if metric is not None)
    if len(metrics) < len(bound):
        return None
    if not any(metric.role == "primary" for metric in metrics):
        hint = f"write `role: primary` under {one_of((metric.name for metric in metrics[:4]), 'or')}"
        why = "the primary metric decides, so it is named before there are results to choose from"
        key = found.entries[0][0]
        scope.error("SEG944", "no metric is the primary one", key.location, why=why, hint=hint)
        return None
    return metrics


def _metric(key: Scalar, node: Node, scope: Scope) -> Metric | None:
    name = forms.name(key, scope, "a metric's name")
    what = f"the metric `{key.text[:60]}`"
    found = forms.mapping(node, scope, what, hint=_HINT)
    if found is None:
        return None
    ok = _check_keys(found, METRIC_KEYS, scope, what)
    if len(found.entries) == 0:
        scope.error("SEG212", f"{what} is empty", node.location, hint=_HINT)
        return None
    figure = _figure(found, what, scope) if ok else None
    words = _words(found, figure, what, scope)
    if name is None or figure is None or words is None:
        return None
    below = None if figure.below is None else (figure.below[0], figure.below[1].measure)
    if figure.kind == "time":
        # Who takes longer is the one who hesitates.
        words.setdefault("better", "lower")
    return Metric(name, figure.kind, figure.selection, figure.measure.measure, below, location=key.location, **words)  # type: ignore[arg-type]  # values by key


def _check_keys(node: Mapping, allowed: Sequence[str], scope: Scope, what: str) -> bool:
    """`forms.check_keys`, with the reason where the language has a word that metrics cannot use."""
    ok, rest = True, []
    for key, value in node.entries:
        if key.text in (*TIME_OPERATORS, "latest") and key.text not in allowed:
            message = f"{what} has `{key.text}`; events count from exposure to the end of the experiment's window"
            hint = "delete it, and say `window: 14 days` for the whole experiment"
        elif key.text in ("first", "last"):
            message, hint = f"{what} has `{key.text}`; how long something takes is `time`", "write `time: first`"
        elif key.text in MEASURES and key.text not in OF_UNITS:
            message = f"{what}: `{key.text}` is missing for units without such an event"
            hint = "divide two sums instead: `{ratio: {event: …, sum: {of: …}}, over: {event: …, count: {}}}`"
        else:
            rest.append((key, value))
            continue
        ok = False
        scope.error(CODE, message, key.location, hint=hint)
    return forms.check_keys(Mapping(tuple(rest), node.location), allowed, scope, what, synonyms=SYNONYMS) and ok


# --- What is measured -------------------------------------------------------------------------------------
def _figure(node: Mapping, what: str, scope: Scope) -> _Figure | None:
    if node.get("ratio") is not None or node.get("over") is not None:
        return _ratio(node, what, scope)
    if node.get("time") is not None:
        return _time(node, what, scope)
    part = _part(node, what, scope)
    if part is None:
        return None
    selection, measure = part
    return _Figure("conversion" if measure is None else "mean", selection, measure or BoundMeasure(Count(), "count"))


def _ratio(node: Mapping, what: str, scope: Scope) -> _Figure | None:
    hint = "write `{ratio: {event: …, sum: {of: value}}, over: {event: …, count: {}}}`"
    beside = [key for key, _ in node.entries if key.text not in ("ratio", "over", *WORDS)]
    if beside:
        message = f"{what} is a ratio; `{beside[0].text}` stands under `ratio` or `over`"
        scope.error(CODE, message, beside[0].location, hint=hint)
        return None
    parts = []
    for key in ("ratio", "over"):
        value = forms.required(node, key, scope, what, example=f"{key}: {{event: …, count: {{}}}}")
        inner = forms.mapping(value, scope, f"`{key}`", hint=hint) if value is not None else None
        ok = inner is not None and _check_keys(inner, (*SELECTING, *OF_UNITS), scope, f"`{key}` of {what}")
        parts.append(_part(inner, f"`{key}` of {what}", scope) if inner is not None and ok else None)
    above, below = parts
    if above is None or below is None:
        return None
    counted = BoundMeasure(Count(), "count")
    return _Figure("ratio", above[0], above[1] or counted, (below[0], below[1] or counted))


def _time(node: Mapping, what: str, scope: Scope) -> _Figure | None:
    value = node.get("time")
    edge = None if value is None else forms.choice(value, ("first",), scope, "moment for `time`")
    measures = [key for key, _ in node.entries if key.text in OF_UNITS]
    if measures:
        message = f"{what} is a time, and has the measure `{measures[0].text}` as well"
        scope.error(CODE, message, measures[0].location, hint="make two metrics of them")
        return None
    part = _part(node, what, scope)
    return None if edge is None or part is None else _Figure("time", part[0], BoundMeasure(EdgeTime("first"), "first"))


def _part(node: Mapping, what: str, scope: Scope) -> tuple[EventSelection, BoundMeasure | None] | None:
    """Events and what is measured of them, None for whether there is one."""
    event = forms.required(node, "event", scope, what, example="event: order_completed")
    kinds = find_kinds(event, scope) if event is not None else None
    where = bind_where(node.get("where"), kinds, scope)
    measures = [(key, value) for key, value in node.entries if key.text in OF_UNITS]
    if len(measures) > 1:
        message = f"{what} has several measures: {one_of(key.text for key, _ in measures)}"
        scope.error("SEG215", message, measures[1][0].location, hint="make a metric of each")
        return None
    measure = _measure(*measures[0], kinds, scope) if measures else None
    if kinds is None or where is None or (measures and measure is None):
        return None
    return EventSelection(kinds, None, where), measure


def _measure(key: Scalar, value: Node, kinds: tuple[str, ...] | None, scope: Scope) -> BoundMeasure | None:
    own = _OWN_KEYS.get(key.text, ())
    example = "{of: value}" if "of" in own else "{}"
    node = forms.mapping(value, scope, f"`{key.text}`", hint=f"write `{key.text}: {example}`")
    if node is None or not forms.check_keys(node, own, scope, f"`{key.text}` of a metric"):
        return None
    return measure_of(key, node, kinds, scope)


# --- Words around it --------------------------------------------------------------------------------------
def _words(node: Mapping, figure: _Figure | None, what: str, scope: Scope) -> dict[str, object] | None:
    """Role, direction, unit and the like by attribute of `Metric`; None when one is wrong."""
    before = len(scope.diagnostics)
    found: dict[str, object] = {}
    for key, options in (("role", _ROLES), ("better", _BETTER)):
        if (value := node.get(key)) is not None:
            found[key] = cast("Role | Better | None", forms.choice(value, options, scope, f"`{key}` of a metric"))
    if (value := node.get("title")) is not None:
        found["title"] = forms.text(value, scope, "`title`")
    if (value := node.get("before")) is not None:
        found["before"] = _before(value, figure, what, scope)
    if (value := node.get("cap")) is not None:
        found["cap"] = _cap(value, figure, what, scope)
    if (value := node.get("margin")) is not None:
        found["margin"] = _margin(value, found.get("role"), what, scope)
    found["is_money"] = (value := node.get("money")) is not None and bool(forms.flag(value, scope, "`money`"))
    found["unit"] = _unit(node, figure, what, scope, is_money=bool(found["is_money"]))
    return None if any(one.severity == "error" for one in scope.diagnostics[before:]) else found


def _before(node: Node, figure: _Figure | None, what: str, scope: Scope) -> Duration | None:
    if figure is not None and figure.kind in _WITHOUT_COVARIATE:
        message = f"{what} is a time, which nobody has before exposure"
        scope.error(CODE, message, node.location, hint="delete `before`, or put it under another metric")
        return None
    return length_from_exposure(node, scope, "`before`")


def _cap(node: Node, figure: _Figure | None, what: str, scope: Scope) -> Decimal | None:
    if figure is not None and figure.kind in _WITHOUT_CAP:
        message = f"{what} is a {figure.kind}; `cap` cuts large values, which it does not have"
        scope.error(CODE, message, node.location, hint="delete it")
        return None
    if not isinstance(node, Scalar) or node.is_null:
        forms.wrong_form(node, scope, "`cap` is a percentile such as `99.5`")
        return None
    plain = Scalar(node.text.strip().removesuffix("%").strip(), node.is_plain, node.location)
    found = number(plain, REAL, scope)
    if found is None or 50 < found < 100:
        return None if found is None else Decimal(found)
    message = f"`cap` is a percentile above 50 and below 100, not {shown(node.text)}"
    scope.error(CODE, message, node.location, hint="write `99.5`: the highest of 200 values are cut to the one below")
    return None


def _margin(node: Node, role: object, what: str, scope: Scope) -> Decimal | None:
    if role != "guardrail":
        message = f"{what} is no guard-rail, so nothing is accepted or not"
        scope.error(CODE, message, node.location, hint="write `role: guardrail`, or delete `margin`")
        return None
    return share(node, scope, "`margin`", code=CODE)


def _unit(node: Mapping, figure: _Figure | None, what: str, scope: Scope, *, is_money: bool) -> str | None:
    """The unit written, otherwise that of the property that is summed."""
    place = node.get("money") or node
    if figure is None:
        return None
    own = figure.measure.type.unit if figure.measure.name == "sum" and figure.below is None else None
    value = node.get("unit")
    written = None if value is None else forms.text(value, scope, "`unit`")
    if is_money and (figure.kind != "mean" or figure.measure.name != "sum"):
        hint = "write `sum: {of: value}`, or delete `money`"
        scope.error(CODE, f"{what} is money, but no sum of values", place.location, hint=hint)
    elif value is not None and written is not None and own is not None and own != written:
        hint = f"write `unit: {own}`, or delete it"
        scope.error(CODE, f"{what} comes out in {own}, not in {written[:20]}", value.location, hint=hint)
    return written or own
