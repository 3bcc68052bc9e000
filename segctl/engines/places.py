"""Whether profiles are near places: each distinct place that occurs is decided once, by the code all engines share."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from segctl.compile import ir
from segctl.compile.places.near import is_near


def near_column(places: pl.DataFrame, columns: Sequence[str], test: ir.Near) -> pl.Series:
    """The answer for each row: true, false, or null where the place is not known.

    Args:
        places: One row per profile.
        columns: Where the values of the test's `place` stand, in their order.
        test: The question.
    """
    distinct = places.select(columns).unique()
    answers = pl.Series("answer", [is_near(test, row) for row in distinct.iter_rows()], dtype=pl.Boolean)
    known = distinct.with_columns(answers)
    found = places.select(columns).join(known, on=list(columns), how="left", nulls_equal=True, maintain_order="left")
    return found.get_column("answer")
