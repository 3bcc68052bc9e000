"""A single condition that everybody passes."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.reason.leaf_reasons import leaf_faults
from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for fault in leaf_faults(subject.definitions, subject.today, "idle"):
        place = subject.place(fault.leaf.location or fault.segment.location)
        yield Finding(f"everybody passes this condition: {fault.why}", place, hint=fault.hint)


RULE = Rule(
    "SEG743",
    "idle_condition",
    "warning",
    title="Everybody passes a condition",
    why="The test holds for every value that there can be, also for people without any event, so it selects nobody.",
    remedy="Change the bound (`count: {at_least: 1}` asks for one event), or delete the condition.",
    check=_check,
    bad="""
segment: active_germans
where:
  all:
    - {trait: country, equals: DE}
    - {event: logged_in, within_last: 30 days, count: {at_least: 0}}   # here
""",
    good="""
segment: active_germans
where:
  all:
    - {trait: country, equals: DE}
    - {event: logged_in, within_last: 30 days, count: {at_least: 1}}
""",
)
