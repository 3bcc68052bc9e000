"""A negative test on a value that can be missing: those without it are silently left out."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Leaf, Rule, Subject
from segctl.compile.unknowns import leaf_can_be_unknown
from segctl.model.conditions import All, Condition, TraitCondition, ValueTest

_NEGATIVE = frozenset({"not_equals", "not_in", "not_contains", "none_of"})


def _check(subject: Subject) -> Iterator[Finding]:
    for segment in subject.segments:
        for leaf in subject.leaves(segment):
            condition = leaf.condition
            if not isinstance(condition, TraitCondition) or not isinstance(condition.test, ValueTest):
                continue
            operator = condition.test.operator
            is_negative = (operator in _NEGATIVE) != leaf.is_negated
            if not is_negative or not leaf_can_be_unknown(condition, subject.definitions) or _is_asked(leaf):
                continue
            name = ".".join((condition.trait, *condition.path))
            said = f"`{operator}`" if operator in _NEGATIVE else "`not`"
            # Before the `not` around it, a missing value has to be what the `not` turns into a match.
            match = "no_match" if leaf.is_negated else "match"
            leave = "match" if leaf.is_negated else "no_match"
            yield Finding(
                f"{said} leaves out everybody whose `{name}` is missing",
                subject.place(condition.location, operator if operator in _NEGATIVE else "trait"),
                hint=f"add `missing: {match}` to take them in, or `missing: {leave}` to leave them out on purpose",
                why="a comparison with a missing value is unknown, and so is its opposite",
            )


def _is_asked(leaf: Leaf) -> bool:
    """Another condition beside it asks whether the value is there."""
    inside: Condition = leaf.condition
    name = (leaf.condition.trait, leaf.condition.path) if isinstance(leaf.condition, TraitCondition) else None
    for around in reversed(leaf.above):
        if isinstance(around, All):
            for item in around.items:
                if item is not inside and isinstance(item, TraitCondition) and (item.trait, item.path) == name:
                    return True
        inside = around
    return False


RULE = Rule(
    "SEG713",
    "negative_without_missing",
    "warning",
    title="A negative test on a value that can be missing",
    why="Who has no value is neither equal nor unequal to anything: unknown, and so never a member. With a negative "
    "test people mostly expect them to be in.",
    remedy="Say what is meant with `missing: match` or `missing: no_match`, or ask for `exists: true` beside it.",
    check=_check,
    bad="""
segment: abroad
where:
  all:
    - {trait: country, not_in: [DE, AT, CH]}   # here
    - not: {trait: tier, equals: gold}   # here
""",
    good="""
segment: abroad
where:
  all:
    - {trait: country, not_in: [DE, AT, CH], missing: no_match}
    - not: {trait: tier, equals: gold, missing: no_match}
""",
)
