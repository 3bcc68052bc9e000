"""What one measure of events says of another: more days hold no fewer events, none of many is none of some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from segctl.compile.reason.cells import Cell
from segctl.compile.reason.cuts import Cut
from segctl.compile.reason.selections import Events
from segctl.compile.reason.variables import Variable
from segctl.model.conditions import (
    Aggregate,
    Count,
    EdgeTime,
    EdgeValue,
    EventSelection,
    Gap,
    Measure,
    MostFrequent,
    Periods,
    Share,
)

Allowed = Callable[[Cell, Cell], bool]
_COARSER = {("weeks", "days"), ("months", "days"), ("years", "days"), ("years", "months")}


def links(one: Variable, other: Variable, events: Events) -> list[Allowed]:
    """Which cells of two measures can be together, as far as something is known of them.

    Args:
        one: An event variable.
        other: Another one.
        events: Compares selections.
    """
    (inner, measure), (outer, of_outer) = one.measured, other.measured
    found: list[Allowed] = []
    if events.is_part(inner, outer):
        found += _of_part(measure, of_outer)
    if isinstance(of_outer, EdgeTime) and _counts(measure) and _is_part_in_kind(inner, outer, events):
        found += _edge_of_counted(of_outer, inner, events)
    if isinstance(measure, EdgeTime) and isinstance(of_outer, Count) and of_outer.followed_by is None:
        found += _counted_at_edge(inner, outer, events)
    return found


def cuts_between(one: Variable, other: Variable, events: Events) -> list[Cut]:
    """Cuts that a first or last time must be compared with, since another selection begins or ends there."""
    (inner, measure), (outer, of_outer) = one.measured, other.measured
    if not isinstance(measure, EdgeTime) or isinstance(of_outer, EdgeTime):
        return []
    if not set(inner.events) & set(outer.events):
        return []
    return [cut for cut in events.ends(outer) or () if cut is not None]


def _of_part(measure: Measure, of_outer: Measure) -> list[Allowed]:
    """Every event that is measured first is among those measured second."""
    found: list[Allowed] = []
    if _is_no_more(measure, of_outer):
        found.append(_no_more)
    if isinstance(measure, Aggregate) and measure == of_outer and measure.function in ("min", "max"):
        found.append(_no_more_where_there if measure.function == "max" else _no_less_where_there)
    if isinstance(of_outer, Count) and of_outer.followed_by is None and _is_missing_of_none(measure):
        least = 2 if isinstance(measure, Gap) else 1
        found.append(lambda cell, whole: cell.is_missing or _can_reach(whole, least))
    if _counts(measure) and isinstance(of_outer, EdgeTime | Share | Gap):
        least = 2 if isinstance(of_outer, Gap) else 1
        found.append(lambda cell, whole: not whole.is_missing or (cell.low is not None and cell.low < least))
    return found


def _is_no_more(measure: Measure, of_outer: Measure) -> bool:
    if measure == of_outer:
        return _counts(measure)
    if isinstance(of_outer, Count) and of_outer.followed_by is None:
        return _counts(measure)
    if isinstance(measure, Periods) and isinstance(of_outer, Periods):
        return (measure.unit, of_outer.unit) in _COARSER
    return False


def _counts(measure: Measure) -> bool:
    """Never missing, whole, and never less when there are more events."""
    return isinstance(measure, Count | Periods) or (isinstance(measure, Aggregate) and measure.function == "distinct")


def _is_missing_of_none(measure: Measure) -> bool:
    if isinstance(measure, Aggregate):
        return measure.function in ("average", "min", "max")
    return isinstance(measure, Share | EdgeTime | EdgeValue | MostFrequent | Gap)


def _no_more(cell: Cell, whole: Cell) -> bool:
    return whole.high is None or (cell.low is not None and cell.low <= whole.high)


def _no_more_where_there(cell: Cell, whole: Cell) -> bool:
    if cell.is_missing:
        return True
    return not whole.is_missing and (cell.low is None or whole.high is None or cell.low <= whole.high)


def _no_less_where_there(cell: Cell, whole: Cell) -> bool:
    if cell.is_missing:
        return True
    return not whole.is_missing and (cell.high is None or whole.low is None or whole.low <= cell.high)


def _can_reach(whole: Cell, least: int) -> bool:
    return whole.high is None or whole.high >= least


# --- First and last times -----------------------------------------------------------------------------------
def _is_part_in_kind(inner: EventSelection, outer: EventSelection, events: Events) -> bool:
    return outer.latest is None and events.is_part(inner, outer)


def _edge_of_counted(edge: EdgeTime, counted: EventSelection, events: Events) -> list[Allowed]:
    """There is an event in the counted window, so the last one is no earlier and the first one no later than that."""
    ends = events.ends(counted)
    if ends is None:
        return []
    cut = ends[0] if edge.edge == "last" else ends[1]
    if cut is None:
        return []
    wanted = edge.edge == "last"

    def allowed(cell: Cell, time: Cell) -> bool:
        has_one = cell.low is not None and cell.low >= 1
        return not has_one or time.is_missing or time.atoms.get(cut, wanted) is wanted

    return [allowed]


def _counted_at_edge(edge: EventSelection, counted: EventSelection, events: Events) -> list[Allowed]:
    """The first or last time lies in the counted window, so that event counts."""
    ends = events.ends(counted)
    if ends is None or counted.latest is not None:
        return []
    if not events.is_part(replace(edge, window=None), replace(counted, window=None)):
        return []
    start, end = ends

    def allowed(time: Cell, cell: Cell) -> bool:
        if time.is_missing or (cell.high is None or cell.high >= 1):
            return True
        is_inside = (start is None or time.atoms.get(start, False)) and (end is None or not time.atoms.get(end, True))
        return not is_inside

    return [allowed]
