"""Where `$ref` leads: resources, anchors and pointers of one JSON Schema document."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

Schema = Any
"""A schema as JSON: a mapping or a boolean."""

IN_VALUE = frozenset({"const", "enum", "default", "examples"})
"""Keywords whose values are data: a `$ref` in there means nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """A schema and the address its own references start from."""

    schema: Schema
    base: str


@dataclass(slots=True)
class References:
    """All addresses of a document.

    Attributes:
        root: The document.
        places: Resource or anchor address to its schema.
    """

    root: Schema
    places: dict[str, Place] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Schema) -> References:
        """The addresses in a document; embedded `$id`s start resources of their own."""
        references = cls(root)
        references.places[""] = Place(root, "")
        references._collect(root, "")
        return references

    def _collect(self, node: Any, base: str) -> None:  # noqa: ANN401 - JSON
        if isinstance(node, list):
            for item in node:
                self._collect(item, base)
        if not isinstance(node, dict):
            return
        if isinstance(node.get("$id"), str):
            base = _without_fragment(urljoin(base, node["$id"]))
            self.places.setdefault(base, Place(node, base))
            if node is self.root:
                self.places[""] = Place(node, base)
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(node.get(keyword), str):
                self.places.setdefault(f"{base}#{node[keyword]}", Place(node, base))
        for key, value in node.items():
            if key not in IN_VALUE:
                self._collect(value, base)

    def start(self) -> Place:
        """The document itself."""
        return self.places[""]

    def base_of(self, schema: Schema, base: str) -> str:
        """The address that references inside `schema` start from."""
        if isinstance(schema, dict) and isinstance(schema.get("$id"), str):
            return _without_fragment(urljoin(base, schema["$id"]))
        return base

    def resolve(self, reference: str, base: str) -> Place | None:
        """What a reference names; None when it is not in this document."""
        address, fragment = urldefrag(urljoin(base, reference) if reference.partition("#")[0] else reference)
        if not reference.partition("#")[0]:
            address = base
        place = self.places.get(address) if address else self.places[""]
        if place is None:
            return None
        if not fragment:
            return place
        if not fragment.startswith("/"):
            return self.places.get(f"{place.base}#{fragment}")
        return self._at(place, [part.replace("~1", "/").replace("~0", "~") for part in unquote(fragment).split("/")])

    def _at(self, place: Place, parts: list[str]) -> Place | None:
        node, base = place.schema, place.base
        for part in parts[1:]:
            if isinstance(node, list) and part.isdigit() and int(part) < len(node):
                node = node[int(part)]
            elif isinstance(node, dict) and part in node:
                node = node[part]
            else:
                return None
            base = self.base_of(node, base)
        return Place(node, base) if isinstance(node, dict | bool) else None


def _without_fragment(address: str) -> str:
    return urldefrag(address)[0]


def pointer(*parts: str) -> str:
    """A JSON pointer of unescaped parts."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def subschemas(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every schema directly inside a schema with the path to it, in the order written."""
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key in ONE and isinstance(value, dict | bool):
            yield pointer(key), value
        elif key in MANY and isinstance(value, list):
            yield from ((pointer(key, str(i)), item) for i, item in enumerate(value))
        elif key in NAMED and isinstance(value, dict):
            yield from ((pointer(key, name), item) for name, item in value.items())


ONE = frozenset({
    "additionalProperties", "propertyNames", "items", "contains", "not", "if", "then", "else", "unevaluatedItems",
    "unevaluatedProperties", "contentSchema",
})  # fmt: skip
MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
