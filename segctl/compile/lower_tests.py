"""Tests on one value, lowered: literals in physical form, and every operator as IR that is true, false or unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Literal, cast

from segctl.compile import ir
from segctl.compile.regex import check_pattern
from segctl.compile.windows import trait_bounds
from segctl.model.conditions import ListOperand, Operand, Test, TraitOperand, Value, ValueTest
from segctl.model.dataclass import dataclass
from segctl.model.times import EXACT_SECONDS, Duration, Window
from segctl.model.types import EXACT, TEXT, Kind, ValueType
from segctl.model.types import REAL as REAL_TYPE

Comparison = Literal["eq", "lt", "le", "gt", "ge"]

LARGEST, SMALLEST = 2**63 - 1, -(2**63)
DAY_SECONDS = 86_400
_ORDERED: dict[str, Comparison] = {"above": "gt", "at_least": "ge", "below": "lt", "at_most": "le"}
_ENDS: tuple[Comparison, Comparison] = ("ge", "le")
_NEGATED = {"not_equals": "equals", "not_in": "in", "not_contains": "contains"}


@dataclass(frozen=True, slots=True)
class Names:
    """What operands that are no literals stand for.

    Attributes:
        trait: The expression of a stored or computed trait.
        texts: The texts of a list file of the project.
    """

    trait: Callable[[str], ir.Expression]
    texts: Callable[[str], Iterable[str]]


def lower_test(value: ir.Expression, test: Test, names: Names) -> ir.Predicate:
    """The three-valued answer of one operator; unknown where the value, or an operand, is missing."""
    if not isinstance(test, ValueTest):
        return ir.InWindow(value, test, window_bounds(test, names))
    positive = _NEGATED.get(test.operator)
    if positive is not None:
        return ir.Not(_positive(value, positive, test, names))
    return _positive(value, test.operator, test, names)


def window_bounds(window: Window | None, names: Names) -> tuple[tuple[str, ir.Expression], ...]:
    """Expressions of the traits that bound a window, by name."""
    traits = dict.fromkeys(bound.trait for bound in trait_bounds(window))
    return tuple((trait, names.trait(trait)) for trait in traits)


def real(of: ir.Expression) -> ir.Expression:
    """A number as a 64-bit float."""
    return of if of.type.kind is Kind.REAL else ir.Real(of)


def physical(value: Value, of: ValueType) -> ir.Physical | None:
    """A literal in the physical form of a type; None when the type has no such value."""
    if of.kind in EXACT:
        scaled = _scaled(value, of)
        return int(scaled) if scaled.denominator == 1 and SMALLEST <= scaled <= LARGEST else None
    if of.kind is Kind.REAL:
        return float(cast("Decimal", value))
    return cast("ir.Physical", value)


def inside(value: ir.Expression, path: Sequence[str]) -> ir.Expression:
    """A field of nested structs."""
    for name in path:
        value = ir.StructField(value, name, dict(value.type.fields)[name])
    return value


def conjunction(items: Sequence[ir.Predicate]) -> ir.Predicate:
    """All of them; one stands for itself."""
    return items[0] if len(items) == 1 else ir.And(tuple(items))


def negation(item: ir.Predicate) -> ir.Predicate:
    """Not the item; two negations cancel."""
    return item.item if isinstance(item, ir.Not) else ir.Not(item)


def _positive(value: ir.Expression, operator: str, test: ValueTest, names: Names) -> ir.Predicate:
    operands = test.operands
    match operator:
        case "exists":
            return ir.Exists(value) if operands[0] else ir.Not(ir.Exists(value))
        case "equals":
            return _equal(value, operands[0], names, ignore_case=test.ignore_case)
        case "in":
            return _one_of(value, operands, names, ignore_case=test.ignore_case)
        case "between":
            low, high = (_compare(op, value, o, names) for op, o in zip(_ENDS, operands, strict=True))
            return ir.And((low, high))
        case "any_of" | "all_of" | "none_of":
            return _array(value, operator, test, names)
        case "size":
            return lower_test(ir.Size(value), test.element[0][1], names)
        case "any_element":
            return ir.AnyElement(value, _element_test(value.type.element or TEXT, test, names))
        case "contains" | "starts_with" | "ends_with" | "matches":
            pattern = _pattern(operands[0], names, is_regex=operator == "matches", ignore_case=test.ignore_case)
            return ir.TextTest(operator, value, pattern, test.ignore_case)
        case _:
            return _compare(_ORDERED[operator], value, operands[0], names)


# --- Comparisons -------------------------------------------------------------------------------------------
def _equal(value: ir.Expression, operand: Operand, names: Names, *, ignore_case: bool) -> ir.Predicate:
    if ignore_case:
        return ir.TextTest("eq", value, _pattern(operand, names, is_regex=False, ignore_case=True), True)
    return _compare("eq", value, operand, names)


def _compare(op: Comparison, value: ir.Expression, operand: Operand, names: Names) -> ir.Predicate:
    if isinstance(operand, TraitOperand):
        return _compare_trait(op, value, names.trait(operand.trait))
    if isinstance(operand, Duration):
        days = EXACT_SECONDS[operand.unit] * operand.amount / DAY_SECONDS
        return ir.Compare(op, value, ir.Literal(days, REAL_TYPE))
    if isinstance(operand, ListOperand):
        raise TypeError("a list file stands only under `in` and `not_in`")
    if value.type.kind in EXACT:
        return _compare_exact(op, value, operand)
    literal = physical(operand, value.type)
    if literal is None:
        raise TypeError(f"{operand!r} is no {value.type.kind}")
    return ir.Compare(op, value, ir.Literal(literal, value.type))


def _compare_trait(op: Comparison, value: ir.Expression, other: ir.Expression) -> ir.Predicate:
    if value.type.is_numeric and (value.type.kind is Kind.REAL) != (other.type.kind is Kind.REAL):
        return ir.Compare(op, real(value), real(other))
    if value.type.is_numeric and value.type.scale != other.type.scale:
        return ir.Compare(op, real(value), real(other))
    return ir.Compare(op, value, other)


def _compare_exact(op: Comparison, value: ir.Expression, literal: Value) -> ir.Predicate:
    """Compare scaled integers; a literal between two of them, or beyond all, moves the bound without an error."""
    scaled = _scaled(literal, value.type)
    never: ir.Predicate = ir.In(value, ())
    if scaled > LARGEST:
        return ir.Not(never) if op in ("lt", "le") else never
    if scaled < SMALLEST:
        return ir.Not(never) if op in ("gt", "ge") else never
    if scaled.denominator == 1:
        return ir.Compare(op, value, ir.Literal(int(scaled), value.type))
    if op == "eq":
        return never
    return ir.Compare("gt" if op in ("gt", "ge") else "le", value, ir.Literal(floor(scaled), value.type))


def _scaled(literal: Value, of: ValueType) -> Fraction:
    if isinstance(literal, int | Decimal):
        return Fraction(literal) * Fraction(10) ** of.scale
    raise TypeError(f"{literal!r} is no number")


# --- Several values ----------------------------------------------------------------------------------------
def _one_of(value: ir.Expression, operands: Sequence[Operand], names: Names, *, ignore_case: bool) -> ir.Predicate:
    traits = [operand for operand in operands if isinstance(operand, TraitOperand)]
    literals = _literals(operands, names)
    tests = [_equal(value, trait, names, ignore_case=ignore_case) for trait in traits]
    if literals or not traits:
        tests.insert(0, _options(value, literals, ignore_case=ignore_case))
    return tests[0] if len(tests) == 1 else ir.Or(tuple(tests))


def _options(value: ir.Expression, literals: Iterable[Value], *, ignore_case: bool) -> ir.Predicate:
    if ignore_case:
        return ir.FoldedIn(value, tuple(sorted({str(literal).casefold() for literal in literals})))
    return ir.In(value, _physical_options(literals, value.type))


def _literals(operands: Sequence[Operand], names: Names) -> list[Value]:
    found: list[Value] = []
    for operand in operands:
        if isinstance(operand, ListOperand):
            found += names.texts(operand.name)
        elif not isinstance(operand, TraitOperand | Duration):
            found.append(operand)
    return found


def _physical_options(literals: Iterable[Value], of: ValueType) -> tuple[ir.Physical, ...]:
    """In one order whatever the order written, so that equal tests are equal nodes; impossible values drop."""
    found = {literal for value in literals if (literal := physical(value, of)) is not None}
    return tuple(sorted(found))


def _array(value: ir.Expression, operator: str, test: ValueTest, names: Names) -> ir.Predicate:
    element = value.type.element or TEXT
    if not test.ignore_case and not any(isinstance(operand, TraitOperand) for operand in test.operands):
        # An option that no element can equal still counts: `all_of` it is never true.
        options = _physical_options(_literals(test.operands, names), element)
        op = cast("Literal['any', 'all', 'none']", operator.removesuffix("_of"))
        if op != "all" or len(options) == len(set(test.operands)):
            return ir.ArrayTest(op, value, options)
    here = ir.Element(element)
    stands = [ir.AnyElement(value, _one_of(here, (o,), names, ignore_case=test.ignore_case)) for o in test.operands]
    if operator == "all_of":
        return conjunction(stands)
    some: ir.Predicate = stands[0] if len(stands) == 1 else ir.Or(tuple(stands))
    return some if operator == "any_of" else ir.Not(some)


def _element_test(element: ValueType, test: ValueTest, names: Names) -> ir.Predicate:
    here = ir.Element(element)
    return conjunction(
        [lower_test(inside(here, name.split(".") if name else ()), part, names) for name, part in test.element]
    )


def _pattern(operand: Operand, names: Names, *, is_regex: bool, ignore_case: bool) -> ir.Expression:
    if isinstance(operand, TraitOperand):
        return names.trait(operand.trait)
    text = str(operand)
    if not is_regex:
        return ir.Literal(text.casefold() if ignore_case else text, TEXT)
    portable = check_pattern(text, ignore_case=ignore_case)
    if not isinstance(portable, str):
        raise TypeError(portable.message)
    return ir.Literal(portable, TEXT)
