"""A value that the data know in another case only."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.reason.tested_texts import ExampleFacts, place_of, tested_texts
from segctl.compile.rules.base import Finding, Rule, Subject


def _check(subject: Subject) -> Iterator[Finding]:
    for tested in tested_texts(subject.definitions):
        at = tested.location
        known = tested.values(subject.facts) if subject.facts is not None else None
        if known is None or tested.text in known:
            continue
        other = tested.in_other_case(known)
        if other is None:
            continue
        place = place_of(tested.text, subject.node(at) if at is not None else None)
        # With several spellings nobody but the author knows which are meant.
        is_one = sum(text.casefold() == other.casefold() for text in known) == 1
        share = 100 * known[other] / sum(known.values())
        yield Finding(
            f"`{tested.text[:60]}` occurs nowhere in {tested.what}, `{other[:60]}` in {share:.0f} %",
            place or subject.place(at),
            hint=f"write `{other[:60]}`, or add `ignore_case: true`",
            edits=subject.replacing(place, tested.text, other) if place is not None and is_one else (),
        )


RULE = Rule(
    "SEG751",
    "value_in_other_case",
    "warning",
    title="A value occurs in the data in another case only",
    why="Texts are compared exactly, so `active` does not find `Active`.",
    remedy="Write the value as the data have it, or add `ignore_case: true`.",
    check=_check,
    is_fixable=True,
    data=ExampleFacts(properties={("order_completed", "channel"): {"Web": 70, "Store": 30}}),
    bad="""
segment: web_buyers
where: {event: order_completed, where: {channel: web}}   # here
""",
    good="""
segment: web_buyers
where: {event: order_completed, where: {channel: Web}}
""",
)
