"""Equality on a number that is computed with fractions."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject
from segctl.model.conditions import Aggregate, Condition, EventCondition, Share, TraitCondition, ValueTest
from segctl.model.types import Kind

_EXACT = frozenset({"equals", "not_equals", "in", "not_in"})
_ENDS = (0, 1)
"""None and all of a share are exact."""


def _check(subject: Subject) -> Iterator[Finding]:
    for segment in subject.segments:
        for leaf in subject.leaves(segment):
            test = _test(leaf.condition, subject)
            if test is not None and test.operator in _EXACT and any(o not in _ENDS for o in test.operands):
                at = leaf.condition.location or segment.location
                yield Finding(
                    f"`{test.operator}` asks for one exact value of a number that is computed with fractions",
                    subject.place(at),
                    hint="write `between: [LOW, HIGH]`, `at_least` or `at_most`",
                )


def _test(condition: Condition, subject: Subject) -> ValueTest | None:
    """The test of a leaf whose value has fractions."""
    if isinstance(condition, EventCondition) and isinstance(condition.test, ValueTest):
        measure = condition.measure
        is_real = isinstance(measure, Share) or (isinstance(measure, Aggregate) and measure.function == "average")
        return condition.test if is_real else None
    if isinstance(condition, TraitCondition) and isinstance(condition.test, ValueTest):
        computed = subject.definitions.computed.get(condition.trait)
        is_real = computed is not None and computed.type.kind is Kind.REAL and _divides(computed.formula)
        return condition.test if is_real else None
    return None


def _divides(formula: object) -> bool:
    """True where fractions come up; a formula without `/` over whole numbers gives whole numbers."""
    return formula is None or "'/'" in repr(formula)


RULE = Rule(
    "SEG755",
    "exact_fraction",
    "warning",
    title="A computed fraction is compared for equality",
    why="Averages, shares and ratios are hardly ever exactly one value: 0.1 + 0.2 is not 0.3 to a computer, and an "
    "average of 50 EUR is met by almost nobody.",
    remedy="Compare with a range: `between`, `at_least` or `at_most`.",
    check=_check,
    bad="""
segment: average_fifty
where: {event: order_completed, average: {of: value, equals: 49.9}}   # here
""",
    good="""
segment: average_fifty
where: {event: order_completed, average: {of: value, between: [45, 55]}}
""",
)
