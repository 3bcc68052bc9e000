"""Two segments with the same members."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.reason.verdicts import alike_segments
from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for found in alike_segments(subject.definitions, subject.today):
        if found.numbers is None:
            yield Finding(
                f"`{found.segment.name}` always has the same members as `{found.other.name}`",
                subject.place(found.segment.location),
                hint=f"keep one of the two, or write `where: {{segment: {found.other.name}}}` here",
            )


RULE = Rule(
    "SEG752",
    "equal_segments",
    "warning",
    title="Two segments mean the same",
    why="Their definitions are written differently at most, and have the same members whatever the data are. When one "
    "of them is changed, the other stays behind.",
    remedy="Keep one of them, or let one refer to the other with `segment`.",
    check=_check,
    bad="""
# segments/buyers.yaml
segment: buyers
where:
  all:
    - {trait: points, above: 99}
    - {trait: country, in: [DE, AT]}
# segments/loyal.yaml
segment: loyal   # here
where:
  all:
    - {trait: country, in: [AT, DE]}
    - {trait: points, at_least: 100}
""",
    good="""
# segments/buyers.yaml
segment: buyers
where:
  all:
    - {trait: points, above: 99}
    - {trait: country, in: [DE, AT]}
# segments/loyal.yaml
segment: loyal
where: {segment: buyers}
""",
)
