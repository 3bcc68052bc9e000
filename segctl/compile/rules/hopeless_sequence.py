"""A sequence that nobody can complete."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.reason.sequences import hopeless
from segctl.compile.reason.verdicts import analyst
from segctl.compile.rules.base import Finding, Rule, Subject
from segctl.compile.source import ListNode
from segctl.model.conditions import SequenceCondition
from segctl.model.diagnostics import Location


def _check(subject: Subject) -> Iterator[Finding]:
    events = analyst(subject.definitions, subject.today).reader.events
    for segment in subject.segments:
        for leaf in subject.leaves(segment):
            if isinstance(leaf.condition, SequenceCondition):
                found = hopeless(leaf.condition, events)
                if found is not None:
                    yield Finding(
                        f"step {found.step + 1} can never be fulfilled: {found.why}",
                        _place(subject, leaf.condition.location or segment.location, found.step),
                        hint="let the first step's window reach further back, for example with `between`"
                        if leaf.condition.steps[found.step].negative
                        else "give the step more time than the step before forbids",
                    )


def _place(subject: Subject, at: Location | None, step: int) -> Location:
    node = subject.node(at) if at is not None else None
    listed = node.get("sequence") if node is not None else None
    return listed.items[step].location if isinstance(listed, ListNode) else subject.place(at)


RULE = Rule(
    "SEG747",
    "hopeless_sequence",
    "error",
    title="Nobody can complete a sequence",
    why="`then_not … within` is true only once that time has passed, so a first step of the last hour leaves no room "
    "for two days without an order; and an event that must come soon cannot be one that must not come for longer.",
    remedy="Let the first step's window begin further back than the waiting time, or shorten the waiting time.",
    check=_check,
    bad="""
segment: left_the_cart
where:
  sequence:
    - {event: product_added, within_last: 1 day}
    - then_not: {event: order_completed, within: 2 days}   # here
""",
    good="""
segment: left_the_cart
where:
  sequence:
    - {event: product_added, between: [7 days ago, 2 days ago]}
    - then_not: {event: order_completed, within: 2 days}
""",
)
