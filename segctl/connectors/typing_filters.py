"""The row filter `only`: tests on raw columns, as text or, for comparisons, as exact numbers."""

from __future__ import annotations

from decimal import Decimal

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
    operands = [str(operand) for operand in test.operands]
    if test.operator == "between":
        return _compared(raw, "at_least", operands[0], form) & _compared(raw, "at_most", operands[1], form)
    if test.operator in ("above", "at_least", "below", "at_most"):
        return _compared(raw, test.operator, operands[0], form)
    text = as_text(raw).str.strip_chars()
    if test.operator == "exists":
        return text.is_not_null() if test.operands[0] else text.is_null()
    if test.operator.startswith("not_"):
        return ~_fits(text, test.operator.removeprefix("not_"), operands)
    return _fits(text, test.operator, operands)


def _fits(text: pl.Series, operator: str, operands: list[str]) -> pl.Series:
    match operator:
        case "equals" | "in":
            found = text.is_in(operands)
        case "contains":
            found = text.str.contains(operands[0], literal=True)
        case "matches":
            found = text.str.contains(operands[0])
        case "starts_with":
            found = text.str.starts_with(operands[0])
        case _:
            found = text.str.ends_with(operands[0])
    return found.fill_null(value=False)


def _compared(raw: pl.Series, operator: str, operand: str, form: NumberForm) -> pl.Series:
    exact, bound = to_exact(raw, form=form), Decimal(operand)
    digits = max(0, -int(bound.as_tuple().exponent))
    scale = max(exact.scale, digits)
    factor = 10 ** (scale - exact.scale)
    numbers = within(exact.numbers, _LARGEST // factor) * constant(factor)
    limit = constant(int(bound.scaleb(scale)))
    match operator:
        case "above":
            found = numbers > limit
        case "at_least":
            found = numbers >= limit
        case "below":
            found = numbers < limit
        case _:
            found = numbers <= limit
    return found.fill_null(value=False)
