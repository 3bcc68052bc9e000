"""A segment that is sent somewhere without a word on what it may be used for."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for segment in subject.segments:
        if segment.send_to and segment.purpose is None:
            yield Finding(
                f"the segment `{segment.name}` is sent somewhere and names no purpose",
                subject.header(segment, "send_to"),
                hint="add the purpose that people have consented to, such as `purpose: newsletter`",
                why="without a purpose nobody can say whose consent is needed",
            )


RULE = Rule(
    "SEG702",
    "missing_purpose",
    "warning",
    title="A segment that is sent has no purpose",
    why="Personal data may be used for a purpose that is named, and consent is given for a purpose. The gate before a "
    "destination asks for it.",
    remedy="Name the purpose, with the word that consents are stored under.",
    check=_check,
    bad="""
segment: winback
description: Bought something, but not in the last 90 days.
owner: crm@shop.example
send_to: [klaviyo]   # here
where: {event: order_completed, last: {older_than: 90 days}}
""",
    good="""
segment: winback
description: Bought something, but not in the last 90 days.
owner: crm@shop.example
purpose: newsletter
send_to: [klaviyo]
where: {event: order_completed, last: {older_than: 90 days}}
""",
)
