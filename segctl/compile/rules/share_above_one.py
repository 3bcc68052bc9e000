"""A share compared with a number above 1, where percent were meant."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from segctl.compile.rules.base import Finding, Rule, Subject
from segctl.compile.source import Mapping, Node, Scalar, walk
from segctl.model.conditions import Condition, TraitCondition, ValueTest
from segctl.model.types import Kind

_MOST, _TOLD = 2, 10
"""Growth of twice as much is a share too; what is above was meant in percent."""


def _check(subject: Subject) -> Iterator[Finding]:
    for segment in subject.segments:
        for leaf in subject.leaves(segment):
            for number in _numbers(leaf.condition, subject):
                at = leaf.condition.location or segment.location
                node = subject.node(at) if at is not None else None
                written = _written(number, node)
                if written is not None:
                    yield Finding(
                        f"`{written.text}` of a share is {number * 100:,f} %",
                        written.location,
                        hint=f"write `{written.text} %` if that is meant, or `{number * 100:f} %`",
                    )


def _numbers(condition: Condition, subject: Subject) -> list[Decimal]:
    """Numbers above what shares are, that a trait with the unit `share` is compared with."""
    if not isinstance(condition, TraitCondition) or not isinstance(condition.test, ValueTest) or condition.path:
        return []
    trait = subject.definitions.trait(condition.trait)
    if trait is None or trait.type.unit != "share":
        return []
    operands = (Decimal(o) for o in condition.test.operands if isinstance(o, int | Decimal) and not isinstance(o, bool))
    # Ten and more of a computed share are told where the number is bound.
    told = _TOLD if trait.type.kind is Kind.REAL else None
    return [number for number in operands if abs(number) > _MOST and (told is None or abs(number) < told)]


def _written(number: Decimal, node: Node | None) -> Scalar | None:
    """The number in the file, unless it stands there in percent."""
    if not isinstance(node, Mapping):
        return None
    for part in walk(node):
        if isinstance(part, Scalar) and part.text == f"{number:f}":
            return part
    return None


RULE = Rule(
    "SEG754",
    "share_above_one",
    "warning",
    title="A share is compared with a number that looks like percent",
    why="A share goes from 0 to 1, so a bare 20 is 2,000 %, which hardly anybody reaches or exceeds.",
    remedy="Write the percent sign: `20 %`.",
    check=_check,
    bad="""
segment: high_discount
where: {trait: discount, at_least: 20}   # here
""",
    good="""
segment: high_discount
where: {trait: discount, at_least: 20 %}
""",
)
