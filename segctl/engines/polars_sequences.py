"""The commonest sequence on Polars: one event, then (not) another of a different kind, by an as-of join.

A third of the time of the general method. Equal instants of the two steps need event order only for `then`;
where they occur the general method answers instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import narwhals.stable.v2 as nw
import polars as pl

from segctl.compile import ir
from segctl.compile.windows import Span
from segctl.engines.frames import Frame, polars_of
from segctl.engines.localtime import later_us
from segctl.engines.rows import Prepared, Reading, Selection, prepare, same_columns
from segctl.model.types import ValueType

Same = tuple[tuple[str, ValueType], ...]


class StepRows:
    """Events of the steps of quick sequences; kinds that several steps read are read once for all of them.

    Args:
        reading: What the evaluation shares.
        sequences: All that will be asked for; those the general method answers are passed over.
    """

    def __init__(self, reading: Reading, sequences: Iterable[ir.Sequence]) -> None:
        self._reading = reading
        self._asked: dict[tuple[str, ...], list[tuple[ir.Step, Span, Same]]] = {}
        self._read: dict[tuple[str, ...], Prepared] = {}
        for sequence in sequences:
            window = _window(reading, sequence)
            if window is not None:
                first, second = sequence.steps
                self._asked.setdefault(first.kinds, []).append((first, window, sequence.same))
                self._asked.setdefault(second.kinds, []).append((second, Span(window.lo, None), sequence.same))

    def of(self, step: ir.Step, lo: int | None) -> Prepared:
        """The rows that fit the step, at or after `lo`."""
        if step.kinds not in self._read:
            self._read[step.kinds] = self._prepared(step.kinds)
        rows = self._read[step.kinds]
        since = None if lo is None or lo == rows.lo else nw.col("ts") >= lo
        return rows.filtered(since).filtered(Selection.of(step).mask(rows))

    def _prepared(self, kinds: tuple[str, ...]) -> Prepared:
        steps, spans, ties = zip(*self._asked[kinds], strict=True)
        same = tuple(dict.fromkeys(tie for of in ties for tie in of))
        rows = prepare(self._reading, kinds, steps, spans, same=same)
        if len(steps) == 1:
            return rows
        reader = self._reading.reader
        return replace(rows, frame=reader.table(reader.collect(rows.frame)))


def quick_subjects(reading: Reading, sequence: ir.Sequence, steps: StepRows) -> Frame | None:
    """The subjects for whom the sequence has a match, or None where the general method must answer."""
    rows = step_pair(reading, sequence, steps)
    if rows is None:
        return None
    left, right = (frame.collect(engine="streaming") for frame in rows)
    joined = nearest(left.lazy(), right.lazy(), sequence).collect(engine="in-memory")
    if not sequence.steps[1].negative and joined.get_column("next").eq(joined.get_column("ts")).any():
        return None
    return reading.reader.table(joined.filter(matches(sequence)).select(pl.col("subject").unique()))


def step_pair(reading: Reading, sequence: ir.Sequence, steps: StepRows) -> tuple[pl.LazyFrame, pl.LazyFrame] | None:
    """Rows of the first step, with the ``limit`` of the second, and rows of the second, in order of time."""
    window = _window(reading, sequence)
    if window is None:
        return None
    first, second = sequence.steps
    tied_by = same_columns(sequence.same)
    starts = steps.of(first, window.lo)
    limit = reading.scope.instant() if second.within is None else later_us(nw.col("ts"), second.within, starts.scope)
    asked = starts.frame.with_columns(limit.alias("limit"))
    if second.negative and second.within is not None:
        asked = asked.filter(nw.col("limit") <= reading.scope.instant())
    others = steps.of(second, window.lo)
    left = _in_time(asked.select("subject", *tied_by, "ts", "limit"), starts, tied_by, keeps_missing=second.negative)
    right = _in_time(others.frame.select("subject", *tied_by, "ts"), others, tied_by, keeps_missing=False)
    return left, right


def nearest(left: pl.LazyFrame, right: pl.LazyFrame, sequence: ir.Sequence) -> pl.LazyFrame:
    """Rows of the first step with the instant of the ``next`` row of the second, at once or later."""
    return left.join_asof(
        right.rename({"ts": "next"}),
        left_on="ts",
        right_on="next",
        by=["subject", *same_columns(sequence.same)],
        strategy="forward",
        check_sortedness=False,
    )


def matches(sequence: ir.Sequence) -> pl.Expr:
    """Which rows of `nearest` are a match."""
    follows = (pl.col("next") <= pl.col("limit")).fill_null(value=False)
    return ~follows if sequence.steps[1].negative else follows


def _window(reading: Reading, sequence: ir.Sequence) -> Span | None:
    """Where the first step may stand; None for a sequence that is not of the quick form."""
    if len(sequence.steps) != 2 or sequence.start != "any":
        return None
    first, second = sequence.steps
    if not set(first.kinds).isdisjoint(second.kinds):
        return None
    window = Selection.of(first).span(reading.scope)
    return None if window.is_empty else window


def _in_time(frame: Frame, rows: Prepared, tied_by: list[str], *, keeps_missing: bool) -> pl.LazyFrame:
    """Rows that stand in order of time within each subject."""
    native = polars_of(frame)
    if tied_by and not keeps_missing:
        native = native.drop_nulls(tied_by)
    return native if rows.in_order else native.sort("ts")
