"""The form values have while an engine works: instants and days are whole numbers, all else as stored.

Instants become microseconds and dates days since 1970 (Int64), also inside lists and structs. No engine then
needs to know a zone, and every comparison is one of numbers or of texts.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from segctl.compile.ir import Physical
from segctl.compile.zones import EPOCH_DAY, to_us
from segctl.model.types import Kind, ValueType

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw
    import polars as pl

Plain = str | int | float | bool


def plain(value: Physical, value_type: ValueType) -> Plain:
    """A literal in working form."""
    if isinstance(value, datetime):
        return to_us(value)
    if isinstance(value, date):
        return value.toordinal() - EPOCH_DAY
    return float(value) if value_type.kind is Kind.REAL else value


def has_moments(value_type: ValueType) -> bool:
    """True if the stored form differs from the working form."""
    if value_type.element is not None:
        return has_moments(value_type.element)
    return value_type.kind in (Kind.DATE, Kind.TIME) or any(has_moments(of) for _, of in value_type.fields)


def stored_dtype(value_type: ValueType) -> pl.DataType:
    """The column type in files and answers."""
    import polars as pl

    simple: dict[Kind, pl.DataType] = {
        Kind.TEXT: pl.String(),
        Kind.BOOLEAN: pl.Boolean(),
        Kind.DATE: pl.Date(),
        Kind.TIME: pl.Datetime("us", "UTC"),
        Kind.REAL: pl.Float64(),
    }
    if value_type.kind is Kind.LIST and value_type.element is not None:
        return pl.List(stored_dtype(value_type.element))
    if value_type.kind is Kind.STRUCT:
        return pl.Struct([pl.Field(name, stored_dtype(of)) for name, of in value_type.fields])
    return simple.get(value_type.kind, pl.Int64())


def working_dtype(value_type: ValueType) -> pl.DataType:
    """The column type while an engine works."""
    import polars as pl

    if value_type.kind is Kind.LIST and value_type.element is not None:
        return pl.List(working_dtype(value_type.element))
    if value_type.kind is Kind.STRUCT:
        return pl.Struct([pl.Field(name, working_dtype(of)) for name, of in value_type.fields])
    return pl.Int64() if value_type.kind in (Kind.DATE, Kind.TIME) else stored_dtype(value_type)


def portable_dtype(value_type: ValueType) -> nw.dtypes.DType:
    """`working_dtype` for the portable layer; only for values that are neither list nor struct."""
    import narwhals.stable.v2 as nw

    simple: dict[Kind, nw.dtypes.DType] = {
        Kind.TEXT: nw.String(),
        Kind.BOOLEAN: nw.Boolean(),
        Kind.REAL: nw.Float64(),
    }
    return simple.get(value_type.kind, nw.Int64())


def worked(column: str, value_type: ValueType) -> pl.Expr:
    """A stored Polars column in working form, under its own name."""
    import polars as pl

    # Polars takes a date apart into days as Int32 first; the nested cast does the same inside lists and structs.
    return pl.col(column).cast(working_dtype(value_type)) if has_moments(value_type) else pl.col(column)


def stored(column: str, value_type: ValueType) -> pl.Expr:
    """A working Polars column back in its stored form, under its own name."""
    import polars as pl

    if not has_moments(value_type):
        return pl.col(column)
    dtype = stored_dtype(value_type)
    return pl.col(column).cast(pl.Int32).cast(dtype) if value_type.kind is Kind.DATE else pl.col(column).cast(dtype)
