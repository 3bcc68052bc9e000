"""Events of a few subjects from mapped copies of event files, in the form in which a replay holds them.

A copy knows of an event's id only how it begins. That is enough to put events in order as long as no two of a profile
share an instant, a source and that beginning; otherwise the event files themselves are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from segctl.engines.hot_file import HotFile, opened
from segctl.engines.hot_write import TIE

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.engines.base import EventPart


def mapped_events(part: EventPart, since: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame | None:
    """Rows of a file with one kind, by its copy; None where there is no copy that holds what is asked.

    Args:
        part: The file.
        since: Whose events are wanted and from when on: ``subject``, ``since``.
        columns: Properties asked for, in their stored names.
    """
    import polars as pl

    wanted = [name for name in columns if name in part.columns]
    file = opened(part)
    if file is None or not file.columns.issuperset({*wanted, "source", TIE}) or len(part.kinds) != 1:
        return None
    ordered = since.sort("subject")
    rows, own = file.rows_of(ordered["subject"].to_numpy())
    subjects = pl.Series("subject", own, dtype=pl.Int32)
    ts = file.series("ts", rows).cast(pl.Datetime("us", "UTC")).alias("ts")
    begins = ordered["since"].gather(ordered["subject"].search_sorted(subjects))
    inside = (ts >= begins).fill_null(value=False)
    rows = rows[inside.to_numpy()]
    ids = _ids(file, rows)
    if ids is None:
        return None
    found = [subjects.filter(inside), ts.filter(inside), file.series("source", rows).alias("source"), ids]
    found += [file.series(name, rows).alias(name) for name in wanted]
    return pl.DataFrame(found).with_columns(pl.lit(part.kinds[0]).alias("kind"))


def is_ordered(events: pl.DataFrame, shortest: int, owners: Sequence[pl.Series | None]) -> bool:
    """Whether sources and beginnings of ids put all events of every profile in order.

    Args:
        events: With ``subject``, ``ts``, ``source``, ``event_id``, and whether they came from a copy in ``mapped``.
        shortest: So many bytes of an id are known of every event.
        owners: Subject → subject of its profile, of each state that is asked about.
    """
    import polars as pl

    begins, instant = pl.col("event_id").cast(pl.Binary).bin.head(shortest), ("profile", "ts", "source", "id")
    # Mostly both states know everybody as one profile.
    different = owners if any(of is not None for of in owners) else owners[:1]
    for of in different:
        profile = events["subject"] if of is None else of.gather(events["subject"])
        keys = events.select("ts", "source", "mapped", begins.alias("id")).with_columns(profile.alias("profile"))
        same = keys.filter(pl.struct("profile", "ts").is_duplicated())
        if same.filter(pl.struct(*instant).is_duplicated())["mapped"].any():
            return False
    return True


def known_bytes(part: EventPart) -> int:
    """How many bytes of ids the copy of a file knows."""
    file = opened(part)
    return 0 if file is None or TIE not in file.columns else len(file.array(TIE, "prefix")) + 8


def _ids(file: HotFile, rows: NDArray[np.int64]) -> pl.Series | None:
    """How the ids of rows begin; None where these are no whole letters."""
    import polars as pl

    prefix = file.array(TIE, "prefix").tobytes()
    # As bytes of fixed length they are without the zeros at their end.
    ends = file.array(TIE, "values")[rows].astype(">u8").view("S8").tolist()
    texts = [prefix + end if end else prefix.rstrip(b"\0") for end in ends] if prefix else ends
    try:
        return pl.Series("event_id", texts, dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return None
