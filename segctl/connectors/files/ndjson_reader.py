"""NDJSON: one JSON object a line; a bad line harms only itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from segctl.connectors.files.base import MAX_RECORD_BYTES, BadRow, Detected, RawBatch, ReadOptions, Reason
from segctl.connectors.files.faults import broken_off, too_long, undecodable
from segctl.connectors.files.json_columns import frame_and_doubts
from segctl.connectors.files.json_values import Record, parse_record, quick_record
from segctl.connectors.files.paths import shortened
from segctl.connectors.files.streams import ByteStream, head
from segctl.connectors.files.text import Utf8Stream, codec_name, encoding_of, open_text, readable

# Parsed records take about ten times the room of their text.
_CHUNK_BYTES = 8 * 1024 * 1024
_SAMPLE_BYTES = 1024 * 1024
_SAMPLE_RECORDS = 200


class NdjsonReader:
    """Reads newline-delimited JSON, typed where a batch agrees."""

    def detect(self, path: Path, options: ReadOptions, base: Detected) -> Detected:
        """Complete `base` by encoding and the keys of the first records."""
        sample = head(path, base.compression, _SAMPLE_BYTES)
        found = text_encoding(sample, options, base)
        text = sample.decode(found.encoding, "replace").removeprefix("\ufeff")
        records = [parse_record(line) for line in text.split("\n")[:_SAMPLE_RECORDS] if line.strip()]
        return replace(found, columns=tuple(dict.fromkeys(name for r in records if isinstance(r, dict) for name in r)))

    def read(
        self,
        path: Path,
        detected: Detected,
        *,
        batch_rows: int,
        chunk_bytes: int = _CHUNK_BYTES,
        waiting: type[Pending] | None = None,
        marks: Sequence[bytes] = (),
    ) -> Iterator[RawBatch]:
        """The objects of the file; lines that hold none are in `bad`.

        With `marks` (small letters) a line that holds none of them is passed over unread.
        """
        stream, text = open_text(path, detected.compression, detected.encoding)
        with stream:
            pending = (waiting or Pending)(str(path), batch_rows)
            for line, raw in _lines(text, stream, chunk_bytes, pending):
                if marks and not _holds(raw.lower(), marks):
                    continue
                take_line(line, raw, pending)
                if pending.is_full(chunk_bytes):
                    yield pending.batch(stream.bytes_done)
            if pending.records or pending.bad:
                yield pending.batch(stream.bytes_done)


def text_encoding(sample: bytes, options: ReadOptions, base: Detected) -> Detected:
    """`base` with the encoding of a JSON text."""
    if options.encoding is not None:
        name = codec_name(options.encoding)
        return replace(base, encoding=name, why=(*base.why, f"encoding {name}: declared"))
    name, why = encoding_of(sample, whole=False)
    return replace(base, encoding=codec_name(name), why=(*base.why, why))


@dataclass(slots=True)
class Pending:
    """Records gathered for the next batch."""

    file: str
    batch_rows: int
    records: list[Record] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    size: int = 0

    def add(self, line: int, record: Record | Reason, raw: str) -> None:
        """Keep a record, or the reason why it is none."""
        self.size += len(raw)
        if isinstance(record, Reason):
            self.bad.append(BadRow(self.file, line, raw, record))
        else:
            self.records.append(record)
            self.lines.append(line)
            self.texts.append(raw)

    def is_full(self, chunk_bytes: int) -> bool:
        """True when a batch should go out."""
        return len(self.records) >= self.batch_rows or self.size >= chunk_bytes

    def batch(self, bytes_done: int) -> RawBatch:
        """Everything gathered, which is then forgotten."""
        lines = pl.Series("line", self.lines, dtype=pl.Int64)
        frame, doubtful = frame_and_doubts(self.records)
        if frame.width == 0 and self.records:  # objects without any key are rows all the same
            frame = pl.DataFrame({"column_1": pl.Series([None] * len(self.records), dtype=pl.String)})
        texts = pl.Series("text", self.texts, dtype=pl.String)
        batch = RawBatch(frame, lines, tuple(self.bad), bytes_done, texts, doubtful)
        self.records, self.lines, self.texts, self.bad, self.size = [], [], [], [], 0
        return batch


def _lines(text: Utf8Stream, stream: ByteStream, chunk_bytes: int, pending: Pending) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers; over-long and broken ones go to `pending` as bad rows."""
    rest, line, passing = b"", 1, 0
    while piece := text.read(chunk_bytes):
        *whole, rest = (rest + piece).split(b"\n")
        if passing and whole:
            pending.add(line, too_long(passing + len(whole[0])), shortened(readable(whole[0])))
            whole, line, passing = whole[1:], line + 1, 0
        for raw in whole:
            yield line, raw
            line += 1
        if passing or len(rest) > MAX_RECORD_BYTES:
            passing, rest = passing + len(rest), b""
    if stream.broken:
        pending.add(line, broken_off(f"the file {stream.broken}"), readable(rest))
    elif passing:
        pending.add(line, too_long(passing + len(rest)), shortened(readable(rest)))
    elif rest:
        yield line, rest


def _holds(folded: bytes, marks: Sequence[bytes]) -> bool:
    return any(mark in folded for mark in marks)


def take_line(line: int, raw: bytes, pending: Pending) -> None:
    """Keep the object of one line, or the reason why it holds none; a blank line is nothing."""
    if (quick := quick_record(raw)) is not None:
        pending.add(line, quick, raw.decode().removesuffix("\r"))
        return
    if not raw.strip():
        return
    if len(raw) > MAX_RECORD_BYTES:
        pending.add(line, too_long(len(raw)), shortened(readable(raw[:MAX_RECORD_BYTES])))
        return
    if fault := undecodable(raw):
        pending.add(line, fault, readable(raw))
        return
    text = raw.decode().removesuffix("\r")
    pending.add(line, parse_record(text), text)
