"""Columns whose texts all have one length, as ids and times have, taken as a table of bytes.

What a query does text by text is then a few steps over whole columns of bytes, in pieces that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

LONGEST = 64
PIECE_ROWS = 16 * 1024
_FEWEST = 1_000
_TIME = "0000-00-00 00:00:00"
_BITS = np.uint64(0x8080808080808080)
_DAY, _SECOND = 86_400, 1_000_000
_LAST_YEAR = 9999
_MICRO_DIGITS = 6


def byte_table(texts: pl.Series) -> Bytes | None:
    """One row of bytes for each text; None where lengths differ, texts are missing, long or few."""
    if len(texts) < _FEWEST or texts.dtype != pl.String or texts.null_count():
        return None
    lengths = texts.str.len_bytes()
    width = lengths.max()
    if not isinstance(width, int) or not 0 < width <= LONGEST or lengths.min() != width:
        return None
    table = texts.cast(pl.Binary).bin.reinterpret(dtype=pl.Array(pl.UInt8, width), endianness="little").to_numpy()
    return np.ascontiguousarray(table)


def is_trimmed_ascii(table: Bytes) -> bool:
    """No sign beyond ASCII, and no blank at an end of a text."""
    return bool(table.max() < 128 and table[:, 0].min() > 32 and table[:, -1].min() > 32)


def pieces(table: Bytes) -> Iterator[tuple[slice, Bytes]]:
    """Rows of the table, so many at once that work on them stays in the cache."""
    for start in range(0, len(table), PIECE_ROWS):
        rows = slice(start, min(start + PIECE_ROWS, len(table)))
        yield rows, table[rows]


def word_at(table: Bytes, at: int) -> Words:
    """Eight bytes of each row from a position on, the first the lowest; those behind the last are 0."""
    height, width = table.shape
    if width < 8:
        padded = np.zeros((height, 8), dtype=np.uint8)
        padded[:, : width - at] = table[:, at:]
        return padded.view("<u8")[:, 0].astype(np.uint64)
    behind = max(at + 8 - width, 0)
    view: Words = np.ndarray((height,), dtype="<u8", buffer=table, offset=at - behind, strides=(width,))
    # Reading past the end of the last row would be reading somebody else's memory.
    return view >> np.uint64(8 * behind) if behind else view.astype(np.uint64)


def wall_times(table: Bytes, separator: str) -> Numbers | None:
    """Microseconds since 1970 of ``YYYY-MM-DD?HH:MM:SS`` at the start of each row; None where one is no such time."""
    found = np.empty(len(table), dtype=np.int64)
    for rows, piece in pieces(table):
        times = _piece_times(piece, separator)
        if times is None:
            return None
        found[rows] = times
    return found


def utc_times(table: Bytes) -> Numbers | None:
    """Microseconds since 1970 of times that all say UTC in one form, to the second or finer; None where one does not.

    Such forms are ``2026-11-21T10:00:00Z`` and ``2026-11-21 10:00:00.123456+00:00``.
    """
    signs = bytes(table[0])
    end = next((end for end in (b"Z", b"+00:00") if signs.endswith(end)), None)
    if end is None or signs[10:11] not in (b"T", b" ") or (table[:, -len(end) :] != tuple(end)).any():
        return None
    fraction = table[:, 19 : -len(end)]
    digits = fraction.shape[1] - 1
    if digits == 0 or digits > _MICRO_DIGITS or (digits > 0 and (fraction[:, 0] != ord(".")).any()):
        return None
    times = wall_times(table, chr(signs[10]))
    if times is None or digits < 0:
        return times
    values = fraction[:, 1:] - np.uint8(ord("0"))
    if values.max() > 9:
        return None
    weights = 10 ** np.arange(_MICRO_DIGITS - 1, _MICRO_DIGITS - 1 - digits, -1, dtype=np.int64)
    found: Numbers = times + values @ weights
    return found


def _piece_times(table: Bytes, separator: str) -> Numbers | None:
    form = _TIME.replace(" ", separator).encode()
    wrong = np.uint64(0)
    pairs: list[Words] = []
    for at in (0, 3, 11):
        signs = word_at(table, at) ^ np.uint64(int.from_bytes(form[at : at + 8], "little"))
        # What is left of a digit is at most 9, of any other sign nothing: more would carry into the highest bit.
        limits = sum((0x76 if form[at + i] == ord("0") else 0x7F) << (8 * i) for i in range(8))
        wrong |= np.bitwise_or.reduce((signs + np.uint64(limits)) | signs)
        if wrong & _BITS:
            return None
        pairs.append(signs * np.uint64(10) + (signs >> np.uint64(8)))
    start, day, clock = pairs
    year = _byte(start, 0) * 100 + _byte(start, 2)
    month, date = _byte(start, 5), _byte(day, 5)
    hour, minute, second = (_byte(clock, at) for at in (0, 3, 6))
    if year.min() < 1 or month.min() < 1 or month.max() > 12 or hour.max() > 23 or max(minute.max(), second.max()) > 59:
        return None
    at_month = year * 12 + month
    firsts = _firsts_of_months()[at_month]
    if date.min() < 1 or (firsts + date > _firsts_of_months()[at_month + 1]).any():
        return None
    times: Numbers = ((firsts + (date - 1)) * _DAY + hour * 3600 + minute * 60 + second) * _SECOND
    return times


def _byte(words: Words, at: int) -> Numbers:
    return ((words >> np.uint64(8 * at)) & np.uint64(0xFF)).view(np.int64)


@cache
def _firsts_of_months() -> Numbers:
    """Days since 1970 of the first day of month `m` of year `y`, at ``12 y + m``."""
    months = np.arange(-1970 * 12 - 1, (_LAST_YEAR - 1970 + 1) * 12 + 1).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64)
