"""For each event, the next and the previous marked event of the same subject and tie, in event order.

Works on any engine by cumulative extremes over one frame that holds all events concerned, each with its place
in the subject's order. Cumulative extremes are null where their input is, so sentinels stand for "no such event".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import narwhals.stable.v2 as nw

from segctl.engines.frames import Frame
from segctl.engines.rows import ORDER

NEVER = 2**62
"""Stands for a place or instant after all others; minus that, before all others."""


def with_places(frame: Frame) -> Frame:
    """The frame with `place`: 1, 2, 3 … in the order of the subject's events."""
    place = nw.col("ts").cum_count().over("subject", order_by=["ts", *ORDER]).cast(nw.Int64)
    return frame.with_columns(place.alias("place"))


def with_next(frame: Frame, marks: Mapping[str, nw.Expr], keys: Sequence[str]) -> Frame:
    """Adds ``NAME:place`` and ``NAME:ts`` of the next marked event strictly after each row; `NEVER` if none."""
    asked: dict[str, nw.Expr] = {}
    for name, mark in marks.items():
        asked[f"{name}:place"] = nw.when(mark).then(nw.col("place")).otherwise(nw.lit(NEVER))
        asked[f"{name}:ts"] = nw.when(mark).then(nw.col("ts")).otherwise(nw.lit(NEVER))
    frame = frame.with_columns(*[value.alias(name) for name, value in asked.items()])
    # A window of a window is written as two steps.
    at_or_after = [nw.col(name).cum_min(reverse=True).over(*keys, order_by=["place"]).alias(name) for name in asked]
    after = [nw.col(name).shift(-1).over(*keys, order_by=["place"]).fill_null(NEVER).alias(name) for name in asked]
    return frame.with_columns(*at_or_after).with_columns(*after)


def with_previous(frame: Frame, marks: Mapping[str, nw.Expr], keys: Sequence[str]) -> Frame:
    """Adds ``NAME:before``: the instant of the previous marked event in order, `-NEVER` if none."""
    asked = {
        f"{name}:before": nw.when(mark).then(nw.col("ts")).otherwise(nw.lit(-NEVER)) for name, mark in marks.items()
    }
    frame = frame.with_columns(*[value.alias(name) for name, value in asked.items()])
    up_to = [nw.col(name).cum_max().over(*keys, order_by=["place"]).alias(name) for name in asked]
    before = [nw.col(name).shift(1).over(*keys, order_by=["place"]).fill_null(-NEVER).alias(name) for name in asked]
    return frame.with_columns(*up_to).with_columns(*before)
