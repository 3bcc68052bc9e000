"""Who belongs to which segment right now, as a stream has said it, and when time alone may change that."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING

from segctl.operations.live.evaluation import NEVER

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.state.workspace import Workspace

_ROOM = 65_536
_MOST_LOOSE = 100_000
"""Timers that wait in a heap; with more all are sorted anew, which takes a tenth of a second for a million."""

Moved = tuple[int, str, bool]
"""Subject of a profile, segment, and whether it entered."""


class Members:
    """Truth by subject of profile and segment, one byte each; it grows with the subjects.

    Attributes:
        names: Segments, in the order of the columns.
        unknown: Segment → subjects of profiles of whom a value is missing that must not be; they stay what they were.
    """

    def __init__(self, names: Sequence[str], length: int) -> None:
        import numpy as np

        self.names = tuple(names)
        self._column = {name: place for place, name in enumerate(self.names)}
        self._truth: NDArray[np.bool_] = np.zeros((length + _ROOM, len(self.names)), dtype=bool)
        self.length = length
        self.unknown: dict[str, set[int]] = {}

    @classmethod
    def in_force(cls, workspace: Workspace, names: Sequence[str], length: int) -> Members:
        """As the runs in force say; a segment that was never evaluated has nobody."""
        from segctl.state.memberships import memberships, sizes

        known = [name for name in names if name in sizes(workspace)]
        found = cls(names, length)
        if known:
            frame = memberships(workspace, segments=known)
            found.grow(frame.height)
            for name in known:
                found._truth[: frame.height, found._column[name]] = frame[name].to_numpy()
        return found

    def copy(self) -> Members:
        """What is true now."""
        found = Members(self.names, 0)
        found._truth, found.length = self._truth[: self.length].copy(), self.length
        return found

    def grow(self, length: int) -> None:
        """Room for so many subjects."""
        import numpy as np

        if length > len(self._truth):
            bigger = np.zeros((length + length // 8 + _ROOM, len(self.names)), dtype=bool)
            bigger[: self.length] = self._truth[: self.length]
            self._truth = bigger
        self.length = max(self.length, length)

    def moved(
        self, subjects: Sequence[int] | NDArray[np.int64], answers: pl.DataFrame, names: Sequence[str]
    ) -> list[Moved]:
        """Takes new answers about profiles.

        Args:
            subjects: Of all asked profiles, ascending, each once.
            answers: ``subject`` and a Boolean per segment, null where the answer is none; asked profiles without a
                row belong to nothing.
            names: Segments that were asked; those without a column stay as they are.

        Returns:
            What changed, by subject, then segment.
        """
        import numpy as np

        if not len(subjects):
            return []
        rows = np.asarray(subjects, dtype=np.int64)
        self.grow(int(rows[-1]) + 1)
        given = set(answers.columns)
        names = [name for name in names if name in given]
        places = np.array([self._column[name] for name in names], dtype=np.int64)
        at = np.ix_(rows, places)
        now = np.zeros((len(rows), len(names)), dtype=bool)
        missing: list[str] = []
        if answers.height and names:
            found = np.searchsorted(rows, answers["subject"].to_numpy())
            columns = [answers.get_column(name) for name in names]
            missing = [column.name for column in columns if column.null_count()]
            now[found] = np.column_stack([_truth_of(column, column.name in missing) for column in columns])
        if missing or self.unknown:
            self._set_unknown(rows, answers.select("subject", *missing), names)
            for place, name in enumerate(names):
                stays = np.isin(rows, list(self.unknown.get(name, ())))
                now[stays, place] = self._truth[rows[stays], places[place]]
        changed = np.argwhere(self._truth[at] != now)
        self._truth[at] = now
        return [(int(rows[i]), names[j], bool(now[i, j])) for i, j in changed.tolist()]

    def moved_of_many(self, everybody: NDArray[np.int64], answers: pl.DataFrame, names: Sequence[str]) -> list[Moved]:
        """As `moved`, for so many that it is worth finding those first who are not what they were."""
        import numpy as np
        import polars as pl

        subjects = answers["subject"].to_numpy()
        self.grow(int(everybody.max(initial=-1)) + 1)
        differs = np.zeros(self.length, dtype=bool)
        for name in names:
            if name in answers.columns:
                now = np.zeros(self.length, dtype=bool)
                now[subjects] = answers[name].fill_null(value=False).to_numpy()
                differs |= now != self.column(name)
                differs[subjects[answers[name].is_null().to_numpy()]] = True
                differs[list(self.unknown.get(name, ()))] = True
        some = everybody[differs[everybody]]
        return self.moved(some, answers.filter(pl.Series(differs[subjects])), names)

    def _set_unknown(self, rows: NDArray[np.int64], answers: pl.DataFrame, names: Sequence[str]) -> None:
        """Who of those that were asked has no answer now."""
        asked = set(rows.tolist())
        for name in names:
            of = answers["subject"].filter(answers[name].is_null()).to_list() if name in answers.columns else ()
            unknown = self.unknown.pop(name, set()) - asked | set(of)
            if unknown:
                self.unknown[name] = unknown

    def column(self, segment: str) -> NDArray[np.bool_]:
        """Truth by subject."""
        return self._truth[: self.length, self._column[segment]]

    def frame(self, names: Sequence[str]) -> pl.DataFrame:
        """``subject`` and a Boolean per segment, one row per subject."""
        import polars as pl

        columns = {name: pl.Series(self.column(name).copy()) for name in names}
        return pl.DataFrame({"subject": pl.int_range(self.length, dtype=pl.Int32, eager=True), **columns})


def _truth_of(answers: pl.Series, is_missing: bool) -> NDArray[np.bool_]:
    # Filling is a query of its own, for each of all segments.
    return (answers.fill_null(value=False) if is_missing else answers).to_numpy()


class Timers:
    """When profiles have to be asked again because time passes; instants in microseconds since 1970.

    Most of them wait in two sorted arrays, and those that came since in a heap: a million entries of a heap would take
    ten times the room. An entry counts only while it says what `_due` says of its profile.
    """

    def __init__(self, length: int) -> None:
        import numpy as np

        self._due: NDArray[np.int64] = np.full(length + _ROOM, NEVER, dtype=np.int64)
        self._heap: list[tuple[int, int]] = []
        self._sorted: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._whose: NDArray[np.int32] = np.empty(0, dtype=np.int32)
        self._at = 0

    def set(self, subjects: Sequence[int] | NDArray[np.int64], due: Sequence[int] | NDArray[np.int64]) -> None:
        """New instants; `NEVER` takes a profile away."""
        import numpy as np

        rows, at = np.asarray(subjects, dtype=np.int64), np.asarray(due, dtype=np.int64)
        if not len(rows):
            return
        self._grow(int(rows.max()) + 1)
        differs = (self._due[rows] != at) & (at < NEVER)
        self._due[rows] = at
        if differs.sum() + len(self._heap) > _MOST_LOOSE:
            self._sort()
            return
        for when, who in zip(at[differs].tolist(), rows[differs].tolist(), strict=True):
            heapq.heappush(self._heap, (when, who))

    def _sort(self) -> None:
        import numpy as np

        waiting = np.flatnonzero(self._due < NEVER)
        order = np.argsort(self._due[waiting], kind="stable")
        self._whose = waiting[order].astype(np.int32)
        self._sorted = self._due[self._whose]
        self._at, self._heap = 0, []

    def advance(self, subject: int, due: int) -> None:
        """An instant that counts if it is earlier than the one there is."""
        self._grow(subject + 1)
        if due < self._due[subject]:
            self.set([subject], [due])

    def _grow(self, length: int) -> None:
        import numpy as np

        if length > len(self._due):
            more = np.full(length - len(self._due) + len(self._due) // 8 + _ROOM, NEVER, dtype=np.int64)
            self._due = np.concatenate((self._due, more))

    def first(self) -> int:
        """The earliest instant; `NEVER` when nobody waits."""
        while self._heap and self._due[self._heap[0][1]] != self._heap[0][0]:
            heapq.heappop(self._heap)
        while self._at < len(self._sorted) and self._due[self._whose[self._at]] != self._sorted[self._at]:
            self._at += 1
        loose = self._heap[0][0] if self._heap else NEVER
        return min(loose, int(self._sorted[self._at])) if self._at < len(self._sorted) else loose

    def take(self, until: int) -> list[int]:
        """Subjects of the profiles whose instant is not after `until`, ascending; they wait no longer."""
        taken: list[int] = []
        while (first := self.first()) <= until:
            is_loose = bool(self._heap) and self._heap[0][0] == first
            who = heapq.heappop(self._heap)[1] if is_loose else int(self._whose[self._at])
            self._due[who] = NEVER
            taken.append(who)
        return sorted(taken)
