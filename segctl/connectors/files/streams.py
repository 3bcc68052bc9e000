"""Bytes of a file, decompressed on the way; a file that breaks off says where."""

from __future__ import annotations

import stat
import zlib
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from segctl.connectors.files.paths import unreadable
from segctl.model.errors import DataError, UsageError

# A zstd block of 128 KB can hide in 4 bytes, so small bites bound what one of them expands to.
_ZSTD_BITE = 4 * 1024
_GZIP_BITE = 64 * 1024
_REPLAY_BITE = 64
_PLACES = 32
_PLACE_BYTES = 64 * 1024
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_REFUSED = {b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"7z\xbc\xaf\x27\x1c": "7-Zip", b"Rar!\x1a\x07": "RAR"}


class _Decoder(Protocol):
    def feed(self, piece: bytes) -> bytes: ...
    def end(self) -> str | None: ...


class ByteStream:
    """Decompressed bytes of one file; use it as a context manager.

    Attributes:
        bytes_done: Bytes of the stored file consumed so far.
        broken: None, or why the bytes end before they should: ``breaks off at byte 1,024 …``.
    """

    def __init__(self, path: Path, compression: str) -> None:
        self._path = path
        self._decoder: _Decoder | None = _decoder(compression)
        self._file = _opened(path)
        self.bytes_done = 0
        self.broken: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        """About `size` bytes, at least one unless the stream is over."""
        if self._decoder is None:
            return self._take(size)
        pieces: list[bytes] = []
        have = 0
        while have < size and self.broken is None:
            piece, over = self._decoded()
            pieces.append(piece)
            have += len(piece)
            if over:
                break
        return b"".join(pieces)

    def _decoded(self) -> tuple[bytes, bool]:
        assert self._decoder is not None
        stored = self._take(_ZSTD_BITE if isinstance(self._decoder, _Zstd) else _GZIP_BITE)
        try:
            piece = self._decoder.feed(stored)
        except _Damaged as damage:
            self.broken = f"is damaged near byte {self.bytes_done:,} of the compressed file ({damage.reason})"
            return damage.rescued, True
        if stored or piece:
            return piece, False
        if reason := self._decoder.end():
            self.broken = f"breaks off at byte {self.bytes_done:,} of the compressed file ({reason})"
        return b"", True

    def _take(self, size: int) -> bytes:
        try:
            piece = self._file.read(size)
        except OSError as error:
            raise unreadable(self._path, error) from error
        self.bytes_done += len(piece)
        return piece


class _Damaged(Exception):  # noqa: N818 - private signal
    def __init__(self, rescued: bytes, reason: str) -> None:
        super().__init__(reason)
        self.rescued = rescued
        self.reason = reason


class _Gzip:
    """All members of a gzip file, one after another."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(wbits=31)
        self._finished = False

    def feed(self, piece: bytes) -> bytes:
        out: list[bytes] = []
        while piece:
            if self._finished:
                piece = piece.lstrip(b"\x00")  # tapes and some tools pad with zeros
                if not piece:
                    break
                self._inflater, self._finished = zlib.decompressobj(wbits=31), False
            before = self._inflater.copy()
            try:
                out.append(self._inflater.decompress(piece))
            except zlib.error as error:
                out.append(_up_to_damage(before, piece))
                raise _Damaged(b"".join(out), str(error)) from error
            piece, self._finished = self._inflater.unused_data, self._inflater.eof
        return b"".join(out)

    def end(self) -> str | None:
        return None if self._finished else "the end of the gzip stream is missing"


def _up_to_damage(inflater: zlib._Decompress, piece: bytes) -> bytes:
    """What the bite holds before the damage; inflating it at once would give nothing."""
    out: list[bytes] = []
    for start in range(0, len(piece), _REPLAY_BITE):
        try:
            out.append(inflater.decompress(piece[start : start + _REPLAY_BITE]))
        except zlib.error:
            break
    return b"".join(out)


class _Zstd:
    """All frames of a zstd file, one after another."""

    def __init__(self) -> None:
        import zstandard

        self._error = zstandard.ZstdError
        self._new = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj
        self._frame = self._new()
        self._finished = False

    def feed(self, piece: bytes) -> bytes:
        out: list[bytes] = []
        while piece:
            if self._finished:
                self._frame, self._finished = self._new(), False
            try:
                out.append(self._frame.decompress(piece))
            except self._error as error:
                raise _Damaged(b"".join(out), str(error)) from error
            piece, self._finished = self._frame.unused_data, self._frame.eof
        return b"".join(out)

    def end(self) -> str | None:
        return None if self._finished else "the end of the zstd frame is missing"


def _decoder(compression: str) -> _Decoder | None:
    if compression == "none":
        return None
    if compression == "gzip":
        return _Gzip()
    if compression == "zstd":
        return _Zstd()
    raise UsageError(
        "SEG354",
        f"`{compression}` is not a compression",
        hint="`none`, `gzip` or `zstd`; leave it out to have it detected",
    )


def _opened(path: Path) -> IO[bytes]:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UsageError(
                "SEG341",
                f"`{path}` is a folder, not a file",
                hint="a folder as a source's `path` reads all files in it",
            )
        if not stat.S_ISREG(mode):
            raise UsageError("SEG341", f"`{path}` is not a regular file", hint="give `-` to read standard input")
        return path.open("rb")
    except OSError as error:
        raise unreadable(path, error) from error


def compression_of(path: Path) -> str:
    """``none``, ``gzip`` or ``zstd``, by the first bytes; never by the name.

    Raises:
        DataError: SEG344, compressed in a way that is not read here.
    """
    with ByteStream(path, "none") as stream:
        start = stream.read(8)
    for magic, name in _REFUSED.items():
        if start.startswith(magic):
            raise DataError(
                "SEG344", f"`{path}` is a {name} archive", hint="unpack it, or compress it with gzip or zstd"
            )
    return next((name for magic, name in _MAGIC.items() if start.startswith(magic)), "none")


def further(path: Path, start: int) -> bytes:
    """Whole lines from places spread over an uncompressed file, from byte `start` on."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            pieces: list[bytes] = []
            for place in range(_PLACES if size > start else 0):
                file.seek(start + (size - start) * place // _PLACES)
                lines = file.read(_PLACE_BYTES).split(b"\n")
                pieces += lines[1:-1]
    except OSError as error:
        raise unreadable(path, error) from error
    return b"\n".join(pieces)


def head(path: Path, compression: str, size: int) -> bytes:
    """The first `size` decompressed bytes, fewer when the file is shorter or broken."""
    with ByteStream(path, compression) as stream:
        pieces: list[bytes] = []
        have = 0
        while have < size and (piece := stream.read(size - have)):
            pieces.append(piece)
            have += len(piece)
    return b"".join(pieces)[:size]
