"""A condition with some of its leaves taken out: what a definition would say without them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from segctl.model.conditions import All, AnyOf, Condition, NoneOf, Not


def leaves(condition: Condition) -> tuple[Condition, ...]:
    """The leaves in reading order; groups and negations are not leaves."""
    return tuple(_leaves(condition))


def without(condition: Condition, index: int) -> Condition | None:
    """The condition without its leaf number `index`; None when nothing is left.

    A group that loses its last item disappears too; `at_least: n` of a smaller `any` becomes at most its size.
    """
    return _filtered(condition, lambda number: number != index)


def up_to(condition: Condition, index: int) -> Condition | None:
    """The condition with its leaves up to and including number `index`; None when nothing is left."""
    return _filtered(condition, lambda number: number <= index)


def _leaves(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, All | AnyOf | NoneOf):
        for item in condition.items:
            yield from _leaves(item)
    elif isinstance(condition, Not):
        yield from _leaves(condition.item)
    else:
        yield condition


def _filtered(condition: Condition, keeps: Callable[[int], bool]) -> Condition | None:
    counter = iter(range(len(leaves(condition))))

    def visit(node: Condition) -> Condition | None:
        if isinstance(node, Not):
            inner = visit(node.item)
            return None if inner is None else replace(node, item=inner)
        if isinstance(node, All | AnyOf | NoneOf):
            items = tuple(kept for item in node.items if (kept := visit(item)) is not None)
            if not items:
                return None
            if isinstance(node, AnyOf):
                return replace(node, items=items, at_least=min(node.at_least, len(items)))
            return replace(node, items=items)
        return node if keeps(next(counter)) else None

    return visit(condition)
