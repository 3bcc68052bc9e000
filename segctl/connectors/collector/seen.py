"""Signed requests that were accepted already, also before a restart: a repetition is answered, but not stored again."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from segctl.connectors.collector.files import SEEN, collected_files, follow_file, sync_folder
from segctl.connectors.collector.lines import read_line

_LINE = re.compile(r"(\d{1,12}) ([0-9a-f]{32})\Z")
_MARK = b'"seen":"'
MOST = 1_000_000
"""More are not remembered: some 100 MB; the oldest go first."""


class Seen:
    """Marks of signed requests, each for a while.

    Args:
        remember_s: For how long; 0 when no source takes signed requests.
    """

    def __init__(self, remember_s: float) -> None:
        self.remember_s = remember_s
        self._marks: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._marks)

    def knows(self, mark: str, now: float) -> bool:
        """Whether it was accepted within the time."""
        at = self._marks.get(mark)
        return at is not None and now - at <= self.remember_s

    def add(self, mark: str, now: float) -> None:
        """Remembers it from now on."""
        self._marks[mark] = now
        self._marks.move_to_end(mark)
        while self._marks and (len(self._marks) > MOST or now - next(iter(self._marks.values())) > self.remember_s):
            self._marks.popitem(last=False)

    def load(self, folder: Path, now: float) -> None:
        """Learns what the files of the last while hold; for those that have no index yet, one is written."""
        if self.remember_s <= 0:
            return
        found: list[tuple[float, str]] = []
        indexed = {name.removesuffix(SEEN) for name in _listed(folder) if name.endswith(SEEN)}
        for name in sorted({*indexed, *collected_files(folder)}):
            path, index = folder / name, folder / f"{name}{SEEN}"
            if name in indexed:
                found += _read_index(index)
            elif path.stat().st_mtime >= now - self.remember_s:
                marks = marks_of(path)
                write_index(index, marks)
                found += marks
        for at, mark in sorted(found):
            if now - at <= self.remember_s:
                self.add(mark, at)


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def marks_of(path: Path) -> list[tuple[float, str]]:
    """Time and mark of each signed request in a file."""
    found = []
    for line in follow_file(path):
        if _MARK in line:
            envelope = read_line(line)
            mark = None if envelope is None else envelope.get("seen")
            if envelope is not None and isinstance(mark, str):
                with suppress(ValueError):
                    found.append((datetime.fromisoformat(envelope["received"]).timestamp(), mark))
    return found


def write_index(path: Path, marks: list[tuple[float, str]]) -> None:
    """Writes what `load` reads, whole or not at all; whoever dies before only has to look again."""
    passing = path.with_name(f".{path.name}")
    with passing.open("w", encoding="ascii") as file:
        file.write("".join(f"{int(at)} {mark}\n" for at, mark in marks))
        file.flush()
        # Once there is an index, nobody looks into the file itself again.
        os.fsync(file.fileno())
    os.replace(passing, path)
    sync_folder(path.parent)


def _read_index(path: Path) -> list[tuple[float, str]]:
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return []
    matches = (_LINE.match(line) for line in text.splitlines())
    return [(float(match[1]), match[2]) for match in matches if match is not None]
