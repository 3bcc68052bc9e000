"""A segment that is sent without any limit on how much it may change."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject
from segctl.model.conditions import Guards


def _check(subject: Subject) -> Iterator[Finding]:
    for segment in subject.segments:
        if segment.send_to and segment.guards == Guards():
            yield Finding(
                f"the segment `{segment.name}` is sent without guards",
                subject.header(segment, "send_to"),
                hint="add `guards: {max_removed: 20 %, min_size: 50}`",
                why="a source that is empty one night would empty the audience at the destination too",
            )


RULE = Rule(
    "SEG722",
    "missing_guards",
    "note",
    title="A segment is sent without guards",
    why="Guards refuse a change that is too large to be true. Without them an empty source empties the audience at the "
    "destination, which some destinations cannot undo.",
    remedy="Say how much may go or come in one run, and how small the segment may become.",
    check=_check,
    bad="""
segment: winback
purpose: newsletter
send_to: [klaviyo]   # here
where: {event: order_completed, last: {older_than: 90 days}}
""",
    good="""
segment: winback
purpose: newsletter
send_to: [klaviyo]
guards: {max_removed: 20 %, min_size: 50}
where: {event: order_completed, last: {older_than: 90 days}}
""",
)
