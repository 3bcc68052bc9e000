"""Plain metrics of listed profiles, added up in arrays: grouping few rows costs more than what is in the groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from segctl.engines.frames import polars_of
from segctl.engines.prepared_sums import Summing
from segctl.engines.prepared_tally import TallyBuilder, is_tallied, is_tallied_edge

if TYPE_CHECKING:
    from segctl.compile import ir
    from segctl.engines.frames import Frame
    from segctl.engines.next_change_events import Edge
    from segctl.engines.reading import Reader, Rows, Scan
    from segctl.engines.rows import Reading

Named = Sequence[tuple[str, "ir.Metric"]]
_FEW = 2_000
"""Of more profiles the rows are so many that grouping them pays."""


def tallied(
    reading: Reading, kinds: tuple[str, ...], metrics: Named, edges: tuple[str, Sequence[Edge]], subjects: pl.Series
) -> tuple[list[pl.Series], Named, Sequence[Edge]]:
    """Columns of what arrays have room for, in the order of some profiles, and the metrics and edges that are left.

    Args:
        reading: What the evaluation shares; of listed profiles, with Polars.
        kinds: Of all the metrics.
        metrics: Names and plain metrics.
        edges: As in `plain_metrics`.
        subjects: Of the profiles, ascending and unique.
    """
    column, bounds = edges
    even = [edge for edge in bounds if is_tallied_edge(edge)]
    fit = [one for one in metrics if is_tallied(one[1], reading.sum_is_safe)]
    # One column holds the first passing of all the bounds.
    if len(even) < len(bounds) or not (fit or even) or len(subjects) > _FEW:
        return [], metrics, bounds
    builder = TallyBuilder(replace(reading, reader=_Heap(reading.reader)), kinds, fit, even)
    tally = builder.tally(0, frozenset(), column)
    frame = polars_of(builder.rows) if tally.frame is None else tally.frame
    rows = frame.collect(engine="in-memory")
    own = subjects.to_numpy()
    if len(own) < len(reading.subjects.listed or ()):
        # Who is listed need not be there.
        of = rows.get_column("subject").to_numpy()
        there = own[np.minimum(np.searchsorted(own, of), len(own) - 1)] == of
        rows = rows if there.all() else rows.filter(pl.Series(there))
    done = {name for name, _ in builder.metrics}
    scope = reading.scope
    found = Summing(own, scope.as_of, scope.zone).columns(tally, rows)
    return found, [one for one in metrics if one[0] not in done], ()


class _Heap:
    """A reader of rows in no order, where that is quicker: arrays need none."""

    is_polars = True

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.dialect = reader.dialect

    def scan(self, wish: Scan) -> Rows:
        """Event rows."""
        heap = getattr(self._reader, "heap", None)
        return self._reader.scan(wish) if heap is None or wish.is_held else heap(wish)

    def table(self, frame: pl.DataFrame) -> Frame:
        """A small frame as one of the engine's own."""
        return self._reader.table(frame)

    def numbered(self, frame: Frame, column: str) -> Frame:
        """The frame, fixed for this evaluation, with a row number that is unique."""
        return self._reader.numbered(frame, column)

    def collect(self, frame: Frame) -> pl.DataFrame:
        """The rows of a frame, in any order."""
        return self._reader.collect(frame)
