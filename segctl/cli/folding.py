"""Lines that are longer than a terminal is wide, folded between words."""

from __future__ import annotations

import re

from segctl.cli.cells import width

NARROWEST = 20
"""A narrower terminal is no place for sentences; it folds them itself."""
_PAINT = re.compile(r"\x1b\[[0-9;]*m")
_SOURCE = re.compile(r"  --> | *\d* \|")
"""A line of a file with its marks, which would no longer stand below what they mean."""


def folded(text: str, room: int | None, *, hanging: int = 0) -> str:
    """The text with its long lines folded between words; a longer word stays whole.

    Args:
        text: Lines, perhaps painted.
        room: Columns there are; None folds nothing.
        hanging: How much further in than its beginning a line goes on.
    """
    if room is None or room < NARROWEST or (len(text) <= room and text.isascii()):
        return text
    return "\n".join(_folded(line, room, hanging) for line in text.split("\n"))


def _folded(line: str, room: int, hanging: int) -> str:
    if _columns(line) <= room or _SOURCE.match(line):
        return line
    content = line.lstrip(" ")
    margin = " " * (len(line) - len(content))
    further = " " * min(len(margin) + hanging, room // 2)
    lines, current = [], margin
    for number, word in enumerate(content.split(" ")):
        joined = f"{current} {word}" if number else current + word
        if number and _columns(joined) > room:
            lines.append(current.rstrip(" "))
            joined = further + word
        current = joined
    return "\n".join([*lines, current])


def _columns(text: str) -> int:
    return width(_PAINT.sub("", text))
