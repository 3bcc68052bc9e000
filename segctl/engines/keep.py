"""Ranking of the matched: the best stay, in each group where groups are asked for."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import polars as pl

from segctl.compile import ir


def kept(
    answers: pl.DataFrame,
    matched: pl.Series,
    keep: ir.Keep,
    *,
    by: str,
    per: str | None,
    ids: Callable[[pl.Series], pl.Series] | None = None,
) -> pl.Series:
    """Which profiles stay: one Boolean per row of `answers`, without nulls.

    A share is of all matched (of the group), also of those without a value to rank by; it is rounded up
    and at least one. Equal values: the smaller profile id by code point stays.

    Args:
        answers: Columns `by` and `per`, and `profile_id` unless `ids` are given.
        matched: One Boolean per row, without nulls.
        keep: The rule.
        by: Column that ranks.
        per: Column that groups, None for one group of all.
        ids: Profile ids of some rows: few are asked for.
    """
    group = pl.lit(0).alias("group") if per is None else pl.col(per).alias("group")
    rows = answers.select(pl.col(by).alias("by"), group).with_row_index("row").filter(matched)
    if per is not None and not keep.keep_missing_group:
        rows = rows.filter(pl.col("group").is_not_null())
    rows = rows.with_columns(_places(keep).cast(pl.Int64).alias("places"))
    rows = rows.filter(pl.col("by").is_not_null())
    rows = _best(rows, keep) if per is None else rows
    # Most rows are better or worse than the last one that stays, whatever their ids.
    value = pl.col("by").rank("min", descending=keep.best == "top").over("group").cast(pl.Int64)
    rows = rows.with_columns(value.alias("value")).filter(pl.col("value") <= pl.col("places"))
    ties = pl.len().over("group", "value")
    is_safe = pl.col("value") - 1 + ties <= pl.col("places")
    ranked = rows.with_columns(is_safe.alias("is_safe"))
    last = ranked.filter(~pl.col("is_safe"))
    places = last.get_column("row")
    names = answers.get_column("profile_id").gather(places) if ids is None else ids(places)
    last = last.with_columns(names.alias("profile_id")).sort("profile_id", maintain_order=True)
    rank = pl.col("value") - 1 + pl.int_range(pl.len(), dtype=pl.Int64).over("group")
    stay = pl.concat([
        ranked.filter("is_safe").get_column("row"), last.filter(rank < pl.col("places")).get_column("row"),
    ])  # fmt: skip
    nobody = pl.repeat(value=False, n=answers.height, dtype=pl.Boolean, eager=True)
    return nobody.scatter(stay, True) if len(stay) else nobody


def _best(rows: pl.DataFrame, keep: ir.Keep) -> pl.DataFrame:
    """Of one group, the rows that are no worse than the last one that stays."""
    by, places = rows.get_column("by"), rows.item(0, "places") if rows.height else 0
    if by.len() <= places or not places:
        return rows
    last = by.sort(descending=keep.best == "top")[places - 1]
    return rows.filter(by >= last if keep.best == "top" else by <= last)


def _places(keep: ir.Keep) -> pl.Expr:
    if keep.count is not None:
        return pl.lit(keep.count)
    share = Fraction(keep.percent or "0") / 100
    number = pl.len().over("group").cast(pl.Int64)
    rounded_up = (number * share.numerator + (share.denominator - 1)) // share.denominator
    return pl.max_horizontal(rounded_up, pl.lit(1, pl.Int64))
