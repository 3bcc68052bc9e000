"""The first instant at which bounds that move as time itself pass events: one aggregate for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from segctl.compile.moving_bounds import MovingBound, bound_at
from segctl.engines.aggregates import Aggregate
from segctl.engines.next_change_events import Edge
from segctl.engines.rows import Prepared, Selection


def earliest_passing(name: str, edges: Sequence[Edge], rows: Prepared) -> Aggregate:
    """The first passing of any event by the bound of any edge that holds it; null where none does.

    Args:
        name: Of the column.
        edges: Of even bounds.
        rows: Events of their kinds, not selected yet.
    """
    wait = nw.lit(None, nw.Int64)
    # Of all edges that hold an event the one with the shortest wait counts, so it is asked first.
    for edge in sorted(edges, key=lambda edge: waits(edge.bound), reverse=True):
        mask = Selection.of(edge.first).mask(rows)
        length = nw.lit(waits(edge.bound), nw.Int64)
        wait = length if mask is None else nw.when(mask).then(length).otherwise(wait)
    return Aggregate(((nw.col("ts") + wait).min().alias(name),), nw.col(name))


def waits(bound: MovingBound) -> int:
    """How long after an event, in microseconds, a bound passes it that moves as time itself."""
    return 1 - bound_at(bound, 0, "UTC")
