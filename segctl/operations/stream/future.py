"""Events from too far ahead: a clock that is wrong must not decide about people for years."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.files import RawBatch
    from segctl.connectors.typing_rows import TypedBatch
    from segctl.model.sources import Source

_EXPECTED = "a time at most 24 hours after its arrival"


def without_future(source: Source, typed: TypedBatch, batch: RawBatch, latest: datetime) -> TypedBatch:
    """The typed batch without events later than that; their rows are bad, with the reason.

    Args:
        source: Whose rows.
        typed: Rows of one batch.
        batch: What they were typed from.
        latest: The last instant that counts, aware.
    """
    import polars as pl

    rows = typed.rows
    if source.holds_profiles or not rows.height or not _any_after(rows, latest):
        return typed
    ahead = rows.filter(pl.col("ts") > latest).unique("row", keep="first", maintain_order=True)
    typed.bad = pl.concat([typed.bad, _bad_rows(source, ahead, batch)], how="diagonal_relaxed").sort("row")
    typed.rows = rows.join(ahead.select("row"), on="row", how="anti", maintain_order="left")
    if typed.linked.height:
        typed.linked = typed.linked.join(ahead.select("row"), on="row", how="anti", maintain_order="left")
    return typed


def _any_after(rows: pl.DataFrame, latest: datetime) -> bool:
    newest = rows["ts"].max()
    return isinstance(newest, datetime) and newest > latest


def _bad_rows(source: Source, ahead: pl.DataFrame, batch: RawBatch) -> pl.DataFrame:
    import polars as pl

    from segctl.connectors.typing_rows import REASON
    from segctl.model.sources import columns_of

    column = next((name for rule in source.events for name in columns_of(rule.time.value)), "ts")
    frame = batch.frame[ahead["row"]]
    raw = frame.select(pl.struct(pl.all()).struct.json_encode().alias("raw")).to_series()
    reason = pl.struct(
        column=pl.lit(column),
        expected=pl.lit(_EXPECTED),
        value=pl.col("ts").dt.to_string("iso:strict"),
        reason=pl.lit("it lies too far ahead"),
    )
    listed = ahead.select(reasons=pl.concat_list(reason.cast(REASON)))["reasons"]
    return ahead.select("row", "line", raw.alias("raw"), listed.alias("reasons"))
