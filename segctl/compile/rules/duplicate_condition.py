"""The same condition twice in one group."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.reason.verdicts import verdicts
from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for verdict in verdicts(subject.definitions, subject.today, "duplicate"):
        place = subject.place(verdict.condition.location or verdict.segment.location)
        beside = verdict.beside.location if verdict.beside is not None else None
        where = f" in line {beside.line}" if beside is not None else ""
        yield Finding(f"this condition stands already{where}", place, hint="delete it, or write what was meant here")


RULE = Rule(
    "SEG745",
    "duplicate_condition",
    "warning",
    title="A condition stands twice in one group",
    why="The second one changes nothing, and often another condition was meant.",
    remedy="Delete one of the two, or write the condition that was meant.",
    check=_check,
    bad="""
segment: golden_germans
where:
  all:
    - {trait: country, equals: DE}
    - {trait: tier, equals: gold}
    - {trait: country, equals: DE}   # here
""",
    good="""
segment: golden_germans
where:
  all:
    - {trait: country, equals: DE}
    - {trait: tier, equals: gold}
""",
)
