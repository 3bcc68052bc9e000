"""Keywords about records: which properties they have, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from segctl.quality.schema_refs import Schema, pointer
from segctl.quality.schema_rules import Compiler, Handler, Here, NotCompiledError, Rule, guarded
from segctl.quality.schema_slots import NOWHERE, Alternative, Slot
from segctl.quality.schema_truth import Truth, both, counted, no, some

_DYNAMIC = frozenset({"$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "not", "if", "then", "else",
                      "dependentSchemas", "dependencies"})  # fmt: skip


def _inner(here: Here, record: Alternative, name: str) -> Here:
    return replace(here, slot=record.fields.get(name, NOWHERE), pointer=here.pointer + pointer(name))


def _present(compiler: Compiler, here: Here, record: Alternative, name: str) -> Truth:
    """Rows with a property; those in doubt go to the reference."""
    slot = record.fields.get(name, NOWHERE)
    compiler.leave(_inner(here, record, name), "null", slot.doubt)
    return slot.present


def _properties(compiler: Compiler, here: Here, value: Mapping[str, Schema]) -> list[Rule]:
    return [
        rule
        for record in here.slot.of("object")
        for name, schema in value.items()
        if name in record.fields
        for rule in compiler.rules(schema, _inner(here, record, name))
    ]


def _pattern_properties(compiler: Compiler, here: Here, value: Mapping[str, Schema]) -> list[Rule]:
    return [
        rule
        for record in here.slot.of("object")
        for pattern, schema in value.items()
        for name in _matching(compiler, pattern, record.fields)
        for rule in compiler.rules(schema, _inner(here, record, name))
    ]


def _matching(compiler: Compiler, pattern: str, names: Iterable[str]) -> list[str]:
    return _keeping(compiler, {"pattern": pattern}, names)


def _keeping(compiler: Compiler, schema: Schema, names: Iterable[str]) -> list[str]:
    """Names that keep a schema, decided by the reference: they are known when compiling."""
    import polars as pl

    known = pl.Series(list(names), dtype=pl.String)
    return known.filter(~compiler.tests(schema, None)(known)).to_list()


def _others(compiler: Compiler, here: Here, record: Alternative) -> list[str]:
    """Properties that neither `properties` nor `patternProperties` speaks of."""
    taken = set(here.schema.get("properties") or ())
    for pattern in here.schema.get("patternProperties") or ():
        taken.update(_matching(compiler, pattern, record.fields))
    return [name for name in record.fields if name not in taken]


def _additional(compiler: Compiler, here: Here, value: Schema) -> list[Rule]:
    found: list[Rule] = []
    for record in here.slot.of("object"):
        for name in _others(compiler, here, record):
            inner = _inner(here, record, name)
            if value is False:
                there = _present(compiler, here, record, name)
                found += replace(here, slot=inner.slot).rule("additionalProperties", there, False, at=inner.pointer)
            else:
                found += compiler.rules(value, inner)
    return found


def _required(compiler: Compiler, here: Here, value: list[str]) -> list[Rule]:
    bare = replace(here, slot=replace(here.slot, shown=None))
    found: list[Rule] = []
    for name in dict.fromkeys(value):
        for record in here.slot.of("object"):
            absent = both(record.mask, no(_present(compiler, here, record, name)))
            found += bare.rule("required", absent, name, at=here.pointer + pointer(name))
    return found


def _dependent_required(compiler: Compiler, here: Here, value: Mapping[str, list[str]]) -> list[Rule]:
    found: list[Rule] = []
    for record in here.slot.of("object"):
        for name, wanted in value.items():
            if wanted:
                found += guarded(_present(compiler, here, record, name), _required(compiler, here, wanted))
    return found


def _dependent_schemas(compiler: Compiler, here: Here, value: Mapping[str, Schema]) -> list[Rule]:
    found: list[Rule] = []
    for record in here.slot.of("object"):
        for name, schema in value.items():
            found += guarded(_present(compiler, here, record, name), compiler.rules(schema, here))
    return found


def _property_names(compiler: Compiler, here: Here, value: Schema) -> list[Rule]:
    if compiler.references.start().schema is not value and _refers(value):
        raise NotCompiledError(some(record.mask for record in here.slot.of("object")))
    found: list[Rule] = []
    for record in here.slot.of("object"):
        kept = set(_keeping(compiler, value, record.fields))
        there = some(_present(compiler, here, record, name) for name in record.fields if name not in kept)
        found += here.rule("propertyNames", there)
    return found


def _refers(schema: Any) -> bool:  # noqa: ANN401 - JSON
    if isinstance(schema, list):
        return any(_refers(item) for item in schema)
    return isinstance(schema, dict) and ("$ref" in schema or "$dynamicRef" in schema or _refers([*schema.values()]))


def _count(keyword: str) -> Handler:
    def compile_count(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
        found: list[Rule] = []
        for record in here.slot.of("object"):
            count = counted([_present(compiler, here, record, name) for name in record.fields])
            fails: Truth = count < int(value) if keyword == "minProperties" else count > int(value)
            found += here.rule(keyword, both(record.mask, fails))
        return found

    return compile_count


def _unevaluated(compiler: Compiler, here: Here, value: Schema) -> list[Rule]:
    records = here.slot.of("object")
    if _DYNAMIC & here.schema.keys():
        raise NotCompiledError(some(record.mask for record in records))
    if "additionalProperties" in here.schema:
        return []
    found: list[Rule] = []
    for record in records:
        for name in _others(compiler, here, record):
            inner = _inner(here, record, name)
            fails = no(compiler.holds(value, inner)) if value is not False else _present(compiler, here, record, name)
            where = replace(here, slot=inner.slot)
            found += where.rule("unevaluatedProperties", both(inner.slot.present, fails), False, at=inner.pointer)
    return found


def object_slot(fields: Mapping[str, Slot]) -> Slot:
    """The slot of whole rows."""
    return Slot(True, (Alternative("object", True, None, fields),))


HANDLERS: dict[str, Handler] = {
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "required": _required,
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
    "propertyNames": _property_names,
    "minProperties": _count("minProperties"),
    "maxProperties": _count("maxProperties"),
    "unevaluatedProperties": _unevaluated,
}
