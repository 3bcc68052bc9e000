"""Numbers compared as JSON Schema wants it: exactly, whatever type holds them."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Literal

import polars as pl

from segctl.quality.schema_slots import EXACT_FLOAT, Alternative
from segctl.quality.schema_truth import Truth, both

Sign = Literal["<", "<=", ">", ">="]
_LARGEST, _SMALLEST = 2**63 - 1, -(2**63)
_SURE = 10**15
"""Decimals of fewer digits survive a float, and so does arithmetic that rounds back to them."""


def exact_number(text: str) -> int | float | Decimal:
    """The number that a text is: a float only where the float is that number's own shortest form."""
    try:
        return int(text)
    except ValueError:
        value = float(text)
    exact = Decimal(text)
    return value if math.isfinite(value) and Decimal(repr(value)) == exact else exact


def compared(number: Alternative, sign: Sign, bound: float) -> tuple[Truth, Truth]:
    """Rows in which the number stands so to the bound, and rows in which that has to be decided exactly."""
    assert number.value is not None, "a number has values"
    if number.kind == "integer":
        return _with_integers(number, sign, bound), False
    as_float = _as_float(bound)
    if as_float is None:
        unsure = both(number.mask, number.value.abs() >= EXACT_FLOAT)
        return _two_valued(_apply(number.value, sign, float(max(min(bound, 1e308), -1e308)))), unsure
    return _two_valued(_apply(number.value, sign, as_float)), False


def _with_integers(number: Alternative, sign: Sign, bound: float) -> Truth:
    if isinstance(bound, float) and not bound.is_integer():
        sign, whole = ("<=", math.floor(bound)) if sign[0] == "<" else (">=", math.ceil(bound))
    else:
        whole = int(bound)
    if whole > _LARGEST:
        return number.mask if sign[0] == "<" else False
    if whole < _SMALLEST:
        return number.mask if sign[0] == ">" else False
    assert number.value is not None, "a number has values"
    return _two_valued(_apply(number.value, sign, whole))


def _apply(value: pl.Expr, sign: Sign, bound: float) -> pl.Expr:
    limit = pl.lit(bound, dtype=pl.Float64 if isinstance(bound, float) else pl.Int64)
    if sign == "<":
        return value < limit
    if sign == "<=":
        return value <= limit
    return value > limit if sign == ">" else value >= limit


def _two_valued(condition: pl.Expr) -> pl.Expr:
    # A value is null exactly where the mask is false, so that one operation does for two.
    return condition.fill_null(value=False)


def _as_float(bound: float) -> float | None:
    """The bound as a float; None when that would be another number."""
    try:
        value = float(bound)
    except OverflowError:
        return None
    return value if value == bound else None


def not_multiple(number: Alternative, divisor: float) -> tuple[Truth, Truth]:
    """Rows whose number is no multiple, and rows in which that has to be decided exactly.

    A decimal of up to 15 digits that is scaled to a whole number and back gives the same float again exactly when it
    has no further digits: so the remainder is taken of whole numbers, never of floats.
    """
    assert number.value is not None, "a number has values"
    if number.kind == "integer" and divisor == int(divisor) and abs(divisor) <= _LARGEST:
        return _two_valued(number.value % pl.lit(int(divisor), dtype=pl.Int64) != 0), False
    unit = Decimal(repr(divisor) if isinstance(divisor, float) else divisor)
    places = max(0, -int(unit.normalize().as_tuple().exponent))
    step = int(unit.scaleb(places))
    if places > 15 or step >= _SURE:
        return False, number.mask
    value = number.value.cast(pl.Float64)
    scaled = (value * 10.0**places).round()
    whole = scaled.cast(pl.Int64, strict=False)
    # Polars divides by a constant as it multiplies by its inverse, which is another number; so the divisor is a column.
    unscaled = scaled / (value * 0.0 + 10.0**places)
    is_multiple = (unscaled == value) & (whole % pl.lit(step, dtype=pl.Int64) == 0)
    unsure = (~(scaled.abs() < float(_SURE))).fill_null(value=False)
    return _two_valued(~is_multiple), both(number.mask, unsure)


def allowed_numbers(number: Alternative, candidates: list[Any]) -> tuple[Truth, Truth]:
    """Rows whose number is none of the candidates, and rows in which that has to be decided exactly."""
    assert number.value is not None, "a number has values"
    if number.kind == "integer":
        whole = [int(c) for c in candidates if math.isfinite(c) and c == int(c) and _SMALLEST <= int(c) <= _LARGEST]
        return _two_valued(~number.value.is_in(pl.Series(whole, dtype=pl.Int64).implode())), False
    floats = [as_float for c in candidates if (as_float := _as_float(c)) is not None]
    outside = _two_valued(~number.value.is_in(pl.Series(floats, dtype=pl.Float64).implode()))
    has_large = len(floats) < len(candidates)
    return outside, both(number.mask, number.value.abs() >= EXACT_FLOAT) if has_large else False


def not_whole(number: Alternative) -> Truth:
    """Rows whose number has a fraction."""
    if number.kind == "integer" or number.value is None:
        return False
    return _two_valued(number.value != number.value.floor())
