"""Small questions about frames of new events, which have ``subject`` Int32 and ``ts`` Datetime(us, UTC)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


def newest(frame: pl.DataFrame) -> int:
    """The latest instant, in microseconds since 1970."""
    return int(frame["ts"].to_physical().max())  # type: ignore[arg-type]  # Int64, and never empty


def oldest(frame: pl.DataFrame) -> int:
    """The earliest instant, in microseconds since 1970."""
    return int(frame["ts"].to_physical().min())  # type: ignore[arg-type]  # Int64, and never empty


def largest_subject(frame: pl.DataFrame) -> int:
    """The highest subject; -1 when the rows are nobody's."""
    found = frame["subject"].max()
    return found if isinstance(found, int) else -1


def subjects_of(frames: Sequence[pl.DataFrame]) -> list[int]:
    """Subjects, each once, ascending; rows of nobody are left out."""
    found: set[int] = set()
    for frame in frames:
        found.update(frame["subject"].drop_nulls().to_list())
    return sorted(found)


def spans(frames: Sequence[pl.DataFrame], length_s: float) -> list[list[pl.DataFrame]]:
    """The events in the order they came, cut where their time enters another span; late ones stay where they came.

    Args:
        frames: In the order they came.
        length_s: Of a span.

    Returns:
        Parts of frames; at least one, which is empty when there are no events.
    """
    import polars as pl

    length = max(1, int(length_s * 1_000_000))
    found: list[list[pl.DataFrame]] = []
    last = None
    for frame in frames:
        span = frame.select(pl.col("ts").to_physical().cum_max() // length).to_series()
        span = span.clip(lower_bound=last) if last is not None else span
        for part in frame.with_columns(span.alias("\x00span")).partition_by("\x00span", maintain_order=True):
            here = int(part["\x00span"][0])
            if last is None or here > last:
                found.append([])
            found[-1].append(part.drop("\x00span"))
            last = here
    return found or [[]]
