"""Typed events of a stream: the sink of an ingest that gives what is new of each batch at once, and never ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from segctl.operations.ingest.events import EVENTS, EventSink, hash_name, keys_dataset, last_of_this_run, write_events
from segctl.state.files import NewFile, crc32, flush

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    import polars as pl

    from segctl.connectors.key_index import Occurrences, Run
    from segctl.model.sources import Source
    from segctl.operations.ingest.subjects import Resolver
    from segctl.state.files import StoredFile
    from segctl.state.workspace import Workspace

_FILE_ROWS = 100_000
"""Rows of a file: it is written beside the stream, so that a checkpoint finds little left to write."""
_MOST_INPUTS = 16
"""Inputs that go on by what is known of them; of others it is read again what they gave."""
_MOST_KEY_FILES = 8
_SMALL_KEYS = 1_000_000
"""So many files of fewer keys than this become one."""


@dataclass(slots=True)
class GatheredEvents:
    """What came between two commits.

    Attributes:
        written: Files that are, or are being, written.
        replaced: Ids of events that were corrected.
        runs: Sorted keys, the oldest first.
        spilled: Those that outgrew memory.
        small: Stored files of keys that become one with these.
        files: To add, once `StreamEvents.files` has made them.
        keys: Those of them with keys, as they are known from now on.
    """

    written: Sequence[Future[NewFile]]
    replaced: set[str]
    runs: Sequence[Run]
    spilled: Sequence[Run]
    small: Sequence[StoredFile]
    files: list[NewFile] = field(default_factory=list)
    keys: list[Run] = field(default_factory=list)


class StreamEvents(EventSink):
    """Takes typed rows batch by batch and gives those that are new, as they will be stored.

    `gathered` gives what was taken since the last time, `files` makes files of it while more is taken, and `settled`
    says that they were committed. What is known of keys and occurrences stays, as reading it again would take seconds.
    """

    _input = 0

    def __init__(self, workspace: Workspace, source: Source, resolver: Resolver) -> None:
        super().__init__(workspace, source, resolver)
        self._inputs: dict[int, Occurrences] = {}
        self._pending: list[Future[NewFile]] = []
        self._under_way: GatheredEvents | None = None
        self._committed: set[Path] = set()

    def ready(self) -> None:
        """Reads the stored keys now, and not in the middle of a batch."""
        self._keys.know_stored()

    def take(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The new ones of some rows, in stored form.

        Args:
            rows: Typed rows of one batch of the input that was begun.
        """
        import polars as pl

        before = len(self._buffer)
        self._compare(rows)
        if len(self._buffer) == before:
            return pl.DataFrame(schema={"subject": pl.Int32, "kind": pl.String, "ts": pl.Datetime("us", "UTC")})
        fresh = self._buffer[-1]
        subjects = self.resolver.resolve(fresh["id_type"], fresh["value"])
        self._buffer[-1] = fresh = fresh.drop("id_type", "value").insert_column(0, subjects.alias("subject"))
        if self._buffered >= _FILE_ROWS:
            self._write()
        return fresh

    def _write(self) -> None:
        """Has the buffer written, beside what goes on; its rows know their subjects."""
        import polars as pl

        if not self._buffer:
            return
        frames, self._buffer, self._buffered = self._buffer, [], 0
        if self._pending:
            # At most two wait in memory.
            self._pending[-1].result()
        self._pending.append(self._writer.submit(lambda: _written(self.workspace, pl.concat(frames, how="diagonal"))))

    @property
    def has_replaced(self) -> bool:
        """Whether a stored event was corrected since the last files."""
        return bool(self._replaced)

    def begin_input(self, number: int) -> None:
        """Rows of the next batches are of this input; equal ones of one input are numbered through."""
        from segctl.connectors.key_index import Occurrences

        if number == self._input:
            return
        if self._input:
            self._inputs[self._input] = self._occurrences
        self._input = self._file_id = number
        known = self._inputs.pop(number, None)
        if known is None:
            # Those of the input before are kept, so they are not for `begin_file` to throw away.
            self._occurrences = Occurrences(self._key_path)
            self.begin_file(number, self._earlier_ids(number))
        else:
            self._occurrences = known
        while len(self._inputs) > _MOST_INPUTS:
            self._inputs.pop(next(iter(self._inputs))).discard()

    def _earlier_ids(self, number: int) -> pl.Series | None:
        """Ids of the events of an input that came before, stored or not, where content alone tells them apart."""
        import polars as pl

        if all(rule.identity for rule in self.source.events):
            return None
        files = [file for file in self.workspace.files(EVENTS) if self.source.name in file.meta.get("sources", {})]
        mine = (pl.col("file_id") == number) & (pl.col("source") == self.source.name)
        under_way = () if self._under_way is None else self._under_way.written
        paths = [*(file.path for file in files), *(file.result().path for file in (*under_way, *self._pending))]
        scans = [pl.scan_parquet(path) for path in paths]
        scans += [frame.lazy() for frame in self._buffer]
        if not scans:
            return None
        return pl.concat([scan.filter(mine).select("event_id") for scan in scans]).collect()["event_id"]

    def gathered(self) -> GatheredEvents:
        """What came since the last time; the sink goes on with nothing, but knows it."""
        self._write()
        spilled = [run for run in self._keys.spilled if run.path not in self._committed]
        runs = self._keys.set_aside()
        # Keys that were spilled are newer than the stored ones and older than those in memory.
        small = _small(self.workspace.files(keys_dataset(self.source.name))) if runs and not spilled else []
        written, self._pending = self._pending, []
        replaced, self._replaced = self._replaced, set()
        self._under_way = GatheredEvents(written, replaced, runs, spilled, small)
        return self._under_way

    def files(self, some: GatheredEvents) -> tuple[list[NewFile], list[int], AbstractSet[int]]:
        """Files to add and ids of stored ones to remove; it may be called beside the work that goes on.

        Returns:
            Also the subjects of all versions of the events that were corrected: who has one no more may leave.
        """
        import polars as pl

        from segctl.operations.ingest.again import without_events

        files, remove, former = [file.result() for file in some.written], [file.id for file in some.small], set[int]()
        if some.replaced:
            replaced = without_events(self.workspace, self.source.name, pl.Series(sorted(some.replaced)))
            stored = [file.path for file in self.workspace.files(EVENTS) if file.id in set(replaced.remove)]
            former = self._owners(some.replaced, [*stored, *(file.path for file in files)])
            files = last_of_this_run(self.workspace, some.replaced, files) + replaced.add
            remove += replaced.remove
        some.keys = [*some.spilled, *self._with_small(some.runs, some.small)]
        dataset, meta = keys_dataset(self.source.name), {"hash": hash_name()}
        keys = [NewFile(run.path, dataset, len(run.keys), meta) for run in some.keys if run.path is not None]
        some.files = [*files, *map(_lasting, keys)]
        return some.files, remove, former

    def _with_small(self, runs: Sequence[Run], small: Sequence[StoredFile]) -> list[Run]:
        """Keys as one run on disk, with those of stored files that are small; none when nothing is new."""
        from segctl.connectors.key_index import load, merged, save

        if not runs:
            return []
        older = [load(f.path, f.rows, is_comparable=f.meta.get("hash") == hash_name()) for f in reversed(small)]
        run, path = merged([*reversed(runs), *older]), self._key_path()
        save(path, run)
        return [load(path, len(run.keys))]

    def _owners(self, replaced: Collection[str], paths: list[Path]) -> set[int]:
        """Subjects of all versions of the events that were corrected."""
        import polars as pl

        if not paths:
            return set()
        ids = pl.LazyFrame({"event_id": sorted(replaced)})
        mine = pl.scan_parquet(paths, missing_columns="insert", extra_columns="ignore").select(
            "subject", "source", "event_id"
        )
        found = mine.filter(pl.col("source") == self.source.name).join(ids, on="event_id", how="semi")
        return set(found.select(pl.col("subject").unique()).collect(engine="streaming")["subject"].drop_nulls())

    def settled(self, some: GatheredEvents) -> None:
        """The files were committed."""
        gone = {file.path for file in some.small}
        self._keys.placed(some.keys[len(some.spilled) :], gone)
        # What outgrew memory since it was gathered is in no commit yet.
        self._committed |= {run.path for run in some.keys if run.path is not None}
        self._committed -= gone
        self._under_way = None

    def discard(self) -> None:
        """Deletes what was written and not committed."""
        for occurrences in self._inputs.values():
            occurrences.discard()
        under_way = () if self._under_way is None else self._under_way.written
        for writing in (*under_way, *self._pending):
            with suppress(Exception):
                self._files.append(writing.result())
        self._files += [] if self._under_way is None else self._under_way.files
        super().discard()


def _small(files: Sequence[StoredFile]) -> list[StoredFile]:
    """The newest files of keys, as far as all are small, when they are many: no newer word is put behind an older."""
    first = next((at + 1 for at in reversed(range(len(files))) if files[at].rows >= _SMALL_KEYS), 0)
    return list(files[first:]) if len(files) - first >= _MOST_KEY_FILES else []


def _written(workspace: Workspace, frame: pl.DataFrame) -> NewFile:
    """One tail file, on disk already, so that the commit need not wait for it."""
    return _lasting(write_events(workspace, frame))


def _lasting(file: NewFile) -> NewFile:
    """The file with its checksum, once it is on disk."""
    flush(file.path)
    return replace(file, crc32=crc32(file.path))
