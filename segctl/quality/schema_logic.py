"""Keywords that put schemas together: references, all, any, one, not, if and then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from segctl.quality.schema_rules import Compiler, Handler, Here, NotCompiledError, Rule, guarded
from segctl.quality.schema_truth import both, counted, no, some


def _ref(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    place = compiler.references.resolve(value, here.base)
    mark = f"{here.base} {value} {here.pointer}"
    # A reference that comes back to the same place says nothing there that a column could hold.
    if place is None or mark in here.open:
        raise NotCompiledError(here.slot.present)
    return compiler.rules(place.schema, replace(here, base=place.base, open=(*here.open, mark)))


def _all_of(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    return [rule for branch in value for rule in compiler.rules(branch, here)]


def _any_of(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    one = some(compiler.holds(branch, here) for branch in value)
    return here.rule("anyOf", both(here.slot.present, no(one)))


def _one_of(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    found = counted(compiler.holds(branch, here) for branch in value)
    return here.rule("oneOf", both(here.slot.present, found != 1))


def _not(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    return here.rule("not", both(here.slot.present, compiler.holds(value, here)))


def _if(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    then, otherwise = here.schema.get("then", True), here.schema.get("else", True)
    if then is True and otherwise is True:
        return []
    condition = compiler.holds(value, here)
    return [
        *guarded(condition, compiler.rules(then, here)),
        *guarded(no(condition), compiler.rules(otherwise, here)),
    ]


def left_to_the_reference(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401, ARG001 - JSON, one interface
    """A keyword without an expression: whatever stands there is decided by the reference."""
    raise NotCompiledError(here.slot.present)


HANDLERS: dict[str, Handler] = {
    "$ref": _ref,
    "$dynamicRef": left_to_the_reference,
    "$recursiveRef": left_to_the_reference,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
    # Of an older draft, yet the reference heeds it.
    "dependencies": left_to_the_reference,
}
