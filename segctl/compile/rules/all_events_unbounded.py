"""Every event of every kind over the whole history."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile.rules.base import Finding, Rule, Subject
from segctl.model.conditions import EventCondition, EventSelection, SequenceCondition
from segctl.model.diagnostics import Location

_HINT = "add a window such as `within_last: 90 days`, or name the kinds that are meant"


def _check(subject: Subject) -> Iterator[Finding]:
    for segment in subject.segments:
        for leaf in subject.leaves(segment):
            condition = leaf.condition
            if isinstance(condition, EventCondition) and _is_unbounded(condition.selection):
                yield _finding(subject.place(condition.location, "event"))
            elif isinstance(condition, SequenceCondition):
                first = condition.steps[0]
                if first.events == ("*",) and first.window is None:
                    yield _finding(subject.place(condition.location, "sequence"))
    for trait in subject.definitions.computed.values():
        if (
            isinstance(trait.selection, EventSelection)
            and _is_unbounded(trait.selection)
            and trait.location is not None
        ):
            yield _finding(trait.location)


def _is_unbounded(selection: EventSelection) -> bool:
    return selection.events == ("*",) and selection.window is None


def _finding(place: Location) -> Finding:
    return Finding(
        '`"*"` without a window reads every event that was ever ingested', place, hint=_HINT,
        why="each further kind of event and each further year makes every run slower",
    )  # fmt: skip


RULE = Rule(
    "SEG708",
    "all_events_unbounded",
    "warning",
    title="All events of the whole history are read",
    why="A condition on events of every kind without a window reads all that there is, and page views alone are often "
    "ten times everything else.",
    remedy="Add a window, or name the kinds that are meant.",
    check=_check,
    bad="""
segment: ever_seen
where: {event: "*", count: {at_least: 1}}   # here
""",
    good="""
segment: ever_seen
where: {event: "*", within_last: 90 days, count: {at_least: 1}}
""",
)
