"""Why a single leaf never or always holds, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Literal

from segctl.compile.prune import leaves
from segctl.compile.reason.analysis import Analyst
from segctl.compile.reason.verdicts import analyst, verdicts
from segctl.model.conditions import (
    Aggregate,
    Condition,
    Count,
    EventCondition,
    EventSelection,
    Gap,
    Measure,
    Periods,
    SegmentDefinition,
    SequenceCondition,
    Share,
    TraitCondition,
    ValueTest,
)
from segctl.model.dataclass import dataclass
from segctl.model.project import Definitions
from segctl.model.times import Between, LocalDay, RelativeTime, TimePoint, Window

Fault = Literal["impossible", "idle", "window"]


@dataclass(frozen=True, slots=True)
class LeafFault:
    """A leaf that says nothing.

    Attributes:
        segment: Whose.
        leaf: The leaf.
        why: In a sentence without a full stop.
        hint: What to do.
    """

    segment: SegmentDefinition
    leaf: Condition
    why: str
    hint: str


def leaf_faults(definitions: Definitions, today: date, fault: Fault) -> Iterator[LeafFault]:
    """Leaves that never hold, always hold, or look into a window without any time, in order of segment."""
    judge = analyst(definitions, today)
    if fault == "window":
        for segment in definitions.segments.values():
            yield from (
                LeafFault(segment, leaf, "the window ends before it begins", "exchange the bounds, or move one of them")
                for leaf in leaves(segment.where)
                if _has_empty_window(leaf, judge)
            )
        return
    wanted = "leaf_never" if fault == "impossible" else "leaf_always"
    for verdict in verdicts(definitions, today, wanted):
        if not _has_empty_window(verdict.condition, judge, or_told=True):
            why, hint = _reason(verdict.condition, judge, is_never=fault == "impossible")
            yield LeafFault(verdict.segment, verdict.condition, why, hint)


def _has_empty_window(leaf: Condition, judge: Analyst, *, or_told: bool = False) -> bool:
    """No time lies in the leaf's window.

    Args:
        leaf: Any.
        judge: Compares windows.
        or_told: Also where the binder has told it already.
    """
    window: Window | None = None
    match leaf:
        case EventCondition(EventSelection(_, window)) if window is not None:
            is_empty = judge.reader.events.has_empty_window(EventSelection((), window))
        case SequenceCondition((first, *_)) if first.window is not None:
            window, is_empty = first.window, judge.reader.events.has_empty_window(EventSelection((), first.window))
        case TraitCondition(_, test) if not isinstance(test, ValueTest):
            window, is_empty = test, judge.alone(leaf) == "leaf_never"
        case _:
            return or_told and _is_told(leaf)
    return is_empty and (or_told or not _is_reversed(window))


def _is_told(leaf: Condition) -> bool:
    """Reversed numbers are found where they are bound."""
    test = leaf.test if isinstance(leaf, TraitCondition | EventCondition) else None
    return isinstance(test, ValueTest) and test.operator == "between"


def _is_reversed(window: object) -> bool:
    """Bounds of one form that the binder has compared already."""
    return isinstance(window, Between) and (
        _are(window, LocalDay) or (_are(window, RelativeTime) and _is_exact(window))
    )


def _are(window: Between, of: type[TimePoint]) -> bool:
    return isinstance(window.start, of) and isinstance(window.end, of)


def _is_exact(window: Between) -> bool:
    lengths = [p.duration for p in (window.start, window.end) if isinstance(p, RelativeTime) and p.duration is not None]
    return all(length.unit not in ("months", "years") for length in lengths)


def _reason(leaf: Condition, judge: Analyst, *, is_never: bool) -> tuple[str, str]:
    hint = "change the bound" if is_never else "change the bound, or delete the condition"
    if isinstance(leaf, SequenceCondition):
        return "no event fits one of the steps", "change what the step asks of its event"
    measured = _measured(leaf, judge)
    if measured is None:
        return ("no value passes the test" if is_never else "every value passes the test", hint)
    selection, measure = measured
    if judge.reader.events.is_nothing(selection):
        return "no event passes `where`", "change the filter: two of its tests exclude one another, or a range is empty"
    return _range_of(selection, measure, judge), hint


def _measured(leaf: Condition, judge: Analyst) -> tuple[EventSelection, Measure] | None:
    if isinstance(leaf, EventCondition) and isinstance(leaf.selection, EventSelection):
        return leaf.selection, leaf.measure
    computed = judge.definitions.computed.get(leaf.trait) if isinstance(leaf, TraitCondition) else None
    if computed is None or computed.measure is None or not isinstance(computed.selection, EventSelection):
        return None
    return computed.selection, computed.measure


def _range_of(selection: EventSelection, measure: Measure, judge: Analyst) -> str:
    """Between which bounds a measure always lies."""
    most = judge.reader.most(selection, measure)
    match measure:
        case Share():
            return "a share goes from 0 to 100 %"
        case Gap():
            return "the time between two events is never negative"
        case Periods(unit) if most is not None and selection.latest != most:
            return f"the window never touches more than {most} {unit}"
        case Aggregate("distinct") if most is not None and selection.latest != most:
            return "a truth value has two values at most"
        case Count() | Periods() | Aggregate("distinct") if most is not None:
            return f"`latest: {selection.latest}` selects no more than {most} events"
        case Count() | Periods() | Aggregate("distinct"):
            return "it is a whole number, 0 at least, and 0 for everybody without such an event"
    return "no value passes the test"
