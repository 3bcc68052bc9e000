"""Event conditions: which events are selected, what is measured of them, and the test on that."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from segctl.compile.bind import forms
from segctl.compile.bind.measures import MEASURES, BoundMeasure, bind_measure, can_be_missing
from segctl.compile.bind.names import find_kinds
from segctl.compile.bind.operators import OPERATORS
from segctl.compile.bind.scope import Scope
from segctl.compile.bind.times import TIME_OPERATORS, bind_window
from segctl.compile.bind.where import bind_where
from segctl.compile.source import Mapping, Node, Scalar
from segctl.compile.suggest import one_of
from segctl.model.conditions import Count, EventCondition, EventSelection, Missing, Test, ValueTest
from segctl.model.times import Window

SELECTION_KEYS = frozenset({"event", "where", "latest", *TIME_OPERATORS})
EVENT_KEYS = SELECTION_KEYS | frozenset(MEASURES) | {"missing"}
SYNONYMS = {
    "window": "within_last", "within": "within_last", "last_days": "within_last", "filter": "where",
    "properties": "where",
    "total": "sum", "mean": "average", "avg": "average", "unique": "distinct", "times": "count", "newest": "latest",
    "after": "since", "from": "since", "until": "before", "mode": "most_frequent", "recency": "last",
}  # fmt: skip
MISSING = ("match", "no_match", "error")


def bind_event(node: Mapping, scope: Scope) -> EventCondition | None:
    """An event condition; without a measure it asks for one event at least."""
    ok = _check_keys(node, scope)
    kinds = _kinds(node, scope)
    selection = bind_selection(node, kinds, scope)
    measured = _measured(node, kinds, scope)
    if selection is None or measured is None or not ok:
        return None
    measure, test = measured
    why_not = None if can_be_missing(measure.measure) else "of no events it is 0"
    if isinstance(test, ValueTest) and test.operator == "exists":
        why_not = "`exists` is true or false"
    missing, has_rule = bind_missing(node, scope, why_not=why_not)
    if not has_rule:
        return None
    return EventCondition(selection, measure.measure, test, missing, node.location)


def _kinds(node: Mapping, scope: Scope) -> tuple[str, ...] | None:
    event = node.get("event")
    return find_kinds(event, scope) if event is not None else None


def bind_selection(node: Mapping, kinds: tuple[str, ...] | None, scope: Scope) -> EventSelection | None:
    """Window, `where` and `latest` of a mapping with `event`, together with its kinds (None when those are wrong)."""
    window, ok = bind_one_window(node, scope)
    where = bind_where(node.get("where"), kinds, scope)
    latest = None
    latest_node = node.get("latest")
    if latest_node is not None:
        latest = forms.count(latest_node, scope, "`latest`", least=1)
    if kinds is None or not ok or where is None or (latest_node is not None and latest is None):
        return None
    return EventSelection(kinds, window, where, latest)


def bind_one_window(node: Mapping, scope: Scope) -> tuple[Window | None, bool]:
    """The window of a mapping, None without one; and whether all is well."""
    found = [(key, value) for key, value in node.entries if key.text in TIME_OPERATORS]
    if not found:
        return None, True
    if len(found) > 1:
        message = f"several time operators: {one_of(key.text for key, _ in found)}"
        scope.error("SEG214", message, found[1][0].location, hint="use one; `between` says a start and an end")
        return None, False
    window = bind_window(found[0][0], found[0][1], scope, of_events=True)
    return window, window is not None


def bind_missing(node: Mapping, scope: Scope, *, why_not: str | None) -> tuple[Missing | None, bool]:
    """The rule for an unknown answer, None without one; and whether all is well.

    Args:
        node: The leaf.
        scope: Where problems go.
        why_not: Why the leaf is never unknown, None when it can be.
    """
    value = node.get("missing")
    if value is None:
        return None, True
    if why_not is not None:
        message = "`missing` has no effect here: the value is never missing"
        scope.error("SEG245", message, value.location, why=why_not, hint="delete it")
        return None, False
    written = forms.choice(value, MISSING, scope, "rule for `missing`")
    return cast("Missing | None", written), written is not None


def _check_keys(node: Mapping, scope: Scope) -> bool:
    ok = True
    rest = []
    for key, value in node.entries:
        if key.text in OPERATORS and key.text not in EVENT_KEYS:
            ok = False
            operand = value.text if isinstance(value, Scalar) and len(value.text) <= 40 else "…"
            hint = f"write `count: {{{key.text}: {operand}}}`, or another measure"
            scope.error("SEG210", f"`{key.text}` stands under a measure, not beside `event`", key.location, hint=hint)
        else:
            rest.append((key, value))
    return (
        forms.check_keys(
            Mapping(tuple(rest), node.location), EVENT_KEYS, scope, "an event condition", synonyms=SYNONYMS
        )
        and ok
    )


def _measured(node: Mapping, kinds: tuple[str, ...] | None, scope: Scope) -> tuple[BoundMeasure, Test] | None:
    found = [(key, value) for key, value in node.entries if key.text in MEASURES]
    if not found:
        return BoundMeasure(Count(), "count"), ValueTest("at_least", (1,))
    if not _is_one(found, scope):
        return None
    key, value = found[0]
    return bind_measure(key, value, kinds, scope)


def _is_one(found: Collection[tuple[Scalar, Node]], scope: Scope) -> bool:
    if len(found) == 1:
        return True
    keys = [key for key, _ in found]
    message = f"several measures: {one_of(key.text for key in keys)}"
    scope.error(
        "SEG215", message, keys[1].location, hint="use one; put others into conditions of their own under `all`"
    )
    return False
