"""A sequence that may begin at any event of the whole history and end at any later one."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject
from segctl.model.conditions import SequenceCondition
from segctl.model.times import WithinLast

_DAYS = {"days": 1, "weeks": 7, "months": 30, "years": 365}


def _check(subject: Subject) -> Iterator[Finding]:
    longest = subject.number("days")
    for segment in subject.segments:
        for leaf in subject.leaves(segment):
            sequence = leaf.condition
            if not isinstance(sequence, SequenceCondition) or sequence.start != "any":
                continue
            open_steps = [step for step in sequence.steps[1:] if not step.negative and step.within is None]
            if len(sequence.steps) >= 3 and open_steps and _is_wide(sequence, longest):
                yield Finding(
                    "the sequence may begin at any event of the past and end at any later one",
                    subject.place(sequence.location, "sequence"),
                    hint="add `within_last: 90 days` to the first step, or `within: 7 days` to the later ones",
                    why="every pair of events is looked at, and what is found after years is seldom meant",
                )


def _is_wide(sequence: SequenceCondition, longest: int) -> bool:
    window = sequence.steps[0].window
    if window is None:
        return True
    return isinstance(window, WithinLast) and window.duration.amount * _DAYS.get(window.duration.unit, 0) > longest


RULE = Rule(
    "SEG709",
    "open_sequence",
    "note",
    title="A sequence without limits in time",
    why="Three or more steps over the whole history, without `within`, join every event with every later one, however "
    "many years lie between them.",
    remedy="Give the first step a window, or the later steps a `within`.",
    check=_check,
    options=(("days", 1100, "from how many days on the first step's window counts as none"),),
    bad="""
segment: read_then_bought
where:
  sequence:
    - {event: email_opened}   # here
    - {then: {event: product_viewed}}
    - {then: {event: order_completed}}
""",
    good="""
segment: read_then_bought
where:
  sequence:
    - {event: email_opened, within_last: 90 days}
    - {then: {event: product_viewed}}
    - {then: {event: order_completed}}
""",
)
