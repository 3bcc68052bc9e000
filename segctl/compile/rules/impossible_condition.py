"""A single condition that nobody can pass."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.reason.leaf_reasons import LeafFault, leaf_faults
from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for fault in leaf_faults(subject.definitions, subject.today, "impossible"):
        yield Finding(_told(fault), subject.place(fault.leaf.location or fault.segment.location), hint=fault.hint)


def _told(fault: LeafFault) -> str:
    return f"no profile can pass this condition: {fault.why}"


RULE = Rule(
    "SEG742",
    "impossible_condition",
    "error",
    title="Nobody can pass a condition",
    why="No value passes the test whatever the data are: a share is never above 100 %, seven days do not hold ten days "
    "with an order, `latest: 3` selects three events at most, and a filter may exclude every event.",
    remedy="Change the bound to one that can be reached.",
    check=_check,
    bad="""
segment: coupon_only
where:
  all:
    - {event: order_completed, share: {where: {coupon: {exists: true}}, at_least: 150 %}}   # here
    - {event: order_completed, within_last: 7 days, days: {at_least: 10}}   # here
    - {event: order_completed, latest: 3, count: {above: 3}}   # here
""",
    good="""
segment: coupon_only
where:
  all:
    - {event: order_completed, share: {where: {coupon: {exists: true}}, at_least: 50 %}}
    - {event: order_completed, within_last: 14 days, days: {at_least: 7}}
    - {event: order_completed, latest: 3, count: {at_least: 3}}
""",
)
