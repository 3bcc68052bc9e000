"""List files of a project: one column of values, read when a definition needs them."""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from segctl.compile.files import is_inside
from segctl.compile.places.files import WHOLE_FILE
from segctl.compile.suggest import nearest
from segctl.model.errors import DataError

_NO_DELIMITER = "\x1f"
"""Where a line is one value, its commas belong to it; the reader wants some character that stands in no list."""


class ProjectLists(dict[tuple[str, str | None], tuple[str, ...]]):
    """Values of list files by (name, column); a file is read once, when it is first asked for.

    Attributes:
        digests: Beginning of the SHA-256 of each file that was read, by its name.
    """

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.digests: dict[str, str] = {}
        self._root = root
        self._texts: dict[str, str] = {}

    def __missing__(self, key: tuple[str, str | None]) -> tuple[str, ...]:
        name, column = key
        if name not in self._texts:
            content = self.content(name)
            self.digests[name] = list_digest(content)
            self._texts[name] = _text(content, name)
        if column == WHOLE_FILE:
            self[key] = (self._texts[name],)
            return self[key]
        self[key] = values = tuple(sorted(_values(self._texts[name], name, column)))
        return values

    def content(self, name: str) -> bytes:
        """The bytes of a list file.

        Raises:
            DataError: There is no such file, or it cannot be read.
        """
        return _content(self._root, name)


def list_values(root: Path, name: str, column: str | None) -> set[str]:
    """The values of one column of a list file: CSV with a header, or one value a line.

    Raises:
        DataError: The file is missing, is no text or no CSV, or has no such column.
    """
    return set(ProjectLists(root)[name, column])


def list_digest(content: bytes) -> str:
    """What runs record of a list file: sixteen hexadecimal digits of its SHA-256."""
    return hashlib.sha256(content).hexdigest()[:16]


def _content(root: Path, name: str) -> bytes:
    if not is_inside(name):
        raise DataError("SEG516", f"the list `{name}` is not a file of the project", hint="copy it into the project")
    try:
        return (root / name).read_bytes()
    except OSError as error:
        raise DataError("SEG516", f"the list `{name}` cannot be read: {error.strerror}") from error


def _text(content: bytes, name: str) -> str:
    try:
        # As ingest brings identifiers to their one form: files from a Mac often spell umlauts in two characters.
        return unicodedata.normalize("NFC", content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError("SEG516", f"the list `{name}` cannot be read: it is not UTF-8") from error


def _values(text: str, name: str, column: str | None) -> set[str]:
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    rows = _rows(text, name, delimiter)
    head = [cell.strip() for cell in next(rows, [])]
    if column is None and len(head) < 2:
        return {row[0].strip() for row in _rows(text, name, _NO_DELIMITER) if row[0].strip()}
    if column is not None and column not in head:
        # Without a header the first line is a person's data, so only a near name is repeated.
        near = nearest(column, head)
        hint = f"did you mean `{near}`?" if near else f"its first line has {len(head)} columns"
        raise DataError("SEG517", f"the list `{name}` has no column `{column}`", hint=hint)
    place = 0 if column is None else head.index(column)
    return {row[place].strip() for row in rows if len(row) > place and row[place].strip()}


def _rows(text: str, name: str, delimiter: str) -> Iterator[list[str]]:
    """All rows that are not empty; a value in quotes may hold line breaks."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from filter(None, reader)
    except csv.Error as error:
        message = f"the list `{name}` cannot be read: line {reader.line_num}: {error}"
        raise DataError("SEG516", message, hint="check the quotation marks of that line") from error
