"""Ids of events that no column names: made of their content, and of how often it came in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.fingerprints import Words
    from segctl.connectors.key_index import Rows


def content_ids(contents: Words, more: Words, numbers: Rows) -> pl.Series:
    """Ids of events identified by content: 96 bits of it, and the occurrence when it is not the first."""
    import numpy as np
    import polars as pl

    ids = "~" + pl.Series(contents).cast(pl.String) + "." + pl.Series(more >> np.uint64(32)).cast(pl.String)
    if numbers.any():
        later = pl.Series(numbers > 0)
        ids = (ids + "." + pl.Series(numbers).cast(pl.String)).zip_with(later, ids)
    return ids.alias("event_id")


def contents_of(ids: pl.Series) -> Words:
    """The contents that ids made by `content_ids` are of; others have none."""
    import numpy as np
    import polars as pl

    found = ids.str.extract(r"^~(\d{1,20})\.\d{1,10}(?:\.\d+)?$").cast(pl.UInt64, strict=False).drop_nulls()
    return found.to_numpy().astype(np.uint64)
