"""Event rows of a few subjects: from mapped copies of the sorted files, and from the other files by a filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from segctl.engines.base import EngineInput, EventPart
from segctl.engines.dialects import Dialect, PolarsDialect
from segctl.engines.frames import Frame, polars_of
from segctl.engines.hot_file import Found, HotFile, opened
from segctl.engines.hot_memory import GrowingRows, HeldRows
from segctl.engines.hot_order import Stored, event_order
from segctl.engines.physical import has_moments, working_dtype
from segctl.engines.polars_reader import PolarsReader
from segctl.engines.reading import Rows, Scan, Subjects, part_groups
from segctl.model.dataclass import dataclass
from segctl.model.types import stored_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

Store = HotFile | HeldRows | GrowingRows
_FEW = 20_000
_SMALL = 500_000
"""Rows of a file that is read as a whole, once; of a larger one only the columns of each wish are."""
_NOBODY = pl.DataFrame(schema={"subject": pl.Int32, "profile_id": pl.String})


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose rows are read.

    Attributes:
        own: Subjects as they stand in files, ascending.
        listed: The profiles' subjects of a wish.
    """

    own: NDArray[np.int32]
    listed: tuple[int, ...]


class HotReader:
    """Like `PolarsReader`, quick for listed subjects."""

    dialect: Dialect = PolarsDialect()
    is_polars = True

    def __init__(self, data: EngineInput) -> None:
        self._data = data
        self._plain = PolarsReader(data)
        self._files: dict[str, HotFile | None] = {}
        self._asked = Asked(np.zeros(0, np.int32), ())
        self._rows: dict[str, Found] = {}
        self._read: dict[str, list[EventPart]] = {}

    def scan(self, wish: Scan) -> Rows:
        """Event rows; only columns and rows that are asked for are read."""
        if wish.is_held or wish.subjects.listed is None:
            return self._plain.scan(wish)
        found = self._found(wish)
        if wish.order:
            ordered = in_event_order(wish, found).lazy().set_sorted("subject")
            return Rows(nw.from_native(ordered), in_order=True)
        frame = pl.concat([one.frame for one in found]) if len(found) > 1 else found[0].frame
        if len(found) > 1 or not found[0].is_sorted:
            # Two ascending runs are merged quickly, and rows that are known to be sorted need no table of groups.
            order = pl.Series(np.argsort(frame.get_column("subject").to_numpy(), kind="stable").astype(np.uint32))
            return Rows(nw.from_native(frame.rechunk()[order].lazy().set_sorted("subject")))
        return Rows(nw.from_native(frame.lazy().set_sorted("subject")), in_order=True)

    def heap(self, wish: Scan) -> Rows:
        """Event rows of listed subjects, as they come: for those who need no order of subjects."""
        frames = [one.frame for one in self._found(wish)]
        return Rows(nw.from_native((pl.concat(frames) if len(frames) > 1 else frames[0]).lazy()))

    def _found(self, wish: Scan) -> list[Stored]:
        """The rows of listed subjects, from each place."""
        self._ask(wish.subjects.listed or ())
        parts = [part for group in part_groups(wish, self._data) for part in group.parts]
        wanted = {stored_column(name, of) for name, of in wish.properties}
        hot = [(part, file) for part in parts if (file := self._file(part, wanted)) is not None]
        warm = {part.path for part, _ in hot}
        kinds = set(wish.kinds)
        cold = tuple(
            held
            for part in parts
            if part.held is not None or part.path not in warm
            for held in self._read_once(part)
            if not kinds.isdisjoint(held.kinds)
        )
        found = [self._gathered(wish, part, file) for part, file in hot]
        return [*found, self._filtered(wish, cold)] if cold or not found else found

    def table(self, frame: pl.DataFrame) -> Frame:
        """A small frame as one of the engine's own."""
        return self._plain.table(frame)

    def numbered(self, frame: Frame, column: str) -> Frame:
        """The frame, fixed for this evaluation, with a row number that is unique."""
        return nw.from_native(self.collect(frame).with_row_index(column).lazy())

    def collect(self, frame: Frame) -> pl.DataFrame:
        """The rows of a frame, in any order."""
        is_few = 0 < len(self._asked.listed) <= _FEW
        return polars_of(frame).collect(engine="in-memory" if is_few else "streaming")

    def _ask(self, listed: tuple[int, ...]) -> None:
        if listed is not self._asked.listed:
            self._asked = Asked(own_subjects(np.asarray(listed, np.int32), self._data.canonical), listed)
            self._rows.clear()
            self._read.clear()

    def _file(self, part: EventPart, wanted: set[str]) -> HotFile | None:
        """The mapped copy, if there is one that holds the wanted columns."""
        if part.hot is None or part.held is not None:
            return None
        if part.path not in self._files:
            self._files[part.path] = opened(part)
        file = self._files[part.path]
        return None if file is None or not file.columns.issuperset(wanted & set(part.columns)) else file

    def _gathered(self, wish: Scan, part: EventPart, file: HotFile) -> Stored:
        if part.path not in self._rows:
            self._rows[part.path] = file.rows_of(self._asked.own)
        return gathered(wish, part.kinds[0], file, self._rows[part.path], self._data.canonical, path=part.path)

    def _filtered(self, wish: Scan, parts: tuple[EventPart, ...]) -> Stored:
        own = self._asked.own
        # What was read already is of these subjects only.
        is_narrow = all(part.path in self._read for part in parts)
        listed = None if is_narrow else tuple(own.tolist())
        subjects = Subjects(int(own[0]), int(own[-1]), listed) if len(own) else Subjects(0, -1, ())
        scan = PolarsReader(EngineInput(_NOBODY, parts)).scan(replace(wish, subjects=subjects))
        frame = polars_of(scan.frame).collect(engine="in-memory" if is_narrow else "streaming")
        if wish.order:
            frame = frame.sort("subject", "ts", "source", "event_id")
        ids = frame.select("source", "event_id") if wish.order else pl.DataFrame()
        columns = [name for name in frame.columns if name not in ("source", "event_id")]
        before = frame.get_column("subject").to_numpy()
        frame, canonical = frame.select(columns), self._data.canonical
        if canonical is not None:
            frame = frame.with_columns(canonical[frame.get_column("subject")].alias("subject"))
        return Stored(frame, False, before, None, lambda: ids)

    def _read_once(self, part: EventPart) -> list[EventPart]:
        """The rows that are asked for of a small file, read once for all wishes, by kind; a large file as it is."""
        if part.rows > _SMALL or part.held is not None:
            return [part]
        if part.path not in self._read:
            # Without the kind, whether or not the file has it, so that such parts of several files fit together.
            self._read[part.path] = [
                replace(
                    part,
                    held=rows.drop("kind", strict=False),
                    columns=tuple(name for name in part.columns if name != "kind"),
                    rows=rows.height,
                    kinds=(kind,),
                    is_sorted=False,
                )
                for kind, rows in _by_kind(part, self._asked.own)
            ]
        return self._read[part.path]


def _by_kind(part: EventPart, own: NDArray[np.int32]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Rows of some subjects, in the order of the file."""
    columns = [name for name in part.columns if name not in ("file_id", "line")]
    rows = pl.scan_parquet(part.path, glob=False, hive_partitioning=False).select(columns)
    found = rows.filter(pl.col("subject").is_in(pl.Series(own).implode())).collect(engine="in-memory")
    if len(part.kinds) == 1:
        yield part.kinds[0], found
    elif found.height:
        for (kind,), some in found.partition_by("kind", as_dict=True, maintain_order=True).items():
            yield str(kind), some


def gathered(
    wish: Scan, kind: str, store: Store, found: Found, canonical: pl.Series | None, *, path: str = ""
) -> Stored:
    """Rows of one kind from where they are kept.

    Args:
        wish: What is asked of them.
        kind: Their kind.
        store: Where they are kept.
        found: Which they are, in event order of each subject.
        canonical: As in `EngineInput`.
        path: Of the event file that a mapped copy copies.
    """
    rows, own = found
    ts = store.instants(rows)
    inside = within(ts, wish)
    if inside is not None:
        rows, own, ts = rows[inside], own[inside], ts[inside]
    columns = [pl.Series("subject", own), pl.Series("ts", ts)]
    if canonical is not None:
        columns[0] = canonical[columns[0]].alias("subject")
    if wish.kind:
        columns.append(pl.Series("kind", [kind], dtype=pl.String).new_from_index(0, len(rows)))
    for name, of in wish.properties:
        column = stored_column(name, of)
        if column in store.columns:
            value = store.series(column, rows)
            columns.append(value.cast(working_dtype(of)) if has_moments(of) else value)
        else:
            columns.append(pl.Series(column, [None], dtype=working_dtype(of)).new_from_index(0, len(rows)))
    mapped = (store, rows, path) if isinstance(store, HotFile) else None
    ids = None if isinstance(store, HotFile) else lambda: store.ids(rows)
    return Stored(pl.DataFrame(columns), canonical is None, own, mapped, ids)


def in_event_order(wish: Scan, found: Sequence[Stored]) -> pl.DataFrame:
    """All rows in event order, with row numbers in place of what breaks ties."""
    frame, order = event_order(found)
    ordered = frame if order is None else frame[order]
    order_columns = [
        pl.Series("source", [0], dtype=pl.Int8).new_from_index(0, ordered.height),
        pl.Series("event_id", np.arange(ordered.height)),
    ]
    return ordered.hstack(order_columns)[list(wish.columns)]


def own_subjects(listed: NDArray[np.int32], canonical: pl.Series | None) -> NDArray[np.int32]:
    """The subjects of files that belong to some profiles, ascending."""
    if canonical is None:
        # `np.unique` loads masked arrays, which takes as long as all else of a small call.
        ordered = np.sort(listed)
        is_first = np.ones(len(ordered), np.bool_)
        is_first[1:] = ordered[1:] != ordered[:-1]
        return ordered[is_first]
    profiles = canonical.to_numpy()
    is_asked = np.zeros(len(profiles), np.bool_)
    is_asked[listed[listed < len(profiles)]] = True
    found: NDArray[np.int32] = np.flatnonzero(is_asked[profiles]).astype(np.int32)
    return found


def within(ts: NDArray[Any], wish: Scan) -> NDArray[np.bool_] | None:
    """Which instants a wish asks for; None for all."""
    inside: NDArray[np.bool_] = ts <= wish.hi
    if wish.lo is not None:
        inside &= ts >= wish.lo
    return None if bool(inside.all()) else inside
