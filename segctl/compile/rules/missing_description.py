"""A segment that says nowhere in words who is meant."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for segment in subject.segments:
        if segment.description is None:
            yield Finding(
                f"the segment `{segment.name}` has no description",
                subject.header(segment),
                hint="add `description:` with one sentence: who is meant, and what for",
            )


RULE = Rule(
    "SEG701",
    "missing_description",
    "warning",
    title="The segment has no description",
    why="The conditions say what is computed. Only a sentence says what was meant, so that others can see a mistake.",
    remedy="Write one sentence that says who is meant.",
    check=_check,
    bad="""
segment: big_spenders   # here
owner: crm@shop.example
where: {trait: lifetime_value, at_least: 500}
""",
    good="""
segment: big_spenders
description: Bought goods for 500 EUR or more.
owner: crm@shop.example
where: {trait: lifetime_value, at_least: 500}
""",
)
