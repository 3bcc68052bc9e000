"""Metrics in tiers of windows: events are read once, and short windows are looked for among the newest rows only.

Most of what people ask of events lies in the last days or months, a small part of all rows; a mask over everything
would cost each of these metrics as much as one over all time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import narwhals.stable.v2 as nw
import polars as pl

from segctl.compile import ir
from segctl.compile.windows import Span
from segctl.engines.frames import Frame
from segctl.engines.next_change_events import Edge
from segctl.engines.reading import Reader, Rows, Scan
from segctl.engines.rows import Reading, Selection, wish_for
from segctl.model.dataclass import dataclass

_PASS, _TAKE = 300_000, 4
"""What a further pass costs, in rows that one metric looks at, and taking its rows out, in metrics over all rows."""
_ALWAYS = -(2**63)


@dataclass(frozen=True, slots=True)
class Tier:
    """What is asked of the same rows.

    Attributes:
        reading: Whose reader has these rows.
        metrics: With their names.
        edges: Of even bounds.
    """

    reading: Reading
    metrics: Sequence[tuple[str, ir.Metric]]
    edges: Sequence[Edge]


def tiers(
    reading: Reading, kinds: tuple[str, ...], metrics: Sequence[tuple[str, ir.Metric]], edges: Sequence[Edge]
) -> Iterator[Tier]:
    """The plain metrics of some kinds and the edges among their events, the widest windows first.

    Args:
        reading: What the evaluation shares.
        kinds: Of all of them.
        metrics: Names and plain metrics.
        edges: Of even bounds.
    """
    if not reading.reader.is_polars or reading.subjects.listed is not None:
        yield Tier(reading, metrics, edges)
        return
    asked = [metric for _, metric in metrics] + [edge.first for edge in edges]
    spans = [Selection.of(metric).span(reading.scope) for metric in asked]
    begins = [_begin(span) for span in spans]
    wish = wish_for(reading, kinds, asked, spans)
    found = reading.reader.scan(wish)
    held = Held(reading.reader, reading.reader.collect(found.frame), is_in_order=found.in_order)
    starts = list(held.starts(sorted(begins)))
    for number, (start, after) in enumerate(zip(starts, [*starts[1:], None], strict=True)):
        held = held.since(start) if number else held
        inside = [start <= begin and (after is None or begin < after) for begin in begins]
        yield Tier(
            replace(reading, reader=held),
            [one for one, is_in in zip(metrics, inside, strict=False) if is_in],
            [one for one, is_in in zip(edges, inside[len(metrics) :], strict=True) if is_in],
        )


def _begin(span: Span) -> int:
    # Nothing is asked of any row, so the fewest will do.
    if span.is_empty:
        return 2**63 - 1
    return _ALWAYS if span.lo is None else span.lo


class Held:
    """Events of one scan that are read already, for narrower wishes of the same."""

    is_polars = True

    def __init__(self, reader: Reader, rows: pl.DataFrame, *, is_in_order: bool) -> None:
        self.dialect = reader.dialect
        self._reader = reader
        self.rows = rows
        self._is_in_order = is_in_order

    def starts(self, begins: Sequence[int]) -> Iterator[int]:
        """The first instant of each tier, of those at which something begins; ascending."""
        rows, ts = self.rows.height, self.rows["ts"]
        yield begins[0]
        for number, begin in enumerate(begins):
            # At least so many rows would have to be spared each of those that are left to ask.
            if number and begin > begins[number - 1] and rows * len(begins[number:]) > _PASS + _TAKE * rows:
                left = int((ts >= begin).sum())
                if (rows - left) * len(begins[number:]) > _PASS + _TAKE * rows:
                    rows = left
                    yield begin

    def since(self, start: int) -> Held:
        """Only what has happened at an instant or later."""
        return Held(self._reader, self.rows.filter(self.rows["ts"] >= start), is_in_order=self._is_in_order)

    def scan(self, wish: Scan) -> Rows:
        """The rows; `tiers` has asked for all that is wished for."""
        frame = self.rows.lazy().select(wish.columns)
        if self._is_in_order:
            frame = frame.set_sorted("subject")
        return Rows(nw.from_native(frame), self._is_in_order)

    def table(self, frame: pl.DataFrame) -> Frame:
        """A small frame as one of the engine's own."""
        return self._reader.table(frame)

    def numbered(self, frame: Frame, column: str) -> Frame:
        """The frame, fixed for this evaluation, with a row number that is unique."""
        return self._reader.numbered(frame, column)

    def collect(self, frame: Frame) -> pl.DataFrame:
        """The rows of a frame, in any order."""
        return self._reader.collect(frame)
