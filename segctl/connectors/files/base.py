"""What a file reader is told, what it finds out and what it delivers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import polars as pl

MAX_RECORD_BYTES = 16 * 1024 * 1024
"""A record longer than this is a bad row: it is nearly always a lost quote or no text at all."""

RAW_LIMIT = 64 * 1024
"""Characters of an over-long record that are kept as its raw text."""

BATCH_ROWS = 500_000


@dataclass(frozen=True, slots=True)
class ReadOptions:
    r"""What the declaration fixes; None means: detect.

    Attributes:
        format: ``csv``, ``json``, ``ndjson``, ``parquet`` or ``xlsx``.
        delimiter: One ASCII character.
        quote: One ASCII character; the empty string says that nothing is quoted.
        encoding: ``utf-8``, ``cp1252``, ``latin-1``, ``utf-16-le``, ``utf-16-be`` or any of Python's text codecs.
        header: Whether the first record holds the names.
        skip_rows: Physical lines before the header (or first record) that are no data.
        columns: Names by position; they replace a header's.
        decimal: ``.`` or ``,``.
        thousands: One character, or the empty string for none.
        comment: Lines that start with this text are no records; never detected.
        records: Path to the list of records in a JSON document: ``data.items``; a dot in a key is ``\.``.
        sheet: Name, or 1-based number, of an Excel sheet; the first by default.
        compression: ``none``, ``gzip`` or ``zstd``.
    """

    format: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None
    header: bool | None = None
    skip_rows: int | None = None
    columns: tuple[str, ...] | None = None
    decimal: str | None = None
    thousands: str | None = None
    comment: str | None = None
    records: str | None = None
    sheet: str | int | None = None
    compression: str | None = None


@dataclass(frozen=True, slots=True)
class Detected:
    r"""How a file is to be read: what was declared, completed by what was found in it.

    Attributes:
        format: ``csv``, ``json``, ``ndjson``, ``parquet`` or ``xlsx``.
        encoding: Python's name of the codec; empty for binary formats.
        delimiter: CSV only, else empty.
        quote: CSV only; empty when nothing is quoted.
        decimal: ``.`` or ``,``: how numbers in text are written.
        thousands: Grouping character, empty for none.
        compression: ``none``, ``gzip`` or ``zstd``.
        header: The names come from the file.
        columns: Names in file order, unique. JSON: those of the first records; others may follow.
        why: What was detected and how, one line each in plain words, for people.
        skip_rows: Physical lines before the header or first record.
        trailing: Every CSV record ends in a delimiter that starts no field.
        comment: CSV lines that start with it are no records.
        eol: The byte that ends a CSV line: ``\n`` or ``\r``.
        records: Path to the records of a JSON document, empty for the document itself.
        sheet: Name of the Excel sheet, else empty.
        bytes: Size of the file as stored.
    """

    format: str
    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    decimal: str = "."
    thousands: str = ""
    compression: str = "none"
    header: bool = True
    columns: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    skip_rows: int = 0
    trailing: bool = False
    comment: str = ""
    eol: str = "\n"
    records: str = ""
    sheet: str = ""
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a row could not be read.

    Attributes:
        code: Catalogue code, SEG360 to SEG369.
        expected: What should stand there, in words.
        value: What stands there, shortened.
        message: One sentence without a full stop.
    """

    code: str
    expected: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class BadRow:
    r"""A physical record that is no row; it is kept, whole, for quarantine.

    Attributes:
        file: Path as given to `read`.
        line: 1-based physical line on which it starts (record number in Parquet, row in Excel).
        raw: Its text; bytes that are no text appear as ``\xNN``. Only over-long records are shortened.
        reason: Why.
    """

    file: str
    line: int
    raw: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Some rows of a file, in file order, as they are written there.

    Attributes:
        frame: CSV and Excel: every column String; null where nothing stands, ``""`` where an empty text is
            written (``""`` in CSV). JSON: a column is Boolean, Int64, Float64, String, List or Struct where all
            values of the batch agree, else String (JSON text of the values that are no strings); integers beyond
            64 bits and numbers that a float would change are String. Parquet: as delivered.
        lines: Int64, one per row of `frame`: 1-based physical line (CSV, NDJSON), record number (JSON array,
            Parquet) or sheet row (Excel).
        bad: Records found between the previous batch and the end of this one that are no rows.
        bytes_done: Bytes of the stored (perhaps compressed) file consumed so far, for progress.
        texts: String, one per row of `frame`: the JSON text of the record; None for formats that are no JSON.
        doubtful: Columns of `frame` that do not show what the JSON said, as values of several types are text there.
    """

    frame: pl.DataFrame
    lines: pl.Series
    bad: tuple[BadRow, ...]
    bytes_done: int
    texts: pl.Series | None = None
    doubtful: frozenset[str] = frozenset()


class Reader(Protocol):
    """One file format."""

    def detect(self, path: Path, options: ReadOptions, base: Detected) -> Detected:
        """Complete `base` (format, compression, size) by what the file says."""
        ...

    def read(self, path: Path, detected: Detected, *, batch_rows: int) -> Iterator[RawBatch]:
        """The rows of the file in batches of at most `batch_rows`."""
        ...
