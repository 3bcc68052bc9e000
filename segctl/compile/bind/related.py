"""Conditions on related rows: which rows are selected, what is measured of them; and on colleagues, who are counted."""

from __future__ import annotations

from collections.abc import Callable

from segctl.compile.bind import forms
from segctl.compile.bind.events import SYNONYMS, bind_missing
from segctl.compile.bind.measures import MEASURES, BoundMeasure, bind_measure, can_be_missing
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.bind.times import TIME_OPERATORS
from segctl.compile.bind.where import bind_where
from segctl.compile.source import Mapping, Node
from segctl.compile.suggest import one_of
from segctl.model.conditions import (
    ColleaguesCondition,
    Condition,
    Count,
    RelatedCondition,
    RelatedSelection,
    Test,
    ValueTest,
)
from segctl.model.project import RELATED

TIMELESS = ("count", "sum", "average", "min", "max", "distinct", "share")
"""Measures that need no order in time: rows of a table have none."""
_OF_EVENTS = frozenset({"latest", *TIME_OPERATORS, *MEASURES}) - frozenset(TIMELESS)
_KEYS = frozenset({"related", "where", "missing", *TIMELESS})
_GROUP_KEYS = frozenset({"related", "where", "count", "missing"})
_SOME = ValueTest("at_least", (1,))
BindCondition = Callable[[Node], Condition | None]


def bind_related(node: Mapping, scope: Scope, bind: BindCondition) -> Condition | None:
    """A condition on rows or colleagues; without a measure it asks for one at least.

    Args:
        node: A mapping with `related`.
        scope: Names in reach; problems go there.
        bind: Binds the condition that colleagues meet.
    """
    name = find_related(node, scope)
    if name is None:
        return None
    if name in scope.colleagues:
        return _colleagues(name, node, scope, bind)
    ok = check_timeless(node, scope) and forms.check_keys(
        timeless(node), _KEYS, scope, "a condition on related rows", synonyms=SYNONYMS
    )
    selection = bind_rows(name, node, scope)
    measured = _measured(node, RELATED + name, scope)
    if selection is None or measured is None or not ok:
        return None
    measure, test = measured
    why_not = None if can_be_missing(measure.measure) else "of no rows it is 0"
    if isinstance(test, ValueTest) and test.operator == "exists":
        why_not = "`exists` is true or false"
    missing, has_rule = bind_missing(node, scope, why_not=why_not)
    return RelatedCondition(selection, measure.measure, test, missing, node.location) if has_rule else None


def find_related(node: Mapping, scope: Scope) -> str | None:
    """The declared table or group that `related` names."""
    value = node.get("related")
    written = forms.text(value, scope, "a related table") if value is not None else None
    if written is None or value is None or written in scope.tables or written in scope.colleagues:
        return written
    hint = scope.meant(written, (*scope.tables, *scope.colleagues))
    declare = f"declare {shown(written)} under `related` in segctl.yaml"
    both = f"{hint} Or {declare}" if hint else declare
    scope.error("SEG258", f"{shown(written)} is not a declared related table", value.location, hint=both)
    return None


def bind_rows(name: str, node: Mapping, scope: Scope) -> RelatedSelection | None:
    """The rows of a table that a mapping selects with its `where`."""
    where = bind_where(node.get("where"), (RELATED + name,), scope)
    return None if where is None else RelatedSelection(name, where)


def check_timeless(node: Mapping, scope: Scope) -> bool:
    """Report what only events have: windows, `latest`, measures of their time or order, followers."""
    for key, value in node.entries:
        hint = "test a time in `where`: `where: {opened_at: {within_last: 30 days}}`"
        if key.text in MEASURES:
            hint = f"use one of {one_of(TIMELESS)}; `max` of a time property is the latest"
        if key.text in _OF_EVENTS:
            message = f"`{key.text}` needs a time; rows of a related table have none of their own"
            scope.error("SEG259", message, key.location, hint=hint)
            return False
        if isinstance(value, Mapping) and value.get("followed_by") is not None:
            scope.error("SEG259", "`followed_by` is for events; rows of a table follow one another in no order",
                        value.location, hint="leave it out")  # fmt: skip
            return False
    return True


def timeless(node: Mapping) -> Mapping:
    """The mapping without the keys that `check_timeless` speaks of."""
    return Mapping(tuple(entry for entry in node.entries if entry[0].text not in _OF_EVENTS), node.location)


def _measured(node: Mapping, kind: str | None, scope: Scope) -> tuple[BoundMeasure, Test] | None:
    found = [(key, value) for key, value in node.entries if key.text in TIMELESS]
    if not found:
        return BoundMeasure(Count(), "count"), _SOME
    if len(found) > 1:
        message = f"several measures: {one_of(key.text for key, _ in found)}"
        hint = "use one; put others into conditions of their own under `all`"
        scope.error("SEG215", message, found[1][0].location, hint=hint)
        return None
    key, value = found[0]
    return bind_measure(key, value, None if kind is None else (kind,), scope)


def _colleagues(name: str, node: Mapping, scope: Scope, bind: BindCondition) -> Condition | None:
    group = scope.colleagues[name]
    other = next((key for key, _ in node.entries if key.text in MEASURES and key.text != "count"), None)
    if other is not None:
        message = f"colleagues are counted; `{other.text}` measures rows of a table or events"
        scope.error("SEG295", message, other.location, hint="write `count: {at_least: 3}`")
        return None
    if not (check_timeless(node, scope) and _check_group_keys(node, scope)):
        return None
    where_node = node.get("where")
    where = bind(where_node) if where_node is not None else None
    measured = _measured(node, None, scope)
    _, has_rule = bind_missing(node, scope, why_not="a number of people is never missing")
    if (where_node is not None and where is None) or measured is None or not has_rule:
        return None
    test = measured[1]
    if not isinstance(test, ValueTest):
        return None
    return ColleaguesCondition(group.same, test, where, group.others_only, name, node.location)


def _check_group_keys(node: Mapping, scope: Scope) -> bool:
    return forms.check_keys(node, _GROUP_KEYS, scope, "a condition on colleagues", synonyms=SYNONYMS)
