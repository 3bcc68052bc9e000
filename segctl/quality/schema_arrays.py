"""Keywords about lists."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from segctl.quality.schema_rules import Compiler, Handler, Here, NotCompiledError, Rule
from segctl.quality.schema_slots import Alternative, element_slot, typed_slot
from segctl.quality.schema_truth import Truth, both, either, some

_DYNAMIC = frozenset({"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas",
                      "contains", "unevaluatedItems"})  # fmt: skip


def _value(array: Alternative) -> pl.Expr:
    assert array.value is not None, "an array has values"
    return array.value


def _prefix_items(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    found: list[Rule] = []
    for array in here.slot.of("array"):
        for position, schema in enumerate(value):
            assert array.element is not None, "an array has an element type"
            there = (_value(array).list.len() > position).fill_null(value=False)
            element = _value(array).list.get(position, null_on_oob=True)
            slot = typed_slot(element, array.element, here.pointer + "/*", compiler.reading, inside=there)
            inner = replace(here, slot=slot, pointer=here.pointer + "/*")
            found += compiler.rules(schema, inner)
    return found


def _items(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    skipped = len(here.schema.get("prefixItems") or ())
    found: list[Rule] = []
    for array in here.slot.of("array"):
        rest = replace(array, value=_value(array).list.slice(skipped)) if skipped else array
        found += _each(compiler, here, rest, value)
    return found


def _each(compiler: Compiler, here: Here, array: Alternative, schema: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    inner = _inner(compiler, here, array)
    return compiler.lifted(here, array, lambda inside: inside.rules(schema, inner))


def _inner(compiler: Compiler, here: Here, array: Alternative) -> Here:
    assert array.element is not None, "an array has an element type"
    at = here.pointer + "/*"
    return replace(here, slot=element_slot(array.element, at, compiler.reading), pointer=at, in_list=True)


def _size(keyword: str) -> Handler:
    def compile_size(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401, ARG001 - JSON, one interface
        limit = min(int(value), 2**32 - 1)
        found: Truth = False
        for array in here.slot.of("array"):
            length = _value(array).list.len()
            fails = length < limit if keyword == "minItems" else length > limit
            found = either(found, fails.fill_null(value=False))
        return here.rule(keyword, found)

    return compile_size


def _contains(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    least, most = here.schema.get("minContains", 1), here.schema.get("maxContains")
    found: Truth = False
    for array in here.slot.of("array"):
        count = _matching(compiler, here, array, value)
        fails = count < int(least)
        if most is not None:
            fails |= count > int(most)
        found = either(found, both(array.mask, fails.fill_null(value=False)))
    return here.rule("contains", found)


def _matching(compiler: Compiler, here: Here, array: Alternative, schema: Any) -> pl.Expr:  # noqa: ANN401 - JSON
    """How many elements keep the schema."""
    holding: list[Truth] = []
    inner = _inner(compiler, here, array)

    def build(inside: Compiler) -> list[Rule]:
        holding.append(inside.holds(schema, inner))
        return []

    compiler.lifted(here, array, build)
    held = holding[0]
    if isinstance(held, bool):
        return _value(array).list.len().cast(pl.Int64) * int(held)
    return _value(array).list.eval(held.cast(pl.Int64)).list.sum()


def _unique(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    if value is not True:
        return []
    found: Truth = False
    for array in here.slot.of("array"):
        length = _value(array).list.len()
        if isinstance(array.element, pl.List | pl.Struct):
            # The types of nested elements hide what JSON said.
            compiler.leave(here, "uniqueItems", (length > 1).fill_null(value=False))
            continue
        found = either(found, (_value(array).list.n_unique() != length).fill_null(value=False))
    return here.rule("uniqueItems", found)


def _unevaluated(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    arrays = here.slot.of("array")
    if _DYNAMIC & (here.schema.keys() - {"unevaluatedItems"}):
        raise NotCompiledError(some(array.mask for array in arrays))
    if "items" in here.schema:
        return []
    skipped = len(here.schema.get("prefixItems") or ())
    found: Truth = False
    for array in arrays:
        rest = replace(array, value=_value(array).list.slice(skipped))
        found = either(found, some(rule.fails for rule in _each(compiler, here, rest, value)))
    return here.rule("unevaluatedItems", found)


HANDLERS: dict[str, Handler] = {
    "prefixItems": _prefix_items,
    "items": _items,
    "minItems": _size("minItems"),
    "maxItems": _size("maxItems"),
    "contains": _contains,
    "uniqueItems": _unique,
    "unevaluatedItems": _unevaluated,
}
