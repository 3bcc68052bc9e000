"""Typed events of a stream: the sink of an ingest that gives what is new of each batch at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.operations.ingest_events import EVENTS, EventSink

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.key_index import Occurrences
    from segctl.state.files import NewFile


class StreamEvents(EventSink):
    """Takes typed rows batch by batch and gives those that are new, as they will be stored."""

    _input = 0

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
        return fresh.drop("id_type", "value").insert_column(0, subjects.alias("subject"))

    @property
    def has_replaced(self) -> bool:
        """Whether a stored event was corrected since the last files."""
        return bool(self._replaced)

    def begin_input(self, number: int) -> None:
        """Rows of the next batches are of this input; equal ones of one input are numbered through."""
        if number != self._input:
            earlier = self._stored_ids(number)
            self._input = number
            self.begin_file(number, earlier)

    def _stored_ids(self, number: int) -> pl.Series | None:
        """Ids of the stored events of an input, where content alone tells them apart."""
        import polars as pl

        if all(rule.identity for rule in self.source.events):
            return None
        files = [file for file in self.workspace.files(EVENTS) if self.source.name in file.meta.get("sources", {})]
        if not files:
            return None
        mine = (pl.col("file_id") == number) & (pl.col("source") == self.source.name)
        scans = [pl.scan_parquet(file.path).filter(mine).select("event_id") for file in files]
        return pl.concat(scans).collect()["event_id"]

    def successor(self) -> StreamEvents:
        """A sink for what comes after the files of this one, which must be committed first."""
        after = StreamEvents(self.workspace, self.source, self.resolver)
        after._input, after._file_id = self._input, self._file_id
        after._occurrences = self._kept
        return after

    def finish(self) -> tuple[list[NewFile], list[int]]:
        """Files to add, and ids of stored ones to remove."""
        self._kept: Occurrences = self._occurrences
        self._occurrences = _nothing()
        return super().finish()


def _nothing() -> Occurrences:
    from segctl.connectors.key_index import Occurrences

    return Occurrences()
