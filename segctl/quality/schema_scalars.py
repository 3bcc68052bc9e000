"""Keywords about one value: type, enumerations, numbers, text."""

from __future__ import annotations

from typing import Any

import polars as pl

from segctl.quality.schema_formats import KNOWN, SURE
from segctl.quality.schema_numbers import Sign, allowed_numbers, compared, not_multiple, not_whole
from segctl.quality.schema_pattern import to_rust
from segctl.quality.schema_rules import Compiler, Handler, Here, NotCompiledError, Rule
from segctl.quality.schema_slots import Alternative
from segctl.quality.schema_truth import Truth, either, some
from segctl.quality.schema_types import kind_of

_SIGNS: dict[str, Sign] = {
    "minimum": "<",
    "exclusiveMinimum": "<=",
    "maximum": ">",
    "exclusiveMaximum": ">=",
}


def _type(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401, ARG001 - JSON, one interface
    types = {value} if isinstance(value, str) else set(value)
    return here.rule("type", some(_wrong_type(each, types) for each in here.slot.kinds))


def _wrong_type(each: Alternative, types: set[str]) -> Truth:
    if each.kind in types or (each.kind == "integer" and "number" in types):
        return False
    if each.kind == "number" and "integer" in types:
        return not_whole(each)
    return each.mask


def _enum(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    return here.rule("enum", _outside(compiler, here, list(value), "enum"))


def _const(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    fails = _outside(compiler, here, [value], "const")
    return here.rule("const", fails, "nothing" if value is None else value)


def _outside(compiler: Compiler, here: Here, candidates: list[Any], keyword: str) -> Truth:
    by_kind: dict[str, list[Any]] = {}
    for candidate in candidates:
        by_kind.setdefault(kind_of(candidate), []).append(candidate)
    found: Truth = False
    for each in here.slot.kinds:
        own = by_kind.get("number" if each.kind == "integer" else each.kind, [])
        if not own:
            fails = each.mask
        elif each.kind in ("integer", "number"):
            fails, unsure = allowed_numbers(each, own)
            compiler.leave(here, keyword, unsure)
        elif each.kind in ("array", "object"):
            # Lists and records are compared by the reference: their types hide what JSON said.
            compiler.leave(here, keyword, each.mask)
            fails = False
        else:
            fails = _not_among(each, own)
        found = either(found, fails)
    return found


def _not_among(each: Alternative, own: list[Any]) -> Truth:
    if each.kind == "null" or each.value is None:
        return False
    dtype = pl.Boolean if each.kind == "boolean" else pl.String
    return (~each.value.is_in(pl.Series(own, dtype=dtype).implode())).fill_null(value=False)


def _bound(keyword: str) -> Handler:
    def compile_bound(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
        found: Truth = False
        for each in here.slot.of("integer", "number"):
            fails, unsure = compared(each, _SIGNS[keyword], value)
            compiler.leave(here, keyword, unsure)
            found = either(found, fails)
        return here.rule(keyword, found)

    return compile_bound


def _multiple_of(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    found: Truth = False
    for each in here.slot.of("integer", "number"):
        fails, unsure = not_multiple(each, value)
        compiler.leave(here, "multipleOf", unsure)
        found = either(found, fails)
    return here.rule("multipleOf", found)


def _length(keyword: str) -> Handler:
    def compile_length(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401, ARG001 - JSON, one interface
        limit = min(int(value), 2**32 - 1)
        found: Truth = False
        for each in here.slot.of("string"):
            assert each.value is not None, "text has values"
            length = each.value.str.len_chars()
            fails = length < limit if keyword == "minLength" else length > limit
            found = either(found, fails.fill_null(value=False))
        return here.rule(keyword, found)

    return compile_length


def _pattern(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    translated = to_rust(value)
    if translated is None or not _builds(translated):
        return _distinct(compiler, here, "pattern", value, None)
    found: Truth = False
    for each in here.slot.of("string"):
        assert each.value is not None, "text has values"
        found = either(found, (~each.value.str.contains(translated)).fill_null(value=False))
    return here.rule("pattern", found)


def _builds(pattern: str) -> bool:
    """Whether Polars can hold the compiled pattern; its size has a limit."""
    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.ComputeError:
        return False
    return True


def _format(compiler: Compiler, here: Here, value: Any) -> list[Rule]:  # noqa: ANN401 - JSON
    if not compiler.formats or value not in KNOWN:
        return []
    return _distinct(compiler, here, "format", value, SURE.get(value))


def _distinct(compiler: Compiler, here: Here, keyword: str, value: str, sure: str | None) -> list[Rule]:
    """A keyword about text that is decided once for each distinct value."""
    texts = here.slot.of("string")
    if not texts:
        return []
    if here.in_list:  # Polars would call the test once for each list
        raise NotCompiledError(_unsure_elements(texts, sure))
    test = compiler.tests({keyword: value}, sure)
    found: Truth = False
    for each in texts:
        assert each.value is not None, "text has values"
        found = either(found, each.value.map_batches(test, return_dtype=pl.Boolean))
    return here.rule(keyword, found)


def _unsure_elements(texts: tuple[Alternative, ...], sure: str | None) -> Truth:
    if sure is None:
        return some(each.mask for each in texts)
    return some((~each.value.str.contains(sure)).fill_null(value=False) for each in texts if each.value is not None)


HANDLERS: dict[str, Handler] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    **{keyword: _bound(keyword) for keyword in _SIGNS},
    "multipleOf": _multiple_of,
    "minLength": _length("minLength"),
    "maxLength": _length("maxLength"),
    "pattern": _pattern,
    "format": _format,
}
