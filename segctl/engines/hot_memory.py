"""Event rows of few subjects from memory: files that have no mapped copy, and events that came since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from segctl.engines.array_columns import FrameColumns
from segctl.engines.hot_file import Found, found_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_KEYS = ("subject", "ts", "source", "event_id")
_CHUNKS = 32
_STEPS = 256
"""Of somebody with more rows the rest is looked for among all."""


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
        self._arrays = FrameColumns()
        self.last = _last(self._frame)

    def __len__(self) -> int:
        return self._frame.height

    def with_more(self, other: HeldRows) -> HeldRows:
        """The rows of both; a column that either lacks is null there."""
        return HeldRows(pl.concat([self._frame, other._frame], how="diagonal"))

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

    def numbers(self, name: str, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        """Whole numbers, days, instants or booleans of rows, and which are there; None for all."""
        return self._arrays.numbers(self._frame, name, rows)

    def codes(self, name: str, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[str | None]]:
        """Codes of the texts of rows, 0 where one is missing, and the texts by code."""
        return self._arrays.codes(self._frame, name, rows)

    def ids(self, rows: NDArray[np.int64]) -> pl.DataFrame:
        """Columns `source` and `event_id` of the rows."""
        return pl.DataFrame([self.series("source", rows), self.series("event_id", rows)])


class GrowingRows:
    """Rows of one kind that more are added to.

    Each row knows the one before it of the same subject, and each subject its newest.

    Attributes:
        last: The latest instant, in microseconds.
    """

    def __init__(self) -> None:
        self._frame = pl.DataFrame()
        self._arrays = FrameColumns()
        self.last = -(2**62)
        # One more than the number of a row; 0 is none, so that pages nobody writes to cost nothing.
        self._newest: NDArray[np.int32] = np.zeros(0, np.int32)
        self._before: NDArray[np.int32] = np.zeros(0, np.int32)
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
        return np.flatnonzero(self._newest).astype(np.int32)

    def add(self, rows: pl.DataFrame) -> None:
        """Takes further rows in stored form; a column that either lacks is null there, and rows of nobody are left."""
        if rows.get_column("subject").null_count():
            rows = rows.drop_nulls("subject")
        if not rows.height:
            return
        self.last = max(self.last, _last(rows))
        first = self._frame.height
        self._keep(first, rows.get_column("ts").cast(pl.Int64).to_numpy(), rows.get_column("subject").to_numpy())
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
        known = subjects[: np.searchsorted(subjects, len(self._newest))]
        at = self._newest[known]
        places = np.flatnonzero(at)
        at = at[places]
        rows, whose = [], []
        while len(at):
            rows.append(at - 1)
            whose.append(places)
            at = self._before[at - 1]
            there = np.flatnonzero(at)
            at, places = at[there], places[there]
            if len(rows) == _STEPS and len(at):
                at, places = self._older(known, at, places)
                rows.append(at - 1)
                whose.append(places)
                break
        if not rows:
            return np.zeros(0, np.int64), np.zeros(0, np.int32)
        # Oldest first, so that a stable order of places alone mostly is the order of events.
        place, row = np.concatenate(whose[::-1]), np.concatenate(rows[::-1]).astype(np.int64)
        place, row = self._in_event_order(place, row, len(known))
        return row, known[place]

    def _in_event_order(
        self, place: NDArray[np.int64], row: NDArray[np.int64], count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Places of subjects, fewer than so many, and rows, of each in the order they came, in event order of each."""
        order = np.argsort(place, kind="stable")
        place, row = place[order], row[order]
        ts, same = self._ts[row], place[1:] == place[:-1]
        late = same & (ts[1:] < ts[:-1])
        if late.any():
            # Only of those to whom something came late; each keeps the stretch that is its own.
            is_late = np.zeros(count, np.bool_)
            is_late[place[1:][late]] = True
            of_late = np.flatnonzero(is_late[place])
            sorted_late = of_late[np.lexsort((row[of_late], ts[of_late], place[of_late]))]
            row[of_late], ts[of_late] = row[sorted_late], ts[sorted_late]
        is_tied = same & (ts[1:] == ts[:-1])
        if is_tied.any():
            # Only of those that share an instant; each of these groups keeps the stretch that is its own.
            tied = np.flatnonzero(np.append(is_tied, False) | np.append(False, is_tied))
            ids = (self.series(name, row[tied]).to_list() for name in ("source", "event_id"))
            keys = list(zip(place[tied].tolist(), ts[tied].tolist(), *ids, strict=True))
            row[tied] = row[tied[sorted(range(len(keys)), key=keys.__getitem__)]]
        return place, row

    def _older(
        self, known: NDArray[np.int32], at: NDArray[np.int32], places: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Rows up to these of the same subjects, by one look at all."""
        latest = np.zeros(len(known), np.int32)
        latest[places] = at
        subjects = self._frame.get_column("subject").to_numpy()
        found = np.flatnonzero(np.isin(subjects, known[places]))
        of = np.searchsorted(known, subjects[found])
        there = found < latest[of]
        return (found[there] + 1).astype(np.int32), of[there]

    def instants(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """When the rows are, in microseconds."""
        found: NDArray[np.int64] = self._ts[rows]
        return found

    def series(self, name: str, rows: NDArray[np.int64]) -> pl.Series:
        """Values of a column in stored form."""
        return self._frame.get_column(name)[rows]

    def numbers(self, name: str, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        """Whole numbers, days, instants or booleans of rows, and which are there; None for all."""
        return self._arrays.numbers(self._frame, name, rows)

    def codes(self, name: str, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[str | None]]:
        """Codes of the texts of rows, 0 where one is missing, and the texts by code."""
        return self._arrays.codes(self._frame, name, rows)

    def ids(self, rows: NDArray[np.int64]) -> pl.DataFrame:
        """Columns `source` and `event_id` of the rows."""
        return pl.DataFrame([self.series("source", rows), self.series("event_id", rows)])

    def _keep(self, height: int, instants: NDArray[np.int64], subjects: NDArray[np.int32]) -> None:
        """Keeps instants and subjects behind the first so many, with room for as many again."""
        needed = height + len(instants)
        if needed > len(self._ts):
            self._ts = _longer(self._ts, height, 2 * needed)
            self._before = _longer(self._before, height, 2 * needed)
        most = int(subjects.max()) + 1
        if most > len(self._newest):
            self._newest = _longer(self._newest, len(self._newest), most + most // 4)
        self._ts[height:needed] = instants
        order = np.argsort(subjects, kind="stable")
        of, numbers = subjects[order], (order + height + 1).astype(np.int32)
        is_first = np.append(True, of[1:] != of[:-1])
        before = np.append(np.int32(0), numbers[:-1])
        before[is_first] = self._newest[of[is_first]]
        self._before[numbers - 1] = before
        # Of equal places the last counts.
        self._newest[of] = numbers


def _longer(values: NDArray[Any], length: int, room: int) -> NDArray[Any]:
    """The first so many values, and zeros behind."""
    found = np.zeros(room, values.dtype)
    found[:length] = values[:length]
    return found


def _last(rows: pl.DataFrame) -> int:
    latest = rows.get_column("ts").cast(pl.Int64).max() if rows.height else None
    return -(2**62) if latest is None else int(latest)  # type: ignore[arg-type]  # microseconds
