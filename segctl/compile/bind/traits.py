"""Computed traits: a measure of events, or a formula over other traits, with the type and unit it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from segctl.compile import formula as formulas
from segctl.compile.bind import forms
from segctl.compile.bind.events import SELECTION_KEYS, bind_selection
from segctl.compile.bind.measures import MEASURES, BoundMeasure, bind_trait_measure
from segctl.compile.bind.names import find_kinds, find_trait
from segctl.compile.bind.related import TIMELESS, bind_rows, check_timeless, find_related, timeless
from segctl.compile.bind.scope import Scope, describe_type
from segctl.compile.bind.scores import SCORE_KEYS, bind_score
from segctl.compile.source import Mapping, Node, Scalar
from segctl.compile.suggest import one_of
from segctl.compile.timewords import Problem
from segctl.model.conditions import ComputedTrait
from segctl.model.diagnostics import Location
from segctl.model.project import RELATED
from segctl.model.types import Kind, ValueType

_WORDS = frozenset({"title", "description", "unit"})
_EVENT_KEYS = SELECTION_KEYS | frozenset(MEASURES) | _WORDS
_FORMULA_KEYS = _WORDS | {"formula"}
_ROWS_KEYS = _WORDS | {"related", "where", *TIMELESS}


def bind_computed_trait(name: Scalar, node: Node, scope: Scope) -> ComputedTrait | None:
    """One entry of a traits file.

    Args:
        name: Its key.
        node: What stands under it.
        scope: Names in reach; problems go there.
    """
    what = f"the trait `{name.text[:60]}`"
    found = forms.mapping(node, scope, what, hint="write `{event: order_completed, sum: {of: value}}`")
    if found is None:
        return None
    origins = [key for key, _ in found.entries if key.text in _ORIGINS]
    if len(origins) != 1:
        several = " and ".join(f"`{key.text}`" for key in origins)
        message = f"{what} has {several}" if origins else f"{what} has no `event`, no `related` and no `formula`"
        hint = "a computed trait is a measure of events or of related rows, a formula, a score, or an `rfm`"
        if found.get("type") is not None:
            hint = "declare stored traits under `traits` in segctl.yaml"
        scope.error("SEG262", message, name.location, hint=hint)
        return None
    keys, bind = _ORIGINS[origins[0].text]
    ok = forms.check_keys(timeless(found) if bind is _of_rows else found, keys, scope, what)
    words = {key: forms.text(value, scope, f"`{key}`") for key in _WORDS if (value := found.get(key)) is not None}
    bound = bind(name, found, scope)
    if bound is None or not ok or None in words.values():
        return None
    unit_node = found.get("unit")
    of = bound.type if unit_node is None else _with_unit(bound.type, unit_node, str(words["unit"]), scope)
    if of is None:
        return None
    return replace(bound, type=of, title=words.get("title"), description=words.get("description"))


def _of_events(name: Scalar, node: Mapping, scope: Scope) -> ComputedTrait | None:
    event = node.get("event")
    kinds = find_kinds(event, scope) if event is not None else None
    selection = bind_selection(node, kinds, scope)
    measure = _measure(name, node, kinds, scope)
    if measure is None or selection is None:
        return None
    return ComputedTrait(name.text, measure.type, selection, measure.measure, location=name.location)


def _of_rows(name: Scalar, node: Mapping, scope: Scope) -> ComputedTrait | None:
    table = find_related(node, scope)
    if table is None or not check_timeless(node, scope):
        return None
    if table in scope.colleagues:
        message = "a computed trait is made of a profile's own events, rows and traits; colleagues are other profiles"
        hint = "ask for them in a segment: `{related: " + table + ", count: {at_least: 3}}`"
        scope.error("SEG295", message, name.location, hint=hint)
        return None
    selection = bind_rows(table, node, scope)
    measure = _measure(name, node, (RELATED + table,), scope)
    if measure is None or selection is None:
        return None
    return ComputedTrait(name.text, measure.type, selection, measure.measure, location=name.location)


def _measure(name: Scalar, node: Mapping, kinds: tuple[str, ...] | None, scope: Scope) -> BoundMeasure | None:
    measures = [(key, value) for key, value in node.entries if key.text in MEASURES]
    if len(measures) != 1:
        found = one_of(key.text for key, _ in measures)
        message = f"several measures: {found}" if measures else f"the trait `{name.text[:60]}` has no measure"
        hint = "write one trait for each" if measures else "add one, such as `count: {}` or `sum: {of: value}`"
        scope.error("SEG215", message, measures[1][0].location if measures else name.location, hint=hint)
        return None
    return bind_trait_measure(*measures[0], kinds, scope)


def _formula(name: Scalar, node: Mapping, scope: Scope) -> ComputedTrait | None:
    value = node.get("formula")
    text = forms.text(value, scope, "a formula") if value is not None else None
    if text is None or not isinstance(value, Scalar):
        return None
    tree = formulas.parse_formula(value.text)
    if isinstance(tree, Problem):
        _report(tree, value, scope, "SEG260")
        return None
    types: dict[str, ValueType] = {}
    for trait in formulas.traits_of(tree):
        found = find_trait(_inside(value, trait), scope)
        if found is None:
            return None
        types[trait] = found.type
    of = formulas.formula_type(tree, types)
    if isinstance(of, Problem):
        _report(of, value, scope, "SEG261")
        return None
    return ComputedTrait(name.text, of, formula=tree, location=name.location)


def _inside(value: Scalar, name: str) -> Scalar:
    """The name as a node of its own, placed where it stands in the formula."""
    at = value.text.find(name)
    return Scalar(name, is_plain=True, location=_place(value, at, len(name)))


def _place(value: Scalar, start: int, length: int) -> Location:
    here = value.location
    # Text in quotes or over several lines does not lie character by character in the file.
    if not value.is_plain or here.length != len(value.text) or start < 0:
        return here
    return Location(here.file, here.line, here.column + start, max(1, min(length, here.length - start)))


def _report(problem: Problem, value: Scalar, scope: Scope, code: str) -> None:
    scope.error(code, problem.message, _place(value, problem.start, problem.length), hint=problem.hint)


def _with_unit(of: ValueType, node: Node, unit: str, scope: Scope) -> ValueType | None:
    """The type with the declared unit: it must be the one that comes out, or name one that comes out without."""
    if of.unit == unit:
        return of
    if not of.is_numeric:
        scope.error("SEG261", f"a {of.kind.value} has no unit", node.location, hint="delete `unit`")
        return None
    if of.unit is None or (of.unit == "share" and of.kind is Kind.REAL):
        return replace(of, unit=unit)
    message = f"the trait comes out as {describe_type(of)}, not in {unit}"
    scope.error("SEG261", message, node.location, hint=f"write `unit: {of.unit}`, or delete it")
    return None


_ORIGINS: dict[str, tuple[frozenset[str], Callable[[Scalar, Mapping, Scope], ComputedTrait | None]]] = {
    "event": (_EVENT_KEYS, _of_events),
    "related": (_ROWS_KEYS, _of_rows),
    "formula": (_FORMULA_KEYS, _formula),
    "score": (frozenset(SCORE_KEYS), bind_score),
}
