"""`not` around a segment whose members are those known to be: unknown people are suddenly in."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject
from segctl.compile.unknowns import leaf_can_be_unknown
from segctl.model.conditions import SegmentCondition, SegmentDefinition, TraitCondition


def _check(subject: Subject) -> Iterator[Finding]:
    for segment in subject.segments:
        for leaf in subject.leaves(segment):
            condition = leaf.condition
            if not isinstance(condition, SegmentCondition) or not leaf.is_negated:
                continue
            other = subject.definitions.segments.get(condition.segment)
            trait = _single_open_trait(other, subject) if other is not None else None
            if trait is not None:
                yield Finding(
                    f"`not` around `{condition.segment}` also takes in everybody whose `{trait}` is missing",
                    subject.place(condition.location, "segment"),
                    hint=f"say so with `missing: no_match` in `{condition.segment}`, or ask for "
                    f"`{{trait: {trait}, exists: true}}` here too",
                    why="a person is a member or is not; `not` around the condition itself would leave them out",
                )


def _single_open_trait(segment: SegmentDefinition, subject: Subject) -> str | None:
    """The trait of a segment that is one test, moved into a file of its own, and can be unknown."""
    where = segment.where
    if segment.keep is not None or not isinstance(where, TraitCondition):
        return None
    return where.trait if leaf_can_be_unknown(where, subject.definitions) else None


RULE = Rule(
    "SEG714",
    "negated_segment",
    "note",
    title="`not` means something else around a segment than around its condition",
    why="A reference to a segment is never unknown: a person is a member or is not. So `not: {segment: …}` takes in "
    "people whose value is missing, whom `not` around the same condition would leave out.",
    remedy="Say in the segment what a missing value means, or ask for the value here too.",
    check=_check,
    bad="""
segment: gold
where: {trait: tier, equals: gold}
# segments/others.yaml
segment: others
where: {not: {segment: gold}}   # here
""",
    good="""
segment: gold
where: {trait: tier, equals: gold, missing: no_match}
# segments/others.yaml
segment: others
where: {not: {segment: gold}}
""",
)
