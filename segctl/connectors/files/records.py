"""Records as they stand in a file, without making columns of them: for shapes that columns would tear apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from segctl.connectors.files.base import BadRow, Detected, RawBatch, Reason
from segctl.connectors.files.formats import read
from segctl.connectors.files.json_reader import JsonReader
from segctl.connectors.files.json_values import Record
from segctl.connectors.files.ndjson_reader import NdjsonReader, Pending

_TABLE_ROWS = 20_000
"""Rows of a table at once: as records they take some ten times the room."""


@dataclass(frozen=True, slots=True)
class RecordBatch(RawBatch):
    """A batch with its records; `frame` is empty, `lines` are theirs."""

    records: tuple[Record, ...] = ()


class PendingRecords(Pending):
    """Records gathered for the next batch, without columns."""

    __slots__ = ()

    def add(self, line: int, record: Record | Reason, raw: str) -> None:
        """Keep a record, or the reason why it is none."""
        self.size += len(raw)
        if isinstance(record, Reason):
            self.bad.append(BadRow(self.file, line, raw, record))
        else:
            self.records.append(record)
            self.lines.append(line)

    def batch(self, bytes_done: int) -> RawBatch:
        """Everything gathered, which is then forgotten."""
        lines = pl.Series("line", self.lines, dtype=pl.Int64)
        bad, records = tuple(self.bad), tuple(self.records)
        self.records, self.lines, self.bad, self.size = [], [], [], 0
        return RecordBatch(pl.DataFrame(), lines, bad, bytes_done, records=records)


def read_records(
    path: Path, detected: Detected, *, batch_rows: int, marks: Sequence[bytes] = ()
) -> Iterator[RecordBatch]:
    """The records of `path` in file order.

    Args:
        path: The file.
        detected: What `detect` gave for it.
        batch_rows: Most records of a batch.
        marks: Small letters of which a line of NDJSON must hold one; other lines are passed over unread.
    """
    if detected.format == "ndjson":
        batches = NdjsonReader().read(path, detected, batch_rows=batch_rows, waiting=PendingRecords, marks=marks)
    elif detected.format == "json":
        batches = JsonReader().read(path, detected, batch_rows=batch_rows, waiting=PendingRecords)
    else:
        batches = read(path, None, detected, batch_rows=min(batch_rows, _TABLE_ROWS))
    for batch in batches:
        if isinstance(batch, RecordBatch):
            yield batch
        else:
            records = tuple(batch.frame.iter_rows(named=True))
            yield RecordBatch(pl.DataFrame(), batch.lines, batch.bad, batch.bytes_done, records=records)
