"""Columns of JSON records: typed and nested where all values agree, text where they do not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any

import polars as pl

from segctl.connectors.files.json_values import Record

_EXACT_INTEGER = 2**53
_INT64 = 2**63


def frame_of(records: Sequence[Record]) -> pl.DataFrame:
    """One row per record, one column per key in order of first appearance; absent and null are null."""
    return frame_and_doubts(records)[0]


def frame_and_doubts(records: Sequence[Record]) -> tuple[pl.DataFrame, frozenset[str]]:
    """The rows as `frame_of` gives them, and what they do not show.

    Returns:
        The rows, and the columns that do not show what the JSON said: values of several types have become text.
    """
    doubtful = set()
    columns: dict[str, pl.Series] = {}
    for name, values in _columns(records).items():
        doubts: list[set[type]] = []
        columns[name] = column(values, doubts)
        if doubts:
            doubtful.add(name)
    return pl.DataFrame(columns), frozenset(doubtful)


def _columns(records: Sequence[Record | None]) -> dict[str, list[Any]]:
    names = dict.fromkeys(chain.from_iterable(filter(None, records)))
    return {name: [record.get(name) if record else None for record in records] for name in names}


def column(values: Sequence[Any], doubts: list[set[type]] | None = None) -> pl.Series:
    """The values in the narrowest type that keeps them all, text if there is none.

    Args:
        values: As JSON gives them.
        doubts: Takes the types that had to become text together, also of values inside.
    """
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {dict} and any(values):
        return _structs(values, doubts)
    if kinds == {list}:
        return _lists(values, doubts)
    if kinds == {bool}:
        return pl.Series(values, dtype=pl.Boolean)
    if kinds == {int} and _lie_within(values, -_INT64, _INT64 - 1):
        return pl.Series(values, dtype=pl.Int64)
    if kinds == {float}:
        return pl.Series(values, dtype=pl.Float64)
    if kinds == {int, float} and _lie_within(values, -_EXACT_INTEGER, _EXACT_INTEGER):
        return pl.Series([None if value is None else float(value) for value in values], dtype=pl.Float64)
    if kinds <= {str}:
        return pl.Series(values, dtype=pl.String)
    if doubts is not None:
        doubts.append(kinds)
    return pl.Series([as_text(value) for value in values], dtype=pl.String)


def as_text(value: object) -> str | None:
    """Text as it is, everything else as JSON, null as null."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _lie_within(values: Sequence[Any], low: int, high: int) -> bool:
    return all(low <= value <= high for value in values if type(value) is int)


def _structs(values: Sequence[Any], doubts: list[set[type]] | None) -> pl.Series:
    fields = pl.DataFrame({name: column(inner, doubts) for name, inner in _columns(values).items()})
    is_there = pl.Series([value is not None for value in values], dtype=pl.Boolean)
    return fields.select(pl.when(is_there).then(pl.struct(pl.all())).alias("value")).to_series()


def _lists(values: Sequence[Any], doubts: list[set[type]] | None) -> pl.Series:
    """Lists regrouped from one column of all their elements, so that these share a type."""
    sizes = pl.DataFrame({"size": pl.Series([None if v is None else len(v) for v in values], dtype=pl.Int64)})
    rows = sizes.with_row_index("row")
    elements = pl.DataFrame(
        {
            "row": rows["row"].repeat_by(rows["size"].fill_null(0)).explode().drop_nulls(),
            "value": column([element for value in values if value for element in value], doubts),
        }
    )
    grouped = elements.group_by("row", maintain_order=True).agg(pl.col("value"))
    empty = pl.lit(pl.Series([[]], dtype=grouped.schema["value"])).first()
    filled = pl.when(pl.col("size") == 0).then(empty).otherwise(pl.col("value"))
    return rows.join(grouped, on="row", how="left", maintain_order="left").select(filled.alias("value")).to_series()
