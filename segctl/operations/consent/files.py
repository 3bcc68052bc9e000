"""Rows of CSV and NDJSON files as texts, line by line, with what is wrong with a line told of that line alone."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from segctl.model.dataclass import dataclass
from segctl.model.errors import DataError, UsageError

_SEPARATORS = ";,\t|"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of a file.

    Attributes:
        line: Number of its last line, from 1.
        values: Header → text without blanks around.
        raw: The line itself, for rows with a fault.
        fault: Why its values cannot be read.
    """

    line: int
    values: Mapping[str, str]
    raw: str = ""
    fault: str | None = None


def rows_of_file(path: Path | None, data: bytes | None, header: list[str]) -> Iterator[FileRow]:
    """The rows of a file; its headers are put into `header` once the first row is known.

    Raises:
        UsageError: There is no such file.
        DataError: It is empty or no text.
    """
    content = data if data is not None else _content(path)
    text = _text(content)
    first = text.lstrip()[:1]
    if not first:
        raise DataError("SEG813", "the file is empty", hint="its first line names the columns")
    rows = _json_rows(text, header) if first == "{" else _csv_rows(text, header)
    yield from rows


def _content(path: Path | None) -> bytes:
    assert path is not None
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(
            "SEG812", f"`{path}` cannot be read: {(error.strerror or 'unknown').lower()}", hint="name a file"
        ) from error
    return content


def _text(content: bytes) -> str:
    if content.startswith(_GZIP):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(
                "SEG813", "the file is compressed, and cut off or damaged", hint="fetch it again"
            ) from error
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else encoding)
        except UnicodeDecodeError:
            continue
    raise DataError("SEG813", "the file is no text", hint="CSV or NDJSON in UTF-8")


def _csv_rows(text: str, header: list[str]) -> Iterator[FileRow]:
    head = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    names: list[str] = []
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield FileRow(reader.line_num, {}, fault=f"the line cannot be read: {error}")
            continue
        if not names:
            names = [cell.strip() for cell in cells]
            header[:] = names
            continue
        if not cells or not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            fault = f"it has {len(cells)} cells, the header {len(names)}"
            yield FileRow(reader.line_num, {}, separator.join(cells), fault)
            continue
        yield FileRow(reader.line_num, {n: cell.strip() for n, cell in zip(names, cells, strict=True)})


def _json_rows(text: str, header: list[str]) -> Iterator[FileRow]:
    names: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError:
            yield FileRow(number, {}, line, "the line is no JSON")
            continue
        if not isinstance(found, dict):
            yield FileRow(number, {}, line, "the line is no JSON object")
            continue
        names.update(dict.fromkeys(found))
        header[:] = list(names)
        yield FileRow(number, {name: _cell(value) for name, value in found.items() if value is not None})


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
