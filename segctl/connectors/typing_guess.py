"""What type a raw column seems to have; cautious: what may be an identifier stays text."""

from __future__ import annotations

import re

import polars as pl

from segctl.connectors.typing_formulas import Columns
from segctl.connectors.typing_values import Counts, present, typed
from segctl.model.sources import Column, NumberForm, Target
from segctl.model.types import BOOLEAN, DATE, INTEGER, TEXT, TIME, Kind, ValueType

_NUMBER = ValueType(Kind.NUMBER, 6)
_MONEY = ValueType(Kind.MONEY, 2)
_LIST = ValueType(Kind.LIST, element=TEXT)
_TYPES = {"boolean": BOOLEAN, "date": DATE, "time": TIME, "integer": INTEGER, "money": _MONEY, "number": _NUMBER}
_ID_LIKE = re.compile(
    r"(^|[_\W])(id|nr|no|number|nummer|code|plz|zip|phone|telefon|sku|ean|key)([_\W]|$)|(id|nr)$", re.IGNORECASE
)
_MONEY_LIKE = re.compile(
    r"price|preis|value|betrag|amount|total|revenue|umsatz|cost|charge|discount|rabatt|spend", re.IGNORECASE
)
_TIME_LIKE = re.compile(r"time|zeit|date|datum|_ts|^ts|_at$", re.IGNORECASE)
_MISSING = ("nan", "null", "none", "n/a", "#n/a", "na", "k.a.", "k. a.", "-", "--")
"""What exporters write into empty cells of numbers and times, in small letters."""
_MOSTLY = 0.99
_NEARLY = 0.8
_FEWEST = 5
"""Among fewer values nobody can say which of them are mistakes."""
_EPOCHS = {"epoch_s": (1, 10), "epoch_ms": (1_000, 13), "epoch_us": (1_000_000, 16)}
_FIRST_S, _LAST_S = 473_385_600, 4_102_444_800  # 1985 to 2100: what a number of seconds may mean as a time


def guess(column: pl.Series, name: str, decimal: str = ".", thousands: str | None = None) -> str:
    """The short type that every value of the sample fits; ``text`` when in doubt."""
    if isinstance(column.dtype, pl.List):
        return "{type: list, of: text}"
    if isinstance(column.dtype, pl.Struct) or not present(column).any():
        return "text"
    if column.dtype == pl.Boolean:
        return "boolean"
    if column.dtype.is_temporal():
        return "date" if column.dtype == pl.Date else "time"
    if _ID_LIKE.search(name) or _has_leading_zeros(column):
        return "text"
    for short, value_type in _TYPES.items():
        if short == "money" and not _MONEY_LIKE.search(name):
            continue
        if short == "boolean" and (column.dtype != pl.String or column.str.contains("[0-9]").any()):
            continue  # 0 and 1 are as often numbers as truths
        if _fits(column, value_type, NumberForm(decimal, thousands)):
            return short
    return "text"


def missing_words(column: pl.Series, name: str, decimal: str = ".", thousands: str | None = None) -> tuple[str, ...]:
    """Texts that stand for a missing value in a column that would be more than text without them."""
    if column.dtype != pl.String:
        return ()
    text = column.str.strip_chars()
    is_word = text.str.to_lowercase().is_in(_MISSING).fill_null(value=False)
    if not is_word.any() or guess(column, name, decimal, thousands) != "text":
        return ()
    rest = column.set(is_word, None)
    return tuple(text.filter(is_word).unique().sort()) if guess(rest, name, decimal, thousands) != "text" else ()


def is_mostly_time(column: pl.Series) -> bool:
    """True when at least 99 of 100 values are times, of fewer all but one, so that the others are mistakes."""
    if column.dtype != pl.String or not column.str.contains(r"\d[-.T:/]\d").any():
        return False
    bad = _misfits(column, TIME, NumberForm()).sum()
    count = int(present(column).sum())
    return bad <= (1 - _MOSTLY) * count or (bad == 1 and count >= _FEWEST)


def strays(
    column: pl.Series, name: str, decimal: str = ".", thousands: str | None = None, *, share: float = _NEARLY
) -> tuple[str, pl.Series]:
    """What at least that share of the values of a column of text are, and which rows hold the others.

    Returns:
        A short type and a Boolean per row; ``text`` and no true one when all values are of one kind, or of none.
    """
    none = pl.repeat(value=False, n=len(column), eager=True)
    count = int(present(column).sum())
    is_plain = column.dtype != pl.String or _ID_LIKE.search(name) or _has_leading_zeros(column)
    if is_plain or count < _FEWEST or guess(column, name, decimal, thousands) != "text":
        return "text", none
    best, rows = "text", none
    for short, value_type in _TYPES.items():
        if short == "boolean" or (short == "money" and not _MONEY_LIKE.search(name)):
            continue
        if not _may_fit(column, value_type):
            continue
        bad = _misfits(column, value_type, NumberForm(decimal, thousands))
        if bad.sum() <= (1 - share) * count and (best == "text" or bad.sum() < rows.sum()):
            best, rows = short, bad
    return best, rows


def is_id_like(name: str) -> bool:
    """True when a column of that name numbers things."""
    return _ID_LIKE.search(name) is not None


def _has_leading_zeros(column: pl.Series) -> bool:
    return column.dtype == pl.String and bool(column.str.contains(r"^\s*\+?0\d+\s*$").any())


def _fits(column: pl.Series, value_type: ValueType, form: NumberForm) -> bool:
    if not _may_fit(column, value_type):
        return False
    found = typed(Target("c", value_type, Column("c")), Columns(column.alias("c").to_frame(), form), Counts())
    return found.bad is None and present(column).any() and found.values.null_count() < len(column)


def _may_fit(column: pl.Series, value_type: ValueType) -> bool:
    if value_type.kind not in (Kind.DATE, Kind.TIME):
        return True
    if column.dtype != pl.String or (value_type.kind is Kind.DATE and column.str.contains(":").any()):
        return False
    return bool(column.str.contains(r"\d[-.T:/]\d").any())  # 20261121 may be a day, and as well a number


def _misfits(column: pl.Series, value_type: ValueType, form: NumberForm) -> pl.Series:
    found = typed(Target("c", value_type, Column("c")), Columns(column.alias("c").to_frame(), form), Counts())
    return pl.repeat(value=False, n=len(column), eager=True) if found.bad is None else found.bad


def epoch_format(column: pl.Series, name: str) -> str | None:
    """The epoch format of a column of numbers whose name speaks of time; None when it is none."""
    if not _TIME_LIKE.search(name):
        return None
    numbers = column.cast(pl.String).cast(pl.Int64, strict=False)
    if numbers.null_count() > column.null_count() or numbers.is_empty():
        return None
    low, high = numbers.min(), numbers.max()
    if not isinstance(low, int) or not isinstance(high, int):
        return None
    for form, (factor, _) in _EPOCHS.items():
        if _FIRST_S * factor <= low and high <= _LAST_S * factor:
            return form
    return None


def declared_type(short: str) -> ValueType:
    """The type of a short form that `guess` gives."""
    return _LIST if short.startswith("{") else {**_TYPES, "text": TEXT}[short]
