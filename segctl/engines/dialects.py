"""The few words of whole-number and calendar arithmetic that engines spell differently."""

from __future__ import annotations

from datetime import date
from typing import Protocol

import narwhals.stable.v2 as nw

_EPOCH = date(1970, 1, 1)


class Dialect(Protocol):
    """How one engine says them."""

    def quotient(self, value: nw.Expr, divisor: int) -> nw.Expr:
        """The whole quotient, rounded down."""
        ...

    def as_date(self, day: nw.Expr) -> nw.Expr:
        """Days since 1970 as a date."""
        ...

    def as_day(self, of: nw.Expr) -> nw.Expr:
        """A date as days since 1970."""
        ...


class PolarsDialect:
    """Polars takes dates and whole numbers for one another."""

    def quotient(self, value: nw.Expr, divisor: int) -> nw.Expr:
        """The whole quotient, rounded down."""
        return value // divisor

    def as_date(self, day: nw.Expr) -> nw.Expr:
        """Days since 1970 as a date."""
        return day.cast(nw.Int32).cast(nw.Date)

    def as_day(self, of: nw.Expr) -> nw.Expr:
        """A date as days since 1970."""
        return of.cast(nw.Int32).cast(nw.Int64)


class SqlDialect:
    """DuckDB counts days from a date."""

    def quotient(self, value: nw.Expr, divisor: int) -> nw.Expr:
        """The whole quotient, rounded down."""
        # The portable `//` repeats its operand ten times in SQL, and nested it grows without bound. The multiple is
        # exact as a float because divisors such as a day in microseconds are multiples of powers of two.
        return ((value - value % divisor).cast(nw.Float64) / divisor).cast(nw.Int64)

    def as_date(self, day: nw.Expr) -> nw.Expr:
        """Days since 1970 as a date."""
        return nw.lit(_EPOCH) + day.cast(nw.Int32)

    def as_day(self, of: nw.Expr) -> nw.Expr:
        """A date as days since 1970."""
        return of.cast(nw.Date) - nw.lit(_EPOCH)
