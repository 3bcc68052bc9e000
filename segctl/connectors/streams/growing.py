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
_MOST_OPEN = 64
"""Files that are open at once; of more, those that were quiet longest are closed until they grow."""
ENDINGS = (".ndjson", ".jsonl", ".json")
"""Files of a folder that are read."""


@dataclass(slots=True)
class _Followed:
    """A file that is being followed.

    Attributes:
        stream: None while it is closed.
        offset: Behind the last line that was given.
        came: Monotonic seconds when something was last read.
        gone: Since when it is not there any more; None while it is.
        mark: The last bytes that were read.
        is_anew: Other bytes stand there now, so the file was written anew.
        seen: Its size when it was closed.
        has_more: It is closed and has another size now.
        is_over: Its last line was given, and nothing that comes later counts.
    """

    path: Path
    stream: IO[bytes] | None
    inode: int
    offset: int
    is_new: bool
    cutter: LineCutter = field(default_factory=LineCutter)
    waiting: list[bytes] = field(default_factory=list)
    came: float = 0.0
    gone: float | None = None
    mark: bytes = b""
    is_anew: bool = False
    seen: int = 0
    has_more: bool = False
    is_over: bool = False

    @property
    def position(self) -> str:
        return json.dumps({"inode": self.inode, "offset": self.offset})

    @property
    def is_read(self) -> bool:
        """Nothing waits, as far as can be seen."""
        if self.waiting or self.stream is None:
            return not self.waiting
        return os.fstat(self.stream.fileno()).st_size <= self.stream.tell()

    def open(self) -> bool:
        """Opens it where it was closed; false when the name is that of another file by now, or of none."""
        self.has_more = False
        try:
            stream = self.path.open("rb")
        except FileNotFoundError:
            return False
        if os.fstat(stream.fileno()).st_ino != self.inode:
            stream.close()
            return False
        stream.seek(self.offset)
        self.stream = stream
        return True

    def close(self) -> None:
        """Closes it; a line that has not ended is read again from its beginning."""
        if self.stream is None:
            return
        self.seen = self.stream.tell()
        self.mark = self.mark[: max(0, len(self.mark) - self.cutter.waiting)]
        self.cutter = LineCutter()
        self.stream.close()
        self.stream = None


class GrowingFiles:
    """Follows a file, or all NDJSON files of a folder, also those that come later.

    A file that was replaced or cut off is a new one. Of very many files some are closed: when such a one was renamed
    or deleted, what somebody writes into it afterwards is not read.

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
        self._files: dict[Path, _Followed] = {}
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
        at_hand = [path for path, file in self._files.items() if file.stream is not None or file.has_more]
        for path in sorted(at_hand):
            file = self._files[path]
            if left <= 0:
                break
            if file.stream is None and not self._open(file):
                continue
            while left > 0 and (chunk := self._next(file, left)) is not None:
                chunks.append(chunk)
                left -= len(chunk.lines)
            if self._once and left > 0 and (chunk := self._last(file)) is not None:
                chunks.append(chunk)
        self._is_done = self._once and left > 0
        return chunks

    def _open(self, file: _Followed) -> bool:
        """Opens a file, and closes the one that was quiet longest when too many are open."""
        others = [one for one in self._files.values() if one.stream is not None]
        if len(others) >= _MOST_OPEN:
            quiet = [one for one in others if not one.waiting]
            if quiet:
                min(quiet, key=lambda one: one.came).close()
        return file.open()

    def _next(self, file: _Followed, most: int) -> Chunk | None:
        """Lines of an open file, at most so many; None when none has ended since."""
        stream = file.stream
        assert stream is not None, "an open file"
        while not file.waiting:
            if file.is_over or not (piece := stream.read(_PIECE_BYTES)):
                return None
            if not _is_same(file, stream, behind=len(piece)):
                # It was cut off and has grown beyond the place since; the next look begins it anew.
                file.is_anew, file.cutter, self._looked = True, LineCutter(), float("-inf")
                stream.seek(0, os.SEEK_END)
                return None
            file.mark = (file.mark + piece)[-_MARK_BYTES:]
            file.came = time.monotonic()
            file.waiting = file.cutter.cut(piece)
        lines, file.waiting = file.waiting[:most], file.waiting[most:]
        behind = file.cutter.waiting + sum(size_of(line) + 1 for line in file.waiting)
        file.offset = stream.tell() - behind
        return self._chunk(file, lines)

    def _last(self, file: _Followed) -> Chunk | None:
        """The line without an end with which a file ends; none where there is none."""
        stream, lines = file.stream, file.cutter.last()
        file.is_over = True
        if not lines or stream is None:
            return None
        file.offset, file.came = stream.tell(), time.monotonic()
        return self._chunk(file, lines)

    def _chunk(self, file: _Followed, lines: list[bytes]) -> Chunk:
        is_new, file.is_new = file.is_new, False
        return Chunk(self._shown(file.path), lines, file.position, file.came, is_new)

    def _look(self) -> None:
        """Finds files that are new or have grown, and lets go of those that were replaced."""
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
                if facts is not None and is_same and known.stream is None:
                    known.has_more = facts.st_size != known.seen and not known.is_over
                is_same = is_same and not known.is_anew
                # What a file held that was renamed is read to its end first.
                if is_same or not known.is_read:
                    continue
                known.close()
                del self._files[path]
            if (found := self._found(path, is_anew=known is not None and known.is_anew)) is not None:
                self._files[path] = found

    def _let_go(self, paths: set[Path], now: float) -> None:
        """Closes files that have been gone for a while and are read; who renamed one may still write to it."""
        for path in self._files.keys() - paths:
            file = self._files[path]
            file.gone = now if file.gone is None else file.gone
            if now - max(file.gone, file.came) >= _GONE_S and file.is_read:
                file.close()
                del self._files[path]

    def _paths(self) -> list[Path]:
        if self._path.is_dir():
            return sorted(p for p in self._path.iterdir() if p.suffix in ENDINGS and not p.name.startswith("."))
        return [self._path]

    def _found(self, path: Path, *, is_anew: bool = False) -> _Followed | None:
        """A file that was not followed so far; it is open while there is room."""
        try:
            stream = path.open("rb")
        except FileNotFoundError:
            return None
        facts = os.fstat(stream.fileno())
        place = None if is_anew else self._position_of(self._shown(path))
        before = json.loads(place) if place is not None else {}
        file = _Followed(path, stream, facts.st_ino, 0, is_new=True)
        if before.get("inode") == facts.st_ino and before.get("offset", 0) <= facts.st_size:
            file.offset, file.is_new = before["offset"], False
            stream.seek(file.offset)
            mark = os.pread(stream.fileno(), _MARK_BYTES, max(0, file.offset - _MARK_BYTES))
            file.mark = mark[: min(_MARK_BYTES, file.offset)]
        if sum(one.stream is not None for one in self._files.values()) >= _MOST_OPEN:
            file.close()
            file.has_more = facts.st_size > file.offset
        return file

    def _shown(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else str(path)

    def close(self) -> None:
        """Closes all files."""
        for file in self._files.values():
            file.close()


def _is_same(file: _Followed, stream: IO[bytes], *, behind: int) -> bool:
    """Whether what was read before the last so many bytes still stands there."""
    start = stream.tell() - behind - len(file.mark)
    return os.pread(stream.fileno(), len(file.mark), start) == file.mark


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
