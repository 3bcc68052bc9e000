"""Why a record is no row, in words; one place, so that every format says the same."""

from __future__ import annotations

from segctl.connectors.files.base import MAX_RECORD_BYTES, Reason
from segctl.connectors.files.paths import shortened

SHOWN = 60
"""Characters of a faulty value that a message repeats."""

NUL_BYTE = Reason("SEG365", "text without NUL bytes", "byte 00", "a NUL byte stands in the record")
OPEN_QUOTE = Reason(
    "SEG362", "a closing quote", "", "a quote opens here and is never closed; reading goes on with the next line"
)


def ragged(found: int, width: int) -> Reason:
    """The record has another number of fields than the header."""
    code, word = ("SEG360", "too few") if found < width else ("SEG361", "too many")
    return Reason(code, f"{width} fields", f"{found} fields", f"{word} fields: {found} instead of {width}")


def stray_text(after: str) -> Reason:
    """Something, `after`, stands between a closing quote and the next delimiter."""
    shown = shortened(after, SHOWN)
    message = f"`{shown}` follows a closing quote; a quote inside quotes is doubled"
    return Reason("SEG363", "a delimiter after the closing quote", shown, message)


def no_text(byte: str) -> Reason:
    """A byte, given as two hexadecimal digits, does not exist in the file's encoding."""
    shown = f"byte {byte.upper()}"
    message = f"{shown} is no text in this file's encoding"
    return Reason("SEG364", "text in the declared or detected encoding", shown, message)


def undecodable(raw: bytes) -> Reason | None:
    """Why the bytes are no UTF-8 text without NUL; None when they are."""
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return no_text(raw[error.start : error.start + 1].hex())
    return NUL_BYTE if b"\x00" in raw else None


def too_long(size: int) -> Reason:
    """The record is longer than anything sensible."""
    limit = f"{MAX_RECORD_BYTES // 1024 // 1024} MB"
    return Reason("SEG366", f"at most {limit} in a record", f"{size:,} bytes", f"the record is longer than {limit}")


def broken_off(why: str) -> Reason:
    """The file ends, or is damaged, within this record; `why` is a sentence such as ``the file breaks off``."""
    return Reason("SEG367", "a whole file", "", why)
