"""Known identifier values of one type, looked up by hash and confirmed letter by letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_LAST = 2**64 - 1
"""The highest hash there can be."""


class KnownValues:
    """Value → subject for millions of values, asked for in batches.

    A join builds a table of all values for every batch; here the sorted hashes are made once. Two values with one
    hash are told apart by comparing the texts, and a batch with such a pair is joined after all.

    Args:
        values: Distinct texts.
        subjects: Int32, as long as `values`.
    """

    def __init__(self, values: pl.Series, subjects: pl.Series) -> None:
        import numpy as np
        import polars as pl

        # Hashes hold for this process only, which is all that is asked of them.
        frame = pl.DataFrame({"value": values, "subject": subjects, "hash": values.hash()}).sort("hash")
        self._table = frame.select("value", "subject")
        # One more than there are, so that a search always ends.
        self._hashes = np.append(frame["hash"].to_numpy(), _LAST)
        self._shift = np.uint64(64 - max(len(values), 1).bit_length())
        firsts = np.arange(2 ** (64 - int(self._shift)), dtype=np.uint64) << self._shift
        self._directory = np.searchsorted(self._hashes[:-1], firsts).astype(np.int32)

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
        if self._table.is_empty():
            return nobody
        hashes = asked.hash().to_numpy()
        places = self._places(hashes)
        is_hit = pl.Series((self._hashes[places] == hashes) & (places < self._table.height))
        if asked.null_count():
            is_hit &= asked.is_not_null()
        candidates = self._table[pl.Series(np.minimum(places, self._table.height - 1))]
        is_same = candidates["value"] == asked
        if (is_hit & ~is_same).any():
            frame = pl.DataFrame({"value": asked})
            return frame.join(self._table, on="value", how="left", maintain_order="left")["subject"]
        return candidates["subject"].zip_with(is_hit & is_same, nobody).alias("subject")

    def _places(self, hashes: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Where each hash stands or would stand: hashes are evenly spread, so their first bits nearly say it."""
        import numpy as np

        places: NDArray[np.int32] = self._directory[hashes >> self._shift]
        behind = np.flatnonzero(self._hashes[places] < hashes)
        while len(behind):
            places[behind] += 1
            behind = behind[self._hashes[places[behind]] < hashes[behind]]
        return places
