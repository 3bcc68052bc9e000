"""Known identifier values of one type, looked up by hash and confirmed letter by letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


class KnownValues:
    """Value → subject for millions of values, asked for in batches.

    A join builds a table of all values for every batch; here the sorted hashes are made once. Two values with one
    hash are told apart by comparing the texts, and a batch with such a pair is joined after all.

    Args:
        values: Distinct texts.
        subjects: Int32, as long as `values`.
    """

    def __init__(self, values: pl.Series, subjects: pl.Series) -> None:
        import polars as pl

        # Hashes hold for this process only, which is all that is asked of them.
        frame = pl.DataFrame({"value": values, "subject": subjects, "hash": values.hash()}).sort("hash")
        self._table = frame.select("value", "subject")
        self._hashes = frame["hash"].to_numpy()

    def with_more(self, values: pl.Series, subjects: pl.Series) -> KnownValues:
        """These values and further ones."""
        import polars as pl

        both = pl.concat([self._table, pl.DataFrame({"value": values, "subject": subjects})])
        return KnownValues(both["value"], both["subject"])

    def look_up(self, asked: pl.Series) -> pl.Series:
        """Int32 named ``subject``, row by row; null where a value is missing or not known."""
        import numpy as np
        import polars as pl

        nobody = pl.Series("subject", [None], dtype=pl.Int32).new_from_index(0, asked.len())
        if not len(self._hashes):
            return nobody
        hashes = asked.hash().to_numpy()
        # Neighbouring searches share their way through the cache when they come in order.
        order = np.argsort(hashes)
        places = np.empty(len(hashes), dtype=np.int64)
        places[order] = np.searchsorted(self._hashes, hashes[order])
        places[places == len(self._hashes)] = 0
        is_hit = pl.Series(self._hashes[places] == hashes) & asked.is_not_null()
        candidates = self._table[pl.Series(places)]
        is_same = (candidates["value"] == asked).fill_null(value=False)
        if (is_hit & ~is_same).any():
            frame = pl.DataFrame({"value": asked})
            return frame.join(self._table, on="value", how="left", maintain_order="left")["subject"]
        return candidates["subject"].zip_with(is_hit & is_same, nobody).alias("subject")
