"""Sequences: a first step with its window, then steps that must or must not follow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast

from segctl.compile.bind import forms
from segctl.compile.bind.events import bind_one_window
from segctl.compile.bind.measures import MEASURES, bind_same
from segctl.compile.bind.names import find_kinds
from segctl.compile.bind.scope import Scope
from segctl.compile.bind.times import TIME_OPERATORS, length_after
from segctl.compile.bind.where import bind_where
from segctl.compile.source import Mapping, Node
from segctl.model.conditions import SequenceCondition, Step

_FIRST_KEYS = frozenset({"event", "where", *TIME_OPERATORS})
_LATER_KEYS = frozenset({"event", "where", "within"})
_EXAMPLE = "write `- then: {event: order_completed, within: 2 hours}`"
_STEP_SYNONYMS = {
    "and_then": "then",
    "dann": "then",
    "not_then": "then_not",
    "without": "then_not",
    "then_none": "then_not",
}


def bind_sequence(node: Mapping, scope: Scope) -> SequenceCondition | None:
    """A sequence of two steps at least."""
    ok = forms.check_keys(node, ("sequence", "start", "same"), scope, "a sequence")
    listed = forms.items(node.get("sequence") or node, scope, "`sequence`", hint="list the steps in time order")
    if listed is None:
        return None
    if len(listed) < 2:
        message = "a sequence has two steps at least"
        scope.error("SEG251", message, listed[0].location, hint="a single step is an event condition")
        return None
    steps = [_first(listed[0], scope), *(_later(item, scope) for item in listed[1:])]
    bound = tuple(step for step in steps if step is not None)
    same = bind_same(node.get("same"), tuple(dict.fromkeys(step.events for step in bound)), scope)
    start = _start(node, bound, scope) if len(bound) == len(steps) else None
    if len(bound) != len(steps) or same is None or start is None or not ok:
        return None
    return SequenceCondition(bound, start, same, node.location)


def _first(item: Node, scope: Scope) -> Step | None:
    node = forms.mapping(item, scope, "a step", hint="write `- {event: product_added, within_last: 7 days}`")
    if node is None:
        return None
    misplaced = node.key("then") or node.key("then_not")
    if misplaced is not None:
        hint = "begin with `{event: …}`, with its window"
        scope.error("SEG251", f"a sequence cannot begin with `{misplaced.text}`", misplaced.location, hint=hint)
        return None
    ok = _no_measures(node, scope)
    within = node.key("within")
    if within is not None:
        hint = "use `within_last` or another time operator"
        scope.error("SEG241", "`within` counts from an earlier step", within.location, hint=hint)
        ok = False
    elif ok:
        ok = forms.check_keys(node, _FIRST_KEYS, scope, "the first step")
    window, has_window = bind_one_window(node, scope)
    step = _step(node, scope, negative=False)
    if step is None or not has_window or not ok:
        return None
    return Step(step.events, step.where, window=window)


def _later(item: Node, scope: Scope) -> Step | None:
    node = forms.mapping(item, scope, "a step", hint=_EXAMPLE)
    if node is None:
        return None
    verbs = [key for key in (node.key("then"), node.key("then_not")) if key is not None]
    if len(verbs) != 1:
        hint = next((scope.meant(key.text, ("then", "then_not"), _STEP_SYNONYMS) for key, _ in node.entries), None)
        message = "a later step is `then` or `then_not`"
        is_near = hint is not None and hint.startswith("did")
        scope.error("SEG251", message, node.location, hint=hint if is_near else _EXAMPLE)
        return None
    verb = verbs[0]
    within = node.key("within")
    if within is not None:
        hint = f"write `{verb.text}: {{event: …, within: …}}`"
        scope.error("SEG251", f"`within` stands inside `{verb.text}`", within.location, hint=hint)
        return None
    inner = forms.mapping(node.get(verb.text) or node, scope, f"`{verb.text}`", hint=_EXAMPLE)
    ok = forms.check_keys(node, ("then", "then_not"), scope, "a later step")
    if inner is None or not _later_keys(inner, scope) or not ok:
        return None
    return _step(inner, scope, negative=verb.text == "then_not")


def _later_keys(inner: Mapping, scope: Scope) -> bool:
    window = next((key for key, _ in inner.entries if key.text in TIME_OPERATORS), None)
    if window is not None:
        message = f"`{window.text}` stands only on the first step"
        scope.error("SEG241", message, window.location, hint="a later step takes `within`, from the step before")
        return False
    return _no_measures(inner, scope) and forms.check_keys(inner, _LATER_KEYS, scope, "a later step")


def _no_measures(node: Mapping, scope: Scope) -> bool:
    found = next((key for key, _ in node.entries if key.text in (*MEASURES, "latest", "missing")), None)
    if found is None:
        return True
    hint = "a step is one event; write a condition of its own for more"
    scope.error("SEG251", f"`{found.text}` does not stand on a step", found.location, hint=hint)
    return False


def _step(node: Mapping, scope: Scope, *, negative: bool) -> Step | None:
    event = forms.required(node, "event", scope, "a step", example="event: NAME")
    kinds = find_kinds(event, scope) if event is not None else None
    where = bind_where(node.get("where"), kinds, scope)
    within_node = node.get("within")
    within = length_after(within_node, scope) if within_node is not None else None
    if kinds is None or where is None or (within_node is not None and within is None):
        return None
    return Step(kinds, where, negative, within=within)


def _start(node: Mapping, steps: tuple[Step, ...], scope: Scope) -> Literal["first", "last", "any"] | None:
    value = node.get("start")
    if value is not None:
        written = forms.choice(value, ("first", "last", "any"), scope, "`start`")
        return cast("Literal['first', 'last', 'any'] | None", written)
    named_twice = _named_twice((step for step in steps if not step.negative), scope)
    if named_twice is not None:
        message = f"two steps name `{named_twice}`, so `start` must say which event may be the first step"
        hint = "add `start: first`, `start: last` or `start: any`"
        scope.error("SEG250", message, node.location, hint=hint)
        return None
    return "any"


def _named_twice(steps: Iterable[Step], scope: Scope) -> str | None:
    seen: set[str] = set()
    for step in steps:
        kinds = scope.kinds(step.events)
        again = next((kind for kind in kinds if kind in seen), None)
        if again is not None:
            return again
        seen.update(kinds)
    return None
