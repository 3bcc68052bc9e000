"""Text as UTF-8, whatever it was stored in; bytes that are no text stay recognisable."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from pathlib import Path

from segctl.connectors.files.streams import ByteStream
from segctl.model.errors import UsageError

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
# Bytes that Windows-1252 leaves undefined.
_NOT_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_UTF8_MANY = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x19]")
_FEW, _FEW_KINDS = 16, 4
_PIECE = 4 * 1024 * 1024
_MARK = "segctl-mark"


def _mark(error: UnicodeError) -> tuple[str, int]:
    """Undecodable bytes become single surrogates, which turn into invalid UTF-8 again and so mark their record."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + (byte if byte >= 0x80 else 0xFF)) for byte in wrong), error.end


codecs.register_error(_MARK, _mark)


class Utf8Stream:
    """The decompressed text of a file as UTF-8 bytes without byte order mark.

    What cannot be decoded comes out as bytes that are not valid UTF-8, so that the reader finds the record.
    """

    def __init__(self, stream: ByteStream, encoding: str) -> None:
        self._stream = stream
        self._encoding = codec_name(encoding)
        self._decoder = None if self._encoding == "utf-8" else codecs.getincrementaldecoder(self._encoding)(_MARK)
        self._start: bytes | None = b""

    def read(self, size: int) -> bytes:
        """About `size` bytes (more after decoding), at least one unless the stream is over."""
        while True:
            stored = self._stream.read(size)
            text = self._decoded(stored)
            if self._start is not None:
                text = self._without_mark(text, is_over=not stored)
            if text or not stored:
                return text

    def _without_mark(self, text: bytes, *, is_over: bool) -> bytes:
        """The first bytes without the byte order mark, which a stream may deliver in pieces."""
        whole = (self._start or b"") + text
        if len(whole) < len(_BOMS[0][0]) and not is_over:
            self._start = whole
            return b""
        self._start = None
        return whole.removeprefix(_BOMS[0][0])

    def _decoded(self, stored: bytes) -> bytes:
        if self._decoder is None:
            return stored
        parts = [stored[at : at + _PIECE] for at in range(0, len(stored), _PIECE)] or [b""]
        return b"".join(
            self._decoder.decode(part, final=not stored).encode("utf-8", "surrogateescape") for part in parts
        )


def codec_name(encoding: str) -> str:
    """Python's canonical name of a codec, with everyday names understood.

    Raises:
        UsageError: SEG346, there is no such text codec.
    """
    everyday = {
        "utf-8-sig": "utf-8",
        "ansi": "cp1252",
        "windows": "cp1252",
        "utf-16": "utf-16-le",
        "unicode": "utf-16-le",
    }
    wanted = everyday.get(encoding.strip().lower(), encoding.strip())
    try:
        found = codecs.lookup(wanted)
        b"".decode(wanted)
    except (LookupError, ValueError) as error:
        raise UsageError(
            "SEG346",
            f"`{encoding}` is not a text encoding",
            hint="usual ones: `utf-8`, `cp1252` (Windows, western Europe), `latin-1`, `utf-16-le`",
        ) from error
    return {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(found.name, found.name)


def encoding_of(sample: bytes, *, whole: bool) -> tuple[str, str]:
    """The encoding of a text by its first bytes, and how it was found out.

    Args:
        sample: The first bytes of the text.
        whole: The sample is the whole text; else it may end inside a character.
    """
    for bom, name in _BOMS:
        if sample.startswith(bom):
            return name, f"encoding {name}: byte order mark"
    if wide := _utf16_by_zeros(sample):
        return wide, f"encoding {wide}: every other byte is zero"
    if sample.isascii():
        return "utf-8", "encoding utf-8: nothing but ASCII"
    try:
        codecs.utf_8_decode(sample, "strict", whole)
    except UnicodeDecodeError:
        return _single_byte(sample)
    return "utf-8", "encoding utf-8: all characters beyond ASCII are well-formed"


def _single_byte(sample: bytes) -> tuple[str, str]:
    rest, many = _UTF8_MANY.subn(b"", sample)
    alone = sum(byte >= 0x80 for byte in rest)
    if many > alone:
        return "utf-8", f"encoding utf-8: {many:,} well-formed characters beyond ASCII, {alone:,} damaged bytes"
    if _NOT_CP1252.search(sample):
        return "latin-1", "encoding latin-1: not UTF-8, and some bytes do not exist in cp1252"
    return "cp1252", f"encoding cp1252: {alone:,} bytes are not UTF-8"


def _utf16_by_zeros(sample: bytes) -> str | None:
    pairs = len(sample) // 2
    if pairs == 0:
        return None
    even, odd = sample[0::2].count(0) / pairs, sample[1::2].count(0) / pairs
    if odd > 0.3 and even < 0.1:
        return "utf-16-le"
    if even > 0.3 and odd < 0.1:
        return "utf-16-be"
    return None


def is_binary(sample: bytes, encoding: str) -> bool:
    """True when too many control characters stand in the sample for a text."""
    text = sample.decode(encoding, "ignore")[:65536]
    odd = Counter(_CONTROL.findall(text))
    # A damaged text has one kind of them (a block of zeros), a program or picture has all kinds.
    return odd.total() > max(_FEW, len(text) * (0.01 if len(odd) > _FEW_KINDS else 0.3))


def readable(raw: bytes) -> str:
    r"""Bytes of a record as text; what is no UTF-8 appears as ``\xNN``."""
    return raw.decode("utf-8", "backslashreplace")


def open_text(path: Path, compression: str, encoding: str) -> tuple[ByteStream, Utf8Stream]:
    """The stored bytes, to close and to ask for progress, and the text they hold."""
    stream = ByteStream(path, compression)
    return stream, Utf8Stream(stream, encoding)
