"""Which JSON types a contract speaks about at each place: what decides how a cell of text is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from segctl.quality.schema_refs import References, Schema, pointer

_ABOUT_NUMBERS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_BRANCHES = ("allOf", "anyOf", "oneOf")
_SINGLE = ("if", "then", "else")
_DEEPEST = 12
_MOST = 50_000


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
    return {at: _decided(types) for at, types in _walked(references).found.items() if types}


def formatted_places(references: References) -> frozenset[str]:
    """JSON pointers of places in a row of which the contract wants some `format`."""
    return frozenset(_walked(references).formatted)


def _walked(references: References) -> _Walk:
    walk = _Walk(references)
    start = references.start()
    walk.visit(start.schema, start.base, "")
    return walk


def _decided(types: set[str]) -> frozenset[str]:
    rest = types - {"?"}
    return frozenset(rest if rest - {"null"} or "?" not in types else rest | {"number", "string"})


@dataclass(slots=True)
class _Walk:
    """Visits each schema once for each place it speaks of, however many ways lead there."""

    references: References
    found: dict[str, set[str]] = field(default_factory=dict)
    formatted: set[str] = field(default_factory=set)
    seen: set[tuple[int, str]] = field(default_factory=set)

    def visit(self, schema: Schema, base: str, at: str) -> None:
        if not isinstance(schema, dict) or at.count("/") > _DEEPEST or (id(schema), at) in self.seen:
            return
        if len(self.seen) >= _MOST:
            return
        self.seen.add((id(schema), at))
        base = self.references.base_of(schema, base)
        _note(schema, self.found.setdefault(at, set()))
        if "format" in schema:
            self.formatted.add(at)
        reference = schema.get("$ref")
        place = self.references.resolve(reference, base) if isinstance(reference, str) else None
        if place is not None:
            self.visit(place.schema, place.base, at)
        branches = [branch for keyword in _BRANCHES for branch in schema.get(keyword) or ()]
        branches += [schema.get(keyword) for keyword in _SINGLE]
        branches += (schema.get("dependentSchemas") or {}).values()
        for branch in branches:
            self.visit(branch, base, at)
        for name, inner in (schema.get("properties") or {}).items():
            self.visit(inner, base, at + pointer(name))
        self.visit(schema.get("items"), base, at + "/*")


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
