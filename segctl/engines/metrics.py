"""All plain metrics of one group of event kinds in one pass."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from segctl.compile import ir
from segctl.engines.aggregates import aggregated
from segctl.engines.frames import Frame
from segctl.engines.next_change_events import Edge
from segctl.engines.next_change_passing import earliest_passing
from segctl.engines.rows import Reading, Selection, prepare
from segctl.model.types import ValueType


def plain_metrics(
    reading: Reading,
    kinds: tuple[str, ...],
    metrics: Sequence[tuple[str, ir.Metric]],
    keys: Sequence[str],
    same: tuple[tuple[str, ValueType], ...],
    edges: tuple[str, Sequence[Edge]] = ("", ()),
) -> Frame:
    """One row per key with events: the keys and a column per metric under its given name.

    Args:
        reading: What the evaluation shares.
        kinds: Of all the metrics.
        metrics: Names and plain metrics.
        keys: Columns that group.
        same: Properties among the keys.
        edges: Name of a column with the first instant at which one of some even bounds passes an event, and these.
    """
    asked = [metric for _, metric in metrics] + [edge.first for edge in edges[1]]
    spans = [Selection.of(metric).span(reading.scope) for metric in asked]
    rows = prepare(reading, kinds, asked, spans, same=same)
    for key in keys[1:]:
        rows = rows.filtered(~nw.col(key).is_null())
    further = [earliest_passing(*edges, rows)] if edges[1] else []
    return aggregated(rows, metrics, keys, masked=True, sum_is_safe=reading.sum_is_safe, further=further)
