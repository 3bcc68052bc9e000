"""Measures that one pass over a kind's events can take together: each is a masked aggregate."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import narwhals.stable.v2 as nw

from segctl.compile import ir
from segctl.compile.zones import DAY
from segctl.engines import localtime
from segctl.engines.expressions import to_expr
from segctl.engines.frames import Frame
from segctl.engines.predicates import to_predicate
from segctl.engines.rows import Prepared, Selection, day_column
from segctl.engines.scope import Scope
from segctl.model.dataclass import dataclass
from segctl.model.types import stored_column

ZERO_OF_NONE = frozenset({"count", "sum", "distinct", "days", "weeks", "months", "years"})
PERIODS: dict[str, Callable[[nw.Expr, Scope], nw.Expr]] = {
    "days": lambda day, _: day,
    "weeks": localtime.week_of,
    "months": localtime.month_number,
    "years": localtime.year_of,
}


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One metric in a group_by.

    Attributes:
        partial: Aggregates, each under its own name.
        value: The metric made of them, once they are columns.
    """

    partial: tuple[nw.Expr, ...]
    value: nw.Expr


def is_plain(metric: ir.Metric) -> bool:
    """True if the metric needs no order of events beyond their time."""
    ordered = ("first_value", "last_value", "most_frequent", "gap_max", "gap_last")
    return metric.latest is None and metric.measure.followed is None and metric.measure.function not in ordered


def aggregated(
    rows: Prepared,
    metrics: Sequence[tuple[str, ir.Metric]],
    keys: Sequence[str],
    *,
    masked: bool,
    sum_is_safe: Callable[[tuple[str, ...], str], bool],
    further: Sequence[Aggregate] = (),
) -> Frame:
    """One row per key that has events: the keys and a column per metric under its given name.

    Args:
        rows: The events.
        metrics: Names and plain metrics.
        keys: Columns that group.
        sum_is_safe: As in `Reading`.
        masked: Test each metric's selection row by row; False if the rows are selected already.
        further: Taken in the same pass.
    """
    made = [_aggregate(name, metric, rows, masked=masked, sum_is_safe=sum_is_safe) for name, metric in metrics]
    made += further
    grouped = rows.frame.group_by(*keys).agg(*[partial for one in made for partial in one.partial])
    return grouped.select(*keys, *[one.value for one in made])


def _aggregate(
    name: str, metric: ir.Metric, rows: Prepared, *, masked: bool, sum_is_safe: Callable[[tuple[str, ...], str], bool]
) -> Aggregate:
    mask = Selection.of(metric).mask(rows) if masked else None
    measure = metric.measure
    match measure.function:
        case "count":
            return _single(_count(mask), name)
        case "sum":
            return _single(_sum(_operand(measure, rows), mask, wide=not is_safe(metric, sum_is_safe)), name)
        case "min":
            return _single(_selected(_operand(measure, rows), mask).min(), name)
        case "max":
            return _single(_selected(_operand(measure, rows), mask).max(), name)
        case "distinct":
            return _single(_distinct(_selected(_operand(measure, rows), mask)), name)
        case "first_time":
            return _single(_selected(nw.col("ts"), mask).min(), name)
        case "last_time":
            return _single(_selected(nw.col("ts"), mask).max(), name)
        case "average":
            return _average(name, metric, _operand(measure, rows), mask, wide=not is_safe(metric, sum_is_safe))
        case "share":
            return _share(name, measure, rows, mask)
        case "gap_average":
            return _gap_average(name, mask)
        case "days" | "weeks" | "months" | "years":
            return _single(_distinct(_selected(PERIODS[measure.function](day_column(rows), rows.scope), mask)), name)
        case function:
            raise TypeError(f"{function} is no plain aggregate")


def _single(value: nw.Expr, name: str) -> Aggregate:
    return Aggregate((value.alias(name),), nw.col(name))


def _operand(measure: ir.Measure, rows: Prepared) -> nw.Expr:
    if measure.of is None:
        raise TypeError(f"{measure.function} measures a property")
    return to_expr(measure.of, rows.scope)


def _selected(value: nw.Expr, mask: nw.Expr | None) -> nw.Expr:
    return value if mask is None else nw.when(mask).then(value)


def _count(mask: nw.Expr | None) -> nw.Expr:
    # Counts come as unsigned 32-bit numbers on some engines and would wrap.
    return (nw.len() if mask is None else nw.when(mask).then(nw.lit(1)).count()).cast(nw.Int64)


def _sum(value: nw.Expr, mask: nw.Expr | None, *, wide: bool) -> nw.Expr:
    total = _selected(value.cast(nw.Int128) if wide else value, mask).sum()
    # Some engines widen sums by themselves.
    return total if wide else total.cast(nw.Int64)


def _distinct(value: nw.Expr) -> nw.Expr:
    # A missing value counts as one of the values on every engine.
    return value.n_unique().cast(nw.Int64) - value.is_null().any().cast(nw.Int64)


def _average(name: str, metric: ir.Metric, value: nw.Expr, mask: nw.Expr | None, *, wide: bool) -> Aggregate:
    total, number = f"{name}:sum", f"{name}:n"
    of = metric.measure.of
    unit = 10 ** (of.type.scale if of is not None else 0)
    divisor = (nw.col(number) * unit).cast(nw.Float64)
    partial = (
        _sum(value, mask, wide=wide).alias(total),
        _selected(value, mask).count().cast(nw.Int64).alias(number),
    )
    return Aggregate(partial, nw.when(nw.col(number) > 0).then(nw.col(total).cast(nw.Float64) / divisor).alias(name))


def _share(name: str, measure: ir.Measure, rows: Prepared, mask: nw.Expr | None) -> Aggregate:
    if measure.where is None:
        raise TypeError("share has a condition")
    number, matching = f"{name}:n", f"{name}:k"
    fits = to_predicate(measure.where, rows.scope)
    both = fits if mask is None else nw.all_horizontal(mask, fits, ignore_nulls=False)
    partial = (_count(mask).alias(number), _count(both).alias(matching))
    share = nw.col(matching).cast(nw.Float64) / nw.col(number).cast(nw.Float64)
    return Aggregate(partial, nw.when(nw.col(number) > 0).then(share).alias(name))


def _gap_average(name: str, mask: nw.Expr | None) -> Aggregate:
    first, last, number = f"{name}:first", f"{name}:last", f"{name}:n"
    ts = _selected(nw.col("ts"), mask)
    partial = (ts.min().alias(first), ts.max().alias(last), _count(mask).alias(number))
    between = (nw.col(last) - nw.col(first)).cast(nw.Float64) / (nw.col(number) - 1).cast(nw.Float64)
    return Aggregate(partial, nw.when(nw.col(number) > 1).then(localtime.divided(between, float(DAY))).alias(name))


def is_safe(metric: ir.Metric, sum_is_safe: Callable[[tuple[str, ...], str], bool]) -> bool:
    """True if the metric's sum is proven to fit 64 bits."""
    of = metric.measure.of
    return isinstance(of, ir.EventProperty) and sum_is_safe(metric.kinds, stored_column(of.name, of.type))
