"""Tests of rows as arrays: for few rows an array costs a hundredth of what the expression of an engine does.

Truth is Kleene's, in two arrays: what is surely true, and what may be true. Where nothing is unknown both are the same
array. Only plain tests are translated here; whoever asks answers the others in another way.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from segctl.compile import ir
from segctl.compile.windows import trait_bounds
from segctl.engines.physical import plain
from segctl.model.dataclass import dataclass
from segctl.model.times import Anniversary, Window
from segctl.model.types import Kind, ValueType

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Truth = tuple[Bools, Bools]
    Test = Callable[[Any], Truth]
    Spans = Callable[[Window], Callable[[Any], tuple[int | None, int | None]]]

NUMBER, REAL, TEXT = "number", "real", "text"
_FEW_OPTIONS = 8
"""With more a search pays."""
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq, "ne": operator.ne, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
}  # fmt: skip
_MIRRORED = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_FORMS = {
    Kind.TEXT: TEXT, Kind.REAL: REAL, Kind.INTEGER: NUMBER, Kind.NUMBER: NUMBER, Kind.MONEY: NUMBER,
    Kind.BOOLEAN: NUMBER, Kind.DATE: NUMBER, Kind.TIME: NUMBER,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """Values of some rows.

    Attributes:
        values: Numbers; of texts a code each.
        present: Which are not missing; None for all.
        codes: Of texts the code of each that occurs.
    """

    values: NDArray[Any]
    present: Bools | None
    codes: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """How an expression is read.

    Attributes:
        form: ``number`` for whole numbers, days, instants and booleans, ``real``, ``text``.
        type: Of the expression.
        read: Gives the column of the rows that are asked.
    """

    form: str
    type: ValueType
    read: Callable[[Any], Column]


def form_of(of: ValueType) -> str | None:
    """The form of values of a type; None for lists and structs."""
    return _FORMS.get(of.kind)


def combined(node: ir.Predicate, leaf: Callable[[ir.Predicate], Test | None]) -> Test | None:
    """A predicate made of others; `leaf` translates those that are made of none, None where one cannot be."""
    match node:
        case ir.And(items) | ir.Or(items) | ir.AtLeast(items, _):
            tests = [combined(item, leaf) for item in items]
            known = [test for test in tests if test is not None]
            if len(known) < len(tests) or not known:
                return None
            if isinstance(node, ir.AtLeast):
                return _at_least(known, node.n)
            return _joined(known, operator.and_ if isinstance(node, ir.And) else operator.or_)
        case ir.Not(item):
            test = combined(item, leaf)
            return None if test is None else _negated(test)
        case ir.IfMissing(item, then):
            test = combined(item, leaf)
            return test if test is None or then is None else _settled(test, then=then)
    return leaf(node)


def _joined(tests: Sequence[Test], join: Callable[[Any, Any], Any]) -> Test:
    """Tests joined by ``and`` or ``or`` of their arrays."""
    if len(tests) == 1:
        return tests[0]

    def test(rows: Any) -> Truth:  # noqa: ANN401 - rows of events or of profiles
        found = [one(rows) for one in tests]
        true = reduce(join, [true for true, _ in found])
        if all(true is maybe for true, maybe in found):
            return true, true
        return true, reduce(join, [maybe for _, maybe in found])

    return test


def _at_least(tests: Sequence[Test], number: int) -> Test:
    def test(rows: Any) -> Truth:  # noqa: ANN401 - rows of events or of profiles
        found = [one(rows) for one in tests]
        true, maybe = (np.sum([one[side] for one in found], axis=0) >= number for side in (0, 1))
        return true, maybe

    return test


def _negated(inner: Test) -> Test:
    def test(rows: Any) -> Truth:  # noqa: ANN401 - rows of events or of profiles
        true, maybe = inner(rows)
        not_true = ~maybe
        return not_true, not_true if true is maybe else ~true

    return test


def _settled(inner: Test, *, then: bool) -> Test:
    def test(rows: Any) -> Truth:  # noqa: ANN401 - rows of events or of profiles
        found = inner(rows)[1 if then else 0]
        return found, found

    return test


def plain_test(node: ir.Predicate, value_of: Callable[[ir.Expression], Value | None], span: Spans) -> Test | None:
    """The translation of a test of one value, or of two.

    Args:
        node: The test.
        value_of: How an expression is read; None where it cannot be.
        span: How the instants of a window are found, up to now or not.

    Returns:
        None where there is no translation.
    """
    match node:
        case ir.Compare(op, left, right):
            return _comparison(op, left, right, value_of)
        case ir.TextTest("eq", value, pattern, False):
            return _comparison("eq", value, pattern, value_of)
        case ir.In(value, options) if options:
            return _listed(value_of(value), options)
        case ir.Exists(value):
            known = value_of(value)
            return None if known is None else _existing(known)
        case ir.InWindow(value, window, _):
            return _inside(value_of(value), window, span)
    return None


def _comparison(
    op: str, left: ir.Expression, right: ir.Expression, value_of: Callable[[ir.Expression], Value | None]
) -> Test | None:
    if isinstance(left, ir.Literal):
        op, left, right = _MIRRORED[op], right, left
    value = value_of(left)
    if value is None or (value.form == TEXT and op not in ("eq", "ne")):
        return None
    compare = _COMPARE[op]
    if isinstance(right, ir.Literal):
        option = _plain(right, value)
        return None if option is None else _against(value, compare, option)
    other = value_of(right)
    if other is None or value.form == TEXT or (other.form, other.type.scale) != (value.form, value.type.scale):
        return None

    def test(rows: Any) -> Truth:  # noqa: ANN401 - rows of events or of profiles
        one, two = value.read(rows), other.read(rows)
        return _where_present(compare(one.values, two.values), _all_present(one.present, two.present))

    return test


def _plain(literal: ir.Literal, value: Value) -> Any:  # noqa: ANN401 - a number or a text
    """A literal as the values it is compared with; None where these are of another kind."""
    option = plain(literal.value, literal.type)
    if value.form == TEXT:
        return option if isinstance(option, str) else None
    if value.form == REAL:
        return option if isinstance(option, float) else None
    is_whole = isinstance(option, int) and abs(option) < 2**63
    return int(option) if is_whole and literal.type.scale == value.type.scale else None


def _against(value: Value, compare: Callable[[Any, Any], Any], option: Any) -> Test:  # noqa: ANN401 - a number or a text
    def test(rows: Any) -> Truth:  # noqa: ANN401 - rows of events or of profiles
        column = value.read(rows)
        wanted = option if column.codes is None else column.codes.get(option, -1)
        return _where_present(compare(column.values, wanted), column.present)

    return test


def _listed(value: Value | None, options: Sequence[ir.Physical]) -> Test | None:
    if value is None or value.form == REAL:
        return None
    known = [_plain(ir.Literal(option, value.type), value) for option in options]
    if any(option is None for option in known):
        return None

    def test(rows: Any) -> Truth:  # noqa: ANN401 - rows of events or of profiles
        column = value.read(rows)
        wanted = known if column.codes is None else [column.codes.get(option, -1) for option in known]
        if len(wanted) > _FEW_OPTIONS:
            return _where_present(np.isin(column.values, wanted), column.present)
        return _where_present(reduce(operator.or_, [column.values == one for one in wanted]), column.present)

    return test


def _existing(value: Value) -> Test:
    def test(rows: Any) -> Truth:  # noqa: ANN401 - rows of events or of profiles
        column = value.read(rows)
        found = np.ones(len(column.values), np.bool_) if column.present is None else column.present
        return found, found

    return test


def _inside(value: Value | None, window: Window, span: Spans) -> Test | None:
    """A test of instants against a window without traits; days have bounds of their own."""
    is_other = isinstance(window, Anniversary) or bool(trait_bounds(window))
    if value is None or is_other or value.type.kind is not Kind.TIME:
        return None

    bounds = span(window)

    def test(rows: Any) -> Truth:  # noqa: ANN401 - rows of events or of profiles
        column = value.read(rows)
        lo, hi = bounds(rows)
        found = np.ones(len(column.values), np.bool_) if lo is None else column.values >= lo
        found = found if hi is None else found & (column.values <= hi)
        return _where_present(found, column.present)

    return test


def _all_present(one: Bools | None, other: Bools | None) -> Bools | None:
    if one is None or other is None:
        return one if other is None else other
    return one & other


def _where_present(found: Bools, present: Bools | None) -> Truth:
    """Unknown where a value is missing."""
    if present is None:
        return found, found
    return found & present, found | ~present
