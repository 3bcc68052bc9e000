"""A draft that names destinations."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for segment in subject.segments:
        if segment.send_to and segment.status == "draft":
            yield Finding(
                f"the segment `{segment.name}` is a draft and names destinations",
                subject.header(segment, "send_to"),
                hint="write `status: active` when it is ready, or delete `send_to` until then",
                why="a draft is not sent, so this line only looks as if it were",
            )


RULE = Rule(
    "SEG716",
    "draft_with_destination",
    "warning",
    title="A draft names destinations",
    why="Drafts are not sent. A list of destinations in one is either too early, or the status was forgotten.",
    remedy="Make the segment active, or delete `send_to`.",
    check=_check,
    bad="""
segment: winback
purpose: newsletter
status: draft
send_to: [klaviyo]   # here
where: {event: order_completed, last: {older_than: 90 days}}
""",
    good="""
segment: winback
purpose: newsletter
status: active
send_to: [klaviyo]
where: {event: order_completed, last: {older_than: 90 days}}
""",
)
