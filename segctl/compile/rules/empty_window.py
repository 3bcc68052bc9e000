"""A window that no time lies in."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.reason.leaf_reasons import leaf_faults
from segctl.compile.rules.base import Finding, Rule, Subject

_WINDOWS = ("within_last", "older_than", "within_next", "between", "since", "before", "during")


def _check(subject: Subject) -> Iterator[Finding]:
    for fault in leaf_faults(subject.definitions, subject.today, "window"):
        at = fault.leaf.location or fault.segment.location
        node = subject.node(at) if at is not None else None
        key = next((name for name in _WINDOWS if node is not None and node.get(name) is not None), None)
        place = subject.place(at, key) if key is not None else subject.place(at)
        message = "no time lies in this window, so no event is ever found"
        yield Finding(
            message, place, hint=fault.hint, why="events end at `as_of`, and a window from its start to its end"
        )


RULE = Rule(
    "SEG748",
    "empty_window",
    "error",
    title="No time lies in a window",
    why="It ends before it begins, or begins after `as_of`, where no event can be; so counts are 0 for everybody.",
    remedy="Exchange the bounds, or move one of them.",
    check=_check,
    bad="""
segment: spring_buyers
where:
  any:
    - {event: order_completed, between: [yesterday, 1 month ago]}   # here
    - {event: order_completed, since: in 3 days}   # here
""",
    good="""
segment: spring_buyers
where:
  any:
    - {event: order_completed, between: [2 months ago, yesterday]}
    - {event: order_completed, since: 3 days ago}
""",
)
