"""Typed event rows to tail files: what is new, a duplicate, a conflict, or nobody's."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from segctl.operations.ingest.content_ids import content_ids, contents_of
from segctl.state.files import NewFile, StoredFile
from segctl.state.sealing import Sealing

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    import polars as pl

    from segctl.connectors.fingerprints import Words
    from segctl.model.sources import Source
    from segctl.operations.ingest.again import Afresh, Replaced
    from segctl.operations.ingest.subjects import Resolver
    from segctl.state.workspace import Workspace

EVENTS = "events"
FILE_ROWS = 500_000
_MOST_SMALL_KEY_FILES = 8
_SMALL_KEYS = 1_000_000


@dataclass(slots=True)
class EventCounts:
    """What became of the typed rows of a source."""

    new: int = 0
    duplicates: int = 0
    conflicts: int = 0
    unclaimed: int = 0
    read_again: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)

    @property
    def known(self) -> int:
        """Rows of events that had come before."""
        return self.duplicates + self.conflicts


class EventSink:
    """Takes typed rows batch by batch; `finish` gives the files of the commit.

    While a batch is compared with what is known, the caller makes the next one, and the file before is written.

    Memory: one buffer of rows, one batch, and 16 to 24 bytes a new row for its key.
    """

    def __init__(self, workspace: Workspace, source: Source, resolver: Resolver, afresh: Afresh | None = None) -> None:
        from segctl.connectors.key_index import Occurrences, SortedKeys, load

        self.workspace = workspace
        self.source = source
        self.resolver = resolver
        self._counts = EventCounts()
        self.columns = _columns(source)
        self._afresh = afresh
        stored = [file for file in workspace.files(keys_dataset(source.name)) if file.rows]
        self._key_files, self._stale_keys = ([], stored) if afresh is not None else (stored, [])
        runs = [load(f.path, f.rows, is_comparable=f.meta.get("hash") == hash_name()) for f in self._key_files]
        self._keys = SortedKeys(runs, self._key_path)
        self._replaces = source.corrections_replace
        self._occurrences = Occurrences(self._key_path)
        self._buffer: list[pl.DataFrame] = []
        self._buffered = 0
        self._files: list[NewFile] = []
        self._replaced: set[str] = set()
        self._file_id = 0
        self._comparer, self._writer = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._comparing: Future[None] | None = None
        self._writing: Future[NewFile] | None = None
        self._sealing = Sealing()

    @property
    def counts(self) -> EventCounts:
        """What became of all rows taken so far."""
        self._take_compared()
        return self._counts

    def begin_file(self, file_id: int, earlier: pl.Series | None = None) -> None:
        """Occurrences are numbered within a file; `earlier` are the ids of events that came from it before."""
        from segctl.connectors.key_index import Occurrences

        self._take_compared()
        self._file_id = file_id
        self._occurrences.discard()
        self._occurrences = Occurrences(self._key_path)
        if earlier is not None:
            contents = contents_of(earlier)
            if len(contents):
                self._occurrences.number(contents)

    def _key_path(self) -> Path:
        return self.workspace.new_file(keys_dataset(self.source.name), ".keys")

    def add(self, rows: pl.DataFrame) -> None:
        """Takes the typed rows of one batch; what is wrong with it may be raised by a later call."""
        self._take_compared()
        # Subjects are looked up by the caller's thread, which asks for those of links too.
        if self._buffered >= FILE_ROWS:
            self._write()
        for run in self._keys.spilled:
            if run.path is not None:
                self._sealing.begin(run.path)
        self._comparing = self._comparer.submit(self._compare, rows)

    def _take_compared(self) -> None:
        """Waits for the batch before, so that at most two are in memory."""
        comparing, self._comparing = self._comparing, None
        if comparing is not None:
            comparing.result()

    def _compare(self, rows: pl.DataFrame) -> None:
        """Puts those rows into the buffer that are new."""
        import polars as pl

        claimed = rows["value"].is_not_null()
        if not claimed.all():
            self._counts.unclaimed += int((~claimed).sum())
            rows = rows.filter(claimed)
        rows = self._identified(rows)
        if rows.is_empty():
            return
        self._buffer.append(
            rows.select(
                "id_type",
                "value",
                "ts",
                pl.lit(self.source.name).alias("source"),
                "event_id",
                "kind",
                pl.lit(self._file_id, dtype=pl.Int32).alias("file_id"),
                "line",
                *(column for column in self.columns if column in rows.columns),
            )
        )
        self._buffered += rows.height

    def _identified(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows that count, each with its event id."""
        import numpy as np

        from segctl.connectors import key_index
        from segctl.connectors.fingerprints import combined, fingerprints, folded

        if rows.is_empty():
            return rows
        content = rows.drop("event_id", "row", "line")
        by_content = rows["event_id"].is_null()
        if not by_content.any():
            keys = combined([rows["event_id"]], rows.height, seed=3)
            # Compared with words of the same polars only: a fast hash that another version may make otherwise.
            words = content.hash_rows(seed=1).to_numpy() | np.uint64(1)
            return self._counted(rows, key_index.classify(self._keys, keys, words, replaces=self._replaces))
        marks = [fingerprints(column) for column in content.get_columns()]
        contents = folded(marks, seed=1)
        if by_content.all():
            numbers = self._occurrences.number(contents)
            keys = key_index.occurrence_keys(contents, numbers)
            rows = rows.with_columns(content_ids(contents, folded(marks, seed=2), numbers))
        else:
            keys = combined([rows["event_id"]], rows.height, seed=3)
            rows, keys = self._partly_identified(rows, by_content, contents, folded(marks, seed=2), keys)
        words = content.hash_rows(seed=1).to_numpy() | np.uint64(1)
        return self._counted(rows, key_index.classify(self._keys, keys, words, replaces=self._replaces))

    def _partly_identified(
        self, rows: pl.DataFrame, by_content: pl.Series, contents: Words, more: Words, keys: Words
    ) -> tuple[pl.DataFrame, Words]:
        from segctl.connectors import key_index

        at = by_content.to_numpy()
        numbers = self._occurrences.number(contents[at])
        keys[at] = key_index.occurrence_keys(contents[at], numbers)
        ids = rows["event_id"].scatter(by_content.arg_true(), content_ids(contents[at], more[at], numbers))
        return rows.with_columns(ids), keys

    def _counted(self, rows: pl.DataFrame, codes: npt.NDArray[np.uint8]) -> pl.DataFrame:
        import polars as pl

        from segctl.connectors.key_index import CONFLICT, DUPLICATE, NEW

        is_conflict = codes == CONFLICT
        conflicts = int(is_conflict.sum())
        self._counts.duplicates += int((codes == DUPLICATE).sum())
        self._counts.conflicts += conflicts
        kept = codes == NEW
        if conflicts and self.source.corrections_replace:
            self._replaced |= set(rows["event_id"].filter(pl.Series(is_conflict)).to_list())
            kept |= is_conflict
        self._counts.new += int((codes == NEW).sum())
        return rows if kept.all() else rows.filter(pl.Series(kept))

    def _write(self) -> None:
        import polars as pl

        if not self._buffer:
            return
        frame = pl.concat(self._buffer, how="diagonal")
        self._buffer, self._buffered = [], 0
        subjects = self.resolver.resolve(frame["id_type"], frame["value"])
        frame = frame.drop("id_type", "value").insert_column(0, subjects.alias("subject"))
        self._take_written()
        self._writing = self._writer.submit(self._written, frame)

    def _written(self, frame: pl.DataFrame) -> NewFile:
        file = write_events(self.workspace, frame)
        self._sealing.begin(file.path)
        return file

    def _take_written(self) -> None:
        """Waits for the file before this one, so that at most two wait in memory."""
        if self._writing is None:
            return
        file = self._writing.result()
        self._writing = None
        self._files.append(file)
        for kind, rows in file.meta["kinds"].items():
            self._counts.by_kind[kind] = self._counts.by_kind.get(kind, 0) + rows

    def discard(self) -> None:
        """Deletes what was written, when there will be no commit."""
        for working in (self._comparer, self._writer, self._sealing):
            working.shutdown()
        with suppress(Exception):
            self._take_written()
        spilled = [run.path for run in self._keys.spilled if run.path is not None]
        self.workspace.discard([*(file.path for file in self._files), *spilled])
        self._occurrences.discard()

    def finish(self) -> tuple[list[NewFile], list[int]]:
        """Files to add, and ids of stored files to remove, in one commit."""
        self._take_compared()
        self._write()
        self._take_written()
        for working in (self._comparer, self._writer):
            working.shutdown()
        if self._replaced:
            self._files = last_of_this_run(self.workspace, self._replaced, self._files)
        self._files = [*map(self._sealing.sealed, self._files)]
        stale = [file.id for file in self._stale_keys]
        replaced = self._replacing()
        self._files += replaced.add
        self._counts.read_again = 0 if self._afresh is None else replaced.rows
        if replaced.keys:
            self._files += self._kept_keys(replaced.keys)
        keys, merged = self._write_keys()
        self._files += [*map(self._sealing.sealed, keys)]
        self._sealing.shutdown()
        return self._files, [*replaced.remove, *stale, *merged]

    def _replacing(self) -> Replaced:
        import polars as pl

        from segctl.operations.ingest.again import Replaced, without_events, without_source

        if self._afresh is not None:
            return without_source(self.workspace, self.source.name, self._afresh, self._keys)
        if self._replaced:
            return without_events(self.workspace, self.source.name, pl.Series(sorted(self._replaced)))
        return Replaced([], [], 0, [])

    def _kept_keys(self, parts: list[Words]) -> list[NewFile]:
        """Keys of events that stay although their file cannot be read again; what they held is not compared."""
        import numpy as np

        from segctl.connectors.key_index import Run, save

        keys = np.unique(np.concatenate(parts))
        if not len(keys):
            return []
        path = self._key_path()
        save(path, Run(keys, np.zeros_like(keys)))
        return [NewFile(path, keys_dataset(self.source.name), len(keys), {"hash": ""})]

    def _write_keys(self) -> tuple[list[NewFile], list[int]]:
        from segctl.connectors.key_index import load, merged, save

        self._occurrences.discard()
        run = self._keys.in_memory()
        stale: list[int] = []
        small = [] if self._keys.spilled else _last_small(self._key_files)
        if len(small) >= _MOST_SMALL_KEY_FILES:
            older = [load(f.path, f.rows, is_comparable=f.meta.get("hash") == hash_name()) for f in reversed(small)]
            run = merged([run, *older])
            stale = [file.id for file in small]
        dataset, meta = keys_dataset(self.source.name), {"hash": hash_name()}
        new = [
            NewFile(spilled.path, dataset, len(spilled.keys), meta) for spilled in self._keys.spilled if spilled.path
        ]
        if len(run.keys):
            path = self._key_path()
            save(path, run)
            new.append(NewFile(path, dataset, len(run.keys), meta))
        return new, stale


def _last_small(files: list[StoredFile]) -> list[StoredFile]:
    """Small key files that no large one follows: merging others would put old words behind newer ones."""
    first = next((at + 1 for at in reversed(range(len(files))) if files[at].rows >= _SMALL_KEYS), 0)
    return files[first:]


def hash_name() -> str:
    """What made the fingerprints of contents: only words made by the same can be compared."""
    import polars as pl

    return f"polars {pl.__version__}"


def keys_dataset(source: str) -> str:
    """Dataset with the sorted keys of a source's events."""
    return f"keys/{source}"


def _columns(source: Source) -> tuple[str, ...]:
    from segctl.model.types import stored_column

    names = [stored_column(target.name, target.type) for rule in source.events for target in rule.properties]
    return tuple(dict.fromkeys(names))


def write_events(workspace: Workspace, frame: pl.DataFrame) -> NewFile:
    """One tail file, with what readers want to know before opening it."""
    return workspace.write(EVENTS, frame, events_meta(frame))


def events_meta(frame: pl.DataFrame) -> dict[str, Any]:
    """Kinds, columns, bounds of time and of whole numbers, rows by source."""
    import polars as pl

    times = frame["ts"].to_physical()
    bounds = {
        name: max(abs(int(frame[name].min() or 0)), abs(int(frame[name].max() or 0)))  # type: ignore[arg-type]  # columns of whole numbers
        for name, dtype in frame.schema.items()
        if dtype == pl.Int64 and name != "line"
    }
    return {
        "kinds": dict(sorted(frame["kind"].value_counts().iter_rows())),
        "columns": frame.columns,
        "sorted": False,
        "unique_ts": False,
        "min_ts": times.min(),
        "max_ts": times.max(),
        "max_abs": bounds,
        "sources": dict(sorted(frame["source"].value_counts().iter_rows())),
    }


def last_of_this_run(workspace: Workspace, replaced: set[str], new: list[NewFile]) -> list[NewFile]:
    """The files of this run; of several corrections of one event only the last stays, like the stored ones go."""
    import polars as pl

    ids = pl.DataFrame({"event_id": sorted(replaced)})
    kept: list[NewFile] = []
    newest: set[str] = set()
    for file in reversed(new):
        frame = pl.read_parquet(file.path)
        hit = frame.select("event_id").join(ids, on="event_id", how="semi")
        if hit.is_empty():
            kept.append(file)
            continue
        last = pl.col("event_id").is_last_distinct()
        gone = pl.col("event_id").is_in(sorted(replaced)) & (pl.col("event_id").is_in(sorted(newest)) | ~last)
        newest |= set(hit["event_id"].to_list())
        kept.append(_rewritten(workspace, file, frame.filter(~gone)))
    return kept


def _rewritten(workspace: Workspace, file: NewFile, frame: pl.DataFrame) -> NewFile:
    if frame.height == file.rows:
        return file
    file.path.unlink(missing_ok=True)
    return write_events(workspace, frame)
