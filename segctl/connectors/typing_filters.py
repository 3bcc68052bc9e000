"""The row filter `only`: tests on raw columns, as text or, for comparisons, as exact numbers."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import polars as pl

from segctl.connectors.typing_formulas import Columns, as_text
from segctl.connectors.typing_numbers import constant, to_exact, within
from segctl.model.conditions import PropertyTest, ValueTest
from segctl.model.sources import NumberForm

_LARGEST = 10**36


def passes(tests: tuple[PropertyTest, ...], frame: pl.DataFrame, form: NumberForm) -> pl.Series:
    """True for rows that pass all tests; a missing value passes only `exists: false` and the negative tests."""
    columns = Columns(frame, form)
    kept = pl.repeat(value=True, n=frame.height, dtype=pl.Boolean, eager=True)
    for test in tests:
        if isinstance(test.test, ValueTest):
            kept &= _passes(columns.get(test.property), test.test, form)
    return kept


def _passes(raw: pl.Series, test: ValueTest, form: NumberForm) -> pl.Series:
    if test.operator in ("above", "at_least", "below", "at_most"):
        return _compared(raw, test, form)
    text = as_text(raw).str.strip_chars()
    if test.operator == "exists":
        return text.is_not_null() if test.operands[0] else text.is_null()
    words = [str(operand) for operand in test.operands]
    if test.operator in ("equals", "in"):
        return text.is_in(words).fill_null(value=False)
    if test.operator in ("not_equals", "not_in"):
        return ~text.is_in(words).fill_null(value=False)
    word = words[0] if words else ""
    if test.operator == "contains":
        return text.str.contains(word, literal=True).fill_null(value=False)
    if test.operator == "starts_with":
        return text.str.starts_with(word).fill_null(value=False)
    return text.str.ends_with(word).fill_null(value=False)


def _compared(raw: pl.Series, test: ValueTest, form: NumberForm) -> pl.Series:
    exact = to_exact(raw, form=form)
    try:
        bound = Decimal(str(test.operands[0]))
    except (InvalidOperation, IndexError):
        return pl.repeat(value=False, n=len(raw), dtype=pl.Boolean, eager=True)
    digits = max(0, -int(bound.as_tuple().exponent))
    scale = max(exact.scale, digits)
    factor = 10 ** (scale - exact.scale)
    numbers = within(exact.numbers, _LARGEST // factor) * constant(factor)
    limit = constant(int(bound.scaleb(scale)))
    found = {
        "above": lambda: numbers > limit,
        "at_least": lambda: numbers >= limit,
        "below": lambda: numbers < limit,
        "at_most": lambda: numbers <= limit,
    }[test.operator]()
    return found.fill_null(value=False)
