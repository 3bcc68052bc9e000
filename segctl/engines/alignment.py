"""Results that have a row for some profiles only, put beside all profiles."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray


def narrowed(found: pl.DataFrame) -> pl.DataFrame:
    """Sums that were added up in 128 bits as 64-bit integers, where they fit."""
    limit = 2**63 - 1
    fitting = [
        name
        for name, dtype in found.schema.items()
        if dtype == pl.Int128 and found.get_column(name).is_between(-limit, limit).all()
    ]
    return found.with_columns(pl.col(fitting).cast(pl.Int64)) if fitting else found


def aligned(subjects: pl.Series, found: pl.DataFrame, zeros: Collection[str]) -> list[pl.Series]:
    """Columns of `found` in the order of `subjects`; null, or zero where named, for those it has no row of.

    Args:
        subjects: Ascending, unique.
        found: At most one row per subject; rows of others are left out.
        zeros: Columns whose absence means zero (or false).
    """
    place, inside = _places(subjects.to_numpy(), found.get_column("subject").to_numpy())
    if not inside.all():
        found, place = found.filter(pl.Series(inside)), place[inside]
    rows = pl.Series(place.astype(np.uint32))
    # A scatter of values in pieces takes half as long again.
    found = found.rechunk()
    return [_column(found.get_column(name), rows, len(subjects), zero=name in zeros) for name in found.columns[1:]]


def _places(subjects: NDArray[np.int32], found: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The row of each found subject, and whether it has one."""
    if not len(subjects):
        return np.zeros(len(found), np.int64), np.zeros(len(found), np.bool_)
    first, last = int(subjects[0]), int(subjects[-1])
    if last - first + 1 == len(subjects):
        return found.astype(np.int64) - first, (found >= first) & (found <= last)
    place = np.minimum(np.searchsorted(subjects, found), len(subjects) - 1)
    return place, subjects[place] == found


def _column(values: pl.Series, rows: pl.Series, height: int, *, zero: bool) -> pl.Series:
    # A scatter costs a sixth of a join with many columns.
    if values.dtype in (pl.Int128, pl.List, pl.Struct):
        return _gathered(values, rows, height, zero=zero)
    if zero:
        base = pl.Series([0]).cast(values.dtype).new_from_index(0, height)
    else:
        base = pl.Series([None], dtype=values.dtype).new_from_index(0, height)
    return base.scatter(rows, values).alias(values.name) if len(rows) else base.alias(values.name)


def _gathered(values: pl.Series, rows: pl.Series, height: int, *, zero: bool) -> pl.Series:
    source = pl.repeat(None, height, dtype=pl.UInt32, eager=True)
    if len(rows):
        source = source.scatter(rows, pl.int_range(len(rows), dtype=pl.UInt32, eager=True))
    placed = values.gather(source)
    return placed.fill_null(0) if zero else placed
