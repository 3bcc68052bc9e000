"""The events of a snapshot and those that came since, kept so that those of a few profiles are quickly found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from segctl.compile.zones import to_us
from segctl.model.contacted import CONTACTED
from segctl.model.dataclass import dataclass
from segctl.model.project import RELATED
from segctl.model.types import stored_column
from segctl.operations.evaluation import event_parts
from segctl.operations.hot_columns import build_copies, columns_read
from segctl.operations.live.held import Held, merged

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.compile.plan import Plan
    from segctl.engines.base import EngineInput, EventPart
    from segctl.engines.hot_memory import GrowingRows
    from segctl.engines.hot_reader import Store
    from segctl.engines.prepared_rows import FewRows
    from segctl.model.project import Project
    from segctl.state.workspace import Workspace

_KEYS = ("subject", "ts", "source", "event_id")
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stored:
    """Events that came since, and stand in files by now.

    Attributes:
        heights: Kind → how many of its events, counted from the first that ever came.
        paths: Of the files that hold those of them that no files before hold.
    """

    heights: Mapping[str, int]
    paths: frozenset[str]


class LiveEvents:
    """Where events are kept.

    Attributes:
        parts: Event files of the snapshot.
        wanted: Columns kept, by kind.
        tails: Events that came since, by kind.
        span: The earliest and the latest instant of all.
        max_abs: Largest absolute value of each column of whole numbers among these.
    """

    def __init__(self, workspace: Workspace, asking: Plan, snapshot: int) -> None:
        """Maps or reads the files.

        Args:
            workspace: Where.
            asking: Only what it reads is kept.
            snapshot: Which files are seen.
        """
        self.wanted = columns_read(asking)
        self.tails: dict[str, GrowingRows] = {}
        self.span = (to_us(_EPOCH), to_us(_EPOCH))
        self.max_abs: dict[str, int] = {}
        self._workspace = workspace
        self._mapped: dict[str, list[tuple[str, Store]]] = {}
        self._held: list[Held] = []
        self._stored: list[Stored] = []
        self._gone: dict[str, int] = {}
        self.refresh(snapshot, events_written=False)

    def refresh(self, snapshot: int, *, events_written: bool) -> NDArray[np.int32] | None:
        """Sees the files of another snapshot; those that stay are kept as they are.

        Args:
            snapshot: Which files are seen.
            events_written: They hold all events that came since, so none of these is needed any more.

        Returns:
            Whose events that came since were let go, because files hold them that are read now, and perhaps of others;
            None when all were kept.
        """
        # Without copies all rows would lie in memory.
        build_copies(self._workspace, self.wanted, snapshot=snapshot)
        parts = event_parts(self._workspace, snapshot)
        paths = {part.path for part in parts}
        last = next(
            (number for number in reversed(range(len(self._stored))) if not self._stored[number].paths <= paths), -1
        )
        whose = self.subjects() if events_written or last >= 0 else None
        if events_written:
            self._gone, self.tails, self._stored = self.heights(), {}, []
        elif last >= 0:
            self._let_go(last)
        twice = frozenset[str]().union(*(one.paths for one in self._stored))
        self.parts = [part for part in parts if part.path not in twice]
        self._see(self.parts)
        known = [at for part in parts for at in (part.min_ts, part.max_ts) if at is not None]
        self._widen([to_us(at) for at in known])
        return whose

    def heights(self) -> dict[str, int]:
        """How many events of each kind ever came since."""
        return self._gone | {kind: self._gone.get(kind, 0) + tail.frame.height for kind, tail in self.tails.items()}

    def stored(self, heights: Mapping[str, int], paths: Collection[str]) -> None:
        """Files hold the first so many events as well; they are read from memory while all these files are there."""
        if paths and any(height > self._gone.get(kind, 0) for kind, height in heights.items()):
            self._stored.append(Stored(heights, frozenset(paths)))

    def _let_go(self, last: int) -> None:
        """Forgets the events up to those that were stored at some time: other files than then hold them now."""
        from segctl.engines.hot_memory import GrowingRows

        before, self._gone = self._gone, {**self._gone, **self._stored[last].heights}
        self._stored = self._stored[last + 1 :]
        left = {
            kind: tail.frame.slice(self._gone.get(kind, 0) - before.get(kind, 0)) for kind, tail in self.tails.items()
        }
        self.tails = {}
        for kind, rows in left.items():
            if rows.height:
                self.tails[kind] = GrowingRows()
                self.tails[kind].add(rows.rechunk())

    def _see(self, parts: Sequence[EventPart]) -> None:
        """Opens what is new and lets go of what is not there any more; small files are kept as one."""
        from segctl.engines.hot_memory import HeldRows

        paths = {part.path for part in parts}
        self._mapped = {path: stores for path, stores in self._mapped.items() if path in paths}
        self._held = [held for held in self._held if held.paths <= paths]
        known = self._mapped.keys() | set().union(*(held.paths for held in self._held))
        for part in parts:
            if part.path in known:
                continue
            stores = self._stores(part)
            held = {kind: store for kind, store in stores if isinstance(store, HeldRows)}
            if held:
                self._held.append(Held(frozenset({part.path}), held))
            else:
                self._mapped[part.path] = stores
        self._held = merged(self._held)

    def add(self, kind: str, rows: pl.DataFrame) -> None:
        """Takes in further events."""
        import polars as pl

        from segctl.engines.hot_memory import GrowingRows

        wanted = self.wanted.get(kind, frozenset())
        names = [*_KEYS, *(name for name in rows.columns if name in wanted)]
        for name in names[len(_KEYS) :]:
            if rows.schema[name].is_integer():
                column = rows.get_column(name)
                most = max(abs(int(column.min() or 0)), abs(int(column.max() or 0)))  # type: ignore[arg-type]  # integers
                self.max_abs[name] = max(self.max_abs.get(name, 0), most)
        self.tails.setdefault(kind, GrowingRows()).add(rows[names])
        ts = rows.get_column("ts").cast(pl.Int64)
        self._widen([int(ts.min() or 0), int(ts.max() or 0)])  # type: ignore[arg-type]  # microseconds

    def subjects(self) -> NDArray[np.int32]:
        """Whose events came since, ascending."""
        import numpy as np

        found = [tail.subjects() for tail in self.tails.values()]
        return np.unique(np.concatenate(found)) if found else np.zeros(0, np.int32)

    def tail_parts(self) -> list[EventPart]:
        """Events that came since as engines see them."""
        from segctl.engines.base import EventPart

        return [
            EventPart("", rows.height, (kind,), tuple(rows.columns), held=rows)
            for kind, tail in self.tails.items()
            if (rows := tail.frame).height
        ]

    def few(self, data: EngineInput, canonical: pl.Series | None, project: Project) -> FewRows:
        """The rows of all kinds that are asked for."""
        from segctl.engines.hot_memory import HeldRows
        from segctl.engines.prepared_rows import FewRows

        stores: dict[str, list[tuple[Store, str]]] = {}
        for path, kept in self._mapped.items():
            for kind, store in kept:
                stores.setdefault(kind, []).append((store, path))
        for held in self._held:
            for kind, rows_of_kind in held.stores.items():
                stores.setdefault(kind, []).append((rows_of_kind, ""))
        for kind in self.wanted.keys() & self.tails.keys():
            stores.setdefault(kind, []).append((self.tails[kind], ""))
        for trait, changes in data.changes.items():
            of = next(one.type for one in project.traits if one.name == trait)
            names = {name: stored_column(name, of) for name in ("old", "new")}
            stores[f"trait:{trait}"] = [(HeldRows(changes.rename(names)), "")]
        for table, rows in data.related.items():
            declared = project.table(table)
            types = {} if declared is None else dict(declared.properties)
            names = {name: stored_column(name, of) for name, of in types.items() if name in rows.columns}
            stores[f"{RELATED}{table}"] = [(HeldRows(rows.rename(names)), "")]
        return FewRows(stores, canonical)

    def few_without(self, few: FewRows, own: NDArray[np.int32], gone: pl.DataFrame) -> FewRows:
        """The same rows as if some of the events that came since had not come.

        Args:
            few: Of all.
            own: Subjects that will be asked for, ascending.
            gone: Their ``kind``, ``source`` and ``event_id``.
        """
        from segctl.engines.hot_memory import HeldRows
        from segctl.engines.prepared_rows import FewRows

        stores = dict(few.stores)
        for kind in self.wanted.keys() & self.tails.keys() & set(gone["kind"]):
            tail = self.tails[kind]
            left = tail.frame[tail.rows_of(own)[0]].join(gone, on=["source", "event_id"], how="anti")
            stores[kind] = [*(one for one in few.stores[kind] if one[0] is not tail), (HeldRows(left), "")]
        return FewRows(stores, few.canonical)

    def first_of_tail(self, own: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Subjects with events that came since, and when these are; what we told somebody does not count."""
        import numpy as np

        found = [(tail, *tail.rows_of(own)) for kind, tail in self.tails.items() if kind != CONTACTED]
        some = [(of, tail.instants(rows)) for tail, rows, of in found if len(rows)]
        if not some:
            return np.zeros(0, np.int32), np.zeros(0, np.int64)
        return np.concatenate([of for of, _ in some]), np.concatenate([ts for _, ts in some])

    def _widen(self, instants: list[int]) -> None:
        self.span = (min(self.span[0], *instants), max(self.span[1], *instants)) if instants else self.span

    def _stores(self, part: EventPart) -> list[tuple[str, Store]]:
        """The rows of a file by kind: mapped, or read."""
        import polars as pl

        from segctl.engines.hot_file import opened
        from segctl.engines.hot_memory import HeldRows

        kinds = [kind for kind in part.kinds if kind in self.wanted]
        if not kinds or not part.rows:
            return []
        columns = set().union(*(self.wanted[kind] for kind in kinds)) & set(part.columns)
        copy = opened(part)
        if copy is not None and len(part.kinds) == 1 and copy.columns >= columns:
            return [(kinds[0], copy)]
        scan = pl.scan_parquet(part.path, glob=False, hive_partitioning=False)
        if len(part.kinds) == 1:
            return [(kinds[0], HeldRows(scan.select(*_KEYS, *sorted(columns)).collect()))]
        rows = scan.filter(pl.col("kind").is_in(kinds)).select(*_KEYS, "kind", *sorted(columns)).collect()
        return [
            (str(kind), HeldRows(of))
            for (kind,), of in rows.partition_by("kind", as_dict=True, include_key=False).items()
        ]
