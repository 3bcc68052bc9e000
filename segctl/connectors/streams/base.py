"""What a feed gives: lines with their place, and when they came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from segctl.connectors.files.base import MAX_RECORD_BYTES

MOST_WAITING_BYTES = 8 * 1024 * 1024
"""A feed that reads ahead holds at most so much; whoever writes must wait then."""
OVERLONG = b"\x00overlong\x00"
"""What stands for a line beyond the limit, with its length behind it: no JSON text begins so."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of one input.

    Attributes:
        feed: Name of the input.
        lines: Without line ends.
        position: Where to go on after the last of them.
        came: Monotonic seconds when the first of them was there.
        is_new: The input begins with them: what an earlier one of that name held has nothing to do with it.
    """

    feed: str
    lines: list[bytes]
    position: str
    came: float
    is_new: bool = False


class Feed(Protocol):
    """A source of lines that goes on until it ends."""

    @property
    def has_ended(self) -> bool:
        """Nothing follows, ever."""
        ...

    def read(self, timeout_s: float, most_lines: int) -> list[Chunk]:
        """The lines that are there; waits at most so long for the first of them."""
        ...

    def close(self) -> None:
        """Lets go of what it reads."""
        ...


PositionOf = Callable[[str], str | None]
"""Name of an input → where to go on; None for one that was never read."""


@dataclass(slots=True)
class LineCutter:
    """Cuts bytes into lines; of a line beyond the limit nothing but its length is kept."""

    _passing: int = 0
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0

    def cut(self, piece: bytes) -> list[bytes]:
        """The lines that end in this piece."""
        if b"\n" not in piece:
            self._keep(piece)
            return []
        first, *others = piece.split(b"\n")
        lines = [self._ended(first), *others[:-1]]
        self._keep(others[-1])
        return [line if len(line) <= MAX_RECORD_BYTES else overlong(len(line)) for line in lines]

    def last(self) -> list[bytes]:
        """What stands after the last line end, as a line; nothing where nothing stands."""
        return [self._ended(b"")] if self._size or self._passing else []

    @property
    def waiting(self) -> int:
        """Bytes of the line that has not ended yet."""
        return self._passing + self._size

    def _keep(self, piece: bytes) -> None:
        if self._passing or self._size + len(piece) > MAX_RECORD_BYTES:
            self._passing += self._size + len(piece)
            self._parts, self._size = [], 0
        elif piece:
            self._parts.append(piece)
            self._size += len(piece)

    def _ended(self, piece: bytes) -> bytes:
        passing, parts = self._passing, self._parts
        self._passing, self._parts, self._size = 0, [], 0
        if passing:
            return overlong(passing + len(piece))
        return b"".join((*parts, piece)) if parts else piece


def overlong(size: int) -> bytes:
    """What stands for a line of so many bytes."""
    return OVERLONG + str(size).encode()


def size_of(line: bytes) -> int:
    """Bytes that a line had."""
    return int(line.removeprefix(OVERLONG)) if line.startswith(OVERLONG) else len(line)
