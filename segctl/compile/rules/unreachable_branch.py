"""A branch of an `any` that lets nobody in whom the others leave out."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.reason.verdicts import verdicts
from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for verdict in verdicts(subject.definitions, subject.today, "unreachable"):
        place = subject.place(verdict.condition.location or verdict.segment.location)
        beside = verdict.beside.location if verdict.beside is not None else None
        if beside is None:
            message = "this branch lets nobody in: the conditions around it exclude everybody who passes it"
            yield Finding(message, place, hint="delete the branch, or change the conditions around the `any`")
            continue
        message = f"this branch lets nobody in whom the one in line {beside.line} does not let in already"
        yield Finding(message, place, hint=f"delete it, or make line {beside.line} stricter")


RULE = Rule(
    "SEG746",
    "unreachable_branch",
    "warning",
    title="A branch of `any` lets nobody in",
    why="Everybody who passes it passes another branch too, or the conditions around the `any` exclude them all. The "
    "segment has the same members without it.",
    remedy="Delete the branch, or change the bounds of the others.",
    check=_check,
    bad="""
segment: loyal
where:
  all:
    - {trait: country, in: [DE, AT]}
    - any:
        - {trait: points, at_least: 100}
        - {trait: points, at_least: 500}   # here
        - {trait: country, equals: CH}   # here
""",
    good="""
segment: loyal
where:
  all:
    - {trait: country, in: [DE, AT, CH]}
    - any:
        - {trait: points, at_least: 100}
        - {trait: country, equals: CH}
""",
)
