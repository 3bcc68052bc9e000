"""The block `reports` of the project file: what counts as conversion, revenue and engagement."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from segctl.compile.bind import forms
from segctl.compile.bind.events import bind_selection
from segctl.compile.bind.literals import literal
from segctl.compile.bind.measures import bind_trait_measure
from segctl.compile.bind.names import find_kinds
from segctl.compile.bind.scope import Scope
from segctl.compile.bind.times import duration
from segctl.compile.references import references
from segctl.compile.source import Mapping, Node
from segctl.model.conditions import Aggregate, EventSelection
from segctl.model.project import Project
from segctl.model.reports import SMALLEST, WINDOW, ReportSettings
from segctl.model.times import EXACT_SECONDS, Duration
from segctl.model.types import Kind, ValueType

KEYS = ("window", "conversion", "revenue", "engagement", "lifecycle", "costs", "smallest")
_SYNONYMS = {"conversions": "conversion", "sales": "revenue", "reaction": "engagement", "cost": "costs"}
_CONVERSION = "write `conversion: {event: order_completed}`"
_REVENUE = "write `revenue: {event: order_completed, sum: {of: value}}`"
_ENGAGEMENT = "write `engagement: {events: [email_opened, email_clicked]}`"
_COST = ValueType(Kind.NUMBER, 6)
_LIFECYCLE = "write `lifecycle: {active: 60 days, lost: 180 days}`"


def report_settings(node: Node, project: Project, scope: Scope) -> ReportSettings | None:
    """What is declared and right; problems go to the scope.

    Args:
        node: The value of `reports`.
        project: With its events bound.
        scope: Whose list problems are added to.
    """
    inside = Scope(project, diagnostics=scope.diagnostics)
    block = forms.mapping(node, inside, "`reports`", hint=_CONVERSION)
    if block is None:
        return None
    forms.check_keys(block, KEYS, inside, "`reports`", synonyms=_SYNONYMS)
    found = ReportSettings()
    window = block.get("window")
    found = replace(found, window=(_span(window, inside) if window is not None else None) or WINDOW)
    aim, seen = block.get("conversion"), block.get("engagement")
    found = replace(found, conversion=_events(aim, "conversion", _CONVERSION, inside) if aim is not None else None)
    found = replace(found, engagement=_events(seen, "engagement", _ENGAGEMENT, inside) if seen is not None else None)
    found = _with_revenue(found, block.get("revenue"), inside)
    found = _with_lifecycle(found, block.get("lifecycle"), inside)
    least = block.get("smallest")
    smallest = forms.count(least, inside, "`smallest`", least=1) if least is not None else None
    return replace(found, costs=_costs(block.get("costs"), inside), smallest=smallest or SMALLEST)


def _span(node: Node, scope: Scope) -> timedelta | None:
    """A length that is the same at any time of the year."""
    length = duration(node, scope)
    if length is None:
        return None
    if not _is_exact(length):
        message = f"`{length}` is not always equally long, so two reports could not be compared"
        scope.error("SEG976", message, node.location, hint="write days or weeks, such as `30 days`")
        return None
    return timedelta(seconds=length.amount * EXACT_SECONDS[length.unit])


def _is_exact(length: Duration) -> bool:
    return length.unit in EXACT_SECONDS and not length.calendar


def _events(node: Node, what: str, example: str, scope: Scope) -> EventSelection | None:
    block = forms.mapping(node, scope, f"`{what}`", hint=example)
    if block is None or not forms.check_keys(block, ("event", "events", "where"), scope, f"`{what}`"):
        return None
    return _selected(block, what, example, scope)


def _selected(block: Mapping, what: str, example: str, scope: Scope) -> EventSelection | None:
    event = block.get("event") or block.get("events")
    if event is None:
        forms.required(block, "event", scope, f"`{what}`", example="event: order_completed")
        return None
    kinds = find_kinds(event, scope)
    entries = tuple((key, of) for key, of in block.entries if key.text == "where")
    selection = bind_selection(Mapping(entries, block.location), kinds, scope)
    if selection is None:
        return None
    if references(selection).traits:
        message = f"`{what}` looks at the event alone, not at traits of the profile"
        scope.error("SEG975", message, block.location, hint=example)
        return None
    return selection


def _with_revenue(found: ReportSettings, node: Node | None, scope: Scope) -> ReportSettings:
    block = forms.mapping(node, scope, "`revenue`", hint=_REVENUE) if node is not None else None
    if block is None or not forms.check_keys(block, ("event", "where", "sum"), scope, "`revenue`"):
        return found
    total = forms.required(block, "sum", scope, "`revenue`", example="sum: {of: value}")
    selection = _selected(block, "revenue", _REVENUE, scope)
    key = block.key("sum")
    if total is None or selection is None or key is None:
        return found
    bound = bind_trait_measure(key, total, selection.events, scope)
    if bound is None or not isinstance(bound.measure, Aggregate):
        return found
    return replace(found, revenue=(selection, bound.measure), unit=bound.type.unit)


def _with_lifecycle(found: ReportSettings, node: Node | None, scope: Scope) -> ReportSettings:
    block = forms.mapping(node, scope, "`lifecycle`", hint=_LIFECYCLE) if node is not None else None
    if block is None or not forms.check_keys(block, ("active", "lost"), scope, "`lifecycle`"):
        return found
    nodes = [forms.required(block, key, scope, "`lifecycle`", example=f"{key}: 60 days") for key in ("active", "lost")]
    spans = [_span(one, scope) if one is not None else None for one in nodes]
    active, lost = spans
    if active is None or lost is None:
        return found
    if not timedelta(days=1) <= active < lost:
        message = f"`active` is {active.days} days and `lost` {lost.days}; who is lost was active longer ago"
        scope.error("SEG976", message, block.location, hint=_LIFECYCLE)
        return found
    return replace(found, active_days=active.days, lost_days=lost.days)


def _costs(node: Node | None, scope: Scope) -> tuple[tuple[str, Decimal], ...]:
    block = forms.mapping(node, scope, "`costs`", hint="write `costs: {mailer: 0.02}`") if node is not None else None
    found = []
    for key, value in block.entries if block is not None else ():
        name, cost = forms.name(key, scope, "a destination's name"), literal(value, _COST, scope)
        if name is None or not isinstance(cost, Decimal):
            continue
        if cost < 0:
            scope.error("SEG976", f"`{cost}` is no cost of a message", value.location, hint="write `0.02`")
            continue
        found.append((name, cost))
    return tuple(found)
