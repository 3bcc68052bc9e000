"""Days of birth as digits: right or mistyped, whole or the year alone."""

from __future__ import annotations

import polars as pl

# Latin digits only: the day of birth is compared digit by digit.
_YEAR_FIRST = r"^([0-9]{4})(?:([0-9]{2})([0-9]{2})|[-/.]([0-9]{1,2})[-/.]([0-9]{1,2}))(?:[^0-9]|$)"
_DAY_FIRST = r"^([0-9]{1,2})[-/. ]+([0-9]{1,2})[-/. ]+([0-9]{4})(?:[^0-9]|$)"


def birth_dates(
    dates: list[pl.Series], years: list[pl.Series], months: list[pl.Series], days: list[pl.Series]
) -> pl.Series | None:
    """The day of birth as text, from a column of its own or put together; None without any.

    Args:
        dates: Columns with whole dates; the first is used.
        years: Columns with the year, used where there is no date.
        months: Columns with the month.
        days: Columns with the day of the month; a year alone stays alone.
    """
    if dates or not years:
        return dates[0] if dates else None
    if not (months and days):
        return years[0]
    parts = pl.DataFrame({"y": years[0], "m": months[0], "d": days[0]})
    digits = (pl.col(part).str.extract(r"^([0-9]+)") for part in "ymd")
    whole = parts.select(whole=pl.concat_str(*digits, separator="-"), year="y")
    return whole.select(pl.coalesce("whole", "year")).to_series()


def date_digits(text: pl.Expr) -> pl.Expr:
    """Eight digits, year first, of `1971-06-24`, `19710624` or `24.6.1971`; null for anything else.

    The digits need not be a day of the calendar: a mistyped date is still evidence.
    """
    first = text.str.extract_groups(_YEAR_FIRST).struct
    month, day = (pl.coalesce(first.field(a), first.field(b)).str.zfill(2) for a, b in (("2", "4"), ("3", "5")))
    year_first = pl.concat_str(first.field("1"), month, day)
    parts = text.str.extract_groups(_DAY_FIRST).struct
    day_first = pl.concat_str(parts.field("3"), parts.field("2").str.zfill(2), parts.field("1").str.zfill(2))
    return pl.coalesce(year_first, day_first)


def year_digits(text: pl.Expr) -> pl.Expr:
    """The year of a date, or of a text that begins with one and says no more."""
    return pl.coalesce(date_digits(text).str.head(4), text.str.extract(r"^([0-9]{4})(?:\.0)?$"))
