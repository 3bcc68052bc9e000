"""The kinds of conditions by the words people write, of a bound definition and of one that is only composed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from segctl.compile.source import ListNode, Mapping, Node, Scalar

if TYPE_CHECKING:
    from segctl.model.conditions import Condition

KINDS = (
    "all", "any", "none", "not", "trait", "event", "sequence", "segment", "consent", "sample", "near", "list",
    "related",
)  # fmt: skip
_BY_CLASS = {"AnyOf": "any", "NoneOf": "none", "ChangedCondition": "trait", "ColleaguesCondition": "related"}


def kinds_of(condition: Condition) -> frozenset[str]:
    """Kinds of conditions in a bound condition, combinations included."""
    from segctl.model.conditions import All, AnyOf, NoneOf, Not

    found, todo = set(), [condition]
    while todo:
        node = todo.pop()
        name = type(node).__name__
        found.add(_BY_CLASS.get(name, name.removesuffix("Condition").lower()))
        if isinstance(node, Not):
            todo.append(node.item)
        elif isinstance(node, All | AnyOf | NoneOf):
            todo.extend(node.items)
    return frozenset(found)


def kinds_written(node: Node | None) -> Iterator[tuple[str, Node]]:
    """Kind and value of every condition below a node, as written and unchecked."""
    todo = [node]
    while todo:
        here = todo.pop()
        if isinstance(here, ListNode):
            todo.extend(here.items)
        elif isinstance(here, Mapping):
            for key, value in here.entries:
                if key.text in KINDS:
                    yield key.text, value
                    todo.extend([value] if key.text in ("all", "any", "none", "not") else [])


def segments_written(node: Node | None) -> tuple[str, ...]:
    """Names of the segments that conditions below a node refer to, as written."""
    found = (
        value.text.strip() for kind, value in kinds_written(node) if kind == "segment" and isinstance(value, Scalar)
    )
    return tuple(dict.fromkeys(filter(None, found)))
