"""Rows of a related table as they were at an instant: of every row the version that was valid, for its profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import polars as pl

from segctl.engines.physical import stored_dtype
from segctl.model.dataclass import dataclass
from segctl.model.types import ValueType, stored_column

_INSTANT = pl.Datetime("us", "UTC")
_BEGINNING = -(2**62)


@dataclass(frozen=True, slots=True)
class RowFile:
    """One immutable Parquet file of versions of rows.

    Columns: ``subject`` Int32 (of the identifier it came with; null for a row that is gone), ``key`` String,
    ``valid_from`` Datetime(us, UTC; null is from the beginning), ``arrival`` Int64, ``gone`` Boolean, ``file_id``,
    ``line``, and one per property named by `model.types.stored_column`.

    Attributes:
        columns: Names of the columns present.
    """

    path: str
    source: str
    rows: int
    columns: tuple[str, ...]


def related_rows(
    files: Sequence[RowFile],
    canonical: pl.Series | None,
    *,
    as_of: datetime,
    properties: Mapping[str, ValueType],
    lineage: bool = False,
) -> pl.DataFrame:
    """The rows of one table that are there at as_of: `EngineInput.related`.

    Args:
        files: All files of the table, of all sources.
        canonical: Subject → subject of its profile (position = subject); None when each is its own.
        as_of: Later versions do not count.
        properties: Those wanted, by name.
        lineage: Also ``file_id`` and ``line``, and as ``ts`` from when the version holds.
    """
    frames = [_versions(file, properties, as_of) for file in files if file.rows]
    further = ("file_id", "line") if lineage else ()
    if not frames:
        return pl.DataFrame(schema=_schema(properties, further))
    versions = pl.concat(frames).sort("valid", "arrival", maintain_order=True).collect(engine="streaming")
    newest = versions.unique(["source", "event_id"], keep="last", maintain_order=True).filter(~pl.col("gone"))
    subjects = newest.get_column("subject")
    owners = subjects if canonical is None else canonical.gather(subjects)
    ts = pl.max_horizontal("valid", 0) if lineage else pl.lit(0, pl.Int64)
    return newest.with_columns(owners.alias("subject"), ts.cast(_INSTANT).alias("ts")).select(
        "subject", "ts", "source", "event_id", *further, *(pl.col(_hidden(name)).alias(name) for name in properties)
    )


def _schema(properties: Mapping[str, ValueType], further: Sequence[str]) -> dict[str, pl.DataType]:
    base: dict[str, pl.DataType] = {
        "subject": pl.Int32(), "ts": _INSTANT, "source": pl.String(), "event_id": pl.String(),
    }  # fmt: skip
    lineage: dict[str, pl.DataType] = {"file_id": pl.Int32(), "line": pl.Int64()}
    return {
        **base,
        **{name: lineage[name] for name in further},
        **{name: stored_dtype(of) for name, of in properties.items()},
    }


def _versions(file: RowFile, properties: Mapping[str, ValueType], as_of: datetime) -> pl.LazyFrame:
    """All versions of a file that are valid at or before as_of."""
    valid = pl.col("valid_from")
    columns = [
        pl.col("subject"),
        valid.cast(pl.Int64).fill_null(_BEGINNING).alias("valid"),
        pl.col("arrival").cast(pl.Int64),
        pl.lit(file.source).alias("source"),
        pl.col("key").alias("event_id"),
        pl.col("gone"),
        pl.col("file_id"),
        pl.col("line"),
    ]
    for name, of in properties.items():
        column = stored_column(name, of)
        value = pl.col(column) if column in file.columns else pl.lit(None, stored_dtype(of))
        columns.append(value.alias(_hidden(name)))
    frame = pl.scan_parquet(file.path, glob=False, hive_partitioning=False)
    return frame.filter(valid.is_null() | (valid <= pl.lit(as_of).cast(_INSTANT))).select(*columns)


def _hidden(name: str) -> str:
    """A property's column while it stands beside the engine's own, which it may be named like."""
    return f"property:{name}"
