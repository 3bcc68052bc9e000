"""How far a column has moved since the last run: population stability index, and values that were not there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

MOST_VALUES = 500
"""Distinct values beyond which a column's texts are no categories."""
_BINS = 10
_LEAST_SHARE = 1e-4
OTHERS = "(others)"


def stability_index(before: Mapping[str, float], now: Mapping[str, float]) -> float:
    """Population stability index of two distributions over the same bins.

    Args:
        before: Bin → share in 0-1 at the last run.
        now: The same today; a bin that is missing is empty.

    Returns:
        0 for equal shares; above 0.1 it is worth a look, above 0.25 the population is another one. Empty bins count
        as a share of 0.0001, so that the sum stays finite.

    Source:
        Siddiqi, Credit Risk Scorecards, 2006, chapter 6.

    >>> round(stability_index({"a": 0.5, "b": 0.5}, {"a": 0.6, "b": 0.4}), 4)
    0.0405
    """
    bins = sorted({*before, *now})
    pairs = [(max(before.get(b, 0.0), _LEAST_SHARE), max(now.get(b, 0.0), _LEAST_SHARE)) for b in bins]
    return sum((new - old) * math.log(new / old) for old, new in pairs)


def shares_of_texts(texts: pl.Series) -> dict[str, float]:
    """The share of each value, the rarest together; missing values do not count."""
    counted = texts.drop_nulls().value_counts(name="rows").sort(["rows", texts.name], descending=[True, False])
    total = int(counted["rows"].sum() or 0)
    if not total:
        return {}
    kept = counted.head(MOST_VALUES)
    shares = {str(value): rows / total for value, rows in kept.iter_rows()}
    rest = total - int(kept["rows"].sum())
    return shares | ({OTHERS: rest / total} if rest else {})


def edges_of(numbers: pl.Series) -> list[float]:
    """Bounds between bins that hold equally many values; repeated ones once."""
    values = numbers.drop_nulls()
    found = [values.quantile(i / _BINS, "nearest") for i in range(1, _BINS)]
    return sorted({float(edge) for edge in found if edge is not None})


def shares_of_numbers(numbers: pl.Series, edges: list[float]) -> dict[str, float]:
    """The share of each bin, named by its number."""
    values = numbers.drop_nulls()
    if values.is_empty():
        return {}
    bins = pl.Series(edges, dtype=pl.Float64).search_sorted(values, side="left")
    counted: dict[Any, Any] = dict(pl.Series("bin", bins).value_counts(name="rows").iter_rows())
    return {str(bin_): rows / len(values) for bin_, rows in sorted(counted.items())}
