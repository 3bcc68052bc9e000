"""Predicates of the IR as Kleene booleans in the portable layer: null is unknown."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce, singledispatch

import narwhals.stable.v2 as nw

from segctl.compile import ir
from segctl.compile.windows import anniversary_days, date_span, trait_bounds
from segctl.compile.zones import EPOCH_DAY
from segctl.engines import localtime
from segctl.engines.expressions import instant, local_day_of, to_expr
from segctl.engines.physical import plain
from segctl.engines.scope import Scope, list_column, segment_column
from segctl.model.times import Anniversary, Window
from segctl.model.types import Kind, ValueType


def to_predicate(node: ir.Predicate, scope: Scope) -> nw.Expr:
    """The truth of a predicate: true, false, or null for unknown."""
    column = scope.known.get(node)
    return _predicate(node, scope) if column is None else nw.col(column)


@singledispatch
def _predicate(node: object, scope: Scope) -> nw.Expr:  # noqa: ARG001 - the signature of the family
    raise TypeError(f"no translation for {type(node).__name__}")


@_predicate.register
def _(node: ir.Constant, _scope: Scope) -> nw.Expr:
    return nw.lit(node.value, nw.Boolean)


@_predicate.register
def _(node: ir.And, scope: Scope) -> nw.Expr:
    items = [to_predicate(item, scope) for item in node.items]
    if len(items) == 1:
        return items[0]
    return nw.all_horizontal(*items, ignore_nulls=False) if items else nw.lit(value=True)


@_predicate.register
def _(node: ir.Or, scope: Scope) -> nw.Expr:
    items = [to_predicate(item, scope) for item in node.items]
    if len(items) == 1:
        return items[0]
    return nw.any_horizontal(*items, ignore_nulls=False) if items else nw.lit(value=False)


@_predicate.register
def _(node: ir.AtLeast, scope: Scope) -> nw.Expr:
    items = [to_predicate(item, scope) for item in node.items]
    true, possible = _number(items, unknown=0), _number(items, unknown=1)
    undecided = nw.when(possible < node.n).then(nw.lit(value=False))
    return nw.when(true >= node.n).then(nw.lit(value=True)).otherwise(undecided)


def _number(items: list[nw.Expr], *, unknown: int) -> nw.Expr:
    counted = (nw.when(item.fill_null(bool(unknown))).then(nw.lit(1)).otherwise(nw.lit(0)) for item in items)
    return reduce(lambda left, right: left + right, counted, nw.lit(0))


@_predicate.register
def _(node: ir.Not, scope: Scope) -> nw.Expr:
    return ~to_predicate(node.item, scope)


@_predicate.register
def _(node: ir.Compare, scope: Scope) -> nw.Expr:
    return _COMPARE[node.op](to_expr(node.left, scope), to_expr(node.right, scope))


_COMPARE: dict[str, Callable[[nw.Expr, nw.Expr], nw.Expr]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
}


@_predicate.register
def _(node: ir.In, scope: Scope) -> nw.Expr:
    value = to_expr(node.value, scope)
    if not node.options:
        return _if_present(value, answer=False)
    options = [plain(option, node.value.type) for option in node.options]
    return value == options[0] if len(options) == 1 else value.is_in(options)


@_predicate.register
def _(node: ir.TextTest, scope: Scope) -> nw.Expr:
    value = to_expr(node.value, scope)
    pattern = node.pattern.value if isinstance(node.pattern, ir.Literal) else to_expr(node.pattern, scope)
    return _TEXT[node.op](value, pattern)


_TEXT: dict[str, Callable[[nw.Expr, object], nw.Expr]] = {
    "eq": lambda value, pattern: value == pattern,
    "contains": lambda value, pattern: value.str.contains(pattern, literal=True),  # type: ignore[arg-type]  # a pattern may be an expression
    "starts_with": lambda value, pattern: value.str.starts_with(pattern),  # type: ignore[arg-type]  # a pattern may be an expression
    "ends_with": lambda value, pattern: value.str.ends_with(pattern),  # type: ignore[arg-type]  # a pattern may be an expression
    "matches": lambda value, pattern: value.str.contains(pattern),  # type: ignore[arg-type]  # a pattern may be an expression
}


@_predicate.register
def _(node: ir.Exists, scope: Scope) -> nw.Expr:
    return ~to_expr(node.value, scope).is_null()


@_predicate.register
def _(node: ir.InWindow, scope: Scope) -> nw.Expr:
    if isinstance(node.window, Anniversary):
        if scope.bounds is not None:
            scope.bounds.note_day()
        days = anniversary_days(node.window, scope.as_of, scope.zone)
        keys = sorted(month * 100 + day for month, day in days)
        return localtime.month_and_day(local_day_of(node.value, scope), scope).is_in(keys)
    value = to_expr(node.value, scope)
    tests = _fixed_bounds(value, node.value.type, node.window, scope)
    if trait_bounds(node.window):
        tests += trait_tests(instant(node.value, scope), node.window, dict(node.bounds), scope)
    return nw.all_horizontal(*tests, ignore_nulls=False) if tests else _if_present(value, answer=True)


def _fixed_bounds(value: nw.Expr, value_type: ValueType, window: Window, scope: Scope) -> list[nw.Expr]:
    inside = scope.span(window)
    lo, hi, form = inside.lo, inside.hi, "instant"
    if value_type.kind is Kind.DATE:
        first, last = date_span(window, scope.as_of, scope.zone)
        lo = None if first is None else first.toordinal() - EPOCH_DAY
        hi = None if last is None else last.toordinal() - EPOCH_DAY
        form = "date"
    tests = [] if lo is None else [value >= scope.moving(lo, form, window, "lo")]
    return tests if hi is None else [*tests, value <= scope.moving(hi, form, window, "hi")]


def trait_tests(value: nw.Expr, window: Window | None, bounds: dict[str, ir.Expression], scope: Scope) -> list[nw.Expr]:
    """Tests of an instant against the bounds of a window that are traits; unknown where the trait is missing."""
    tests = []
    for bound in trait_bounds(window):
        limit = bounds[bound.trait]
        if limit.type.kind is not Kind.DATE:
            tests.append(_COMPARE[bound.op](value, to_expr(limit, scope)))
            continue
        day = to_expr(limit, scope)
        edge = day if bound.date_edge == "first" else day + 1
        tests.append(_COMPARE[bound.date_op](value, localtime.day_start_us(edge, scope)))
    return tests


@_predicate.register
def _(node: ir.ArrayTest, scope: Scope) -> nw.Expr:
    value = to_expr(node.value, scope)
    element = node.value.type.element
    if not node.options or element is None:
        return _if_present(value, answer=node.op != "any")
    found = [value.list.contains(plain(option, element)) for option in node.options]
    if node.op == "all":
        return nw.all_horizontal(*found, ignore_nulls=False)
    some = nw.any_horizontal(*found, ignore_nulls=False)
    return ~some if node.op == "none" else some


@_predicate.register
def _(node: ir.IfMissing, scope: Scope) -> nw.Expr:
    # With no answer for unknown the segment fails if there is any; whoever evaluates looks at that.
    item = to_predicate(node.item, scope)
    return item if node.then is None else item.fill_null(node.then)


@_predicate.register
def _(node: ir.IsMember, _scope: Scope) -> nw.Expr:
    return nw.col(segment_column(node.segment))


@_predicate.register
def _(node: ir.InSample, _scope: Scope) -> nw.Expr:
    if node.threshold > 2**63 - 1:
        return nw.lit(value=True)
    return nw.col(f"sample:{node.salt}") < node.threshold


@_predicate.register
def _(node: ir.InList, _scope: Scope) -> nw.Expr:
    return nw.col(list_column(node))


def _if_present(value: nw.Expr, *, answer: bool) -> nw.Expr:
    """A constant answer, unknown where the value is missing."""
    return nw.when(~value.is_null()).then(nw.lit(value=answer))
