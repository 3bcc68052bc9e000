"""Tests of values changed in one place each: operators turned round, bounds moved by their smallest unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from segctl.compile.mutate_times import window_variants
from segctl.model import conditions as c
from segctl.model.times import Duration
from segctl.model.types import Kind, ValueType

_TURNED: dict[str, tuple[c.ValueOperator, ...]] = {
    "equals": ("not_equals",), "not_equals": ("equals",), "in": ("not_in",), "not_in": ("in",),
    "above": ("at_least", "at_most"), "at_least": ("above", "below"), "below": ("at_most", "at_least"),
    "at_most": ("below", "above"), "contains": ("not_contains", "starts_with"), "not_contains": ("contains",),
    "starts_with": ("contains", "ends_with"), "ends_with": ("contains", "starts_with"),
    "none_of": ("any_of",), "all_of": ("any_of",), "any_of": ("none_of", "all_of"),
}  # fmt: skip
_CASED = frozenset({"equals", "not_equals", "in", "not_in", "contains", "not_contains", "starts_with", "ends_with"})
_SETS = frozenset({"in", "not_in", "any_of", "all_of", "none_of"})


def changed_tests(test: c.Test, of: ValueType, *, countable: bool = False) -> Iterator[c.Test]:
    """The test with each change in turn.

    Args:
        test: As bound.
        of: Type of the value tested.
        countable: The value is a whole number that is never negative.
    """
    if not isinstance(test, c.ValueTest):
        yield from window_variants(test, of_events=False)
        return
    if test.operator == "exists":
        yield replace(test, operands=(not test.operands[0],))
        return
    yield from _turned(test, of, countable=countable)
    yield from _moved(test, of, countable=countable)
    if test.operator in _SETS and len(test.operands) > 1:
        for number in range(len(test.operands)):
            yield replace(test, operands=(*test.operands[:number], *test.operands[number + 1 :]))
    if test.operator in _CASED and of.kind is Kind.TEXT and _has_letters(test):
        yield replace(test, ignore_case=not test.ignore_case)
    yield from _inside(test, of)


def _has_letters(test: c.ValueTest) -> bool:
    return any(isinstance(operand, str) and operand.upper() != operand.lower() for operand in test.operands)


def _turned(test: c.ValueTest, of: ValueType, *, countable: bool) -> Iterator[c.ValueTest]:
    for operator in _TURNED.get(test.operator, ()):
        # One value is any and all of the values at once.
        if operator in ("all_of", "any_of") and test.operator != "none_of" and len(test.operands) < 2:
            continue
        yield replace(test, operator=operator)
    if test.operator == "equals" and of.is_numeric:
        yield replace(test, operator="at_least")
        if not (countable and test.operands == (0,)):
            yield replace(test, operator="at_most")


def _moved(test: c.ValueTest, of: ValueType, *, countable: bool) -> Iterator[c.ValueTest]:
    """Each bound one unit lower and higher."""
    if test.operator in _SETS:
        return
    for number, operand in enumerate(test.operands):
        for other in _beside(operand, of):
            if countable and isinstance(other, int | Decimal) and other < 0:
                continue
            yield replace(test, operands=(*test.operands[:number], other, *test.operands[number + 1 :]))


def _beside(operand: c.Operand, of: ValueType) -> Iterator[c.Operand]:
    match operand:
        case bool():
            yield not operand
        case int() | Decimal():
            step = smallest_step(Decimal(operand), of)
            for other in (operand - step, operand + step):
                yield int(other) if isinstance(operand, int) and other == int(other) else other
        case datetime():
            yield operand - timedelta(seconds=1)
            yield operand + timedelta(seconds=1)
        case date():
            yield operand - timedelta(days=1)
            yield operand + timedelta(days=1)
        case Duration(amount):
            yield from (replace(operand, amount=n) for n in (amount - 1, amount + 1) if n >= 1)


def smallest_step(value: Decimal, of: ValueType) -> Decimal:
    """What a bound is moved by: the smallest unit of exact numbers, a hundredth or tenth of real ones."""
    if of.kind is not Kind.REAL:
        return Decimal(1).scaleb(-of.scale)
    size = abs(value)
    return Decimal(1) if size >= 10 else Decimal("0.1") if size >= 1 else Decimal("0.01")


def _inside(test: c.ValueTest, of: ValueType) -> Iterator[c.ValueTest]:
    """Tests of elements and of sizes."""
    for number, (name, inner) in enumerate(test.element):
        before, after = test.element[:number], test.element[number + 1 :]
        inner_type = _element_type(of, name) if test.operator == "any_element" else ValueType(Kind.INTEGER)
        for other in changed_tests(inner, inner_type, countable=test.operator == "size"):
            if isinstance(other, c.ValueTest):
                yield replace(test, element=(*before, (name, other), *after))
        if len(test.element) > 1:
            yield replace(test, element=(*before, *after))


def _element_type(of: ValueType, name: str) -> ValueType:
    element = of.element or of
    return dict(element.fields).get(name, element)
