"""Which profile rows are new versions: the newest digest of every subject, dense by subject."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from segctl.connectors.fingerprints import Words, combined, folded, mixed
from segctl.connectors.key_index import SortedKeys

_ONE = np.uint64(1)
_UTC = pl.Datetime("us", "UTC")


class Versions:
    """The newest version of every subject in one source.

    Attributes:
        dated: Records carry their own time, so a version is identified by subject and time.
        by: Column of what has versions, in dense numbers: the subject, or the number of a row of a table.
    """

    def __init__(self, *, dated: bool, by: str = "subject") -> None:
        self.dated, self.by = dated, by
        self._newest: Words = np.zeros(0, dtype=np.uint64)  # 0: nothing, or gone
        self._known = np.zeros(0, dtype=bool)
        self._seen = np.zeros(0, dtype=bool)
        self._at_time = SortedKeys()

    @classmethod
    def read(cls, paths: Sequence[Path], *, dated: bool, by: str = "subject") -> Versions:
        """From stored record files in commit order."""
        versions = cls(dated=dated, by=by)
        for path in paths:
            frame = pl.read_parquet(path, columns=[by, "valid_from", "gone", "digest", "arrival"]).sort("arrival")
            subjects = frame[by].to_numpy()
            digests = np.where(frame["gone"].to_numpy(), np.uint64(0), frame["digest"].fill_null(0).to_numpy())
            versions._grow(subjects)
            versions._newest[subjects] = digests
            versions._known[subjects] = True
            if dated:
                last = frame.unique([by, "valid_from"], keep="last", maintain_order=True).filter(~pl.col("gone"))
                versions._at_time.add(_time_keys(last, by), last["digest"].to_numpy())
        return versions

    def changed(self, frame: pl.DataFrame, traits: Sequence[str], arrived_at: datetime) -> pl.DataFrame:
        """Rows that say something new, with ``digest``, ``gone`` and ``valid_from``.

        Args:
            frame: Rows sorted by subject, record time and position, with the trait columns.
            traits: Their names.
            arrived_at: From when versions without a time of their own hold, unless they are the first.
        """
        digests = combined([frame[name] for name in traits if name in frame.columns], frame.height, seed=5) | _ONE
        frame = frame.with_columns(pl.Series("digest", digests), gone=pl.lit(value=False))
        self._grow(frame[self.by].to_numpy())
        found = self._changed_dated(frame, arrived_at) if self.dated else self._changed(frame, arrived_at)
        subjects = frame[self.by].to_numpy()
        self._seen[subjects] = True
        self._known[subjects] = True
        self._newest[subjects] = frame["digest"].to_numpy()
        return found

    def _changed(self, frame: pl.DataFrame, arrived_at: datetime) -> pl.DataFrame:
        subjects = frame[self.by].to_numpy()
        digests = frame["digest"].to_numpy()
        first = np.ones(len(subjects), dtype=bool)
        first[1:] = subjects[1:] != subjects[:-1]
        before = np.empty_like(digests)
        before[1:] = digests[:-1]
        before[first] = self._newest[subjects[first]]
        is_beginning = first & ~self._known[subjects]
        frame = frame.with_columns(
            valid_from=pl.when(pl.Series(is_beginning)).then(None).otherwise(pl.lit(arrived_at)).cast(_UTC)
        )
        return frame.filter(pl.Series(digests != before))

    def _changed_dated(self, frame: pl.DataFrame, arrived_at: datetime) -> pl.DataFrame:
        last = frame.unique([self.by, "valid_from"], keep="last", maintain_order=True)
        keys = _time_keys(last, self.by)
        subjects, digests = last[self.by].to_numpy(), last["digest"].to_numpy()
        is_there, known = self._at_time.look_up(keys)
        # Who was gone and comes back is back from now on, whatever the record's own time.
        is_back = self._known[subjects] & (self._newest[subjects] == 0)
        new = ~(is_there & (known == digests)) | is_back
        self._at_time.add(keys[new], digests[new])
        back = pl.when(pl.Series(is_back)).then(pl.lit(arrived_at).cast(_UTC)).otherwise("valid_from")
        return last.with_columns(valid_from=back).filter(pl.Series(new))

    def see(self, subjects: pl.Series) -> None:
        """Subjects that stand in the picture although their row is bad."""
        numbers = subjects.drop_nulls().to_numpy()
        self._grow(numbers)
        self._seen[numbers] = True

    def absent(self, arrived_at: datetime) -> pl.DataFrame:
        """One ``gone`` version for each subject that was there and has not been seen since the start."""
        subjects = np.flatnonzero((self._newest != 0) & ~self._seen)
        frame = pl.DataFrame({self.by: pl.Series(subjects, dtype=pl.Int32)})
        return frame.with_columns(
            valid_from=pl.lit(arrived_at).cast(_UTC),
            gone=pl.lit(value=True),
            line=pl.lit(None, dtype=pl.Int64),
            digest=pl.lit(None, dtype=pl.UInt64),
        )

    def _grow(self, subjects: np.ndarray) -> None:
        needed = int(subjects.max()) + 1 if len(subjects) else 0
        have = len(self._newest)
        if needed <= have:
            return
        more = max(needed, have * 3 // 2) - have
        self._newest = np.concatenate((self._newest, np.zeros(more, dtype=np.uint64)))
        self._known = np.concatenate((self._known, np.zeros(more, dtype=bool)))
        self._seen = np.concatenate((self._seen, np.zeros(more, dtype=bool)))


def _time_keys(frame: pl.DataFrame, by: str) -> Words:
    times = frame["valid_from"].to_physical().fill_null(-(2**62)).to_numpy().view(np.uint64)
    return folded([mixed(frame[by].cast(pl.UInt64).to_numpy() + _ONE), mixed(times)], seed=7)
