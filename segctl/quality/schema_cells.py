"""Columns of text read as numbers and truths; what is written plainly takes the short way."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

TRUE_WORDS = ("true", "t", "yes", "y", "ja", "j", "1", "wahr", "on", "x")
FALSE_WORDS = ("false", "f", "no", "n", "nein", "0", "falsch", "off")
_FIRST_SIGN = "!"
"""The first character that is neither blank nor a control character: what sorts before it may be a blank cell."""


@dataclass(frozen=True, slots=True)
class TextForm:
    """How text columns are written.

    Attributes:
        decimal: The decimal sign.
        thousands: The sign between groups of three digits, None when there is none.
        empty: Texts that stand for an empty cell; a blank cell always does.
        empty_is_null: An empty cell is JSON null everywhere, not only where the contract allows null.
    """

    decimal: str = "."
    thousands: str | None = None
    empty: tuple[str, ...] = ()
    empty_is_null: bool = False


def standing_cells(text: pl.Series, form: TextForm) -> pl.Series:
    """The texts as they are written; null where a cell is blank or one of the texts for empty."""
    text = text if text.dtype == pl.String else text.cast(pl.String)
    may_be_blank = bool((text < _FIRST_SIGN).any())
    if not may_be_blank and not form.empty:
        return text
    bare = pl.col("t").str.strip_chars()
    stands = bare != ""
    if form.empty:
        stands &= ~bare.is_in(form.empty)
    return text.to_frame("t").select(pl.when(stands).then("t").alias(text.name)).to_series()


def numbers_in(cells: pl.Series, form: TextForm) -> pl.Series:
    """Float64; null where no finite number is written. Rows with a stray blank are read again without it."""
    if form.decimal != "." or form.thousands is not None:
        return _finite(_plainly(cells, form).cast(pl.Float64, strict=False))
    found = cells.cast(pl.Float64, strict=False)
    if found.null_count() > cells.null_count():
        again = (found.is_null() & cells.is_not_null()).arg_true()
        found = found.scatter(again, cells.gather(again).str.strip_chars().cast(pl.Float64, strict=False))
    return _finite(found)


def _finite(numbers: pl.Series) -> pl.Series:
    odd = ~numbers.is_finite()
    return numbers.set(odd.fill_null(value=False), None) if odd.any() else numbers


def _plainly(cells: pl.Series, form: TextForm) -> pl.Series:
    text = cells.str.strip_chars()
    if form.thousands is not None:
        text = without_groups(text, form)
    if form.decimal != ".":
        has_point = text.str.contains(".", literal=True).fill_null(value=False)
        text = text.str.replace(form.decimal, ".", literal=True).set(has_point, None)
    return text


def without_groups(text: pl.Series, form: TextForm) -> pl.Series:
    """Numbers without the signs between their groups; a text that is not grouped properly stays as it is."""
    group = form.thousands or ""
    sign = "\\" + group if group in (".", "'") else group
    point = "\\." if form.decimal == "." else form.decimal
    grouped = text.str.contains(rf"^[-+]?[0-9]{{1,3}}(?:{sign}[0-9]{{3}})+(?:{point}[0-9]*)?$").fill_null(value=False)
    return text.str.replace_all(group, "", literal=True).zip_with(grouped, text)


def truths_in(cells: pl.Series, numbers: pl.Series | None) -> pl.Series:
    """Truths; null where none is written, or where the cell is a number already."""
    if numbers is not None:
        cells = cells.set(numbers.is_not_null(), None)
    is_true, is_false = cells == "true", cells == "false"
    if (is_true | is_false).sum() != cells.is_not_null().sum():
        word = cells.str.strip_chars().str.to_lowercase()
        is_true, is_false = word.is_in(TRUE_WORDS), word.is_in(FALSE_WORDS)
    return is_true.set(~(is_true | is_false).fill_null(value=False), None)
