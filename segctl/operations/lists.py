"""List files of a project: one column of values, read when a definition needs them."""

from __future__ import annotations

import csv
import unicodedata
from difflib import get_close_matches
from pathlib import Path

from segctl.compile.definitions import is_inside
from segctl.model.errors import DataError


class ProjectLists(dict[tuple[str, str | None], tuple[str, ...]]):
    """Values of list files by (name, column); a file is read when it is first asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._root = root

    def __missing__(self, key: tuple[str, str | None]) -> tuple[str, ...]:
        values = tuple(sorted(list_values(self._root, *key)))
        self[key] = values
        return values


def list_values(root: Path, name: str, column: str | None) -> set[str]:
    """The values of one column of a list file: CSV with a header, or one value a line.

    Raises:
        DataError: The file is missing, is no text, or has no such column.
    """
    path = root / name
    if not is_inside(name):
        raise DataError("SEG516", f"the list `{name}` is not a file of the project", hint="copy it into the project")
    try:
        # As ingest brings identifiers to their one form: files from a Mac often spell umlauts in two characters.
        text = unicodedata.normalize("NFC", path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise DataError("SEG516", f"the list `{name}` cannot be read: {reason}") from error
    rows = list(csv.reader(text.splitlines(), delimiter=";" if ";" in text.partition("\n")[0] else ","))
    rows = [row for row in rows if row]
    if column is None and (not rows or len(rows[0]) == 1):
        return {row[0].strip() for row in rows if row[0].strip()}
    head = [cell.strip() for cell in rows[0]] if rows else []
    if column is not None and column not in head:
        # Without a header the first line is a person's data, so only a near name is repeated.
        near = get_close_matches(column, head, 1)
        hint = f"did you mean `{near[0]}`?" if near else f"its first line has {len(head)} columns"
        raise DataError("SEG517", f"the list `{name}` has no column `{column}`", hint=hint)
    place = 0 if column is None else head.index(column)
    return {row[place].strip() for row in rows[1:] if len(row) > place and row[place].strip()}
