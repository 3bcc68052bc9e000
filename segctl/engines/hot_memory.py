"""Event rows of few subjects from memory: files that have no mapped copy, and events that came since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from segctl.engines.hot_file import Found, found_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KEYS = ("subject", "ts", "source", "event_id")
_CHUNKS = 32


class HeldRows:
    """Rows of one kind that stay as they are, in memory.

    Attributes:
        last: The latest instant, in microseconds.
    """

    def __init__(self, frame: pl.DataFrame) -> None:
        """Takes rows in stored form; columns `subject`, `ts`, `source`, `event_id` and properties."""
        # Rows of a related table may be nobody's.
        self._frame = frame.drop_nulls("subject").sort(*_KEYS, maintain_order=True).rechunk()
        subjects = self._frame.get_column("subject").to_numpy()
        begins = np.flatnonzero(np.diff(subjects, prepend=subjects[:1] - 1)) if len(subjects) else np.zeros(0, np.int64)
        self._subjects = subjects[begins]
        self._starts = np.append(begins, len(subjects))
        self._ts = self._frame.get_column("ts").cast(pl.Int64).to_numpy()
        self.last = _last(self._frame)

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns."""
        return frozenset(self._frame.columns)

    def rows_of(self, subjects: NDArray[np.int32]) -> Found:
        """The rows of some subjects, in event order of each; the subjects ascend and are unique."""
        return found_rows(self._subjects, self._starts, subjects)

    def instants(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """When the rows are, in microseconds."""
        found: NDArray[np.int64] = self._ts[rows]
        return found

    def series(self, name: str, rows: NDArray[np.int64]) -> pl.Series:
        """Values of a column in stored form."""
        return self._frame.get_column(name)[rows]

    def ids(self, rows: NDArray[np.int64]) -> pl.DataFrame:
        """Columns `source` and `event_id` of the rows."""
        return pl.DataFrame([self.series("source", rows), self.series("event_id", rows)])


class GrowingRows:
    """Rows of one kind that more are added to.

    Attributes:
        last: The latest instant, in microseconds.
    """

    def __init__(self) -> None:
        self._frame = pl.DataFrame()
        self.last = -(2**62)
        self._of: dict[int, list[int]] = {}
        self._ts: NDArray[np.int64] = np.empty(0, np.int64)

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns."""
        return frozenset(self._frame.columns)

    @property
    def frame(self) -> pl.DataFrame:
        """All rows, as they came."""
        return self._frame

    def subjects(self) -> NDArray[np.int32]:
        """Whose rows these are, each once."""
        return np.fromiter(self._of, np.int32, len(self._of))

    def add(self, rows: pl.DataFrame) -> None:
        """Takes further rows in stored form; a column that either lacks is null there."""
        self.last = max(self.last, _last(rows))
        first = self._frame.height
        self._keep(first, rows.get_column("ts").cast(pl.Int64).to_numpy())
        for at, subject in enumerate(rows.get_column("subject").to_list(), first):
            self._of.setdefault(subject, []).append(at)
        if not first:
            self._frame = rows
            return
        if rows.schema == self._frame.schema:
            self._frame = self._frame.vstack(rows)
        else:
            self._frame = pl.concat([self._frame, rows], how="diagonal", rechunk=False)
        if self._frame.n_chunks() > _CHUNKS:
            self._frame = self._frame.rechunk()

    def rows_of(self, subjects: NDArray[np.int32]) -> Found:
        """The rows of some subjects, in event order of each; the subjects ascend and are unique."""
        of = self._of
        if len(of) < len(subjects):
            subjects = np.intersect1d(subjects, np.fromiter(of, np.int32, len(of)))
        found = [subject for subject in subjects.tolist() if subject in of]
        rows = np.asarray([at for subject in found for at in of[subject]], np.int64)
        whose = np.repeat(np.asarray(found, np.int32), [len(of[subject]) for subject in found])
        later, other = np.diff(self._ts[rows]) > 0, np.diff(whose) > 0
        if not (later | other).all():
            keys = pl.DataFrame([self.series(name, rows) for name in _KEYS])
            order = keys.select(pl.arg_sort_by(*_KEYS, maintain_order=True)).to_series()
            rows = rows[order.to_numpy()]
        return rows, whose

    def instants(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """When the rows are, in microseconds."""
        found: NDArray[np.int64] = self._ts[rows]
        return found

    def series(self, name: str, rows: NDArray[np.int64]) -> pl.Series:
        """Values of a column in stored form."""
        return self._frame.get_column(name)[rows]

    def ids(self, rows: NDArray[np.int64]) -> pl.DataFrame:
        """Columns `source` and `event_id` of the rows."""
        return pl.DataFrame([self.series("source", rows), self.series("event_id", rows)])

    def _keep(self, height: int, instants: NDArray[np.int64]) -> None:
        """Keeps instants behind the first so many, with room for as many again."""
        needed = height + len(instants)
        if needed > len(self._ts):
            kept, self._ts = self._ts[:height], np.empty(2 * needed, np.int64)
            self._ts[:height] = kept
        self._ts[height:needed] = instants


def _last(rows: pl.DataFrame) -> int:
    latest = rows.get_column("ts").cast(pl.Int64).max() if rows.height else None
    return -(2**62) if latest is None else int(latest)  # type: ignore[arg-type]  # microseconds
