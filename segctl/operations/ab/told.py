"""Contacts on record: whom pushes told, when, and for which segment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from segctl.model.contacted import CONTACTED
from segctl.model.types import TEXT, stored_column

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.engines.base import EventPart


def contacts_of(parts: Iterable[EventPart], as_of: datetime | None) -> pl.DataFrame:
    """``subject``, ``ts`` (microseconds), ``segment`` of every contact up to as_of; of all when None."""
    import polars as pl

    from segctl.compile.zones import to_us

    column = stored_column("segment", TEXT)
    found = [pl.DataFrame(schema={"subject": pl.Int32, "ts": pl.Int64, "segment": pl.String})]
    for part in parts:
        if CONTACTED not in part.kinds or column not in part.columns:
            continue
        rows = pl.scan_parquet(part.path, glob=False, hive_partitioning=False)
        if len(part.kinds) > 1:
            rows = rows.filter(pl.col("kind") == CONTACTED)
        rows = rows.select("subject", pl.col("ts").cast(pl.Int64), pl.col(column).alias("segment"))
        found.append((rows if as_of is None else rows.filter(pl.col("ts") <= to_us(as_of))).collect())
    return pl.concat(found)
