"""A segment that says of itself that it is a part of others, and nobody has it as a part."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    if not subject.is_complete:
        return
    marks = set(subject.words("tags"))
    used = {name for segment in subject.segments for name in subject.references(segment).segments}
    for segment in subject.segments:
        mark = next((tag for tag in segment.tags if tag in marks), None)
        if mark is None or segment.name in used or segment.send_to:
            continue
        yield Finding(
            f"the segment `{segment.name}` is a part for others, and no other refers to it",
            subject.header(segment),
            hint=f"delete it, or take the tag `{mark}` away if it is for people to look at",
        )


RULE = Rule(
    "SEG704",
    "unused_building_block",
    "warning",
    title="No segment has a building block as a part",
    why="A segment with such a tag is there for other segments only; most segments are for people or destinations, and "
    "are never found by this rule.",
    remedy="Delete the segment, or take the tag away.",
    check=_check,
    options=(("tags", ("building_block", "helper", "internal", "baustein"), "which tags mark building blocks"),),
    bad="""
segment: has_ordered   # here
tags: [building_block]
where: {event: order_completed, count: {at_least: 1}}
""",
    good="""
segment: has_ordered
tags: [building_block]
where: {event: order_completed, count: {at_least: 1}}
# segments/quiet.yaml
segment: quiet
where:
  all:
    - {segment: has_ordered}
    - {event: page_viewed, within_last: 30 days, count: 0}
""",
)
