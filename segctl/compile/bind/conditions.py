"""The kinds of conditions, each a mapping with exactly one kind key."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from segctl.compile.bind import forms
from segctl.compile.bind.consent import bind_consent
from segctl.compile.bind.events import bind_event, bind_missing
from segctl.compile.bind.literals import literal, number
from segctl.compile.bind.names import Resolved, find_trait
from segctl.compile.bind.near import bind_near
from segctl.compile.bind.operators import OPERATORS, SYNONYMS, TEST_KEYS, bind_test
from segctl.compile.bind.related import bind_related
from segctl.compile.bind.same import bind_same_of_all
from segctl.compile.bind.scope import Scope, describe_type, shown
from segctl.compile.bind.sequences import bind_sequence
from segctl.compile.bind.times import TIME_OPERATORS, bind_window
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.suggest import nearest, one_of
from segctl.model.conditions import (
    All,
    AnyOf,
    ChangedCondition,
    Condition,
    ListCondition,
    NoneOf,
    Not,
    SampleCondition,
    SegmentCondition,
    TraitCondition,
    Value,
    ValueTest,
)
from segctl.model.types import REAL, Kind

_KIND_SYNONYMS = {
    "and": "all", "und": "all", "every": "all", "or": "any", "oder": "any", "some": "any", "nor": "none",
    "nicht": "not", "except": "not", "property": "trait", "attribute": "trait", "field": "trait", "profile": "trait",
    "events": "event", "ereignis": "event", "did": "event", "funnel": "sequence", "steps": "sequence",
    "cohort": "segment", "audience": "segment", "member_of": "segment", "random": "sample", "file": "list",
    "distance": "near", "around": "near", "within": "near", "umkreis": "near",
    "opt_in": "consent", "permission": "consent", "einwilligung": "consent",
    "rows": "related", "table": "related", "colleagues": "related",
}  # fmt: skip


def bind_condition(node: Node, scope: Scope, *, salt: str = "") -> Condition | None:
    """A condition and everything below it.

    Args:
        node: A mapping with exactly one kind key.
        scope: Names in reach; problems go there.
        salt: Salt of samples that name none: the segment's name.

    Returns:
        The condition, None when something in it is wrong, which is then reported.
    """
    hint = "put the conditions under `all` or `any`" if isinstance(node, ListNode) else "write `{trait: NAME, …}`"
    found = forms.mapping(node, scope, "a condition", hint=hint)
    if found is None:
        return None
    kinds = [key for key, _ in found.entries if key.text in KINDS]
    if found.get("near") is not None:
        kinds = [key for key in kinds if key.text != "trait"]  # there it says which trait tells the place
    if len(kinds) != 1:
        _report_kinds(found, kinds, scope)
        return None
    return KINDS[kinds[0].text](found, scope, salt)


def _report_kinds(node: Mapping, kinds: list[Scalar], scope: Scope) -> None:
    if kinds:
        message = f"the condition has several kinds: {one_of(key.text for key in kinds)}"
        scope.error("SEG213", message, kinds[1].location, hint="put each into a condition of its own under `all`")
        return
    own = [key for key, _ in node.entries if key.text not in TEST_KEYS]
    named = own[0] if own else None
    hint = scope.meant(named.text, tuple(KINDS), _KIND_SYNONYMS) if named is not None else None
    if named is None or hint is None or not hint.startswith("did"):
        hint = f"a condition is one of {one_of(KINDS)}"
        if named is not None and named.text in scope.trait_names:
            hint = f"write `{{trait: {named.text}, …}}`"
        elif named is not None and named.text in scope.events:
            hint = f"write `{{event: {named.text}, …}}`"
    place = named.location if named is not None else node.location
    what = f"{shown(named.text)} is not a kind of condition" if named is not None else "the condition has no kind"
    scope.error("SEG213", what, place, hint=hint)
    if named is not None and hint.startswith("did"):
        _bind_as_meant(node, named, scope)


def _bind_as_meant(node: Mapping, named: Scalar, scope: Scope) -> None:
    """Problems below a mistyped kind are told together with the mistyping."""
    kind = nearest(named.text, KINDS, synonyms=_KIND_SYNONYMS)
    if kind is not None:
        meant = replace(named, text=kind)
        entries = tuple((meant if key is named else key, value) for key, value in node.entries)
        bind_condition(replace(node, entries=entries), scope)


# --- Combinations -----------------------------------------------------------------------------------------
def _items(node: Mapping, kind: str, scope: Scope, salt: str) -> tuple[Condition, ...] | None:
    value = node.get(kind)
    if isinstance(value, Mapping):
        hint = "begin each condition with `- `"
        forms.wrong_form(value, scope, f"`{kind}` is a list of conditions", hint=hint)
        bind_condition(value, scope, salt=salt)
        return None
    listed = forms.items(value, scope, f"`{kind}`") if value is not None else None
    if listed is None:
        return None
    bound = [bind_condition(item, scope, salt=salt) for item in listed]
    kept = tuple(item for item in bound if item is not None)
    return kept if len(kept) == len(bound) else None


def _all(node: Mapping, scope: Scope, salt: str) -> Condition | None:
    ok = forms.check_keys(node, ("all", "same"), scope, "`all`")
    bound = _items(node, "all", scope, salt)
    same_node = node.get("same")
    if bound is None or not ok:
        return None
    if same_node is None:
        return All(bound, location=node.location)
    same = bind_same_of_all(bound, same_node, node, scope)
    return None if same is None else All(bound, same, node.location)


def _any(node: Mapping, scope: Scope, salt: str) -> Condition | None:
    ok = forms.check_keys(node, ("any", "at_least"), scope, "`any`")
    bound = _items(node, "any", scope, salt)
    wanted: int | None = 1
    value = node.get("at_least")
    if value is not None:
        wanted = forms.count(value, scope, "`at_least`", least=1)
        listed = node.get("any")
        most = len(listed.items) if isinstance(listed, ListNode) else 0
        if wanted is not None and 0 < most < wanted:
            message = f"`at_least: {wanted}` of {most} conditions can never hold"
            scope.error("SEG253", message, value.location, hint=f"write at most {most}")
            wanted = None
    if bound is None or wanted is None or not ok:
        return None
    return AnyOf(bound, wanted, node.location)


def _none(node: Mapping, scope: Scope, salt: str) -> Condition | None:
    ok = forms.check_keys(node, ("none",), scope, "`none`")
    bound = _items(node, "none", scope, salt)
    return NoneOf(bound, node.location) if bound is not None and ok else None


def _not(node: Mapping, scope: Scope, salt: str) -> Condition | None:
    ok = forms.check_keys(node, ("not",), scope, "`not`")
    value = node.get("not")
    if isinstance(value, ListNode):
        hint = "use `none` for a list: no one of them holds"
        forms.wrong_form(value, scope, "`not` takes one condition", hint=hint)
        return None
    bound = bind_condition(value, scope, salt=salt) if value is not None else None
    return Not(bound, node.location) if bound is not None and ok else None


# --- Leaves -----------------------------------------------------------------------------------------------
def _trait(node: Mapping, scope: Scope, _salt: str) -> Condition | None:
    value = node.get("trait")
    found = find_trait(value, scope) if value is not None else None
    if found is None:
        forms.check_keys(
            node, TEST_KEYS | {"trait", "missing", "changed"}, scope, "a trait condition", synonyms=SYNONYMS
        )
        return None
    what = f"`{'.'.join((found.name, *found.path))}`"
    changed = node.get("changed")
    if changed is not None:
        return _changed(node, changed, found, scope)
    test = bind_test(node, found.type, scope, what, extra=("trait", "missing"))
    exists = isinstance(test, ValueTest) and test.operator == "exists"
    missing, has_rule = bind_missing(node, scope, why_not="`exists` is true or false" if exists else None)
    if test is None or not has_rule:
        return None
    return TraitCondition(found.name, test, found.path, missing, node.location)


def _changed(node: Mapping, changed: Node, found: Resolved, scope: Scope) -> Condition | None:
    ok = True
    extra = next((key for key, _ in node.entries if key.text in OPERATORS), None)
    if extra is not None:
        message = f"`changed` and `{extra.text}` are two operators"
        scope.error("SEG214", message, extra.location, hint="put one into a condition of its own under `all`")
        return None
    ok = forms.check_keys(node, ("trait", "missing", "changed"), scope, "a trait condition")
    if found.name not in scope.traits or found.path or found.type.kind in (Kind.LIST, Kind.STRUCT):
        what = (
            "a computed trait has no history" if found.name in scope.computed else f"it is {describe_type(found.type)}"
        )
        message = f"`changed` is for stored traits with single values; `{found.name}` is not one"
        scope.error("SEG239", message, node.location, why=what)
        return None
    inner = forms.mapping(changed, scope, "`changed`", hint="write `{to: gold, within_last: 30 days}`")
    if inner is None:
        return None
    ok = forms.check_keys(inner, ("from", "to", *TIME_OPERATORS), scope, "`changed`") and ok
    old, old_ok = _end(inner.get("from"), found, scope)
    new, new_ok = _end(inner.get("to"), found, scope)
    windows = [(key, value) for key, value in inner.entries if key.text in TIME_OPERATORS]
    if len(windows) > 1:
        scope.error("SEG214", "`changed` has several time operators", windows[1][0].location, hint="use one")
        return None
    window = bind_window(*windows[0], scope, of_events=True) if windows else None
    _, has_rule = bind_missing(node, scope, why_not="there is such a change or there is none")
    if not (ok and old_ok and new_ok and has_rule) or (windows and window is None):
        return None
    return ChangedCondition(found.name, old, new, window, location=node.location)


def _end(node: Node | None, found: Resolved, scope: Scope) -> tuple[Value | None, bool]:
    if node is None:
        return None, True
    value = literal(node, found.type, scope)
    return value, value is not None


def _event(node: Mapping, scope: Scope, _salt: str) -> Condition | None:
    return bind_event(node, scope)


def _sequence(node: Mapping, scope: Scope, _salt: str) -> Condition | None:
    return bind_sequence(node, scope)


def _segment(node: Mapping, scope: Scope, _salt: str) -> Condition | None:
    value = node.get("segment")
    if node.get("missing") is not None:
        bind_missing(node, scope, why_not="a person is a member or is not")
        return None
    ok = forms.check_keys(node, ("segment",), scope, "a segment condition")
    written = forms.text(value, scope, "a segment's name") if value is not None else None
    if written is None or value is None:
        return None
    if written not in scope.segments:
        hint = scope.meant(written, tuple(scope.segments))
        scope.error("SEG223", f"there is no segment {shown(written)}", value.location, hint=hint)
        return None
    return SegmentCondition(written, node.location) if ok else None


def _sample(node: Mapping, scope: Scope, salt: str) -> Condition | None:
    value = node.get("sample")
    ok = forms.check_keys(node, ("sample",), scope, "a sample condition")
    if value is None:
        return None
    hint = "write `sample: {percent: 10}`"
    if isinstance(value, Scalar) and (digits := re.fullmatch(r"(\d+(?:\.\d+)?)\s*%?", value.text)):
        hint = f"write `sample: {{percent: {digits[1]}}}`"
    inner = forms.mapping(value, scope, "`sample`", hint=hint)
    if inner is None:
        return None
    ok = forms.check_keys(inner, ("percent", "salt"), scope, "`sample`") and ok
    percent_node = forms.required(inner, "percent", scope, "`sample`", example="percent: 10")
    percent = percent_of(percent_node, scope) if percent_node is not None else None
    salt_node = inner.get("salt")
    own_salt = salt if salt_node is None else forms.text(salt_node, scope, "`salt`")
    if percent is None or own_salt is None or not ok:
        return None
    return SampleCondition(percent, own_salt, node.location)


def percent_of(node: Node, scope: Scope) -> Decimal | None:
    """A percentage above 0 and at most 100, written `10` or `10 %`."""
    if isinstance(node, Scalar) and node.text.strip().endswith("%"):
        text = node.text.strip().removesuffix("%").strip()
        node = Scalar(text, node.is_plain, node.location)
    if not isinstance(node, Scalar) or node.is_null:
        forms.wrong_form(node, scope, "a percentage stands here")
        return None
    value = number(node, REAL, scope)
    if value is None:
        return None
    if not 0 < value <= 100:
        scope.error("SEG254", f"{value} % is not above 0 and at most 100", node.location)
        return None
    return Decimal(value)


def _list(node: Mapping, scope: Scope, _salt: str) -> Condition | None:
    ok = forms.check_keys(node, ("list", "column", "identifier"), scope, "a list condition")
    value, column_node, identifier_node = node.get("list"), node.get("column"), node.get("identifier")
    name = forms.text(value, scope, "the list's file") if value is not None else None
    column = forms.text(column_node, scope, "`column`") if column_node is not None else None
    known = tuple(identifier.name for identifier in scope.project.identifiers)
    identifier = _identifier(identifier_node, column, known, node, scope)
    if name is None or identifier is None or (column_node is not None and column is None) or not ok:
        return None
    return ListCondition(name, column, identifier, node.location)


def _identifier(
    node: Node | None, column: str | None, known: tuple[str, ...], condition: Mapping, scope: Scope
) -> str | None:
    """The identifier type: as written, else the column's name or the only one there is."""
    if node is None:
        if column in known:
            return column
        if len(known) == 1:
            return known[0]
        message = "the list does not say which identifier stands in it"
        hint = f"add `identifier:` with one of {one_of(known)}" if known else "declare `identifiers` in segctl.yaml"
        scope.error("SEG211", message, condition.location, hint=hint)
        return None
    written = forms.text(node, scope, "`identifier`")
    if written is None or written in known:
        return written
    message = f"{shown(written)} is not a declared identifier"
    scope.error("SEG225", message, node.location, hint=scope.meant(written, known))
    return None


def _related(node: Mapping, scope: Scope, salt: str) -> Condition | None:
    return bind_related(node, scope, lambda where: bind_condition(where, scope, salt=salt))


def _near(node: Mapping, scope: Scope, _salt: str) -> Condition | None:
    return bind_near(node, scope)


def _consent(node: Mapping, scope: Scope, _salt: str) -> Condition | None:
    return bind_consent(node, scope)


KINDS: dict[str, Callable[[Mapping, Scope, str], Condition | None]] = {
    "all": _all,
    "any": _any,
    "none": _none,
    "not": _not,
    "trait": _trait,
    "event": _event,
    "sequence": _sequence,
    "segment": _segment,
    "sample": _sample,
    "list": _list,
    "near": _near,
    "related": _related,
    "consent": _consent,
}
