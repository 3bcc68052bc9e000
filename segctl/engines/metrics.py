"""All plain metrics of one group of event kinds in one pass."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from segctl.compile import ir
from segctl.engines.aggregates import aggregated
from segctl.engines.frames import Frame
from segctl.engines.rows import Reading, Selection, prepare
from segctl.model.types import ValueType


def plain_metrics(
    reading: Reading,
    kinds: tuple[str, ...],
    metrics: Sequence[tuple[str, ir.Metric]],
    keys: Sequence[str],
    same: tuple[tuple[str, ValueType], ...],
) -> Frame:
    """One row per key with events: the keys and a column per metric under its given name."""
    selections = [Selection.of(metric) for _, metric in metrics]
    spans = [selection.span(reading.scope) for selection in selections]
    rows = prepare(reading, kinds, [metric for _, metric in metrics], spans, same=same)
    for key in keys[1:]:
        rows = rows.filtered(~nw.col(key).is_null())
    return aggregated(rows, metrics, keys, masked=True, sum_is_safe=reading.sum_is_safe)
