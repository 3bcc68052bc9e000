"""The place of a finding: its file, line and column, the source line and what is meant in it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from segctl.cli.cells import shown, width
from segctl.model.diagnostics import Location

MAX_BYTES = 8 * 1024 * 1024
AROUND = 100
"""Characters of a very long line that are shown on each side of the place."""


def lines(location: Location, root: Path, *, is_private: bool = False) -> list[str]:
    """The lines below the message: place, and the source line with carets when the file can and may be read."""
    place = f"  --> {shown(str(location))}"
    source = None if is_private else _source_line(root / location.file, location.line)
    if source is None:
        return [place]
    text, start = _window(source, location.column - 1)
    before, rest = text[:start], text[start:]
    marked = rest[: max(1, min(location.length, len(rest)))]
    gutter = " " * len(str(location.line))
    carets = " " * width(shown(before)) + "^" * max(1, width(shown(marked)))
    return [place, f" {gutter} |", f" {location.line} | {shown(text)}".rstrip(), f" {gutter} | {carets}"]


def _window(source: str, column: int) -> tuple[str, int]:
    """The part of the line around a column, and where the column is in it."""
    column = min(max(column, 0), len(source))
    begin = max(0, column - AROUND) if len(source) > 2 * AROUND else 0
    end = len(source) if len(source) - column <= AROUND or len(source) <= 2 * AROUND else column + AROUND
    head, tail = "..." if begin else "", "..." if end < len(source) else ""
    return f"{head}{source[begin:end]}{tail}".replace("\t", " "), column - begin + len(head)


def _source_line(path: Path, line: int) -> str | None:
    """The text of a line; None when it cannot be read safely (no regular file, too large, not there any more)."""
    try:
        # Not blocking, so that a named pipe in the project does not hang a message.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as stream:
        found = stream.read(MAX_BYTES).split(b"\n", line)
    if len(found) < line:
        return None
    return found[line - 1].rstrip(b"\r").removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
