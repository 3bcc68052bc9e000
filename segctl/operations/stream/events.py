"""Typed events of a stream: the sink of an ingest that gives what is new of each batch at once, and never ends."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from segctl.operations.ingest.events import EVENTS, EventSink, hash_name, keys_dataset, last_of_this_run, write_events
from segctl.state.files import NewFile, flush

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from segctl.connectors.key_index import Occurrences
    from segctl.model.sources import Source
    from segctl.operations.ingest.subjects import Resolver
    from segctl.state.workspace import Workspace

_FILE_ROWS = 100_000
"""Rows of a file: it is written beside the stream, so that a checkpoint finds little left to write."""
_MOST_INPUTS = 16
"""Inputs that go on by what is known of them; of others it is read again what they gave."""


class StreamEvents(EventSink):
    """Takes typed rows batch by batch and gives those that are new, as they will be stored.

    `files` gives what was taken since the last time, to be committed; `settled` says that it was. What is known of
    keys and occurrences stays, as reading it again would take seconds.

    Attributes:
        former: Subjects of all versions of the events that the last `files` corrected: who has one no more may leave.
    """

    _input = 0
    _keys_stored = 0
    former: AbstractSet[int] = frozenset()

    def __init__(self, workspace: Workspace, source: Source, resolver: Resolver) -> None:
        super().__init__(workspace, source, resolver)
        self._inputs: dict[int, Occurrences] = {}

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
        self._take_written()
        self._writing = self._writer.submit(lambda: _written(self.workspace, pl.concat(frames, how="diagonal")))

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
        self._take_written()
        mine = (pl.col("file_id") == number) & (pl.col("source") == self.source.name)
        paths = [*(file.path for file in files), *(file.path for file in self._files if file.dataset == EVENTS)]
        scans = [pl.scan_parquet(path) for path in paths]
        scans += [frame.lazy() for frame in self._buffer]
        if not scans:
            return None
        return pl.concat([scan.filter(mine).select("event_id") for scan in scans]).collect()["event_id"]

    def files(self) -> tuple[list[NewFile], list[int]]:
        """Files to add, and ids of stored ones to remove."""
        self._write()
        self._take_written()
        remove: list[int] = []
        if self._replaced:
            replaced = self._replacing()
            stored = [file.path for file in self.workspace.files(EVENTS) if file.id in set(replaced.remove)]
            self.former = self._owners([*stored, *(file.path for file in self._files)])
            self._files = last_of_this_run(self.workspace, self._replaced, self._files) + replaced.add
            remove = replaced.remove
        self._keys.spill()
        dataset, meta = keys_dataset(self.source.name), {"hash": hash_name()}
        self._files += [
            NewFile(run.path, dataset, len(run.keys), meta)
            for run in self._keys.spilled[self._keys_stored :]
            if run.path is not None
        ]
        return self._files, remove

    def _owners(self, paths: list[Path]) -> set[int]:
        """Subjects of all versions of the events that were corrected."""
        import polars as pl

        if not paths:
            return set()
        ids = pl.LazyFrame({"event_id": sorted(self._replaced)})
        mine = pl.scan_parquet(paths, missing_columns="insert", extra_columns="ignore").select(
            "subject", "source", "event_id"
        )
        found = mine.filter(pl.col("source") == self.source.name).join(ids, on="event_id", how="semi")
        return set(found.select(pl.col("subject").unique()).collect(engine="streaming")["subject"].drop_nulls())

    def settled(self) -> None:
        """The files were committed."""
        self._files, self._replaced, self.former = [], set(), set()
        self._keys_stored = len(self._keys.spilled)

    def discard(self) -> None:
        """Deletes what was written and not committed."""
        for occurrences in self._inputs.values():
            occurrences.discard()
        self._files = [file for file in self._files if file.dataset == EVENTS]
        super().discard()


def _written(workspace: Workspace, frame: pl.DataFrame) -> NewFile:
    """One tail file, on disk already, so that the commit need not wait for it."""
    file = write_events(workspace, frame)
    flush(file.path)
    return file
