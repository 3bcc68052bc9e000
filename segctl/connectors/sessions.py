"""Sessions: what one visitor did without a longer pause, summed up from events."""

from __future__ import annotations

import polars as pl

_INSTANT = pl.Datetime("us", "UTC")
SCHEMA = {
    "subject": pl.Int32(), "ts": _INSTANT, "event_id": pl.String(), "device": pl.String(), "ended": _INSTANT,
    "pages": pl.Int64(), "events": pl.Int64(), "entry_page": pl.String(), "exit_page": pl.String(),
    "file_id": pl.Int32(), "line": pl.Int64(),
}  # fmt: skip
_ID = "session/"


def sessions_of(events: pl.DataFrame, *, gap_us: int) -> pl.DataFrame:
    """One row per session: columns as `SCHEMA` says, in the order of visitor and time.

    A session's id is that of its first event, so the same events give the same ids wherever they are computed.

    Args:
        events: One row per event: ``visitor`` String, ``subject``, ``rank`` (of the identifier; the least names the
            person best), ``device``, ``ts``, ``event_id``, ``is_page``, ``page``, ``file_id``, ``line``.
        gap_us: A pause longer than this many microseconds ends a session.
    """
    if events.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    ordered = events.sort("visitor", "ts", "event_id")
    pause = pl.col("ts").to_physical().diff()
    begins = (pl.col("visitor") != pl.col("visitor").shift()).fill_null(value=True) | (pause > gap_us)
    numbered = ordered.with_columns(session=begins.cast(pl.UInt32).cum_sum())
    page = pl.col("page").drop_nulls()
    return (
        numbered.group_by("session", maintain_order=True)
        .agg(
            subject=pl.col("subject").get(pl.col("rank").arg_min()),
            ts=pl.col("ts").first(),
            event_id=pl.lit(_ID) + pl.col("event_id").first(),
            device=pl.col("device").first(),
            ended=pl.col("ts").last(),
            pages=pl.col("is_page").cast(pl.Int64).sum(),
            events=pl.len().cast(pl.Int64),
            entry_page=page.first(),
            exit_page=page.last(),
            file_id=pl.col("file_id").first(),
            line=pl.col("line").first(),
        )
        .select(pl.col(name).cast(of) for name, of in SCHEMA.items())
    )


def hulls(fresh: pl.DataFrame, known: pl.DataFrame, *, gap_us: int) -> pl.DataFrame:
    """For each visitor the stretch of time whose sessions new events can change.

    Sessions that new events touch belong to it whole; what lies outside is separated from it by a pause.

    Args:
        fresh: New events: ``visitor``, ``ts``.
        known: Stored sessions of these visitors: ``visitor``, ``ts``, ``ended``.
        gap_us: As for `sessions_of`.

    Returns:
        ``visitor``, ``low``, ``high``.
    """
    gap = pl.duration(microseconds=gap_us)
    span = fresh.group_by("visitor").agg(low=pl.col("ts").min(), high=pl.col("ts").max())
    near = known.join(span, on="visitor").filter(
        (pl.col("ended") >= pl.col("low") - gap) & (pl.col("ts") <= pl.col("high") + gap)
    )
    wide = near.group_by("visitor").agg(first=pl.col("ts").min(), last=pl.col("ended").max())
    return span.join(wide, on="visitor", how="left").select(
        "visitor",
        low=pl.min_horizontal("low", "first"),
        high=pl.max_horizontal("high", "last"),
    )
