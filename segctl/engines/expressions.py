"""Expressions of the IR in the portable layer: one short function a node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import singledispatch

import narwhals.stable.v2 as nw

from segctl.compile import ir
from segctl.compile.plan import walk
from segctl.engines import localtime
from segctl.engines.physical import plain, portable_dtype
from segctl.engines.scope import Scope, trait_column
from segctl.model.types import DATE, Kind, stored_column

_EARLY, _LATE = -5_364_662_400_000_000, 7_258_118_400_000_000
"""The years 1800 and 2200: outside, the offset beside holds."""


def to_expr(node: ir.Expression, scope: Scope) -> nw.Expr:
    """The value of an expression in working form; null when missing."""
    column = scope.known.get(node)
    return evaluated(node, scope) if column is None else nw.col(column)


def instant(node: ir.Expression, scope: Scope) -> nw.Expr:
    """A time or date in microseconds; a date stands for its first local instant."""
    value = to_expr(node, scope)
    return localtime.day_start_us(value, scope) if node.type.kind is Kind.DATE else value


def local_day_of(node: ir.Expression, scope: Scope) -> nw.Expr:
    """The local day of a time or date."""
    value = to_expr(node, scope)
    if node.type.kind is Kind.DATE:
        return value
    if any(isinstance(part, ir.EventProperty | ir.Element) for part in walk(node)):
        # The scope's range is that of event times and traits; other times may lie anywhere.
        scope = replace(scope, lo=_EARLY, hi=_LATE)
    return localtime.day_of(localtime.local_us(value, scope), scope)


@singledispatch
def evaluated(node: object, scope: Scope) -> nw.Expr:  # noqa: ARG001 - the signature of the family
    """A node's value from the columns of its row; other modules register nodes of their own."""
    raise TypeError(f"no translation for {type(node).__name__}")


@evaluated.register
def _(node: ir.Literal, _scope: Scope) -> nw.Expr:
    return nw.lit(plain(node.value, node.type), portable_dtype(node.type))


@evaluated.register
def _(node: ir.StoredTrait, _scope: Scope) -> nw.Expr:
    return nw.col(trait_column(node))


@evaluated.register
def _(node: ir.EventProperty, _scope: Scope) -> nw.Expr:
    return nw.col(stored_column(node.name, node.type))


@evaluated.register
def _(_node: ir.EventTime, _scope: Scope) -> nw.Expr:
    return nw.col("ts")


@evaluated.register
def _(node: ir.EventTimePart, scope: Scope) -> nw.Expr:
    local = localtime.local_us(nw.col("ts"), scope)
    if node.part == "hour":
        return localtime.hour_of(local, scope)
    day = to_expr(ir.EventTimePart("date", DATE), scope) if node.part != "date" else localtime.day_of(local, scope)
    by_part: dict[str, Callable[[nw.Expr, Scope], nw.Expr]] = {
        "month": localtime.month_of,
        "weekday": localtime.weekday_of,
    }
    return by_part[node.part](day, scope) if node.part in by_part else day


@evaluated.register
def _(node: ir.StructField, scope: Scope) -> nw.Expr:
    return to_expr(node.of, scope).struct.field(node.field)


@evaluated.register
def _(node: ir.Size, scope: Scope) -> nw.Expr:
    return to_expr(node.of, scope).list.len().cast(nw.Int64)


@evaluated.register
def _(node: ir.OfProfile, scope: Scope) -> nw.Expr:
    return to_expr(node.of, scope)


@evaluated.register
def _(node: ir.Real, scope: Scope) -> nw.Expr:
    value = to_expr(node.of, scope).cast(nw.Float64)
    return localtime.divided(value, float(10**node.of.type.scale)) if node.of.type.scale else value


@evaluated.register
def _(node: ir.DaysSince, scope: Scope) -> nw.Expr:
    return localtime.in_days(scope.instant() - instant(node.of, scope))


@evaluated.register
def _(node: ir.YearsSince, scope: Scope) -> nw.Expr:
    return localtime.completed_years(local_day_of(node.of, scope), scope).cast(nw.Float64)


@evaluated.register
def _(node: ir.Arithmetic, scope: Scope) -> nw.Expr:
    operands = [to_expr(operand, scope) for operand in node.operands]
    return _FUNCTIONS[node.function](*operands)


def _divided(numerator: nw.Expr, denominator: nw.Expr) -> nw.Expr:
    # As in `localtime.divided`: a constant below the line must become a column to be divided by exactly.
    return nw.when(denominator != 0.0).then(numerator / (denominator + numerator * 0.0))


def _extreme(pick: Callable[..., nw.Expr]) -> Callable[..., nw.Expr]:
    def of_all_present(*operands: nw.Expr) -> nw.Expr:
        present = nw.all_horizontal(*[~operand.is_null() for operand in operands], ignore_nulls=False)
        return nw.when(present).then(pick(*operands))

    return of_all_present


def _rounded(value: nw.Expr) -> nw.Expr:
    size = value.abs()
    whole = size.floor()
    # The difference is exact; adding a half before cutting would not be.
    away = nw.when(size - whole >= 0.5).then(whole + 1.0).otherwise(whole)
    return nw.when(value < 0.0).then(away * -1.0).otherwise(away)


_FUNCTIONS: dict[str, Callable[..., nw.Expr]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divided,
    "neg": lambda value: value * -1.0,
    "min": _extreme(nw.min_horizontal),
    "max": _extreme(nw.max_horizontal),
    "abs": lambda value: value.abs(),
    "round": _rounded,
    "coalesce": nw.coalesce,
}
