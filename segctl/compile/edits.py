"""Changing a file's text in single places, so that comments, order and line ends stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable

from segctl.compile.rules.base import Edit

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(r"\r\n|\r|\n")


def edited(content: bytes, edits: Iterable[Edit]) -> tuple[bytes, tuple[Edit, ...]]:
    """The content with edits made, and those that were made.

    An edit is left out when its old text does not stand at its place, or when it overlaps one that was made.
    """
    text = content.removeprefix(_BOM).decode("utf-8")
    starts = [0, *(found.end() for found in _LINE_END.finditer(text))]
    made: list[tuple[int, Edit]] = []
    limit = len(text)
    for start, edit in sorted(_placed(edits, starts), key=lambda pair: pair[0], reverse=True):
        end = start + len(edit.old)
        if end <= limit and text[start:end] == edit.old:
            text = text[:start] + edit.new + text[end:]
            made.append((start, edit))
            limit = start
    mark = _BOM if content.startswith(_BOM) else b""
    return mark + text.encode("utf-8"), tuple(edit for _, edit in reversed(made))


def _placed(edits: Iterable[Edit], starts: list[int]) -> Iterable[tuple[int, Edit]]:
    for edit in dict.fromkeys(edits):
        if edit.old != edit.new and 1 <= edit.location.line <= len(starts):
            yield starts[edit.location.line - 1] + edit.location.column - 1, edit
