"""Lines from a pipe, such as standard input: read ahead by a thread, up to a bound."""

from __future__ import annotations

import os
import select
import threading
import time
from collections import deque

from segctl.connectors.streams.base import MOST_WAITING_BYTES, Chunk, LineCutter

_PIECE_BYTES = 256 * 1024
_POLL_S = 0.1


class PipeFeed:
    """A descriptor that is read until it ends.

    What was read and not committed when the process dies is gone with the pipe, so whoever feeds it feeds again from
    the last acknowledged record; what came before is known by its event id.
    """

    def __init__(self, name: str, descriptor: int) -> None:
        self._name = name
        self._descriptor = descriptor
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._waiting = 0
        self._taken = 0
        self._is_over = False
        self._is_first = True
        self._stop = False
        self._change = threading.Condition()
        self._cutter = LineCutter()
        self._error: OSError | None = None
        self._rest: tuple[float, list[bytes]] = (0.0, [])
        self._reader = threading.Thread(target=self._run, daemon=True)
        self._reader.start()

    @property
    def has_ended(self) -> bool:
        """The other end is closed and every line was given."""
        with self._change:
            return self._is_over and not self._pieces and not self._rest[1] and not self._cutter.waiting

    def read(self, timeout_s: float, most_lines: int) -> list[Chunk]:
        """The lines that are there; waits at most so long for the first of them.

        Raises:
            OSError: The pipe cannot be read.
        """
        came, lines = self._rest
        if len(lines) < most_lines:
            came, lines = self._more(came, lines, timeout_s, most_lines)
        lines, left = lines[:most_lines], lines[most_lines:]
        self._rest = (came, left)
        if not lines:
            return []
        self._taken += len(lines)
        is_new, self._is_first = self._is_first, False
        return [Chunk(self._name, lines, str(self._taken), came, is_new)]

    def _more(self, came: float, lines: list[bytes], timeout_s: float, most: int) -> tuple[float, list[bytes]]:
        with self._change:
            if not lines and not self._pieces and not self._is_over:
                self._change.wait(timeout_s)
            if self._error is not None:
                raise self._error
            while self._pieces and len(lines) < most:
                at, piece = self._pieces.popleft()
                came = came if lines else at
                lines = lines + self._cutter.cut(piece) if lines else self._cutter.cut(piece)
                self._waiting -= len(piece)
            if self._is_over and not self._pieces:
                came = came if lines else time.monotonic()
                lines = lines + self._cutter.last()
            self._change.notify_all()
        return came, lines

    def _run(self) -> None:
        try:
            while not self._stop:
                if not select.select([self._descriptor], [], [], _POLL_S)[0]:
                    continue
                piece = os.read(self._descriptor, _PIECE_BYTES)
                if not piece:
                    break
                self._put(piece)
        except OSError as error:
            self._error = error
        with self._change:
            self._is_over = True
            self._change.notify_all()

    def _put(self, piece: bytes) -> None:
        with self._change:
            while self._waiting > MOST_WAITING_BYTES and not self._stop:
                self._change.wait(_POLL_S)
            self._pieces.append((time.monotonic(), piece))
            self._waiting += len(piece)
            self._change.notify_all()

    def close(self) -> None:
        """Ends the reading thread."""
        self._stop = True
        self._reader.join(timeout=1.0)
