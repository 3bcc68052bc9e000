"""CSV: rows as text, exactly as written, at the speed of Polars where the file is clean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from segctl.connectors.files.base import (
    MAX_RECORD_BYTES,
    BadRow,
    Detected,
    RawBatch,
    ReadOptions,
)
from segctl.connectors.files.csv_detect import detect_csv
from segctl.connectors.files.csv_record import Dialect, Outcome, dialect_of, first_record, parse_record
from segctl.connectors.files.csv_scan import Scan, scan_carefully, scan_quickly
from segctl.connectors.files.faults import broken_off, too_long, undecodable
from segctl.connectors.files.paths import shortened
from segctl.connectors.files.streams import ByteStream
from segctl.connectors.files.text import Utf8Stream, open_text, readable

# Not above MAX_RECORD_BYTES: then only the first record of a buffer can be over-long.
CHUNK_BYTES = MAX_RECORD_BYTES
_BLOCKS = 256
_TRAILING = "\x00trailing"
_BOM = b"\xef\xbb\xbf"


class CsvReader:
    """Reads delimited text; every column is String."""

    def detect(self, path: Path, options: ReadOptions, base: Detected) -> Detected:
        """Complete `base` by encoding, delimiter, quote, header, names and number style."""
        return detect_csv(path, options, base)

    def read(
        self,
        path: Path,
        detected: Detected,
        *,
        batch_rows: int,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> Iterator[RawBatch]:
        """The rows of the file; records that are no rows are in `bad`."""
        dialect = dialect_of(detected)
        stream, text = open_text(path, detected.compression, detected.encoding)
        with stream:
            chunks = _Chunks(text, chunk_bytes, dialect.eol)
            if detected.columns and _skip_to_rows(chunks, detected, dialect):
                for part in _parts(chunks, stream, dialect, str(path)):
                    yield from _batches(part, detected, stream.bytes_done, batch_rows)
                return
            while not chunks.over:
                chunks.more()
            if stream.broken:
                bad = _broken(str(path), chunks, stream.broken)
                yield from _batches(
                    _Part(empty_frame(detected), _no_lines(), bad), detected, stream.bytes_done, batch_rows
                )


@dataclass(slots=True)
class _Chunks:
    """The part of the text that is not dealt with yet.

    Attributes:
        eol: What ends a line.
        buffer: Starts where a record starts, and ends where a line ends unless it is over.
        line: Physical line of that start.
        over: No more text follows the buffer.
    """

    text: Utf8Stream
    size: int
    eol: bytes
    buffer: bytes = b""
    line: int = 1
    over: bool = False
    _tail: bytes = b""

    def more(self) -> None:
        """Append the next bytes."""
        piece = self.text.read(self.size)
        self.over = not piece
        # With whole lines the buffer can be handed on as it is: to cut it would be to copy it.
        cut = piece.rfind(self.eol) + 1 or len(piece)
        self.buffer = b"".join((self.buffer, self._tail, memoryview(piece)[:cut]))
        self._tail = piece[cut:]

    def drop(self, used: int, eol: bytes, lines: int | None = None) -> None:
        """Forget the bytes that were dealt with, and the lines in them where they were counted already."""
        self.line += self.buffer.count(eol, 0, used) if lines is None else lines
        self.buffer = self.buffer[used:]


@dataclass(frozen=True, slots=True)
class _Part:
    frame: pl.DataFrame
    lines: pl.Series
    bad: tuple[BadRow, ...]


def _skip_to_rows(chunks: _Chunks, detected: Detected, dialect: Dialect) -> bool:
    """Pass over skipped lines and the header; False when nothing follows."""
    start = None
    while start is None:
        chunks.more()
        start = first_record(chunks.buffer, detected.skip_rows, dialect, final=chunks.over)
    chunks.drop(start[0], dialect.eol)
    if not detected.header:
        return True
    while True:
        parsed = parse_record(chunks.buffer, 0, len(chunks.buffer), dialect)
        whole = parsed.stop < len(chunks.buffer) or chunks.over or len(chunks.buffer) > MAX_RECORD_BYTES
        if whole or (parsed.outcome is Outcome.STRAY):
            break
        chunks.more()
    if parsed.outcome is Outcome.RECORD:
        chunks.drop(parsed.stop, dialect.eol)
    else:  # a header with a lost quote is one line
        chunks.drop(chunks.buffer.find(dialect.eol) + 1 or len(chunks.buffer), dialect.eol)
    return True


def _parts(chunks: _Chunks, stream: ByteStream, dialect: Dialect, file: str) -> Iterator[_Part]:
    while not (chunks.over and not chunks.buffer):
        final = chunks.over and stream.broken is None
        scan = scan_quickly(chunks.buffer, chunks.line, dialect, final=final)
        frame = None if scan is None else _frame(scan, dialect)
        if scan is None or frame is None:
            scan = _scan_blocks(chunks, dialect, final=final, file=file)
            frame = _frame(scan, dialect)
        if frame is None:
            scan = scan_carefully(chunks.buffer, chunks.line, dialect, final=final, file=file)
            frame = _frame(scan, dialect)
            if frame is None:
                raise AssertionError("clean CSV text was refused")
        if len(scan.lines) or scan.bad:
            yield _Part(frame, pl.Series("line", scan.lines, dtype=pl.Int64), scan.bad)
        chunks.drop(scan.used, dialect.eol, scan.ends)
        if chunks.over:
            break
        if len(chunks.buffer) > MAX_RECORD_BYTES and dialect.eol not in chunks.buffer:
            yield _Part(pl.DataFrame(), _no_lines(), (_pass_over(chunks, dialect, file),))
        else:
            chunks.more()
    if stream.broken:
        yield _Part(pl.DataFrame(), _no_lines(), _broken(file, chunks, stream.broken))


def _scan_blocks(chunks: _Chunks, dialect: Dialect, *, final: bool, file: str) -> Scan:
    """A chunk with trouble in it, block by block, so that only the blocks in trouble take the slow path."""
    text, smallest = chunks.buffer, max(chunks.size // _BLOCKS, 1)
    at, line, size = 0, chunks.line, smallest
    scans: list[Scan] = []
    while at < len(text):
        is_last = at + size >= len(text)
        block = text[at : at + size]
        scan = scan_quickly(block, line, dialect, final=final and is_last) if undecodable(block) is None else None
        scan = scan or scan_carefully(block, line, dialect, final=final and is_last, file=file)
        if not scan.used and not is_last:  # not one whole record: look further
            size *= 2
            continue
        scans.append(scan)
        line += text.count(dialect.eol, at, at + scan.used)
        at, size = at + scan.used, smallest
        if is_last:
            break
    lines = np.concatenate([scan.lines for scan in scans]) if scans else np.zeros(0, dtype=np.int64)
    return Scan(b"".join(scan.text for scan in scans), lines, tuple(row for scan in scans for row in scan.bad), at)


def _frame(scan: Scan, dialect: Dialect) -> pl.DataFrame | None:
    """The rows as text columns; None when the text, only counted so far, is not what it seemed."""
    names = [str(index) for index in range(dialect.width)] + [_TRAILING] * dialect.trailing
    if not scan.text:
        return pl.DataFrame(schema=dict.fromkeys(names[: dialect.width], pl.String))
    # Polars strips a byte order mark at the start of any text it reads; here it is data.
    text = _BOM + scan.text if scan.text.startswith(_BOM) else scan.text
    try:
        frame = pl.read_csv(
            text,
            has_header=False,
            separator=dialect.delimiter.decode(),
            quote_char=dialect.quote.decode() or None,
            eol_char=dialect.eol.decode(),
            schema=dict.fromkeys(names, pl.String),
            infer_schema=False,
        )
    except pl.exceptions.PolarsError:
        return None
    if frame.height != len(scan.lines):
        return None
    if not dialect.trailing:
        return frame
    return frame.drop(_TRAILING) if frame[_TRAILING].null_count() == frame.height else None


def _pass_over(chunks: _Chunks, dialect: Dialect, file: str) -> BadRow:
    """A record without an end in sight: skip to its end without keeping it."""
    kept, size, line = chunks.buffer[: 1024 * 1024], 0, chunks.line
    while dialect.eol not in chunks.buffer and not chunks.over:
        size += len(chunks.buffer)
        chunks.buffer = b""
        chunks.more()
    stop = chunks.buffer.find(dialect.eol) + 1 or len(chunks.buffer)
    chunks.drop(stop, dialect.eol)
    return BadRow(file, line, shortened(readable(kept)), too_long(size + stop))


def _broken(file: str, chunks: _Chunks, why: str) -> tuple[BadRow, ...]:
    """The record in which the file breaks off."""
    raw = shortened(readable(chunks.buffer), MAX_RECORD_BYTES)
    return (BadRow(file, chunks.line, raw, broken_off(f"the file {why}")),)


def _batches(part: _Part, detected: Detected, bytes_done: int, batch_rows: int) -> Iterator[RawBatch]:
    """The part under its column names, cut to size; its bad rows go with the first piece."""
    frame = part.frame
    frame = (
        empty_frame(detected)
        if frame.width == 0
        else frame.rename(dict(zip(frame.columns, detected.columns, strict=True)))
    )
    bad = part.bad
    for start in range(0, max(frame.height, 1), batch_rows):
        yield RawBatch(frame.slice(start, batch_rows), part.lines.slice(start, batch_rows), bad, bytes_done)
        bad = ()


def empty_frame(detected: Detected) -> pl.DataFrame:
    """No rows under the detected names."""
    return pl.DataFrame(schema=dict.fromkeys(detected.columns, pl.String))


def _no_lines() -> pl.Series:
    return pl.Series("line", np.zeros(0, dtype=np.int64), dtype=pl.Int64)
