"""Which of several events of a batch moved a profile: the first in event order with which the answer is the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from segctl.operations.stream.members import Moved
    from segctl.operations.stream.world import World

_MOST = 1_000
"""So many of a batch are tried; of the others the newest event is named."""
_ROUNDS = 5
"""Questions for a batch; where they do not suffice, an event is named that comes soon after the one that decided."""


def decided(
    world: World, moved: Sequence[Moved], reads: Mapping[str, int], candidates: pl.DataFrame, at: int
) -> list[tuple[int, str, int, str, str, str]]:
    """Who moved where although several events could have done it, and the event that did.

    Args:
        world: That was just asked; it keeps the events in memory.
        moved: Who moved.
        reads: Segment → number of the kinds that it reads.
        candidates: ``subject``, ``reads``, ``ts``, ``kind``, ``source``, ``event_id``, in event order.
        at: Valid time, microseconds since 1970.

    Returns:
        Subject, segment, and of the event time in microseconds since 1970, kind, source, id.
    """
    import polars as pl

    several = candidates.filter(pl.len().over("subject", "reads") > 1)
    place = pl.struct("ts", "source", "event_id").rank("dense").over("subject").cast(pl.Int64)
    events = several.with_columns(place.alias("place"))
    high = events.group_by("subject", "reads").agg(high=pl.col("place").max())
    known = {(who, number): until for who, number, until in high.iter_rows()}
    rows = [
        (who, segment, entered, reads[segment], 0, known[who, reads[segment]])
        for who, segment, entered in moved
        if (who, reads.get(segment, -1)) in known
    ]
    ints = dict.fromkeys(("reads", "low", "high"), pl.Int64)
    types = {"subject": pl.Int32, "segment": pl.String, "entered": pl.Boolean, **ints}
    # With all events up to place `high` the answer is the new one, with those up to `low` it is not.
    left = pl.DataFrame(rows[:_MOST], schema=types, orient="row")
    for _ in range(_ROUNDS):
        still = left.filter(pl.col("high") - pl.col("low") > 1).unique("subject", keep="first", maintain_order=True)
        if not still.height:
            break
        tried = still.select("subject", point=(pl.col("low") + pl.col("high")) // 2)
        gone = events.join(tried, on="subject").filter(pl.col("place") > pl.col("point"))
        subjects = tried["subject"].sort().to_list()
        gone = gone.select("kind", "source", "event_id").unique()
        answers = world.ask_without(subjects, gone, at, left["segment"].unique().to_list())
        if answers is None:
            return []
        left = _narrowed(left.join(tried, on="subject", how="left", maintain_order="left"), answers)
    # Of the events up to there the last that the segment reads.
    found = events.join(left, on=["subject", "reads"]).filter(pl.col("place") <= pl.col("high"))
    found = found.sort("place").unique(["subject", "segment"], keep="last")
    return found.select("subject", "segment", pl.col("ts").to_physical(), "kind", "source", "event_id").rows()


def _narrowed(left: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """The pairs after an answer with the events up to ``point``; those that nobody answers for are settled."""
    import polars as pl

    known = answers.unpivot(index="subject", variable_name="segment", value_name="is_in")
    found = left.join(known, on=["subject", "segment"], how="left", maintain_order="left")
    is_between = (pl.col("point") > pl.col("low")) & (pl.col("point") < pl.col("high"))
    moved = pl.col("is_in") == pl.col("entered")
    high = pl.when(is_between & moved).then("point").otherwise("high")
    settled = pl.when(moved.is_null() & pl.col("point").is_not_null()).then(pl.col("high") - 1).otherwise("low")
    low = pl.when(is_between & ~moved).then("point").otherwise(settled)
    return found.with_columns(high.alias("high"), low.alias("low")).drop("point", "is_in")
