"""Operators on single values, and what may stand for a literal."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from segctl.model.dataclass import dataclass
from segctl.model.times import Duration, Window

Value = str | int | Decimal | bool | date | datetime
Missing = Literal["match", "no_match", "error"]
ValueOperator = Literal[
    "equals", "not_equals", "in", "not_in", "above", "at_least", "below", "at_most", "between",
    "contains", "not_contains", "starts_with", "ends_with", "matches", "exists",
    "any_of", "all_of", "none_of", "size", "any_element",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class TraitOperand:
    """``{trait: x}`` in the place of a literal."""

    trait: str


@dataclass(frozen=True, slots=True)
class ListOperand:
    """``{list: name}`` in `in` and `not_in`: the values of a file of the project."""

    name: str


Operand = Value | TraitOperand | ListOperand | Duration


@dataclass(frozen=True, slots=True)
class ValueTest:
    """One operator on a value.

    Attributes:
        operator: As in the language.
        operands: One for most; two for `between` (both ends included); any number for `in`, `not_in`,
            `any_of`, `all_of`, `none_of`; none for `any_element`. `exists` holds one bool. A comparison of
            a gap holds `Duration` operands.
        ignore_case: Both sides are folded with Unicode case folding first.
        element: For `any_element`: tests all of which must hold on the same element, by field name, dotted into
            structs inside ("" for elements that are no structs). For `size`: one test under "".
    """

    operator: ValueOperator
    operands: tuple[Operand, ...] = ()
    ignore_case: bool = False
    element: tuple[tuple[str, Test], ...] = ()


Test = ValueTest | Window
"""A `Window` tests a time or date value."""
