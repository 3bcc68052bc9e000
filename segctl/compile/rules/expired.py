"""A segment whose end has come, or comes soon."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for segment in subject.segments:
        if segment.expires is None:
            continue
        days = (segment.expires - subject.today).days
        if days > subject.number("days"):
            continue
        when = f"in {days} days" if days > 1 else "tomorrow"
        yield Finding(
            f"`{segment.name}` {f'expires {when}' if days > 0 else 'has expired'}, on {segment.expires}",
            subject.header(segment, "expires"),
            hint="set a later day if it is still needed, otherwise delete the file when it is over",
        )


RULE = Rule(
    "SEG723",
    "expired",
    "warning",
    title="The segment has expired, or does so soon",
    why="From the day of `expires` on everybody leaves, and whatever is sent to the segment reaches nobody.",
    remedy="Set a later day, or delete the file when nobody needs it any more.",
    check=_check,
    options=(("days", 30, "from how many days before it is told"),),
    bad="""
segment: advent
expires: 2020-12-24   # here
where: {trait: newsletter, equals: true}
""",
    good="""
segment: advent
expires: 2999-12-24
where: {trait: newsletter, equals: true}
""",
)
