"""Sources of a prepared plan: frames whose rows are put in anew each time it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, cast

import narwhals.stable.v2 as nw
import numpy as np
import polars as pl

from segctl.engines.dialects import Dialect, PolarsDialect
from segctl.engines.frames import Frame, polars_of
from segctl.engines.hot_reader import Store, gathered, in_event_order
from segctl.engines.reading import Rows, Scan, empty_frame
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segctl.engines.hot_file import Found
    from segctl.engines.hot_order import Stored


Kept = tuple[Store, str]
"""Where rows of one kind are, and of a mapped copy the path of the event file."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Rows of some kinds, for all who ask for them.

    Attributes:
        scan: What is asked: the properties of all, in order if anybody needs it.
        bounds: Columns that move with as_of and are asked of these rows.
    """

    scan: Scan
    bounds: tuple[str, ...]


class DeferredReader:
    """Notes which event rows a plan asks for, and stands for them while the plan is built.

    A plan is built twice: first to learn what it asks for, then with what all who ask for the same kinds need.

    Attributes:
        asked: Numbers of the wishes since somebody emptied it.
        wishes: What is asked for, once for each group of kinds.
        whole: Numbers of the wishes among whose rows each profile has one, too late to count.
    """

    dialect: Dialect = PolarsDialect()
    is_polars = True

    def __init__(self, wishes: Sequence[Wish] = (), spare: Sequence[str] = ()) -> None:
        """Starts with the wishes of the first time, or with columns to spare if this is the first."""
        self.wishes = list(wishes)
        self.asked: set[int] = set()
        self.whole: set[int] = set()
        self._spare = tuple(spare)
        self._frames: dict[int, pl.DataFrame] = {}
        self._read: Callable[[int, Wish], pl.DataFrame] = _nothing

    def scan(self, wish: Scan) -> Rows:
        """A frame that has the rows once they are there; with the order of events where anybody asks for that."""
        number = self.number(wish.kinds)
        if number == len(self.wishes):
            self.wishes.append(Wish(wish, ()))
        elif self._spare:
            self.wishes[number] = Wish(_both(self.wishes[number].scan, wish), self.wishes[number].bounds)
        self.asked.add(number)
        scan = wish if self._spare else self.wishes[number].scan
        bounds = self._spare or self.wishes[number].bounds
        schema = shape(scan, bounds).schema
        frame = nw.from_native(pl.defer(partial(self._rows, number), schema=schema))
        return Rows(frame, in_order=scan.order)

    def number(self, kinds: tuple[str, ...]) -> int:
        """Number of the wish for these kinds; how many wishes there are when nobody has asked for them."""
        return next((at for at, one in enumerate(self.wishes) if one.scan.kinds == kinds), len(self.wishes))

    def need(self, wishes: Iterable[int], bounds: Iterable[str]) -> None:
        """Some rows need some of the columns that move."""
        for number in wishes:
            known = self.wishes[number]
            self.wishes[number] = Wish(known.scan, tuple(dict.fromkeys((*known.bounds, *bounds))))

    def table(self, frame: pl.DataFrame) -> Frame:
        """A frame of the plan's own."""
        return nw.from_native(frame.lazy())

    def numbered(self, frame: Frame, column: str) -> Frame:
        """The frame, fixed for one use of the plan, with a row number that is unique."""
        return nw.from_native(polars_of(frame).with_row_index(column).cache())

    def collect(self, frame: Frame) -> pl.DataFrame:
        """The frame as it is: nothing is collected while the plan is built."""
        return cast("pl.DataFrame", polars_of(frame))

    @property
    def rows(self) -> int:
        """Rows of the longest frame that was read."""
        return max((frame.height for frame in self._frames.values()), default=0)

    def open(self, read: Callable[[int, Wish], pl.DataFrame]) -> None:
        """Begins a new use of the plan, for which rows are read like this, by number and wish."""
        self._frames.clear()
        self._read = read

    def load(self, wishes: Iterable[int]) -> bool:
        """Reads the rows of some wishes; true if there are any.

        They are there before the plan runs, so that no thread of the engine's has to wait for Python.
        """
        some = False
        for number in wishes:
            if number not in self._frames:
                self._frames[number] = self._read(number, self.wishes[number])
            some |= bool(self._frames[number].height)
        return some

    def latest(self, number: int, now: int) -> int:
        """The latest instant up to now of rows that were read; those that stand for everybody are later."""
        ts = self._frames[number].get_column("ts").to_numpy()
        real = ts[ts <= now]
        return int(real.max()) if len(real) else -(2**62)

    def rows_of(self, number: int) -> pl.DataFrame:
        """The rows of a wish that were read."""
        return self._frames[number]

    def _rows(self, number: int) -> pl.DataFrame:
        return self._frames[number]


class FewReader:
    """Rows of a few profiles for those who build their expressions anew."""

    dialect: Dialect = PolarsDialect()
    is_polars = True

    def __init__(self, rows: FewRows, own: NDArray[np.int32]) -> None:
        self._few = rows
        self._own = own

    def scan(self, wish: Scan) -> Rows:
        """Event rows of the few; the wish's subjects are not looked at."""
        frame = self._few.of(wish, self._own, wish.hi)
        if wish.lo is not None:
            frame = frame.filter(frame.get_column("ts") >= wish.lo)
        return Rows(nw.from_native(frame.lazy()), in_order=wish.order)

    def table(self, frame: pl.DataFrame) -> Frame:
        """A small frame as one of the engine's own."""
        return nw.from_native(frame.lazy())

    def numbered(self, frame: Frame, column: str) -> Frame:
        """The frame, fixed for this evaluation, with a row number that is unique."""
        return nw.from_native(self.collect(frame).with_row_index(column).lazy())

    def collect(self, frame: Frame) -> pl.DataFrame:
        """The rows of a frame, in any order."""
        return polars_of(frame).collect(engine="in-memory")


class FewRows:
    """Where the events of each kind are kept, to be asked for a few profiles at a time.

    Attributes:
        stores: Kind → where its rows are, and the path of the event file of a mapped copy.
        canonical: As in `EngineInput`.
    """

    def __init__(self, stores: Mapping[str, Sequence[Kept]], canonical: pl.Series | None) -> None:
        self.stores = stores
        self.canonical = canonical
        self._rows: dict[int, Found] = {}
        self._empty: dict[tuple[object, ...], pl.DataFrame] = {}

    def first_after(self, own: NDArray[np.int32], now: int) -> tuple[NDArray[np.int32], NDArray[np.int64]] | None:
        """Profiles' subjects with events after an instant, and when these are; None where there is none.

        Call `forget` before subjects or rows change.
        """
        found = []
        for stores in self.stores.values():
            for store, _ in stores:
                if store.last <= now:
                    continue
                rows, of = self.found(store, own)
                ts = store.instants(rows)
                later = ts > now
                if later.any():
                    found.append((of[later], ts[later]))
        if not found:
            return None
        subjects, instants = (np.concatenate(columns) for columns in zip(*found, strict=True))
        if self.canonical is not None:
            subjects = self.canonical[pl.Series(subjects)].to_numpy()
        return subjects, instants

    def forget(self) -> None:
        """Other subjects, or more rows, from now on."""
        self._rows.clear()

    def found(self, store: Store, own: NDArray[np.int32]) -> Found:
        """The rows of some subjects in one place; call `forget` before subjects or rows change."""
        rows = self._rows.get(id(store))
        if rows is None:
            rows = self._rows[id(store)] = store.rows_of(own)
        return rows

    def _nothing_of(self, wish: Scan) -> pl.DataFrame:
        key = (wish.properties, wish.order, wish.kind)
        if key not in self._empty:
            self._empty[key] = shape(wish, ())
        return self._empty[key]

    def of(self, wish: Scan, own: NDArray[np.int32], now: int) -> pl.DataFrame:
        """Rows up to an instant; call `forget` before subjects or rows change.

        Args:
            wish: What is asked; whose, and since when, is not looked at.
            own: Subjects as they stand in files, ascending and unique.
            now: Microseconds since 1970.
        """
        wish = Scan(wish.kinds, wish.properties, wish.subjects, None, now, order=wish.order, kind=wish.kind)
        found: list[Stored] = []
        for kind in wish.kinds:
            for store, path in self.stores.get(kind, ()):
                rows = self.found(store, own)
                if len(rows[0]):
                    found.append(gathered(wish, kind, store, rows, self.canonical, path=path))
        if not found:
            return self._nothing_of(wish)
        if wish.order:
            return in_event_order(wish, found)
        return pl.concat([one.frame for one in found]) if len(found) > 1 else found[0].frame


def with_bounds(frame: pl.DataFrame, bounds: Iterable[pl.Series]) -> pl.DataFrame:
    """The frame with the same numbers in every row."""
    height = frame.height
    return frame.hstack([one.new_from_index(0, height) for one in bounds])


def with_everybody(frame: pl.DataFrame, subjects: pl.Series, now: int) -> pl.DataFrame:
    """The frame after a row for each profile, which is too late to count and has nothing else."""
    height = len(subjects)
    late = [_nothing_in(column.name, column.dtype).new_from_index(0, height) for column in frame.get_columns()[2:]]
    ts = pl.Series("ts", [now + 1]).new_from_index(0, height)
    return pl.DataFrame([subjects, ts, *late]).vstack(frame)


@cache
def _nothing_in(name: str, dtype: pl.DataType) -> pl.Series:
    return pl.Series(name, [None], dtype=dtype)


def shape(wish: Scan, bounds: Sequence[str]) -> pl.DataFrame:
    """No rows, in the columns of the wish and the bounds."""
    frame = empty_frame(wish)
    if wish.order:
        frame = frame.cast({"source": pl.Int8, "event_id": pl.Int64})
    return frame.with_columns(pl.lit(None, pl.Int64).alias(name) for name in bounds)


def _nothing(_number: int, wish: Wish) -> pl.DataFrame:
    return shape(wish.scan, wish.bounds)


def _both(one: Scan, other: Scan) -> Scan:
    properties = tuple(dict.fromkeys((*one.properties, *other.properties)))
    order, kind = one.order or other.order, one.kind or other.kind
    return Scan(one.kinds, properties, one.subjects, None, one.hi, order=order, kind=kind)
