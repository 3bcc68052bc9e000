"""Lines of files that grow: one file, or the files of a folder in the order of their names."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from segctl.connectors.streams.base import Chunk, LineCutter, PositionOf, size_of

_PIECE_BYTES = 1024 * 1024
_POLL_S = 0.01
_LOOK_S = 0.5
_GONE_S = 60.0
_MARK_BYTES = 64
ENDINGS = (".ndjson", ".jsonl", ".json")
"""Files of a folder that are read."""


@dataclass(slots=True)
class _Open:
    """A file that is being followed.

    Attributes:
        came: Monotonic seconds when something was last read.
        gone: Since when it is not there any more; None while it is.
        mark: The last bytes that were read.
        is_anew: Other bytes stand there now, so the file was written anew.
    """

    path: Path
    stream: IO[bytes]
    inode: int
    offset: int
    is_new: bool
    cutter: LineCutter = field(default_factory=LineCutter)
    waiting: list[bytes] = field(default_factory=list)
    came: float = 0.0
    gone: float | None = None
    mark: bytes = b""
    is_anew: bool = False

    @property
    def position(self) -> str:
        return json.dumps({"inode": self.inode, "offset": self.offset})


class GrowingFiles:
    """Follows a file, or all NDJSON files of a folder, also those that come later.

    A file that was replaced or cut off is a new one.

    Args:
        path: A file or a folder; a file need not be there yet.
        position_of: Where an earlier stream ended in a file.
        once: It ends with what is there; otherwise it goes on for ever.
        root: Folder that paths are relative to on record.
    """

    def __init__(self, path: Path, position_of: PositionOf, *, once: bool, root: Path) -> None:
        self._path = path
        self._position_of = position_of
        self._once = once
        self._root = root
        self._files: dict[Path, _Open] = {}
        self._looked = float("-inf")
        self._is_done = False

    @property
    def has_ended(self) -> bool:
        """Everything that was there has been given, and no more was asked for."""
        return self._once and self._is_done

    def read(self, timeout_s: float, most_lines: int) -> list[Chunk]:
        """The lines that are there; waits at most so long for the first of them."""
        until = time.monotonic() + timeout_s
        while True:
            found = self._there(most_lines)
            now = time.monotonic()
            if found or self.has_ended or now >= until:
                return found
            time.sleep(min(_POLL_S, until - now))

    def _there(self, most_lines: int) -> list[Chunk]:
        self._look()
        chunks: list[Chunk] = []
        left = most_lines
        for path in sorted(self._files):
            while left > 0 and (chunk := self._next(self._files[path], left)) is not None:
                chunks.append(chunk)
                left -= len(chunk.lines)
        if self._once and left > 0:
            chunks += [chunk for path in sorted(self._files) if (chunk := self._last(self._files[path])) is not None]
            self._is_done = True
        return chunks

    def _next(self, file: _Open, most: int) -> Chunk | None:
        """Lines of a file, at most so many; None when none has ended since."""
        while not file.waiting:
            if not (piece := file.stream.read(_PIECE_BYTES)):
                return None
            if not _is_same(file, behind=len(piece)):
                # It was cut off and has grown beyond the place since; the next look begins it anew.
                file.is_anew, file.cutter, self._looked = True, LineCutter(), float("-inf")
                file.stream.seek(0, os.SEEK_END)
                return None
            file.mark = (file.mark + piece)[-_MARK_BYTES:]
            file.came = time.monotonic()
            file.waiting = file.cutter.cut(piece)
        lines, file.waiting = file.waiting[:most], file.waiting[most:]
        behind = file.cutter.waiting + sum(size_of(line) + 1 for line in file.waiting)
        file.offset = file.stream.tell() - behind
        return self._chunk(file, lines)

    def _last(self, file: _Open) -> Chunk | None:
        lines = file.cutter.last()
        if not lines:
            return None
        file.offset, file.came = file.stream.tell(), time.monotonic()
        return self._chunk(file, lines)

    def _chunk(self, file: _Open, lines: list[bytes]) -> Chunk:
        is_new, file.is_new = file.is_new, False
        return Chunk(self._shown(file.path), lines, file.position, file.came, is_new)

    def _look(self) -> None:
        """Opens files that are new, and lets go of those that were replaced."""
        now = time.monotonic()
        if now - self._looked < _LOOK_S:
            return
        self._looked = now
        paths = self._paths()
        self._let_go(set(paths), now)
        for path in paths:
            known = self._files.get(path)
            if known is not None:
                facts = _stat(path)
                is_same = facts is not None and facts.st_ino == known.inode and facts.st_size >= known.offset
                is_same = is_same and not known.is_anew
                # What a file held that was renamed is read to its end first.
                if is_same or not self._is_read(known):
                    continue
                known.stream.close()
                del self._files[path]
            if (opened := self._opened(path, is_anew=known is not None and known.is_anew)) is not None:
                self._files[path] = opened

    def _let_go(self, paths: set[Path], now: float) -> None:
        """Closes files that have been gone for a while and are read; who renamed one may still write to it."""
        for path in self._files.keys() - paths:
            file = self._files[path]
            file.gone = now if file.gone is None else file.gone
            if now - max(file.gone, file.came) >= _GONE_S and self._is_read(file):
                file.stream.close()
                del self._files[path]

    def _is_read(self, file: _Open) -> bool:
        facts = os.fstat(file.stream.fileno())
        return not file.waiting and (facts.st_size <= file.stream.tell())

    def _paths(self) -> list[Path]:
        if self._path.is_dir():
            return sorted(p for p in self._path.iterdir() if p.suffix in ENDINGS and not p.name.startswith("."))
        return [self._path]

    def _opened(self, path: Path, *, is_anew: bool = False) -> _Open | None:
        try:
            stream = path.open("rb")
        except FileNotFoundError:
            return None
        facts = os.fstat(stream.fileno())
        place = None if is_anew else self._position_of(self._shown(path))
        before = json.loads(place) if place is not None else {}
        if before.get("inode") == facts.st_ino and before.get("offset", 0) <= facts.st_size:
            stream.seek(before["offset"])
            mark = os.pread(stream.fileno(), _MARK_BYTES, max(0, before["offset"] - _MARK_BYTES))
            mark = mark[: min(_MARK_BYTES, before["offset"])]
            return _Open(path, stream, facts.st_ino, before["offset"], is_new=False, mark=mark)
        return _Open(path, stream, facts.st_ino, 0, is_new=True)

    def _shown(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else str(path)

    def close(self) -> None:
        """Closes all files."""
        for file in self._files.values():
            file.stream.close()


def _is_same(file: _Open, *, behind: int) -> bool:
    """Whether what was read before the last so many bytes still stands there."""
    start = file.stream.tell() - behind - len(file.mark)
    return os.pread(file.stream.fileno(), len(file.mark), start) == file.mark


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
