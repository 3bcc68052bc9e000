"""Event files and small frames as lazy Polars frames."""

from __future__ import annotations

import narwhals.stable.v2 as nw
import polars as pl

from segctl.engines.base import EngineInput
from segctl.engines.dialects import Dialect, PolarsDialect
from segctl.engines.frames import Frame, polars_of
from segctl.engines.physical import worked, working_dtype
from segctl.engines.reading import PartGroup, Rows, Scan, Subjects, empty_frame, held_rows, is_in_order, part_groups
from segctl.model.types import ValueType, stored_column

_INSTANT = pl.Datetime("us", "UTC")
_SMALL = 1_000_000
"""Of so many rows in memory a pass costs less than setting up a streaming one."""


class PolarsReader:
    """Event files and small frames as lazy Polars frames."""

    dialect: Dialect = PolarsDialect()
    is_polars = True

    def __init__(self, data: EngineInput) -> None:
        self._data = data
        is_held = all(part.held is not None for part in data.events)
        self._is_small = is_held and sum(part.rows for part in data.events) <= _SMALL

    def scan(self, wish: Scan) -> Rows:
        """Event rows; only columns and rows that are asked for are read."""
        if wish.is_held:
            return Rows(nw.from_native(self._held(wish)))
        groups = part_groups(wish, self._data)
        if not groups:
            return Rows(nw.from_native(empty_frame(wish).lazy()))
        frames = [self._group(wish, group) for group in groups]
        frame = frames[0] if len(frames) == 1 else pl.concat(frames)
        if not is_in_order(wish, self._data, groups):
            return Rows(nw.from_native(frame))
        # Rows that are known to be sorted are grouped without a table of groups.
        return Rows(nw.from_native(frame.set_sorted("subject")), in_order=True)

    def table(self, frame: pl.DataFrame) -> Frame:
        """A small frame as one of the engine's own."""
        return nw.from_native(frame.lazy())

    def numbered(self, frame: Frame, column: str) -> Frame:
        """The frame, fixed for this evaluation, with a row number that is unique."""
        return nw.from_native(self.collect(frame).with_row_index(column).lazy())

    def collect(self, frame: Frame) -> pl.DataFrame:
        """The rows of a frame, in any order."""
        native = polars_of(frame)
        return native.collect(engine="in-memory" if self._is_small else "streaming")

    def _group(self, wish: Scan, group: PartGroup) -> pl.LazyFrame:
        frame = _scanned(group)
        ts = pl.col("ts")
        if wish.lo is not None:
            frame = frame.filter(ts >= pl.lit(wish.lo).cast(_INSTANT))
        if group.may_exceed(wish.hi):
            frame = frame.filter(ts <= pl.lit(wish.hi).cast(_INSTANT))
        if group.mixed:
            frame = frame.filter(pl.col("kind").is_in(list(wish.kinds)))
        if self._data.canonical is None:
            frame = frame.filter(_wanted(wish.subjects))
        else:
            frame = frame.with_columns(_canonical(self._data.canonical)).filter(_wanted(wish.subjects))
        return frame.select(*_columns(wish, group))

    def _held(self, wish: Scan) -> pl.LazyFrame:
        frame = held_rows(wish, self._data).lazy().filter(_wanted(wish.subjects))
        types = dict(wish.properties)
        columns = [pl.col("subject"), pl.col("ts").cast(pl.Int64)]
        columns += [pl.col("source"), pl.col("event_id")] if wish.order else []
        columns += [pl.lit(wish.kinds[0]).alias("kind")] if wish.kind else []
        columns += [worked(name, of).alias(stored_column(name, of)) for name, of in types.items()]
        inside = pl.col("ts") <= wish.hi if wish.lo is None else pl.col("ts").is_between(wish.lo, wish.hi)
        return frame.select(*columns).filter(inside)


def _scanned(group: PartGroup) -> pl.LazyFrame:
    held = [part.held for part in group.parts if part.held is not None]
    if not held:
        return pl.scan_parquet(group.paths, glob=False, hive_partitioning=False, extra_columns="ignore")
    read = {"subject", "ts", "source", "event_id", "kind", *group.present}
    columns = [name for name in held[0].columns if name in read]
    return pl.concat([frame.lazy().select(columns) for frame in held])


def _wanted(subjects: Subjects) -> pl.Expr:
    between = pl.col("subject").is_between(subjects.first, subjects.last)
    if subjects.listed is None:
        return between
    return between & pl.col("subject").is_in(pl.Series(subjects.listed, dtype=pl.Int32).implode())


def _canonical(canonical: pl.Series) -> pl.Expr:
    def mapped(subjects: pl.Series) -> pl.Series:
        return canonical.gather(subjects)

    return pl.col("subject").map_batches(mapped, return_dtype=pl.Int32, is_elementwise=True)


def _columns(wish: Scan, group: PartGroup) -> list[pl.Expr]:
    columns = [pl.col("subject"), pl.col("ts").cast(pl.Int64)]
    columns += [pl.col("source"), pl.col("event_id")] if wish.order else []
    if wish.kind:
        kind = pl.col("kind") if "kind" in group.parts[0].columns else pl.lit(group.parts[0].kinds[0]).alias("kind")
        columns.append(kind)
    return columns + [_property(stored_column(name, of), of, group) for name, of in wish.properties]


def _property(column: str, of: ValueType, group: PartGroup) -> pl.Expr:
    return worked(column, of) if column in group.present else pl.lit(None, working_dtype(of)).alias(column)
