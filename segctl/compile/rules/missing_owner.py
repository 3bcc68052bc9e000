"""A segment without an owner: nobody to ask, nobody to tell."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for segment in subject.segments:
        if segment.owner is None:
            yield Finding(
                f"the segment `{segment.name}` has no owner",
                subject.header(segment),
                hint="add `owner: team@shop.example`: a team's address, or a name",
            )


RULE = Rule(
    "SEG700",
    "missing_owner",
    "warning",
    title="The segment has no owner",
    why="Somebody has to know whether a segment is still right, and is told when it fails, is stale or shrinks.",
    remedy="Name the team or person that answers for it: `owner: crm@shop.example`.",
    check=_check,
    bad="""
segment: big_spenders   # here
description: Bought goods for 500 EUR or more.
where: {trait: lifetime_value, at_least: 500}
""",
    good="""
segment: big_spenders
description: Bought goods for 500 EUR or more.
owner: crm@shop.example
where: {trait: lifetime_value, at_least: 500}
""",
)
