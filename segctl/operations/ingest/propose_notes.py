"""What a person should know about the columns of a file that a declaration is proposed for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_TIMES = ("date", "time")
_MANY = {"date": "dates", "time": "times", "integer": "whole numbers", "money": "amounts", "number": "numbers"}


def about_columns(frame: pl.DataFrame, lines: pl.Series, decimal: str, thousands: str | None) -> Iterator[str]:
    """Columns that hold records, and those of which a few values are of another kind than all the others.

    Args:
        frame: A sample of the file.
        lines: Where each of its rows stands in the file.
        decimal: The decimal mark.
        thousands: The mark between thousands, None for none.
    """
    import polars as pl

    from segctl.connectors.typing_guess import is_mostly_time, strays

    for column in frame:
        if isinstance(column.dtype, pl.List) and isinstance(column.dtype.inner, pl.Struct):
            yield f"`{column.name}` holds records; `each: {column.name}` makes events of them (segctl help sources)"
        kind, rows = strays(column, column.name, decimal, thousands)
        if rows.any():
            is_time = kind in _TIMES and is_mostly_time(column)
            yield _about(column, kind, rows, lines) + ("" if is_time else "; undeclared, such a column is text")


def nearest_time(frame: pl.DataFrame, lines: pl.Series) -> str | None:
    """The column that would hold times but for some rows, and where these are; None when there is none."""
    from segctl.connectors.typing_guess import strays

    found = [(column, *strays(column, column.name, share=0.5)) for column in frame]
    timed = [(int(rows.sum()), column, kind, rows) for column, kind, rows in found if kind in _TIMES]
    if not timed:
        return None
    _, column, kind, rows = min(timed, key=lambda one: one[0])
    return _about(column, kind, rows, lines)


def _about(column: pl.Series, kind: str, rows: pl.Series, lines: pl.Series) -> str:
    from segctl.connectors.typing_values import present

    count = int(rows.sum())
    others = "that of" if count == 1 else f"{count:,} are not, the first in"
    tail = " is not" if count == 1 else ""
    whole = int(present(column).sum())
    return (
        f"`{column.name}`: {whole - count:,} of {whole:,} values are {_MANY[kind]}; "
        f"{others} line {lines.filter(rows)[0]}{tail}"
    )
