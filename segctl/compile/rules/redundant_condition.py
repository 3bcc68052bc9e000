"""A condition that another one says already."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.reason.verdicts import verdicts
from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for verdict in verdicts(subject.definitions, subject.today, "redundant"):
        place = subject.place(verdict.condition.location or verdict.segment.location)
        beside = verdict.beside.location if verdict.beside is not None else None
        if beside is None:
            message = f"without this condition `{verdict.segment.name}` has exactly the same members"
            yield Finding(message, place, hint="delete it, or change a bound if more was meant")
            continue
        message = f"this condition says nothing that the one in line {beside.line} does not say already"
        hint = f"delete it, or change a bound; line {beside.line} is the stricter one"
        yield Finding(message, place, hint=hint)


RULE = Rule(
    "SEG744",
    "redundant_condition",
    "warning",
    title="A condition changes nothing",
    why="Another condition implies it, whatever the data are: who ordered three times in a week has ordered in the "
    "last month. The segment has the same members without it, so one of the two may be a mistake.",
    remedy="Delete it, or change its bounds to what was meant.",
    check=_check,
    bad="""
segment: busy_buyers
where:
  all:
    - {event: order_completed, within_last: 30 days, count: {at_least: 2}}   # here
    - {event: order_completed, within_last: 7 days, count: {at_least: 3}}
    - {trait: country, in: [DE, AT]}   # here
    - {trait: country, equals: DE}
""",
    good="""
segment: busy_buyers
where:
  all:
    - {event: order_completed, within_last: 30 days, count: {at_least: 5}}
    - {event: order_completed, within_last: 7 days, count: {at_least: 3}}
    - {trait: country, equals: DE}
""",
)
