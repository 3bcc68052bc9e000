"""Declared types: `text`, or `{type: money, unit: EUR}`, or a list or struct of those."""

from __future__ import annotations

from dataclasses import replace

from segctl.compile.bind import forms
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.source import Mapping, Node, Scalar
from segctl.model.types import DEFAULT_SCALE, Kind, ValueType

DECLARABLE = tuple(kind.value for kind in Kind if kind is not Kind.REAL)
SYNONYMS = {
    "string": "text", "str": "text", "varchar": "text", "zeichenkette": "text",
    "int": "integer", "bigint": "integer", "ganzzahl": "integer", "whole": "integer",
    "float": "number", "double": "number", "decimal": "number", "numeric": "number", "zahl": "number",
    "currency": "money", "geld": "money", "betrag": "money", "amount": "money",
    "bool": "boolean", "wahrheitswert": "boolean", "datum": "date", "day": "date",
    "datetime": "time", "timestamp": "time", "zeit": "time", "zeitpunkt": "time", "instant": "time",
    "array": "list", "liste": "list", "record": "struct", "object": "struct", "map": "struct", "dict": "struct",
}  # fmt: skip
TYPE_KEYS = frozenset({"type", "unit", "scale", "round", "of", "fields"})
WORDS = frozenset({"title", "description"})
_LARGEST_SCALE = 9


def bind_type(node: Node, scope: Scope, what: str, *, extra: frozenset[str] = frozenset()) -> ValueType | None:
    """A declared type.

    Args:
        node: A type's name, or a mapping with `type`.
        scope: Where problems go.
        what: For messages, such as ``trait `points```.
        extra: Further keys the mapping may have.
    """
    if isinstance(node, Scalar):
        kind = _kind(node, scope, what)
        if kind is None:
            return None
        if kind in (Kind.LIST, Kind.STRUCT):
            example = "{type: list, of: text}" if kind is Kind.LIST else "{type: struct, fields: {city: text}}"
            scope.error(
                "SEG211", f"{what} does not say what is in the {kind.value}", node.location, hint=f"write `{example}`"
            )
            return None
        return ValueType(kind, DEFAULT_SCALE.get(kind, 0))
    declared = forms.mapping(node, scope, what, hint="write `text`, or `{type: money, unit: EUR}`")
    if declared is None:
        return None
    ok = forms.check_keys(declared, TYPE_KEYS | WORDS | extra, scope, what)
    kind_node = forms.required(declared, "type", scope, what, example="type: text")
    kind = _kind(kind_node, scope, what) if kind_node is not None else None
    bound = _full_type(declared, kind, scope, what) if kind is not None else None
    return bound if ok else None


def _kind(node: Node, scope: Scope, what: str) -> Kind | None:
    written = forms.text(node, scope, f"the type of {what}")
    if written is None:
        return None
    if written in DECLARABLE:
        return Kind(written)
    hint = scope.meant(written, DECLARABLE, SYNONYMS, otherwise=f"there is {', '.join(DECLARABLE)}")
    scope.error("SEG125", f"{shown(written)} is not a type", node.location, hint=hint)
    return None


def _full_type(declared: Mapping, kind: Kind, scope: Scope, what: str) -> ValueType | None:
    unit = _unit(declared, kind, scope, what)
    scale = _scale(declared, kind, scope, what)
    rounds = forms.flag(node, scope, "`round`") if (node := declared.get("round")) is not None else False
    for key, owner in (("of", Kind.LIST), ("fields", Kind.STRUCT)):
        place = declared.key(key)
        if place is not None and kind is not owner:
            scope.error("SEG210", f"`{key}` belongs to the type {owner.value}, not {kind.value}", place.location)
    if kind is Kind.LIST:
        element = _element(declared, scope, what)
        return None if element is None else ValueType(kind, element=element)
    if kind is Kind.STRUCT:
        fields = _fields(declared, scope, what)
        return None if fields is None else ValueType(kind, fields=fields)
    if unit == "" or scale is None:
        return None
    return replace(ValueType(kind, scale, unit), rounds=bool(rounds))


def _unit(declared: Mapping, kind: Kind, scope: Scope, what: str) -> str | None:
    node = declared.get("unit")
    if node is None:
        return None
    if kind not in (Kind.INTEGER, Kind.NUMBER, Kind.MONEY):
        scope.error("SEG210", f"a {kind.value} has no unit", node.location)
        return ""
    return forms.text(node, scope, f"the unit of {what}") or ""


def _scale(declared: Mapping, kind: Kind, scope: Scope, what: str) -> int | None:
    node = declared.get("scale")
    if node is None:
        return DEFAULT_SCALE.get(kind, 0)
    if kind not in DEFAULT_SCALE:
        scope.error("SEG210", f"`scale` belongs to number and money, not to {kind.value}", node.location)
        return None
    scale = forms.count(node, scope, f"the scale of {what}")
    if scale is not None and scale > _LARGEST_SCALE:
        scope.error("SEG230", f"a scale is at most {_LARGEST_SCALE} digits, not {scale}", node.location)
        return None
    return scale


def _element(declared: Mapping, scope: Scope, what: str) -> ValueType | None:
    node = forms.required(declared, "of", scope, f"the list {what}", example="of: text")
    element = bind_type(node, scope, f"an element of {what}") if node is not None else None
    if node is not None and element is not None and element.kind is Kind.LIST:
        scope.error("SEG125", "a list of lists is not possible", node.location, hint="make each element a struct")
        return None
    return element


def _fields(declared: Mapping, scope: Scope, what: str) -> tuple[tuple[str, ValueType], ...] | None:
    node = forms.required(declared, "fields", scope, f"the struct {what}", example="fields: {city: text}")
    listed = forms.mapping(node, scope, f"`fields` of {what}") if node is not None else None
    if listed is None:
        return None
    fields = [(key.text, bind_type(of, scope, f"field `{key.text[:60]}`")) for key, of in listed.entries]
    ok = all(_is_field(key, scope) for key, _ in listed.entries)
    return tuple((name, of) for name, of in fields if of is not None) if ok and all(of for _, of in fields) else None


def _is_field(key: Scalar, scope: Scope) -> bool:
    if key.text and "." not in key.text and key.text.strip() == key.text and len(key.text) <= 63:
        return True
    scope.error(
        "SEG217", f"{shown(key.text)} is not a field name; it has no dots and no blanks at its ends", key.location
    )
    return False
