"""Event rows of a few profiles as arrays: each column is read when a test or a metric asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from segctl.compile.zones import DAY, SECOND, offsets
from segctl.engines.arrays import Column
from segctl.engines.hot_file import HotFile
from segctl.engines.hot_order import Stored, event_order
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segctl.engines.array_moment import Moment
    from segctl.engines.hot_reader import Store
    from segctl.engines.prepared_rows import FewRows

_EARLY, _LATE = -5_364_662_400_000_000, 7_258_118_400_000_000
"""The years 1800 and 2200: outside, the offset beside holds."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one kind from one place.

    Attributes:
        store: Where they are kept.
        rows: Their positions there.
        own: Their subjects there.
        path: Of the event file that a mapped copy copies.
    """

    store: Store
    rows: NDArray[np.int64]
    own: NDArray[np.int32]
    path: str


class RowArrays:
    """Rows of a group of kinds up to an instant.

    Attributes:
        moment: Whoever asks.
        parts: Where they come from.
        ts: When each was, in microseconds.
        places: Of each, the place of its profile among those asked for.
    """

    def __init__(
        self, few: FewRows, kinds: Sequence[str], own: NDArray[np.int32], subjects: NDArray[np.int32], moment: Moment
    ) -> None:
        """Finds them.

        Args:
            few: Where rows are.
            kinds: Of events.
            own: Subjects as they stand in files, ascending and unique.
            subjects: Of the profiles, ascending and unique.
            moment: Whoever asks.
        """
        self.moment = moment
        self.parts: list[Part] = []
        instants = []
        for kind in kinds:
            for store, path in few.stores.get(kind, ()):
                rows, of = few.found(store, own)
                if not len(rows):
                    continue
                ts = store.instants(rows)
                if store.last > moment.now:
                    is_past = ts <= moment.now
                    rows, of, ts = rows[is_past], of[is_past], ts[is_past]
                self.parts.append(Part(store, rows, of, path))
                instants.append(ts)
        self.ts: NDArray[np.int64] = _joined(instants, np.int64)
        whose = _joined([part.own for part in self.parts], np.int32)
        if few.canonical is not None and len(whose):
            whose = few.canonical.gather(pl.Series(whose)).to_numpy()
        self.places: NDArray[np.int64] = np.searchsorted(subjects, whose)
        self._columns: dict[str, Column] = {}
        self._days: NDArray[np.int64] | None = None
        self._ranks: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.ts)

    def numbers(self, name: str) -> Column:
        """Whole numbers, days, instants or booleans of a stored column; all are missing where no part has it."""
        if name not in self._columns:
            found = [self._numbers_of(part, name) for part in self.parts]
            values = _joined([column.values for column in found], np.int64)
            present = None
            if any(column.present is not None for column in found):
                present = _joined([_presence(column) for column in found], np.bool_)
            self._columns[name] = Column(values, present)
        return self._columns[name]

    def _numbers_of(self, part: Part, name: str) -> Column:
        if name not in part.store.columns:
            return Column(np.zeros(len(part.rows), np.int64), np.zeros(len(part.rows), np.bool_))
        return Column(*part.store.numbers(name, part.rows))

    def texts(self, name: str) -> Column:
        """Texts of a stored column as codes that all parts share; 0 where one is missing."""
        if name not in self._columns:
            codes: dict[str, int] = {}
            values = _joined([self._codes_of(part, name, codes) for part in self.parts], np.int64)
            present = values > 0
            self._columns[name] = Column(values, None if present.all() else present, codes)
        return self._columns[name]

    def _codes_of(self, part: Part, name: str, codes: dict[str, int]) -> NDArray[np.int64]:
        if name not in part.store.columns or not len(part.rows):
            return np.zeros(len(part.rows), np.int64)
        local, texts = part.store.codes(name, part.rows)
        shared = np.zeros(int(local.max()) + 1, np.int64)
        for code in np.flatnonzero(np.bincount(local)).tolist():
            text = texts[code]
            if text is not None:
                shared[code] = codes.setdefault(text, len(codes) + 1)
        found: NDArray[np.int64] = shared[local]
        return found

    def days(self, zone: str) -> NDArray[np.int64]:
        """Local days, counted from 1970."""
        if self._days is None:
            changes = offsets(zone, _EARLY, _LATE)
            starts, seconds = np.array([at for at, _ in changes]), np.array([by for _, by in changes])
            place = np.maximum(np.searchsorted(starts, self.ts, side="right") - 1, 0)
            self._days = (self.ts + seconds[place] * SECOND) // DAY
        return self._days

    @property
    def ranks(self) -> NDArray[np.int64]:
        """The place of each row in event order."""
        if self._ranks is None:
            (self._ranks,) = ranks_of([self])
        return self._ranks

    def differ(self, some: NDArray[np.int64], others: NDArray[np.int64]) -> bool:
        """Whether any of some rows is of another part, or another subject, than the other row beside it."""
        numbers = np.repeat(np.arange(len(self.parts)), [len(part.rows) for part in self.parts])
        own = _joined([part.own for part in self.parts], np.int32)
        return bool(((numbers[some] != numbers[others]) | (own[some] != own[others])).any())

    def stored(self) -> list[Stored]:
        """The parts in the form that event order is found of."""
        ends = np.cumsum([len(part.rows) for part in self.parts])
        found = []
        for part, end in zip(self.parts, ends.tolist(), strict=True):
            rows = slice(end - len(part.rows), end)
            frame = pl.DataFrame([pl.Series("subject", self.places[rows]), pl.Series("ts", self.ts[rows])])
            mapped = (part.store, part.rows, part.path) if isinstance(part.store, HotFile) else None
            ids = None if isinstance(part.store, HotFile) else partial(part.store.ids, part.rows)
            found.append(Stored(frame, False, part.own, mapped, ids))
        return found


def ranks_of(groups: Sequence[RowArrays]) -> list[NDArray[np.int64]]:
    """Of the rows of each group the place in event order among all of them."""
    stored = [one for group in groups for one in group.stored()]
    if not stored:
        return [np.zeros(0, np.int64) for _ in groups]
    frame, order = event_order(stored)
    ranks = np.empty(frame.height, np.int64)
    ranks[np.arange(frame.height) if order is None else order] = np.arange(frame.height)
    ends = np.cumsum([len(group) for group in groups])
    return [ranks[end - len(group) : end] for group, end in zip(groups, ends.tolist(), strict=True)]


def _presence(column: Column) -> NDArray[np.bool_]:
    return np.ones(len(column.values), np.bool_) if column.present is None else column.present


def _joined(pieces: Sequence[NDArray[Any]], dtype: Any) -> NDArray[Any]:  # noqa: ANN401 - what arrays are made of
    if len(pieces) == 1:
        return pieces[0]
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype)
