"""Which JSON types a contract speaks about at each place: what decides how a cell of text is read."""

from __future__ import annotations

from typing import Any

from segctl.quality.schema_refs import References, Schema, pointer

_ABOUT_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_BRANCHES = ("allOf", "anyOf", "oneOf")
_SINGLE = ("if", "then", "else")
_DEEPEST = 12


def kind_of(value: Any) -> str:  # noqa: ANN401 - JSON
    """The JSON type of a value; every number is a `number`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "number"


def mentioned_types(references: References) -> dict[str, frozenset[str]]:
    """JSON pointer of a place in a row → the types that the contract mentions for it; ``*`` is any element.

    A place without a mentioned type is missing, or has `number` and `string` when keywords about numbers speak of it.
    """
    found: dict[str, set[str]] = {}
    start = references.start()
    _walk(references, start.schema, start.base, "", found, ())
    return {at: _decided(types) for at, types in found.items()}


def _decided(types: set[str]) -> frozenset[str]:
    rest = types - {"?"}
    return frozenset(rest if rest - {"null"} or "?" not in types else rest | {"number", "string"})


def _walk(
    references: References, schema: Schema, base: str, at: str, found: dict[str, set[str]], open_: tuple[str, ...]
) -> None:
    if not isinstance(schema, dict) or at.count("/") > _DEEPEST or len(open_) > _DEEPEST:
        return
    base = references.base_of(schema, base)
    _note(schema, found.setdefault(at, set()))
    if not found[at]:
        del found[at]
    reference = schema.get("$ref")
    if isinstance(reference, str):
        mark = f"{base} {reference} {at}"
        place = references.resolve(reference, base)
        if place is not None and mark not in open_:
            _walk(references, place.schema, place.base, at, found, (*open_, mark))
    for keyword in _BRANCHES:
        for branch in schema.get(keyword) or ():
            _walk(references, branch, base, at, found, open_)
    for keyword in _SINGLE:
        _walk(references, schema.get(keyword), base, at, found, open_)
    for inner in (schema.get("dependentSchemas") or {}).values():
        _walk(references, inner, base, at, found, open_)
    for name, inner in (schema.get("properties") or {}).items():
        _walk(references, inner, base, at + pointer(name), found, open_)
    _walk(references, schema.get("items"), base, at + "/*", found, open_)


def _note(schema: dict[str, Any], types: set[str]) -> None:
    declared = schema.get("type")
    types.update([declared] if isinstance(declared, str) else declared or ())
    if declared is None:
        types.update(kind_of(value) for value in schema.get("enum") or ())
        if "const" in schema:
            types.add(kind_of(schema["const"]))
        if _ABOUT_NUMBERS & schema.keys():
            types.add("?")
    elif None in (schema.get("enum") or ()):
        types.add("null")
