"""Conditions that can never hold together."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.reason.verdicts import verdicts
from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for verdict in verdicts(subject.definitions, subject.today, "never", "branch_never"):
        place = subject.place(verdict.condition.location or verdict.segment.location)
        is_branch = verdict.kind == "branch_never"
        effect = "this branch never holds" if is_branch else f"`{verdict.segment.name}` never has a member"
        if verdict.beside is None or verdict.beside.location is None:
            message = f"these conditions can never hold together, so {effect}"
            yield Finding(message, place, hint="loosen one of them, or write `any` where one of them is enough")
            continue
        line = verdict.beside.location.line
        message = f"this can never hold together with the condition in line {line}, so {effect}"
        yield Finding(
            message,
            place,
            hint=f"change one of the two, or put them under `any` if lines {line} and {place.line} are alternatives",
        )


RULE = Rule(
    "SEG740",
    "contradiction",
    "error",
    title="Conditions contradict one another",
    why="They can never hold together, whatever the data are, so nobody is ever a member. Ranges, sets of values, "
    "texts and windows are compared: three orders in the last week are orders of the last month too.",
    remedy="Change one of the conditions, or put alternatives under `any`.",
    check=_check,
    bad="""
segment: small_spenders_with_many_orders
where:
  all:
    - {event: order_completed, within_last: 30 days, count: {at_most: 2}}
    - {event: order_completed, within_last: 7 days, count: {at_least: 3}}   # here
""",
    good="""
segment: busy_week_after_a_quiet_month
where:
  all:
    - {event: order_completed, between: [30 days ago, 7 days ago], count: {at_most: 2}}
    - {event: order_completed, within_last: 7 days, count: {at_least: 3}}
""",
)
