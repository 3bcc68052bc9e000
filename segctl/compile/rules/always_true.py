"""A segment that everybody is a member of."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.reason.verdicts import verdicts
from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for verdict in verdicts(subject.definitions, subject.today, "always"):
        yield Finding(
            f"everybody is a member of `{verdict.segment.name}`: one of these conditions always holds",
            subject.place(verdict.condition.location or verdict.segment.location),
            hint="change a bound or an operator so that the branches leave somebody out, or write `all`",
        )


RULE = Rule(
    "SEG741",
    "always_true",
    "warning",
    title="Everybody is a member",
    why="The conditions cover every case, whatever the data are, so the segment selects nobody.",
    remedy="Change the bounds, or write `all` instead of `any`.",
    check=_check,
    bad="""
segment: buyers
where:
  any:   # here
    - {event: order_completed, within_last: 90 days, count: {at_least: 1}}
    - {event: order_completed, within_last: 90 days, count: {at_most: 5}}
""",
    good="""
segment: buyers
where:
  all:
    - {event: order_completed, within_last: 90 days, count: {at_least: 1}}
    - {event: order_completed, within_last: 90 days, count: {at_most: 5}}
""",
)
