"""Which format a file has, and the reader for it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from segctl.connectors import FILE_FORMATS
from segctl.connectors.files.base import BATCH_ROWS, Detected, RawBatch, Reader, ReadOptions
from segctl.connectors.files.paths import unreadable
from segctl.connectors.files.streams import compression_of, head
from segctl.connectors.files.text import encoding_of
from segctl.model.errors import DataError, UsageError

_HEAD_BYTES = 64 * 1024
_TEXT_SUFFIXES = {".csv", ".tsv", ".txt", ".tab"}
_LINE_SUFFIXES = {".ndjson", ".jsonl"}
_FOREIGN = (
    (b"%PDF", "a PDF document", "ask for the data as CSV"),
    (b"\x89PNG", "a picture", None),
    (b"\xff\xd8\xff", "a picture", None),
    (b"GIF8", "a picture", None),
    (b"\x7fELF", "a program", None),
    (b"MZ\x90", "a program", None),
    (b"SQLite format 3", "an SQLite database", "export its tables as CSV or Parquet"),
    (b"Obj\x01", "an Avro file", "convert it to Parquet"),
    (b"ORC", "an ORC file", "convert it to Parquet"),
    (b"ARROW1", "an Arrow IPC file", "convert it to Parquet"),
)
_PAGES = ("<!doctype html", "<html", "<?xml")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def detect(path: Path, options: ReadOptions | None = None) -> Detected:
    """How `path` is to be read: declared options completed by what the file shows.

    Raises:
        UsageError: A declared option is impossible, or an optional package is missing.
        DataError: The file is of no format that is read here.
        LocalIOError: The system does not let us read it.
    """
    options = options or ReadOptions()
    base = _base(path, options)
    return _reader(base.format).detect(path, options, base)


def read(
    path: Path, options: ReadOptions | None = None, detected: Detected | None = None, *, batch_rows: int = BATCH_ROWS
) -> Iterator[RawBatch]:
    """The rows of `path` in file order, in batches of at most `batch_rows`.

    Memory is bounded by chunk and batch, never by the file. Raises as `detect` does, before the first batch
    or when the file cannot be read any more.
    """
    detected = detected or detect(path, options)
    yield from _reader(detected.format).read(path, detected, batch_rows=batch_rows)


def _reader(name: str) -> Reader:
    if name not in FILE_FORMATS:
        raise UsageError(
            "SEG354",
            f"`{name}` is not a file format",
            hint="one of " + ", ".join(f"`{known}`" for known in FILE_FORMATS),
        )
    module, attribute = FILE_FORMATS[name].split(":")
    reader: Reader = getattr(import_module(module), attribute)()
    return reader


def _base(path: Path, options: ReadOptions) -> Detected:
    if options.format is not None:
        _reader(options.format)
    compression = options.compression or compression_of(path)
    why = (
        ()
        if compression == "none"
        else (f"compression {compression}: " + ("declared" if options.compression else "first bytes"),)
    )
    start = head(path, compression, _HEAD_BYTES)
    found, how = _format(path, start, options)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise unreadable(path, error) from error
    return Detected(format=found, compression=compression, bytes=size, why=(*why, how))


def _format(path: Path, start: bytes, options: ReadOptions) -> tuple[str, str]:
    binary = _binary_format(path, start)
    if options.format is not None:
        if binary and binary != options.format:
            raise DataError(
                "SEG343",
                f"`{path}` is declared as {options.format}, but it is {binary}",
                hint=f"declare `format: {binary}` or leave `format` out",
            )
        return options.format, f"format {options.format}: declared"
    if binary:
        return binary, f"format {binary}: first bytes"
    encoding, _ = encoding_of(start, whole=False)
    text = start.decode(encoding, "replace").lstrip("\ufeff \t\r\n")
    # What a server answers instead of the data is often saved under the name of the data.
    if text[:14].lower().startswith(_PAGES):
        raise DataError("SEG343", f"`{path}` is a page or XML, not a table", hint="ask for the data as CSV or JSON")
    suffixes = {suffix.lower() for suffix in path.suffixes[-2:]}
    if suffixes & _TEXT_SUFFIXES:
        return "csv", "format csv: file name"
    return _text_format(text, suffixes)


def _binary_format(path: Path, start: bytes) -> str | None:
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"PK\x03\x04"):
        if _is_workbook(path):
            return "xlsx"
        raise DataError(
            "SEG344", f"`{path}` is a ZIP archive", hint="unpack it; single files may be compressed with gzip or zstd"
        )
    if start.startswith(_OLE):
        raise DataError(
            "SEG352",
            f"`{path}` is an old Excel workbook (.xls) or one with a password",
            hint="save it in Excel as .xlsx without a password, or as CSV",
        )
    for magic, what, hint in _FOREIGN:
        if start.startswith(magic) and b"," not in start[:32]:
            raise DataError("SEG343", f"`{path}` is {what}, not a table", hint=hint)
    return None


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith("xl/") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        # A workbook that breaks off has lost its table of contents; its reader says so.
        return path.suffix.lower() in {".xlsx", ".xlsm"}


def _text_format(text: str, suffixes: set[str]) -> tuple[str, str]:
    if suffixes & _LINE_SUFFIXES:
        return "ndjson", "format ndjson: file name"
    if text.startswith("["):
        return "json", "format json: it starts with `[`"
    if not text.startswith("{"):
        return (
            ("json", "format json: file name")
            if ".json" in suffixes
            else ("csv", "format csv: neither JSON nor binary")
        )
    # One object a line is NDJSON whatever the file is called; a single document spreads its braces.
    if re.match(r"\{[^\n]*\}[ \t\r]*\n\s*\{", text):
        return "ndjson", "format ndjson: every line is an object"
    if ".json" not in suffixes and re.match(r"\{[^\n]*\}\s*$", text):
        return "ndjson", "format ndjson: one line, one object"
    return "json", "format json: it starts with `{`"


def completed(base: Detected, *why: str, **found: object) -> Detected:
    """`base` with further findings and the words for them."""
    return replace(base, why=(*base.why, *why), **found)  # type: ignore[arg-type] # names are checked by `replace`
