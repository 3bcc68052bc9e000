"""The commonest sequence on Polars: one event, then (not) another of a different kind, by an as-of join.

A third of the time of the general method. Equal instants of the two steps need event order only for `then`;
where they occur the general method answers instead.
"""

from __future__ import annotations

import narwhals.stable.v2 as nw
import polars as pl

from segctl.compile import ir
from segctl.compile.windows import Span
from segctl.engines.frames import Frame, polars_of
from segctl.engines.localtime import later_us
from segctl.engines.rows import Prepared, Reading, Selection, prepare, same_columns


def quick_subjects(reading: Reading, sequence: ir.Sequence) -> Frame | None:
    """The subjects for whom the sequence has a match, or None where the general method must answer."""
    if len(sequence.steps) != 2 or sequence.start != "any":
        return None
    first, second = sequence.steps
    if not set(first.kinds).isdisjoint(second.kinds):
        return None
    tied_by = same_columns(sequence.same)
    window = Selection.of(first).span(reading.scope)
    if window.is_empty:
        return None
    starts = _rows(reading, sequence, first, window)
    limit = nw.lit(reading.now) if second.within is None else later_us(nw.col("ts"), second.within, starts.scope)
    asked = starts.frame.with_columns(limit.alias("limit"))
    if second.negative and second.within is not None:
        asked = asked.filter(nw.col("limit") <= reading.now)
    others = _rows(reading, sequence, second, Span(window.lo, None))
    left = _collected(asked.select("subject", *tied_by, "ts", "limit"), starts, tied_by, keeps_missing=second.negative)
    right = _collected(others.frame.select("subject", *tied_by, "ts"), others, tied_by, keeps_missing=False)
    joined = left.join_asof(
        right.rename({"ts": "next"}),
        left_on="ts",
        right_on="next",
        by=["subject", *tied_by],
        strategy="forward",
        check_sortedness=False,
    )
    if not second.negative and joined.get_column("next").eq(joined.get_column("ts")).any():
        return None
    follows = (pl.col("next") <= pl.col("limit")).fill_null(value=False)
    found = joined.filter(~follows if second.negative else follows).select(pl.col("subject").unique())
    return reading.reader.table(found)


def _rows(reading: Reading, sequence: ir.Sequence, step: ir.Step, window: Span) -> Prepared:
    selection = Selection.of(step)
    rows = prepare(reading, step.kinds, [step], [window], same=sequence.same)
    return rows.filtered(selection.mask(rows))


def _collected(frame: Frame, rows: Prepared, tied_by: list[str], *, keeps_missing: bool) -> pl.DataFrame:
    """Rows that stand in order of time within each subject."""
    native = polars_of(frame)
    if tied_by and not keeps_missing:
        native = native.drop_nulls(tied_by)
    found = native.collect(engine="streaming")
    return found if rows.in_order else found.sort("ts")
