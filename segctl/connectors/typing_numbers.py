"""Raw columns to exact numbers: 64-bit integers scaled by a power of ten, never through a binary float."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import polars as pl

from segctl.model.sources import PLAIN_NUMBERS, NumberForm

INT128 = pl.Int128
MOST_DIGITS = 18
"""Digits after the point that a formula's operand may have."""
FLOAT_DIGITS = 15
"""Decimals of so many digits survive a 64-bit float and back."""

_AFFIX = r"(?:eur|euro|usd|chf|gbp|pln|czk|sek|dkk|nok|jpy|€|\$|£|¥|zł|kč|fr\.?|kr\.?|%)"
_PREFIX = rf"(?i)^([-+−]?)\s*{_AFFIX}\s*"
_SUFFIX = rf"(?i)\s*{_AFFIX}$"
_BLANKS = "[\u00a0\u202f\u2009]"
_PLAIN = r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?$"


@dataclass(frozen=True, slots=True)
class Exact:
    """Exact decimals of one column.

    Attributes:
        numbers: Int128, the value times ``10 ** scale``; null is missing.
        scale: Digits after the point.
        bad: True where something stands that is no number.
        is_rounded: A division cut the digits, so further rounding is in order.
    """

    numbers: pl.Series
    scale: int
    bad: pl.Series
    is_rounded: bool = False


def to_scaled(
    raw: pl.Series, scale: int, *, form: NumberForm = PLAIN_NUMBERS, rounds: bool = False, is_share: bool = False
) -> pl.Series:
    """Int64 scaled by ``10 ** scale``; null where nothing stands or nothing fits.

    Args:
        raw: Text, integers, decimals or floats (by their shortest decimal form).
        scale: Digits after the point to keep.
        form: How numbers are written in text.
        rounds: Round half-even what has more digits; else it does not fit.
        is_share: ``12 %`` in text means 0.12.
    """
    if raw.dtype == pl.String:
        quick = _quick(raw, scale, form)
        if quick is not None:
            open_rows = (quick.is_null() & raw.is_not_null()).arg_true()
            if open_rows.is_empty():
                return quick
            slow = _slow(raw.gather(open_rows), scale, form, rounds=rounds, is_share=is_share)
            return quick.scatter(open_rows, slow)
        return _slow(raw, scale, form, rounds=rounds, is_share=is_share)
    if raw.dtype.is_float():
        quick = _from_floats(raw, scale)
        open_rows = (quick.is_null() & raw.is_finite()).arg_true()
        if open_rows.is_empty():
            return quick
        texts = raw.gather(open_rows).cast(pl.String)
        return quick.scatter(open_rows, _slow(texts, scale, PLAIN_NUMBERS, rounds=rounds, is_share=False))
    if raw.dtype.is_signed_integer() and raw.dtype != INT128 and (whole := _from_integers(raw, scale)) is not None:
        return whole
    exact = to_exact(raw, form=form)
    return rescaled(exact, scale, rounds=rounds)


def _from_integers(raw: pl.Series, scale: int) -> pl.Series | None:
    """Integers of at most 64 bits; None where one has no room."""
    factor = 10**scale
    room = (2**63 - 1) // factor
    if not all(-room <= one <= room for one in (raw.min(), raw.max()) if isinstance(one, int)):
        return None
    return raw.cast(pl.Int64) * factor if scale else raw.cast(pl.Int64)


def _quick(raw: pl.Series, scale: int, form: NumberForm) -> pl.Series | None:
    """Plainly written numbers with few enough digits; null for all others."""
    text = raw
    if form.decimal == ",":
        has_point = raw.str.contains(".", literal=True)
        text = raw.str.replace(",", ".", literal=True).set(has_point.fill_null(value=False), None)
    if scale == 0:
        return text.cast(pl.Int64, strict=False).rename(raw.name)
    floats = text.cast(pl.Float64, strict=False)
    numbers = _from_floats(floats, scale)
    # No two decimals of 15 digits share a float, so the one found is the one written; but 1e-400 becomes 0.
    doubtful = text.str.len_bytes() > FLOAT_DIGITS
    zeros = floats == 0
    if zeros.any() and text.filter(zeros).str.contains("[eE]").any():
        doubtful |= zeros & text.str.contains("[eE]")
    return numbers.set(doubtful.fill_null(value=False), None) if doubtful.any() else numbers


def _slow(raw: pl.Series, scale: int, form: NumberForm, *, rounds: bool, is_share: bool) -> pl.Series:
    text = cleaned(raw, form)
    exact = _exact_text(text)
    if is_share:
        percent = raw.str.strip_chars().str.ends_with("%").fill_null(value=False)
        if percent.any():
            exact = _percent(exact, percent)
    return rescaled(exact, scale, rounds=rounds)


def _percent(exact: Exact, percent: pl.Series) -> Exact:
    plain = exact.numbers * constant(100)
    return Exact(exact.numbers.zip_with(percent, plain), exact.scale + 2, exact.bad, exact.is_rounded)


def cleaned(raw: pl.Series, form: NumberForm) -> pl.Series:
    """Number texts in plain form (``-1234.5``): without blanks, currency, percent sign and groups.

    What is no number stays as it is; a group that has not three digits makes it none.
    """
    text = raw.str.strip_chars().str.replace_all(_BLANKS, " ")
    text = text.str.replace(_PREFIX, "${1}").str.replace(_SUFFIX, "").str.replace("^−", "-").str.strip_chars()
    text = text.str.replace(r"^([-+])\s+", "${1}")
    for group in {form.thousands, " ", "'", "’"} - {None, form.decimal}:
        if group is None or not text.str.contains(group, literal=True).any():
            continue
        sign = "\\" + group if group in ".'" else group
        point = "\\." if form.decimal == "." else form.decimal
        is_grouped = text.str.contains(rf"^[-+]?\d{{1,3}}(?:{sign}\d{{3}})+(?:{point}\d*)?$").fill_null(value=False)
        without = text.str.replace_all(group, "", literal=True)
        text = without.zip_with(is_grouped, text)
    if form.decimal != ".":
        point_or_comma = text.str.contains(".", literal=True).fill_null(value=False)
        text = text.str.replace(form.decimal, ".", literal=True).zip_with(~point_or_comma, text + "?")
    return text


def _exact_text(text: pl.Series) -> Exact:
    is_empty = text.is_null() | (text == "").fill_null(value=False)
    is_plain = text.str.contains(_PLAIN).fill_null(value=False)
    bad = ~is_plain & ~is_empty
    text = text.set(~is_plain, None)
    has_exponent = text.str.contains("[eE]").fill_null(value=False)
    if has_exponent.any():
        text = _without_exponent(text, has_exponent)
    text = text.str.replace(r"(\.\d*?)0+$", "${1}").str.strip_suffix(".")
    point = text.str.find(".", literal=True)
    digits = (text.str.len_bytes().cast(pl.Int64) - point.cast(pl.Int64) - 1).max()
    scale = min(int(digits) if isinstance(digits, int) else 0, MOST_DIGITS)
    numbers = text.cast(pl.Decimal(38, scale), strict=False).to_physical()
    too_long = (text.str.len_bytes().cast(pl.Int64) - point.cast(pl.Int64) - 1 > MOST_DIGITS).fill_null(value=False)
    bad |= (numbers.is_null() & is_plain) | too_long
    return Exact(numbers.set(too_long, None), scale, bad)


def _without_exponent(text: pl.Series, has_exponent: pl.Series) -> pl.Series:
    rows = has_exponent.arg_true()
    written = [format(Decimal(value), "f") for value in text.gather(rows).to_list()]
    return text.scatter(rows, pl.Series(written, dtype=pl.String))


def _from_floats(raw: pl.Series, scale: int) -> pl.Series:
    """Floats that are the nearest to a decimal of so many digits, and small enough for that to be unique."""
    floats = raw.cast(pl.Float64)
    if raw.dtype != pl.Float64:
        # A 32-bit float's shortest form is not the one of its 64-bit copy.
        return pl.Series(raw.name, [None] * len(raw), dtype=pl.Int64)
    # Polars divides by a number by multiplying with its inverse, which misses the nearest float now and then.
    written, factor = floats.to_numpy(), float(10**scale)
    with np.errstate(over="ignore"):
        scaled = np.round(written * factor)
        fits = (scaled / factor == written) & (np.abs(scaled) < 10.0**FLOAT_DIGITS)
    numbers = pl.Series(raw.name, np.where(fits, scaled, 0.0).astype(np.int64))
    return numbers if fits.all() else numbers.set(pl.Series(~fits), None)


def to_exact(raw: pl.Series, *, form: NumberForm = PLAIN_NUMBERS) -> Exact:
    """Exact decimals with as many digits after the point as the column has."""
    dtype = raw.dtype
    nothing = pl.repeat(value=False, n=len(raw), dtype=pl.Boolean, eager=True)
    if dtype.is_integer():
        return Exact(raw.cast(INT128), 0, nothing)
    if isinstance(dtype, pl.Decimal):
        return Exact(raw.to_physical(), dtype.scale, nothing)
    if dtype.is_float():
        infinite = raw.is_infinite().fill_null(value=False)
        text = raw.set(~raw.is_finite().fill_null(value=False), None).cast(pl.String)
        exact = _exact_text(text)
        return Exact(exact.numbers, exact.scale, exact.bad | infinite)
    if dtype == pl.String:
        return _exact_text(cleaned(raw, form))
    if dtype == pl.Null:
        return Exact(raw.cast(INT128), 0, nothing)
    return Exact(pl.Series(raw.name, [None] * len(raw), dtype=INT128), 0, raw.is_not_null())


def rescaled(exact: Exact, scale: int, *, rounds: bool) -> pl.Series:
    """Int64 at another scale; null where it does not fit."""
    numbers = exact.numbers.set(exact.bad, None) if exact.bad.any() else exact.numbers
    if exact.scale < scale:
        # Bounded first, so that 128 bits cannot wrap.
        numbers = within(numbers, 2**63) * constant(10 ** (scale - exact.scale))
    elif exact.scale > scale:
        shorter, is_exact = divided(numbers, 10 ** (exact.scale - scale))
        numbers = shorter if rounds or exact.is_rounded else shorter.set(~is_exact.fill_null(value=True), None)
    return within(numbers, 2**63).cast(pl.Int64, strict=False)


def constant(value: int) -> pl.Series:
    """One 128-bit number, as long as whatever it meets."""
    return pl.Series([value], dtype=INT128)


def within(numbers: pl.Series, bound: int) -> pl.Series:
    """Null where the absolute value reaches the bound."""
    outside = (numbers >= constant(bound)) | (numbers <= constant(-bound))
    return numbers.set(outside.fill_null(value=False), None) if outside.any() else numbers


def divided(numbers: pl.Series, divisor: int | pl.Series) -> tuple[pl.Series, pl.Series]:
    """Int128 quotients rounded half-even, and whether they are exact; the divisor is positive."""
    by = constant(divisor) if isinstance(divisor, int) else divisor
    quotients = numbers // by
    twice = (numbers - quotients * by) * constant(2)
    is_odd = (quotients - quotients // constant(2) * constant(2)) == constant(1)
    up = (twice > by) | ((twice == by) & is_odd)
    return quotients + up.cast(INT128), twice == constant(0)
