"""Columns as checks need them: numbers, times and texts of whatever type a batch has."""

from __future__ import annotations

import polars as pl

_TIMES = (
    "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d",
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y",
)  # fmt: skip
INSTANT = pl.Datetime("us", "UTC")


def column_of(frame: pl.DataFrame, name: str) -> pl.Series:
    """A column by name or by dotted path into records; all null where there is none."""
    if name in frame.columns:
        return frame[name]
    head, _, rest = name.partition(".")
    if rest and head in frame.columns and isinstance(frame[head].dtype, pl.Struct):
        return column_of(frame[head].struct.unnest(), rest)
    return pl.Series(name, [None], dtype=pl.String).new_from_index(0, frame.height)


def texts_of(values: pl.Series) -> pl.Series:
    """Text; blank cells are null."""
    if isinstance(values.dtype, pl.Struct):
        return values.struct.json_encode()
    if isinstance(values.dtype, pl.List | pl.Array):
        return values.to_frame("v").to_struct("s").struct.json_encode()
    text = values.cast(pl.String)
    if values.dtype != pl.String:
        return text
    bare = text.str.strip_chars()
    return bare.set(bare == "", None)


def numbers_of(values: pl.Series, decimal: str, thousands: str | None) -> pl.Series:
    """Float64; null where nothing stands or no number does."""
    if values.dtype.is_numeric() or values.dtype == pl.Boolean:
        return values.cast(pl.Float64)
    if values.dtype != pl.String:
        return pl.Series(values.name, [None], dtype=pl.Float64).new_from_index(0, len(values))
    text = texts_of(values)
    if thousands:
        text = text.str.replace_all(thousands, "", literal=True)
    if decimal != ".":
        text = text.str.replace(decimal, ".", literal=True)
    found = text.cast(pl.Float64, strict=False)
    return found.set(~found.is_finite().fill_null(value=False), None)


def times_of(values: pl.Series) -> pl.Series:
    """Instants in UTC; null where nothing stands or no time does."""
    if isinstance(values.dtype, pl.Datetime):
        zoned = values if values.dtype.time_zone else values.dt.replace_time_zone("UTC")
        return zoned.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    if values.dtype == pl.Date:
        return values.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if values.dtype != pl.String:
        return pl.Series(values.name, [None], dtype=INSTANT).new_from_index(0, len(values))
    text = pl.col("t").str.replace("Z$", "+00:00")
    tries = [
        text.str.to_datetime(form, time_unit="us", strict=False, time_zone="UTC") if "z" in form else
        text.str.to_datetime(form, time_unit="us", strict=False).dt.replace_time_zone("UTC")
        for form in _TIMES
    ]  # fmt: skip
    return texts_of(values).to_frame("t").select(pl.coalesce(tries)).to_series()


def key_hashes(frame: pl.DataFrame, columns: tuple[str, ...]) -> tuple[pl.Series, pl.Series]:
    """Two 64-bit hashes for each row of a key, and where the key is whole: a missing part identifies nothing."""
    parts = pl.DataFrame({str(i): texts_of(column_of(frame, name)) for i, name in enumerate(columns)})
    whole = parts.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
    row = parts.select(pl.struct(pl.all())).to_series()
    both = pl.DataFrame({"a": row.hash(1), "b": row.hash(2)})
    return both.to_struct("key"), whole
