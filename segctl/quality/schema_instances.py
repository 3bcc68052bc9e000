"""Typed rows as JSON objects: what the reference is asked about."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from segctl.quality.schema_numbers import exact_number
from segctl.quality.schema_refs import pointer
from segctl.quality.schema_slots import NullMeaning

_ODD = {math.inf: "inf", -math.inf: "-inf"}


def instances_of_types(
    frame: pl.DataFrame, meanings: Mapping[str, NullMeaning], null: Callable[[str], NullMeaning]
) -> list[dict[str, Any]]:
    """One JSON object per row of a frame in plain types.

    Args:
        frame: As `plain_frame` leaves it.
        meanings: What a null is, by column.
        null: What a null is, by pointer, for fields inside.
    """
    return [
        {
            name: _json(value, pointer(name), null)
            for name, value in row.items()
            if value is not None or meanings[name] == "null"
        }
        for row in frame.iter_rows(named=True)
    ]


def _json(value: Any, at: str, null: Callable[[str], NullMeaning]) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {
            name: _json(inner, at + pointer(name), null)
            for name, inner in value.items()
            if inner is not None or null(at + pointer(name)) == "null"
        }
    if isinstance(value, list):
        return [_json(inner, at + "/*", null) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return _ODD.get(value, "NaN")
    return exact_number(str(value)) if isinstance(value, Decimal) else value
