"""A segment in force that rests on one that is a draft, paused or deprecated."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject
from segctl.model.conditions import SegmentCondition, SegmentDefinition


def _check(subject: Subject) -> Iterator[Finding]:
    marks = set(subject.words("tags"))
    for segment in subject.segments:
        if segment.status != "active":
            continue
        for leaf in subject.leaves(segment):
            condition = leaf.condition
            other = (
                subject.definitions.segments.get(condition.segment) if isinstance(condition, SegmentCondition) else None
            )
            state = _state(other, marks) if other is not None else None
            if other is not None and state is not None:
                yield Finding(
                    f"`{segment.name}` rests on `{other.name}`, which is {state}",
                    subject.place(condition.location, "segment"),
                    hint=f"refer to another segment, or make `{other.name}` active when it is ready",
                    why="what changes there, or ends there, changes the members here",
                )


def _state(segment: SegmentDefinition, marks: set[str]) -> str | None:
    if segment.status != "active":
        return "a draft" if segment.status == "draft" else segment.status
    return "deprecated" if marks & set(segment.tags) else None


RULE = Rule(
    "SEG715",
    "inactive_reference",
    "warning",
    title="An active segment rests on a draft, paused or deprecated one",
    why="A draft may still change its meaning, a paused segment keeps old members, and a deprecated one will go.",
    remedy="Refer to another segment, or make that one active.",
    check=_check,
    options=(("tags", ("deprecated", "obsolete", "veraltet"), "which tags mark segments that will go"),),
    bad="""
segment: fans
status: draft
where: {trait: interests, any_of: [Sneaker]}
# segments/fan_mail.yaml
segment: fan_mail
where:
  all:
    - {segment: fans}   # here
    - {trait: newsletter, equals: true}
""",
    good="""
segment: fans
status: active
where: {trait: interests, any_of: [Sneaker]}
# segments/fan_mail.yaml
segment: fan_mail
where:
  all:
    - {segment: fans}
    - {trait: newsletter, equals: true}
""",
)
