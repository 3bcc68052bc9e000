"""JSON values without loss: strict parsing of one record, and columns of records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from segctl.connectors.files.base import MAX_RECORD_BYTES, Reason
from segctl.connectors.files.paths import shortened

MAX_DEPTH = 100
_EXACT_INTEGER = 2**53
_INT64 = 2**63
# Any decimal of 15 significant digits survives a float; sign, point and one more letter fit in 16 characters.
_SURELY_EXACT = 16
_SHOWN = 60

Record = dict[str, Any]


class RefusedJson(ValueError):
    """Well-formed, but not to be trusted: a repeated key, NaN."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> Record:
    record = dict(pairs)
    if len(record) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise RefusedJson(f"the key `{shortened(repeated, _SHOWN)}` stands twice in one object")
    return record


def _number(text: str) -> float | str:
    """A float, or the digits themselves where a float would change them."""
    value = float(text)
    if len(text) < _SURELY_EXACT and "e" not in text and "E" not in text:
        return value
    return value if Decimal(repr(value)) == Decimal(text) else text


def _no_constant(name: str) -> Any:
    raise RefusedJson(f"`{name}` is not a JSON value")


DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_float=_number, parse_constant=_no_constant)


def parse_record(text: str) -> Record | Reason:
    """The object that `text` is, or why it is none that can be taken."""
    try:
        value = DECODER.decode(text)
    except RecursionError:
        return too_deep()
    except json.JSONDecodeError as error:
        found = shortened(text[error.pos : error.pos + _SHOWN], _SHOWN)
        return Reason(
            "SEG368", "well-formed JSON", found, f"not JSON: {error.msg.lower()} at character {error.pos + 1:,}"
        )
    except ValueError as error:
        return Reason("SEG368", "well-formed JSON", shortened(text, _SHOWN), f"not JSON: {error}")
    return checked(value, text)


def checked(value: Any, text: str) -> Record | Reason:
    """`value`, parsed from `text`, if it is an object of text that can be stored."""
    if not isinstance(value, dict):
        return Reason("SEG368", "an object", shortened(text, _SHOWN), "the record is not a JSON object")
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        return too_deep()
    if "\\u" in text and not _is_storable(value):
        return Reason(
            "SEG364",
            "whole characters",
            "a lone surrogate",
            "half of a character stands in the record (`\\ud800` to `\\udfff`)",
        )
    return value


def too_deep() -> Reason:
    """The reason for records nested beyond all use."""
    return Reason(
        "SEG366", f"at most {MAX_DEPTH} levels", "more", f"the record is nested deeper than {MAX_DEPTH} levels"
    )


def too_long(size: int) -> Reason:
    """The reason for records beyond the limit of length."""
    limit = MAX_RECORD_BYTES // 1024 // 1024
    return Reason(
        "SEG366", f"at most {limit} MB in a record", f"{size:,} bytes", f"the record is longer than {limit} MB"
    )


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level:
        depth += 1
        inner = [item for item in level if isinstance(item, dict | list)]
        level = [part for item in inner for part in (item.values() if isinstance(item, dict) else item)]
    return depth


def _is_storable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def as_text(value: Any) -> str | None:
    """Text as it is, everything else as JSON, null as null."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def frame_of(records: Sequence[Record]) -> pl.DataFrame:
    """One row per record, one column per key in order of first appearance; absent and null are null."""
    return pl.DataFrame([column(name, values) for name, values in _columns(records).items()])


def _columns(records: Sequence[Record | None]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for record in records if record for name in record)
    return {name: [record.get(name) if record else None for record in records] for name in names}


def column(name: str, values: Sequence[Any]) -> pl.Series:
    """The values in the narrowest type that keeps them all, text if there is none."""
    dtype, values = _typed(values)
    return pl.Series(name, values, dtype=dtype, strict=True)


def _typed(values: Sequence[Any]) -> tuple[pl.DataType, Sequence[Any]]:
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {str}:
        return pl.String(), values
    if kinds == {bool}:
        return pl.Boolean(), values
    if kinds == {int} and all(value is None or -_INT64 <= value < _INT64 for value in values):
        return pl.Int64(), values
    if kinds <= {int, float} and float in kinds and _are_exact_floats(values):
        return pl.Float64(), values
    if kinds == {dict}:
        return _structs(values)
    if kinds == {list}:
        return _lists(values)
    return pl.String(), [as_text(value) for value in values]


def _are_exact_floats(values: Sequence[Any]) -> bool:
    return all(type(value) is not int or -_EXACT_INTEGER <= value <= _EXACT_INTEGER for value in values)


def _structs(values: Sequence[Any]) -> tuple[pl.DataType, Sequence[Any]]:
    columns = {name: _typed(inner) for name, inner in _columns(values).items()}
    if not columns:
        return pl.String(), [as_text(value) for value in values]
    names = list(columns)
    rows = zip(*(inner for _, inner in columns.values()), strict=True)
    rebuilt = [
        None if value is None else dict(zip(names, row, strict=True)) for value, row in zip(values, rows, strict=True)
    ]
    return pl.Struct({name: dtype for name, (dtype, _) in columns.items()}), rebuilt


def _lists(values: Sequence[Any]) -> tuple[pl.DataType, Sequence[Any]]:
    flat = [item for value in values if value for item in value]
    dtype, typed = _typed(flat)
    rebuilt: list[list[Any] | None] = []
    at = 0
    for value in values:
        rebuilt.append(None if value is None else list(typed[at : at + len(value)]))
        at += len(value or ())
    return pl.List(dtype), rebuilt
