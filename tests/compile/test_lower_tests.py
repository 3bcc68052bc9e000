"""Literals between two stored values, or beyond all of them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segctl.compile import ir
from segctl.compile.lower_tests import Names, lower_test
from segctl.model.conditions import ListOperand, TraitOperand, ValueTest
from segctl.model.types import REAL, TEXT, Kind, ValueType

MONEY = ValueType(Kind.MONEY, 2, "EUR")
VALUE = ir.StoredTrait("value", MONEY)
NAMES = Names(lambda name: ir.StoredTrait(name, TEXT), lambda _: ["b", "a"])
NEVER = ir.In(VALUE, ())
OPERATORS = {
    "equals": lambda a, b: a == b, "not_equals": lambda a, b: a != b, "above": lambda a, b: a > b,
    "at_least": lambda a, b: a >= b, "below": lambda a, b: a < b, "at_most": lambda a, b: a <= b,
}  # fmt: skip


def lowered(operator: str, literal: str) -> ir.Predicate:
    return lower_test(VALUE, ValueTest(operator, (Decimal(literal),)), NAMES)


def holds(predicate: ir.Predicate, stored: int) -> bool:
    match predicate:
        case ir.Not(item):
            return not holds(item, stored)
        case ir.In(_, options):
            return stored in options
        case ir.Compare(op, _, ir.Literal(literal)):
            assert isinstance(literal, int)
            assert -(2**63) <= literal < 2**63
            return {"eq": stored == literal, "lt": stored < literal, "le": stored <= literal, "gt": stored > literal,
                    "ge": stored >= literal}[op]  # fmt: skip
    raise AssertionError(predicate)


@pytest.mark.parametrize(
    ("operator", "literal", "expected"),
    [
        ("above", "99.905", ir.Compare("gt", VALUE, ir.Literal(9990, MONEY))),
        ("at_least", "99.905", ir.Compare("gt", VALUE, ir.Literal(9990, MONEY))),
        ("below", "99.905", ir.Compare("le", VALUE, ir.Literal(9990, MONEY))),
        ("at_most", "-99.905", ir.Compare("le", VALUE, ir.Literal(-9991, MONEY))),
        ("equals", "99.905", NEVER),
        ("not_equals", "99.905", ir.Not(NEVER)),
        ("above", "1e30", NEVER),
        ("below", "1e30", ir.Not(NEVER)),
        ("above", "-1e30", ir.Not(NEVER)),
    ],
)
def test_a_literal_that_no_value_can_have_shifts_the_bound(operator: str, literal: str, expected: ir.Predicate) -> None:
    assert lowered(operator, literal) == expected


@given(
    st.sampled_from(sorted(OPERATORS)),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=4),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-3, 3),
)
def test_shifted_bounds_compare_as_exact_numbers_do(operator: str, literal: Decimal, far: int, near: int) -> None:
    predicate = lower_test(VALUE, ValueTest(operator, (literal,)), NAMES)

    close = min(max(int(literal * 100) + near, -(2**63)), 2**63 - 1)
    for stored in (far, close):
        assert holds(predicate, stored) == OPERATORS[operator](Fraction(stored, 100), Fraction(literal))


def test_impossible_options_drop_but_all_of_them_still_counts() -> None:
    assert lower_test(VALUE, ValueTest("in", (Decimal("0.005"), Decimal(1))), NAMES) == ir.In(VALUE, (100,))
    many = ir.StoredTrait("many", ValueType(Kind.LIST, element=MONEY))
    found = lower_test(many, ValueTest("all_of", (Decimal("0.005"), Decimal(1))), NAMES)
    assert found == ir.And(
        (ir.AnyElement(many, ir.In(ir.Element(MONEY), ())), ir.AnyElement(many, ir.In(ir.Element(MONEY), (100,))))
    )


def test_real_values_compare_with_floats() -> None:
    average = ir.StoredTrait("average", REAL)

    assert lower_test(average, ValueTest("above", (Decimal("0.1"),)), NAMES) == ir.Compare(
        "gt", average, ir.Literal(0.1, REAL)
    )


def test_lists_traits_and_literals_stand_side_by_side() -> None:
    text = ir.StoredTrait("text", TEXT)
    test = ValueTest("in", ("c", ListOperand("l"), TraitOperand("other")))

    assert lower_test(text, test, NAMES) == ir.Or(
        (ir.In(text, ("a", "b", "c")), ir.Compare("eq", text, ir.StoredTrait("other", TEXT)))
    )


def test_a_text_that_is_a_pattern_of_a_trait_folds_on_the_engine() -> None:
    text = ir.StoredTrait("text", TEXT)

    assert lower_test(text, ValueTest("contains", (TraitOperand("part"),), ignore_case=True), NAMES) == ir.TextTest(
        "contains", text, ir.StoredTrait("part", TEXT), True
    )


def test_lists_of_texts_ignore_case_element_by_element() -> None:
    words, here = ir.StoredTrait("words", ValueType(Kind.LIST, element=TEXT)), ir.Element(TEXT)

    assert lower_test(words, ValueTest("none_of", ("A", "ß"), ignore_case=True), NAMES) == ir.Not(
        ir.Or((ir.AnyElement(words, ir.FoldedIn(here, ("a",))), ir.AnyElement(words, ir.FoldedIn(here, ("ss",)))))
    )
