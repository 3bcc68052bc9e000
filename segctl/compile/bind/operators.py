"""Operators on values: which ones fit a type, and what stands beside them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import cast

from segctl.compile import regex
from segctl.compile.bind import forms
from segctl.compile.bind.literals import literal
from segctl.compile.bind.names import TIME_PART_BOUNDS, Resolved, find_operand
from segctl.compile.bind.scope import Scope, describe_type, shown
from segctl.compile.bind.times import TIME_OPERATORS, bind_window
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.suggest import one_of
from segctl.model.conditions import ListOperand, Operand, Test, TraitOperand, ValueOperator, ValueTest
from segctl.model.types import INTEGER, Kind, ValueType

VALUE_OPERATORS: tuple[str, ...] = (
    "equals", "not_equals", "in", "not_in", "above", "at_least", "below", "at_most", "between",
    "contains", "not_contains", "starts_with", "ends_with", "matches", "exists",
    "any_of", "all_of", "none_of", "size", "any_element",
)  # fmt: skip
OPERATORS = frozenset(VALUE_OPERATORS) | frozenset(TIME_OPERATORS)
IGNORE_CASE = "ignore_case"
TEST_KEYS = OPERATORS | {IGNORE_CASE}
SYNONYMS = {
    "eq": "equals", "is": "equals", "equal": "equals", "=": "equals", "==": "equals", "gleich": "equals",
    "ne": "not_equals", "not_equal": "not_equals", "is_not": "not_equals", "!=": "not_equals", "<>": "not_equals",
    "gt": "above", "more_than": "above", "greater_than": "above", ">": "above", "ueber": "above", "über": "above",
    "ge": "at_least", "gte": "at_least", "min": "at_least", ">=": "at_least", "mindestens": "at_least",
    "lt": "below", "less_than": "below", "<": "below", "unter": "below",
    "le": "at_most", "lte": "at_most", "max": "at_most", "<=": "at_most", "hoechstens": "at_most",
    "höchstens": "at_most",
    "one_of": "in", "is_in": "in", "not_one_of": "not_in", "zwischen": "between", "like": "contains",
    "regex": "matches", "is_null": "exists", "missing": "exists", "within": "within_last", "last": "within_last",
    "after": "since", "from": "since", "until": "before",
}  # fmt: skip

_COMPARING = ("above", "at_least", "below", "at_most")
_NUMERIC = ("equals", "not_equals", "in", "not_in", *_COMPARING, "between", "exists")
_PATTERNS = ("contains", "not_contains", "starts_with", "ends_with", "matches")
_ARRAY = ("any_of", "all_of", "none_of", "size", "any_element", "exists")
_TIMES = ("equals", "not_equals", "in", "not_in", "exists", *TIME_OPERATORS)
_FITTING: dict[Kind, tuple[str, ...]] = {
    Kind.TEXT: ("equals", "not_equals", "in", "not_in", *_PATTERNS, "exists"),
    Kind.BOOLEAN: ("equals", "not_equals", "exists"),
    Kind.LIST: _ARRAY,
    Kind.STRUCT: ("exists",),
    Kind.DATE: _TIMES,
    Kind.TIME: _TIMES,
}
_INSTEAD = {
    ("list", "contains"): "any_of", ("list", "in"): "any_of", ("list", "equals"): "any_of",
    ("list", "not_in"): "none_of",
    ("time", "above"): "since", ("time", "at_least"): "since",
    ("time", "below"): "before", ("time", "at_most"): "before",
    ("text", "any_of"): "in", ("text", "none_of"): "not_in",
}  # fmt: skip

Read = Callable[[Node, ValueType, Scope], Operand | None]


def fitting(of: ValueType) -> tuple[str, ...]:
    """The operators that a type has."""
    return _FITTING.get(of.kind, _NUMERIC)


def bind_test(
    node: Mapping,
    of: ValueType,
    scope: Scope,
    what: str,
    *,
    extra: Collection[str] = (),
    allowed: Collection[str] | None = None,
    read: Read = literal,
    of_events: bool = False,
) -> Test | None:
    """The one operator of a mapping, applied to a value of a type.

    Args:
        node: Mapping with one operator key, perhaps `ignore_case`, and keys in `extra` that belong to others.
        of: Type of the value.
        scope: Where problems go.
        what: The value in messages, such as `` `points` ``.
        extra: Keys that are no business of this test.
        allowed: Operators that may stand here; those of the type when None.
        read: Turns an operand into a value.
        of_events: Time operators speak of events, which end at as_of.
    """
    operators = [(key, value) for key, value in node.entries if key.text in OPERATORS and key.text not in extra]
    known = forms.check_keys(node, TEST_KEYS | frozenset(extra), scope, what, synonyms=SYNONYMS)
    options = fitting(of) if allowed is None else allowed
    if len(operators) != 1:
        # A mistyped operator is reported as an unknown key already.
        if known or operators:
            _report_number_of(operators, node, options, scope, what)
        return None
    key, value = operators[0]
    if key.text not in options:
        _report_misfit(key, of, options, scope, what)
        return None
    ignore_case = _ignore_case(node, key, of, scope)
    if key.text in TIME_OPERATORS and of.kind in (Kind.DATE, Kind.TIME):
        bound: Test | None = bind_window(key, value, scope, of_events=of_events)
    else:
        bound = _value_test(key, value, of, scope, ignore_case=bool(ignore_case), read=read)
    return None if ignore_case is None or not known else bound


def bind_property_value(node: Node, found: Resolved, scope: Scope) -> Test | None:
    """What a `where` says of a property: a scalar (equals), a list (in), an operand, or one operator."""
    what = f"`{found.name}`"
    test: Test | None
    if isinstance(node, Mapping) and set(node.names) & {"trait", "list"}:
        operator = "in" if "list" in node.names else "equals"
        test = _implied(operator, node, found.type, scope, what)
    elif isinstance(node, Mapping):
        test = bind_test(node, found.type, scope, what)
    else:
        test = _implied("in" if isinstance(node, ListNode) else "equals", node, found.type, scope, what)
    if isinstance(test, ValueTest) and found.name in TIME_PART_BOUNDS:
        _check_time_part(test, found.name, node, scope)
    return test


def _implied(operator: str, node: Node, of: ValueType, scope: Scope, what: str) -> Test | None:
    if operator not in fitting(of):
        key = Scalar(operator, is_plain=True, location=node.location)
        _report_misfit(key, of, fitting(of), scope, what)
        return None
    return _value_test(Scalar(operator, True, node.location), node, of, scope, ignore_case=False, read=literal)


def _value_test(key: Scalar, value: Node, of: ValueType, scope: Scope, *, ignore_case: bool, read: Read) -> Test | None:
    operator = cast("ValueOperator", key.text)
    match key.text:
        case "exists":
            wanted = forms.flag(value, scope, "`exists`")
            return None if wanted is None else ValueTest("exists", (wanted,))
        case "in" | "not_in" | "any_of" | "all_of" | "none_of":
            operands = _members(key, value, of.element or of, scope, read)
        case "between":
            operands = _bounds(value, of, scope, read)
        case "size":
            inner = _size(value, scope)
            return None if inner is None else ValueTest("size", element=(("", inner),))
        case "any_element":
            elements = _elements(value, of.element or of, scope)
            return None if elements is None else ValueTest("any_element", element=elements)
        case "matches":
            operands = _pattern(value, scope, ignore_case=ignore_case)
        case _:
            operand = _operand(value, of, scope, read)
            operands = None if operand is None else (operand,)
    return None if operands is None else ValueTest(operator, operands, ignore_case)


def _operand(node: Node, of: ValueType, scope: Scope, read: Read) -> Operand | None:
    if not isinstance(node, Mapping):
        return read(node, of, scope)
    if "list" in node.names:
        scope.error("SEG257", "`{list: …}` stands only under `in` and `not_in`", node.location)
        return None
    found = find_operand(node, scope)
    if found is None:
        return None
    name, other = found
    if not comparable(of, other):
        message = f"`{name}` is {describe_type(other)}; it cannot be compared with {describe_type(of)}"
        scope.error("SEG244", message, node.entries[0][1].location)
        return None
    return TraitOperand(name)


def comparable(one: ValueType, other: ValueType) -> bool:
    """Two values that can be compared: both numbers of one unit, or the same simple type."""
    if one.is_numeric and other.is_numeric:
        return one.unit == other.unit
    return one.kind == other.kind and one.kind not in (Kind.LIST, Kind.STRUCT)


def _members(key: Scalar, value: Node, of: ValueType, scope: Scope, read: Read) -> tuple[Operand, ...] | None:
    if isinstance(value, Mapping) and "list" in value.names:
        return _list_operand(key, value, of, scope)
    single = value.text if isinstance(value, Scalar) and not value.is_null else None
    hint = f"write `[{single[:60]}]`" if single is not None else None
    listed = forms.items(value, scope, f"`{key.text}`", hint=hint)
    if listed is None:
        return None
    operands = [_operand(item, of, scope, read) for item in listed]
    kept = tuple(operand for operand in operands if operand is not None)
    return tuple(dict.fromkeys(kept)) if len(kept) == len(operands) else None


def _list_operand(key: Scalar, value: Mapping, of: ValueType, scope: Scope) -> tuple[Operand, ...] | None:
    if key.text not in ("in", "not_in"):
        scope.error("SEG257", "`{list: …}` stands only under `in` and `not_in`", value.location)
        return None
    if of.kind is not Kind.TEXT:
        message = f"a list file holds texts; the value is {describe_type(of)}"
        scope.error("SEG257", message, value.location)
        return None
    if not forms.check_keys(value, ("list",), scope, "`{list: …}`"):
        return None
    name = forms.text(value.entries[0][1], scope, "the list's name")
    return None if name is None else (ListOperand(name),)


def _bounds(value: Node, of: ValueType, scope: Scope, read: Read) -> tuple[Operand, ...] | None:
    hint = "write `[10, 20]`; both ends are included"
    listed = forms.items(value, scope, "`between`", hint=hint)
    if listed is None:
        return None
    if len(listed) != 2:
        parts = [item.text for item in listed if isinstance(item, Scalar)]
        if len(parts) == 4 == len(listed) and of.is_numeric and all(part.isdigit() for part in parts):
            hint = f"write `[{parts[0]}.{parts[1]}, {parts[2]}.{parts[3]}]` for decimal numbers"
        scope.error("SEG212", f"`between` has two bounds, not {len(listed)}", value.location, hint=hint)
        return None
    low, high = (_operand(item, of, scope, read) for item in listed)
    if low is None or high is None:
        return None
    if isinstance(low, int | Decimal) and isinstance(high, int | Decimal) and low > high:
        message = "`between` ends below its start, so nothing lies in it"
        scope.warn("SEG247", message, value.location, hint="exchange the bounds")
    return low, high


def _size(value: Node, scope: Scope) -> ValueTest | None:
    hint = "write `{equals: 0}` or `{at_least: 1}`"
    node = forms.mapping(value, scope, "`size`", hint=hint)
    allowed = ("equals", "not_equals", "in", "not_in", *_COMPARING, "between")
    test = bind_test(node, INTEGER, scope, "`size`", allowed=allowed) if node is not None else None
    return test if isinstance(test, ValueTest) else None


def _elements(value: Node, element: ValueType, scope: Scope) -> tuple[tuple[str, Test], ...] | None:
    node = forms.mapping(value, scope, "`any_element`", hint="write `{starts_with: A}`, or fields of a struct")
    if node is None:
        return None
    if element.kind is not Kind.STRUCT:
        test = bind_test(node, element, scope, "an element")
        return None if test is None else (("", test),)
    tests = [(key.text, _field_test(key, of_value, element, scope)) for key, of_value in node.entries]
    kept = tuple((name, test) for name, test in tests if test is not None)
    if not node.entries:
        scope.error("SEG212", "`any_element` is empty", node.location)
    return kept if kept and len(kept) == len(tests) else None


def _field_test(key: Scalar, value: Node, element: ValueType, scope: Scope) -> Test | None:
    """The test of a field of the elements, or of one in a struct inside them, by its dotted name."""
    of = element
    for place, part in enumerate(key.text.split(".")):
        found = dict(of.fields).get(part)
        if found is None:
            inside = ".".join(key.text.split(".")[:place])
            owner = shown(inside) if inside else "the elements"
            hint = scope.meant(part, tuple(dict(of.fields)))
            if of.kind is Kind.LIST:
                hint = f"write `{inside}: {{any_element: {{{part}: …}}}}`"
            scope.error("SEG222", f"{shown(part)} is not a field of {owner}", key.location, hint=hint)
            return None
        of = found
    return bind_property_value(value, Resolved(key.text, (), of), scope)


def _pattern(value: Node, scope: Scope, *, ignore_case: bool) -> tuple[Operand, ...] | None:
    written = forms.text(value, scope, "a regular expression")
    if written is None or not isinstance(value, Scalar):
        return None
    pattern = unicodedata.normalize("NFC", value.text)
    found = regex.check_pattern(pattern, ignore_case=ignore_case)
    if not isinstance(found, str):
        scope.error("SEG263", found.message, value.location, hint=found.hint)
        return None
    # As written: folding and rewriting belong to lowering.
    return (pattern,)


def _ignore_case(node: Mapping, key: Scalar, of: ValueType, scope: Scope) -> bool | None:
    value = node.get(IGNORE_CASE)
    if value is None:
        return False
    if of.kind is not Kind.TEXT or key.text == "exists":
        scope.error("SEG239", "`ignore_case` belongs to comparisons of text", value.location)
        return None
    return forms.flag(value, scope, "`ignore_case`")


def _report_number_of(
    operators: list[tuple[Scalar, Node]], node: Mapping, options: Collection[str], scope: Scope, what: str
) -> None:
    if not operators:
        scope.error("SEG214", f"{what} has no operator", node.location, hint=_offer(options))
        return
    message = f"{what} has several operators: {one_of(key.text for key, _ in operators)}"
    hint = "use one; put others into conditions of their own under `all`"
    scope.error("SEG214", message, operators[1][0].location, hint=hint)


def _offer(options: Collection[str]) -> str:
    return f"use one of {one_of(options, 'and')}"


def _report_misfit(key: Scalar, of: ValueType, options: Collection[str], scope: Scope, what: str) -> None:
    family = "time" if of.kind in (Kind.DATE, Kind.TIME) else str(of.kind.value)
    instead = _INSTEAD.get((family, key.text))
    hint = f"use `{instead}`" if instead in options else _offer(options)
    if key.text in TIME_OPERATORS and key.text not in VALUE_OPERATORS:
        message = f"`{key.text}` is for times; {what} is {describe_type(of)}"
        scope.error("SEG240", message, key.location, hint=hint)
        return
    scope.error("SEG239", f"`{key.text}` does not fit {what}, which is {describe_type(of)}", key.location, hint=hint)


def _check_time_part(test: ValueTest, name: str, node: Node, scope: Scope) -> None:
    low, high = TIME_PART_BOUNDS[name]
    for operand in test.operands:
        if isinstance(operand, int) and not isinstance(operand, bool) and not low <= operand <= high:
            monday = "; 1 is Monday" if name == "time.weekday" else ""
            scope.error("SEG230", f"`{name}` goes from {low} to {high}, not {operand}{monday}", node.location)
