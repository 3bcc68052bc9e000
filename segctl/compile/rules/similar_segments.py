"""Two segments that differ in one number, and little."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.reason.verdicts import alike_segments
from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for found in alike_segments(subject.definitions, subject.today):
        if found.numbers is not None:
            here, there = found.numbers
            yield Finding(
                f"`{found.segment.name}` differs from `{found.other.name}` in one number: {here} instead of {there}",
                subject.place(found.segment.location),
                hint=f"use one of the two, or say in the description why both are needed; "
                f"`segctl overlap {found.segment.name} {found.other.name}` counts them",
            )


RULE = Rule(
    "SEG753",
    "similar_segments",
    "note",
    title="Two segments are nearly the same",
    why="They differ in one number, by a tenth or less: often one was copied and forgotten, and people choose the "
    "wrong one. Three and more steps of one number are taken as meant, and so are segments that one file makes.",
    remedy="Use one of them, or waive the finding with the reason.",
    check=_check,
    bad="""
# segments/lost.yaml
segment: lost
where: {event: order_completed, within_last: 90 days, count: 0}
# segments/lost_again.yaml
segment: lost_again   # here
where: {event: order_completed, within_last: 91 days, count: 0}
""",
    good="""
# segments/lost.yaml
segment: lost
where: {event: order_completed, within_last: 90 days, count: 0}
# segments/long_lost.yaml
segment: long_lost
where: {event: order_completed, within_last: 360 days, count: 0}
""",
)
