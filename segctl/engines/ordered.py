"""Measures that depend on the order of events: one frame per metric, one row per key."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import narwhals.stable.v2 as nw
import polars as pl

from segctl.compile import ir
from segctl.engines.aggregates import aggregated, is_plain
from segctl.engines.expressions import to_expr
from segctl.engines.followers import followed_rows
from segctl.engines.frames import Frame, polars_of
from segctl.engines.localtime import in_days
from segctl.engines.rows import ORDER, Prepared, Reading, Selection, prepare
from segctl.model.types import ValueType


def ordered_metric(
    reading: Reading, name: str, metric: ir.Metric, keys: Sequence[str], same: tuple[tuple[str, ValueType], ...]
) -> Frame:
    """One row per key with selected events: the keys and the metric under its name."""
    rows = _selected_rows(reading, metric, keys, same)
    plain = _without_selection(metric)
    if is_plain(plain):
        return aggregated(rows, [(name, plain)], keys, masked=False, sum_is_safe=reading.sum_is_safe)
    return _BY_FUNCTION[metric.measure.function](rows, name, metric, keys)


def _selected_rows(
    reading: Reading, metric: ir.Metric, keys: Sequence[str], same: tuple[tuple[str, ValueType], ...]
) -> Prepared:
    if metric.measure.followed is not None:
        return followed_rows(reading, metric, keys, same)
    selection = Selection.of(metric)
    rows = prepare(reading, metric.kinds, [metric], [selection.span(reading.scope)], same=same, order=True)
    rows = rows.filtered(selection.mask(rows))
    for key in keys[1:]:
        rows = rows.filtered(~nw.col(key).is_null())
    return rows if metric.latest is None else newest(rows, metric.latest, keys)


def newest(rows: Prepared, number: int, keys: Sequence[str]) -> Prepared:
    """The newest rows of each key."""
    from_end = nw.col("ts").cum_count(reverse=True).over(*keys, order_by=["ts", *ORDER])
    frame = rows.frame.with_columns(from_end.alias("from_end")).filter(nw.col("from_end") <= number)
    return Prepared(frame, rows.scope, rows.lo, in_order=False)


def _without_selection(metric: ir.Metric) -> ir.Metric:
    measure = ir.Measure(metric.measure.function, metric.measure.of, metric.measure.where)
    return ir.Metric(metric.kinds, measure, metric.type)


def _edge_value(rows: Prepared, name: str, metric: ir.Metric, keys: Sequence[str]) -> Frame:
    frame = rows.frame.select(*keys, "ts", *ORDER, _operand(rows, metric).alias(name))
    at_end = metric.measure.function == "last_value"
    if rows.in_order:
        # Only Polars says so: its groups keep the order of the file, which is event order.
        native = polars_of(frame)
        value = pl.col(name).last() if at_end else pl.col(name).first()
        return nw.from_native(native.group_by(*keys).agg(value))
    ts = nw.col("ts")
    edge = frame.group_by(*keys).agg((ts.max() if at_end else ts.min()).alias("ts"))
    # Few rows share the outermost instant, so only these are put into full order.
    tied = frame.join(edge, on=[*keys, "ts"], how="inner")
    return tied.unique([*keys], keep="last" if at_end else "first", order_by=list(ORDER)).select(*keys, name)


def _most_frequent(rows: Prepared, name: str, metric: ir.Metric, keys: Sequence[str]) -> Frame:
    frame = rows.frame.select(*keys, "ts", *ORDER, _operand(rows, metric).alias(name)).filter(~nw.col(name).is_null())
    counted = frame.group_by(*keys, name).agg(nw.len().cast(nw.Int64).alias("n"), nw.col("ts").max().alias("ts"))
    most = counted.join(counted.group_by(*keys).agg(nw.col("n").max().alias("n")), on=[*keys, "n"], how="inner")
    latest = most.join(most.group_by(*keys).agg(nw.col("ts").max().alias("ts")), on=[*keys, "ts"], how="inner")
    tied = frame.join(latest.select(*keys, name, "ts"), on=[*keys, name, "ts"], how="inner")
    return tied.unique([*keys], keep="last", order_by=list(ORDER)).select(*keys, name)


def _gap_max(rows: Prepared, name: str, metric: ir.Metric, keys: Sequence[str]) -> Frame:  # noqa: ARG001 - one signature for all
    before = nw.col("ts").shift(1).over(*keys, order_by=["ts", *ORDER])
    gaps = rows.frame.with_columns(before.alias("before"))
    longest = (nw.col("ts") - nw.col("before")).max().alias(name)
    return gaps.group_by(*keys).agg(longest).with_columns(in_days(nw.col(name)).alias(name))


def _gap_last(rows: Prepared, name: str, metric: ir.Metric, keys: Sequence[str]) -> Frame:  # noqa: ARG001 - one signature for all
    ts, last = nw.col("ts"), nw.col("last")
    frame = rows.frame.select(*keys, "ts")
    ends = frame.group_by(*keys).agg(ts.max().alias("last"))
    found = (
        frame.join(ends, on=[*keys], how="inner")
        .group_by(*keys)
        .agg(
            last.max().alias("last"),
            nw.when(ts < last).then(ts).max().alias("before"),
            nw.when(ts == last).then(nw.lit(1)).count().cast(nw.Int64).alias("n"),
        )
    )
    gap = nw.when(nw.col("n") > 1).then(nw.lit(0)).otherwise(last - nw.col("before"))
    return found.select(*keys, in_days(gap).alias(name))


def _operand(rows: Prepared, metric: ir.Metric) -> nw.Expr:
    if metric.measure.of is None:
        raise TypeError(f"{metric.measure.function} measures a property")
    return to_expr(metric.measure.of, rows.scope)


_BY_FUNCTION: dict[str, Callable[[Prepared, str, ir.Metric, Sequence[str]], Frame]] = {
    "first_value": _edge_value,
    "last_value": _edge_value,
    "most_frequent": _most_frequent,
    "gap_max": _gap_max,
    "gap_last": _gap_last,
}
