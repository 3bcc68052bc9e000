"""When versions of records and of rows of related tables that are dated ahead become valid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.engines.profiles import RecordFile
    from segctl.engines.related_rows import RowFile

_INSTANT = pl.Datetime("us", "UTC")
_SCHEMA = {"subject": pl.Int32(), "due": pl.Int64()}


@dataclass(frozen=True, slots=True)
class Ahead:
    """What lies ahead of an instant, by the subjects of profiles.

    Attributes:
        canonical: Subject → subject of its profile (position = subject); None when each is its own.
        as_of: The instant.
    """

    canonical: pl.Series | None
    as_of: datetime

    def records(self, files: Sequence[RecordFile]) -> pl.DataFrame:
        """``subject``, ``due`` (microseconds): the next version of any record of each profile that has one ahead."""
        coming = (
            (pl.scan_parquet(file.path, glob=False, hive_partitioning=False) if file.held is None else file.held.lazy())
            .filter(self._is_ahead())
            .select("subject", pl.col("valid_from").cast(pl.Int64).alias("due"))
            for file in files
            if file.rows
        )
        return self.first(coming)

    def rows(self, files: Sequence[RowFile]) -> pl.DataFrame:
        """The same of rows of related tables; whoever had a row, or comes to have it, waits for its next version."""
        versions = [
            pl.scan_parquet(file.path, glob=False, hive_partitioning=False).select(
                "subject", "key", "valid_from", source=pl.lit(file.source)
            )
            for file in files
            if file.rows
        ]
        if not versions:
            return pl.DataFrame(schema=_SCHEMA)
        every = pl.concat(versions)
        coming = every.filter(self._is_ahead()).group_by("source", "key").agg(
            pl.col("valid_from").min().cast(pl.Int64).alias("due")
        )  # fmt: skip
        owners = every.select("subject", "source", "key").drop_nulls("subject")
        return self.first([owners.join(coming, on=["source", "key"]).select("subject", "due")])

    def first(self, coming: Iterable[pl.LazyFrame]) -> pl.DataFrame:
        """The earliest instant of each profile among ``subject``, ``due`` of raw subjects."""
        found = pl.concat([pl.LazyFrame(schema=_SCHEMA), *coming]).collect(engine="streaming")
        if self.canonical is not None:
            found = found.with_columns(self.canonical.gather(found.get_column("subject")).alias("subject"))
        return found.group_by("subject").agg(pl.col("due").min())

    def _is_ahead(self) -> pl.Expr:
        return pl.col("valid_from") > pl.lit(self.as_of).cast(_INSTANT)
