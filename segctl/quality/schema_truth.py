"""Truths that are known when a contract is compiled fold away; the others are Polars expressions without nulls."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import polars as pl

Truth = pl.Expr | bool
_MANY = 8


def both(left: Truth, right: Truth) -> Truth:
    """Left and right."""
    if left is False or right is False:
        return False
    if left is True:
        return right
    return left if right is True else left & right


def either(left: Truth, right: Truth) -> Truth:
    """Left or right."""
    if left is True or right is True:
        return True
    if left is False:
        return right
    return left if right is False else left | right


def no(truth: Truth) -> Truth:
    """The opposite."""
    return not truth if isinstance(truth, bool) else ~truth


def some(truths: Iterable[Truth]) -> Truth:
    """At least one of them."""
    open_: list[pl.Expr] = []
    for truth in truths:
        if truth is True:
            return True
        if not isinstance(truth, bool):
            open_.append(truth)
    if len(open_) > _MANY:
        # A chain of a thousand operators takes Polars seconds to look through; one function of a thousand does not.
        return pl.any_horizontal(open_)
    start: Truth = False
    return reduce(either, open_, start)


def counted(truths: Iterable[Truth]) -> pl.Expr | int:
    """How many of them hold."""
    known, open_ = 0, []
    for truth in truths:
        if isinstance(truth, bool):
            known += truth
        else:
            open_.append(truth.cast(pl.Int32))
    if not open_:
        return known
    return reduce(lambda left, right: left + right, open_) + known


def column(truth: Truth) -> pl.Expr:
    """The truth as an expression of one value per row."""
    return pl.repeat(value=truth, n=pl.len(), dtype=pl.Boolean) if isinstance(truth, bool) else truth
