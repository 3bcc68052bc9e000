"""Binding of the row filter `only`: operators of property tests, on columns as they are read."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import cast

from segctl.compile.regex import check_pattern
from segctl.compile.source import ListNode, Node, Scalar
from segctl.compile.source_nodes import Reader, nearest
from segctl.compile.timewords import Problem
from segctl.model.conditions import PropertyTest, ValueOperator, ValueTest

_OF_LISTS = ("equals", "not_equals", "in", "not_in")
_OF_NUMBERS = ("above", "at_least", "below", "at_most", "between")
_OF_TEXT = ("contains", "not_contains", "starts_with", "ends_with", "matches")
_LONGEST = 18
"""Most places before and behind the point."""
_OPERATORS = (*_OF_LISTS, *_OF_NUMBERS, *_OF_TEXT, "exists")


def bind_filter(node: Node | None, reader: Reader) -> tuple[PropertyTest, ...]:
    """The entries of `only`: column → scalar (equals), list (in) or one operator."""
    tests = []
    for name, value in reader.named(node, "`only`"):
        test = _value_test(value, reader)
        if test is not None:
            tests.append(PropertyTest(name.text, test))
    return tuple(tests)


def _value_test(node: Node, reader: Reader) -> ValueTest | None:
    if isinstance(node, Scalar):
        return ValueTest("equals", (node.text,))
    if isinstance(node, ListNode):
        return ValueTest("in", reader.texts(node, "a value"))
    if len(node.entries) != 1:
        reader.error("SEG300", node, "a filter has one operator", hint=f"operators: {', '.join(_OPERATORS)}")
        return None
    key, value = node.entries[0]
    if key.text not in _OPERATORS:
        reader.error("SEG300", key, f"`{key.text}` is no operator of `only`", hint=nearest(key.text, _OPERATORS))
        return None
    operator = cast("ValueOperator", key.text)
    if operator == "exists":
        return ValueTest(operator, (reader.truth(value, "`exists`") is not False,))
    operands = reader.texts(value, "a value")
    if operator in _OF_LISTS:
        return ValueTest(operator, operands)
    wanted = 2 if operator == "between" else 1
    if len(operands) != wanted:
        hint = f"write `{operator}: {'[1, 10]' if wanted == 2 else 'VALUE'}`"
        reader.error("SEG300", value, f"`{operator}` takes {'two numbers' if wanted == 2 else 'one value'}", hint=hint)
        return None
    if operator in _OF_NUMBERS:
        return _numbers(operator, operands, value, reader)
    return _pattern(operands[0], value, reader) if operator == "matches" else ValueTest(operator, operands)


def _numbers(operator: ValueOperator, operands: tuple[str, ...], node: Node, reader: Reader) -> ValueTest | None:
    """Comparisons are of numbers: a bound that is none would drop every row without a word."""
    wrong = [text for text in operands if not _is_number(text)]
    for text in wrong:
        hint = "compare numbers, written as `1234.5`"
        reader.error("SEG304", node, f"`{text}` is not a number", hint=hint)
    return None if wrong else ValueTest(operator, operands)


def _is_number(text: str) -> bool:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    return number.is_finite() and int(number.as_tuple().exponent) >= -_LONGEST and number.adjusted() <= _LONGEST


def _pattern(text: str, node: Node, reader: Reader) -> ValueTest | None:
    found = check_pattern(text)
    if isinstance(found, Problem):
        reader.error("SEG304", node, found.message, hint=found.hint)
        return None
    return ValueTest("matches", (found,))
