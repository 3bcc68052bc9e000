"""Events that another event follows, for `count` with `followed_by`."""

from __future__ import annotations

from collections.abc import Sequence

import narwhals.stable.v2 as nw

from segctl.compile import ir
from segctl.compile.windows import Span
from segctl.engines.frames import Frame
from segctl.engines.localtime import later_us
from segctl.engines.neighbours import NEVER, with_next, with_places
from segctl.engines.predicates import to_predicate
from segctl.engines.rows import ORDER, Prepared, Reading, Selection, prepare, same_columns
from segctl.model.types import ValueType


def followed_rows(
    reading: Reading, metric: ir.Metric, keys: Sequence[str], same: tuple[tuple[str, ValueType], ...]
) -> Prepared:
    """The selected events that a fitting event follows."""
    followed = metric.measure.followed
    if followed is None:
        raise TypeError("the metric asks for no follower")
    selection = Selection.of(metric)
    first = selection.span(reading.scope)
    ties = tuple(dict.fromkeys(same + followed.same))
    kinds = tuple(sorted({*metric.kinds, *followed.kinds}))
    rows = prepare(reading, kinds, [metric], [first, Span(first.lo, None)], same=ties, order=True, kind=True)
    chosen = _marked(metric.kinds, selection.mask(rows), keys[1:])
    follower = None if followed.where is None else to_predicate(followed.where, rows.scope)
    tied_by = same_columns(followed.same)
    frame = rows.frame.with_columns(
        chosen.alias("chosen"), _marked(followed.kinds, follower, tied_by).alias("follower")
    )
    frame = with_places(frame.filter(nw.col("chosen") | nw.col("follower")))
    frame = frame if metric.latest is None else _newest_chosen(frame, metric.latest, keys)
    frame = with_next(frame, {"follower": nw.col("follower")}, ["subject", *tied_by])
    ties_hold = nw.all_horizontal(
        nw.col("chosen"), *[~nw.col(column).is_null() for column in tied_by], ignore_nulls=False
    )
    frame = frame.filter(ties_hold).filter(nw.col("follower:ts") < NEVER)
    if followed.within is not None:
        limit = later_us(nw.col("ts"), followed.within, rows.scope)
        frame = frame.filter(nw.col("follower:ts") <= limit)
    return Prepared(frame, rows.scope, rows.lo, in_order=False)


def _marked(kinds: Sequence[str], mask: nw.Expr | None, present: Sequence[str]) -> nw.Expr:
    tests = [nw.col("kind").is_in(list(kinds)), *[~nw.col(column).is_null() for column in present]]
    tests += [] if mask is None else [mask.fill_null(value=False)]
    return nw.all_horizontal(*tests, ignore_nulls=False)


def _newest_chosen(frame: Frame, number: int, keys: Sequence[str]) -> Frame:
    """Only the newest chosen events stay chosen; followers stay whatever they are."""
    frame = frame.with_columns(nw.when(nw.col("chosen")).then(nw.col("ts")).alias("chosen_ts"))
    from_end = nw.col("chosen_ts").cum_count(reverse=True).over(*keys, order_by=["ts", *ORDER])
    frame = frame.with_columns(from_end.alias("from_end"))
    return frame.with_columns((nw.col("chosen") & (nw.col("from_end") <= number)).alias("chosen"))
