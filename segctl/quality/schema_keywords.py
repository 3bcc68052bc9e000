"""The keywords of JSON Schema 2020-12, and which keys of a contract are none of them."""

from __future__ import annotations

from segctl.quality.schema_refs import Schema, pointer, subschemas

ASSERTING = frozenset({
    "$ref", "$dynamicRef", "$recursiveRef", "additionalProperties", "allOf", "anyOf", "const", "contains",
    "dependencies", "dependentRequired", "dependentSchemas", "enum", "exclusiveMaximum", "exclusiveMinimum", "format",
    "if", "items", "maxItems", "maxLength", "maxProperties", "maximum", "minItems", "minLength", "minProperties",
    "minimum", "multipleOf", "not", "oneOf", "pattern", "patternProperties", "prefixItems", "properties",
    "propertyNames", "required", "type", "unevaluatedItems", "unevaluatedProperties", "uniqueItems",
})  # fmt: skip
ANNOTATIONS = frozenset({
    "$schema", "$id", "$anchor", "$dynamicAnchor", "$comment", "$defs", "definitions", "$vocabulary", "title",
    "description", "default", "deprecated", "readOnly", "writeOnly", "examples", "contentEncoding",
    "contentMediaType", "contentSchema", "then", "else", "minContains", "maxContains",
})  # fmt: skip
"""Keywords that assert nothing by themselves."""
KEYWORDS = tuple(sorted(ASSERTING | ANNOTATIONS))


def ignored_keywords(schema: Schema) -> tuple[str, ...]:
    """Pointers of keys that mean nothing in the draft: misspelt, of another draft, or somebody's own."""
    found: list[str] = []
    open_: list[tuple[str, Schema]] = [("", schema)]
    while open_:
        at, here = open_.pop()
        if isinstance(here, dict):
            found += [at + pointer(key) for key in here if key not in ASSERTING and key not in ANNOTATIONS]
            open_ += [(at + inner, part) for inner, part in subschemas(here)]
    return tuple(sorted(found))
