"""A value that no profile and no event of the data has."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.reason.tested_texts import ExampleFacts, place_of, tested_texts
from segctl.compile.rules.base import Finding, Rule, Subject
from segctl.compile.suggest import nearest


def _check(subject: Subject) -> Iterator[Finding]:
    for tested in tested_texts(subject.definitions):
        at = tested.location
        known = tested.values(subject.facts) if subject.facts is not None else None
        if known is None or tested.text in known or tested.in_other_case(known):
            continue
        near = nearest(tested.text, known)
        most = max(known, key=lambda text: (known[text], text))
        yield Finding(
            f"`{tested.text[:60]}` occurs nowhere in {tested.what}",
            place_of(tested.text, subject.node(at) if at is not None else None) or subject.place(at),
            hint=f"did you mean `{near}`?" if near else f"the most frequent value is `{most[:60]}`",
        )


RULE = Rule(
    "SEG750",
    "value_never_seen",
    "warning",
    title="A value occurs nowhere in the data",
    why="The workspace holds data, and no profile or event has this value; a misspelt value makes a segment empty "
    "without a word. Values that are still to come are fine: waive the finding with a day.",
    remedy="Correct the value; `segctl show trait:NAME` lists the frequent ones.",
    check=_check,
    data=ExampleFacts(traits={"country": {"DE": 910, "AT": 80, "CH": 10}}),
    bad="""
segment: austrians
where: {trait: country, equals: AU}   # here
""",
    good="""
segment: austrians
where: {trait: country, equals: AT}
""",
)
