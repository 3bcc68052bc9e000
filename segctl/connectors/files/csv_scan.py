"""Cut a chunk of CSV text into rows: whole columns of positions where it is clean, record by record where not."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from segctl.connectors.files.base import MAX_RECORD_BYTES, BadRow, Reason
from segctl.connectors.files.csv_record import Dialect, Fields, Outcome, Parsed, parse_record, write_record
from segctl.connectors.files.faults import OPEN_QUOTE, SHOWN, ragged, stray_text, too_long, undecodable
from segctl.connectors.files.paths import shortened
from segctl.connectors.files.text import readable

Positions = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

_DECODE_BITE = 1024 * 1024
_COUNT_BITE = 128 * 1024


@dataclass(frozen=True, slots=True)
class Scan:
    """What a chunk holds.

    Attributes:
        text: Its rows as clean CSV. After `scan_quickly` only their total width is known, so that the parser
            must insist on the width of each row and on the encoding.
        lines: Physical line of each row.
        bad: Records that are no rows, by line.
        used: Bytes of the chunk that were dealt with; the rest belongs before the next chunk.
        ends: Line ends in them, None when nobody counted.
    """

    text: bytes
    lines: Positions
    bad: tuple[BadRow, ...]
    used: int
    ends: int | None = None


def scan_quickly(chunk: bytes, line: int, dialect: Dialect, *, final: bool) -> Scan | None:
    """The rows of a chunk without any trouble in it; None when there may be trouble.

    The chunk starts where a record starts, on physical line `line`.
    """
    if b"\x00" in chunk or dialect.comment or _has_blank_line(chunk, dialect) or _has_lone_return(chunk, dialect):
        return None
    if not dialect.quote or dialect.quote not in chunk:
        return _count(chunk, line, dialect, final=final)
    return _check_quotes(chunk, line, dialect, final=final)


def _has_blank_line(chunk: bytes, dialect: Dialect) -> bool:
    # With several columns, a blank line shows in the number of delimiters.
    if dialect.written_width > 1:
        return False
    blanks = (dialect.eol * 2, dialect.eol + b"\r" + dialect.eol)
    return chunk.startswith((dialect.eol, b"\r")) or any(blank in chunk for blank in blanks)


def _has_lone_return(chunk: bytes, dialect: Dialect) -> bool:
    """A carriage return that ends no line; Polars takes a field of nothing else for empty."""
    return dialect.eol == b"\n" and b"\r" in chunk and chunk.count(b"\r") != chunk.count(b"\r\n")


def _count(chunk: bytes, line: int, dialect: Dialect, *, final: bool) -> Scan | None:
    """Without quotes, counting suffices.

    If the delimiters are (width - 1) × rows and the CSV parser refuses rows with too many, none has too few.
    """
    used = len(chunk) if final else chunk.rfind(dialect.eol) + 1
    # Only the first record can be over-long: the rest came in one piece that is not longer than the limit.
    first = chunk.find(dialect.eol)
    if (used if first < 0 else first) > MAX_RECORD_BYTES:
        return None
    codes = np.frombuffer(chunk, dtype=np.uint8, count=used)
    ends, delimiters = _counted(codes, dialect)
    rows = ends + (used > 0 and chunk[used - 1 : used] != dialect.eol)
    if delimiters != rows * (dialect.written_width - 1):
        return None
    lines = np.arange(line, line + rows, dtype=np.int64)
    return Scan(_ended(chunk, used, dialect), lines, (), used, ends)


def _counted(codes: Bytes, dialect: Dialect) -> tuple[int, int]:
    """Line ends and delimiters, piece by piece, so that what is compared stays in the cache."""
    eol, delimiter, ends, delimiters = ord(dialect.eol), ord(dialect.delimiter), 0, 0
    for start in range(0, len(codes), _COUNT_BITE):
        piece = codes[start : start + _COUNT_BITE]
        ends += int(np.count_nonzero(piece == eol))
        delimiters += int(np.count_nonzero(piece == delimiter))
    return ends, delimiters


def _ended(chunk: bytes, used: int, dialect: Dialect) -> bytes:
    text = chunk if used == len(chunk) else chunk[:used]
    return text if not text or text.endswith(dialect.eol) else text + dialect.eol


@dataclass(frozen=True, slots=True)
class _Tokens:
    """Every delimiter, quote and line end of a chunk.

    Attributes:
        at: Byte positions.
        is_end: Line ends.
        is_quote: Quotes.
        quotes: Quotes up to and including each token.
    """

    at: Positions
    is_end: Flags
    is_quote: Flags
    quotes: Positions


def _tokens(codes: Bytes, dialect: Dialect) -> _Tokens:
    mask = codes == ord(dialect.delimiter)
    mask |= codes == ord(dialect.eol)
    if dialect.quote:
        mask |= codes == ord(dialect.quote)
    at = np.flatnonzero(mask)
    token = codes[at]
    is_quote = token == ord(dialect.quote) if dialect.quote else np.zeros(len(at), dtype=np.bool_)
    return _Tokens(at, token == ord(dialect.eol), is_quote, np.cumsum(is_quote, dtype=np.int64))


def _misplaced(codes: Bytes, at: Positions, is_opening: Flags, dialect: Dialect) -> Flags:
    """Quotes that neither start a field nor end one nor double each other."""
    quote, delimiter, eol = (ord(mark) for mark in (dialect.quote, dialect.delimiter, dialect.eol))
    padded = np.concatenate((np.array([eol], np.uint8), codes, np.array([eol, eol], np.uint8)))
    before, after = padded[at], padded[at + 2]
    fine_before = (before == delimiter) | (before == eol) | (before == quote)
    fine_after = (after == delimiter) | (after == eol) | (after == quote)
    if eol == ord("\n"):
        fine_after |= (after == ord("\r")) & (padded[np.minimum(at + 3, len(padded) - 1)] == eol)
    misplaced: Flags = ~np.where(is_opening, fine_before, fine_after)
    return misplaced


def _check_quotes(chunk: bytes, line: int, dialect: Dialect, *, final: bool) -> Scan | None:
    """With quotes, every one must open or close a field; then counting what lies outside them suffices, as above."""
    codes = np.frombuffer(chunk, dtype=np.uint8)
    quotes = np.flatnonzero(codes == ord(dialect.quote))
    newlines = np.flatnonzero(codes == ord(dialect.eol))
    before = np.searchsorted(quotes, newlines)
    ends = newlines[(before & 1) == 0]
    used = len(chunk) if final else (int(ends[-1]) + 1 if len(ends) else 0)
    quotes = quotes[: np.searchsorted(quotes, used)]
    if not used or (ends[0] if len(ends) else used) > MAX_RECORD_BYTES or not _are_paired(codes, quotes, dialect):
        return None
    if used > (ends[-1] + 1 if len(ends) else 0):
        ends = np.append(ends, used)
    if _outside(codes[:used], quotes, dialect) != len(ends) * (dialect.written_width - 1):
        return None
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1] + 1))
    lines = line + (np.arange(len(ends)) if len(ends) >= len(newlines) else np.searchsorted(newlines, starts))
    return Scan(_ended(chunk, used, dialect), lines.astype(np.int64), (), used)


def _are_paired(codes: Bytes, quotes: Positions, dialect: Dialect) -> bool:
    """The quotes open and close fields by turns, doubled ones being a close and an open that touch."""
    opening, closing = quotes[0::2], quotes[1::2]
    if len(opening) != len(closing) or not len(quotes):
        return len(opening) == len(closing)
    is_border = np.zeros(256, dtype=np.bool_)
    is_border[[ord(dialect.delimiter), ord(dialect.eol), ord(dialect.quote)]] = True
    starts_well = is_border[codes[opening[1:] - 1]].all() and (opening[0] == 0 or is_border[codes[opening[0] - 1]])
    if closing[-1] + 1 == len(codes):
        closing = closing[:-1]
    # No return stands alone in this chunk, so one after a quote belongs to a line end.
    is_border[ord("\r")] = True
    return bool(starts_well and is_border[codes[closing + 1]].all())


def _outside(codes: Bytes, quotes: Positions, dialect: Dialect) -> int:
    """How many delimiters lie outside quotes."""
    delimiters = codes == ord(dialect.delimiter)
    total, closing = int(np.count_nonzero(delimiters)), quotes[1::2]
    after = closing[:-1] + 1 if len(closing) and closing[-1] + 1 == len(codes) else closing + 1
    # Where every field is quoted, each delimiter follows a quote: none is left to lie inside.
    if np.count_nonzero(delimiters[after]) == total:
        return total
    inside = np.add.reduceat(delimiters.view(np.uint8), quotes, dtype=np.int32)[0::2] if len(quotes) else quotes
    return total - int(inside.sum())


def scan_carefully(chunk: bytes, line: int, dialect: Dialect, *, final: bool, file: str) -> Scan:
    """The rows and the bad records of a chunk, whatever it holds.

    `used` may be 0: then the first record is not complete, and more text is needed.
    """
    end = len(chunk) if final else chunk.rfind(dialect.eol) + 1
    walk = _Walk(chunk, end, line, dialect, file, final=final)
    for special in walk.special():
        if special >= walk.next and not walk.take(special):
            break
    else:
        walk.take_clean(len(walk.starts))
    return walk.result()


@dataclass(slots=True)
class _Walk:
    """Physical lines of a chunk in order; clean ones go in runs, the others one record at a time."""

    chunk: bytes
    end: int
    line: int
    dialect: Dialect
    file: str
    final: bool = field(kw_only=True)
    next: int = 0
    starts: Positions = field(init=False)
    fields: Positions = field(init=False)
    suspect: Flags = field(init=False)
    wrong: set[int] = field(init=False)
    pieces: list[bytes] = field(default_factory=list)
    lines: list[Positions] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        codes = np.frombuffer(self.chunk, dtype=np.uint8, count=self.end)
        tokens = _tokens(codes, self.dialect)
        ends = tokens.at[tokens.is_end]
        starts = np.concatenate((np.zeros(1, np.int64), ends + 1))
        self.starts = starts[starts < self.end]
        self.wrong = set(
            np.searchsorted(starts, _undecodable(self.chunk, self.end, codes, self.dialect.eol), side="right") - 1
        )
        self._read_tokens(codes, tokens)

    def _read_tokens(self, codes: Bytes, tokens: _Tokens) -> None:
        """Fields per line, and which lines do not stand for themselves, as if each line were a record."""
        count = len(self.starts)
        line_of: Positions = np.cumsum(tokens.is_end) - tokens.is_end
        before = np.concatenate((np.zeros(1, np.int64), tokens.quotes[tokens.is_end]))
        inside = ((tokens.quotes - before[line_of]) & 1) == 1
        is_delimiter = ~tokens.is_end & ~tokens.is_quote
        self.fields = np.bincount(line_of[is_delimiter & ~inside], minlength=count)[:count] + 1
        self.suspect = np.zeros(count, dtype=np.bool_)
        if self.dialect.quote:
            at: Positions = tokens.at[tokens.is_quote]
            of: Positions = line_of[tokens.is_quote]
            self.suspect[of[_misplaced(codes, at, inside[tokens.is_quote], self.dialect)]] = True
            self.suspect |= (np.bincount(of, minlength=count)[:count] & 1) == 1

    def special(self) -> list[int]:
        """Lines that cannot be taken in a run."""
        stops = np.append(self.starts[1:], self.end)
        flags = self.suspect | (self.fields != self.dialect.written_width) | (stops - self.starts > MAX_RECORD_BYTES)
        flags[list(self.wrong)] = True
        codes = np.frombuffer(self.chunk, dtype=np.uint8, count=self.end)
        if _has_lone_return(self.chunk, self.dialect):
            returns = np.flatnonzero(codes == ord("\r"))
            lone = returns[np.append(codes, 0)[returns + 1] != ord("\n")]
            flags[np.searchsorted(self.starts, lone, side="right") - 1] = True
        if self.dialect.written_width == 1 and self.end:
            first = codes[self.starts]
            flags |= (first == ord(self.dialect.eol)) | (first == ord("\r"))
        if self.dialect.comment:
            flags |= codes[self.starts] == self.dialect.comment[0]
        if self.dialect.trailing:
            last = np.maximum(stops - 1 - (codes[stops - 1] == ord(self.dialect.eol)), self.starts)
            last = np.maximum(last - (codes[last] == ord("\r")), self.starts)
            flags |= codes[last] != ord(self.dialect.delimiter)
        return [int(index) for index in np.flatnonzero(flags)]

    def take_clean(self, upto: int) -> None:
        """Hand over the lines before `upto` that were not handed over yet."""
        if upto > self.next:
            self._add(
                self.chunk[self.starts[self.next] : self._start(upto)], np.arange(self.next, upto, dtype=np.int64)
            )
            self.next = upto

    def take(self, index: int) -> bool:
        """Deal with the record that starts on this line; False when it is not complete yet."""
        self.take_clean(index)
        start, stop = int(self.starts[index]), self._start(index + 1)
        content = self.chunk[start:stop].rstrip(b"\r\n")
        if not content or (self.dialect.comment and content.startswith(self.dialect.comment)):
            self.next = index + 1
            return True
        if stop - start > MAX_RECORD_BYTES:
            self._reject(index, index + 1, too_long(stop - start))
            return True
        parsed = parse_record(self.chunk, start, self.end, self.dialect)
        if parsed.outcome is Outcome.OPEN and not self.final and len(self.chunk) - start <= MAX_RECORD_BYTES:
            return False
        self._judge(index, start, parsed)
        return True

    def _judge(self, index: int, start: int, parsed: Parsed) -> None:
        if parsed.outcome is not Outcome.RECORD or parsed.stop - start > MAX_RECORD_BYTES:
            self._reject(index, index + 1, _fault(self.chunk, parsed))
            return
        after = int(np.searchsorted(self.starts, parsed.stop, side="left"))
        row = _fitted(parsed.fields, self.dialect.width)
        if not self.wrong.isdisjoint(range(index, after)):
            self._reject(index, after, undecodable(self.chunk[start : parsed.stop]) or OPEN_QUOTE)
        elif row is not None:
            self._add(write_record(row, self.dialect), np.array([index], dtype=np.int64))
            self.next = after
        elif after > index + 1 and self._is_row(index + 1):
            # Records in one's own quotes: the lines that follow are rows by themselves.
            self._reject(index, index + 1, OPEN_QUOTE)
        else:
            self._reject(index, after, ragged(len(parsed.fields), self.dialect.width))

    def _is_row(self, index: int) -> bool:
        return bool(self.fields[index] == self.dialect.written_width) and not bool(self.suspect[index])

    def _reject(self, index: int, after: int, reason: Reason) -> None:
        raw = self.chunk[int(self.starts[index]) : self._start(after)]
        raw = raw.removesuffix(self.dialect.eol)
        raw = raw.removesuffix(b"\r") if self.dialect.eol == b"\n" else raw
        text = readable(raw) if len(raw) <= MAX_RECORD_BYTES else shortened(readable(raw[: 8 * _DECODE_BITE]))
        self.bad.append(BadRow(self.file, self.line + index, text, reason))
        self.next = after

    def _add(self, text: bytes, indices: Positions) -> None:
        if not text.endswith(self.dialect.eol):
            text += self.dialect.eol
        self.pieces.append(text)
        self.lines.append(self.line + indices)

    def _start(self, index: int) -> int:
        return int(self.starts[index]) if index < len(self.starts) else self.end

    def result(self) -> Scan:
        """What was found up to the line that comes next."""
        lines = np.concatenate(self.lines) if self.lines else np.zeros(0, dtype=np.int64)
        return Scan(b"".join(self.pieces), lines, tuple(self.bad), self._start(self.next))


def _fault(chunk: bytes, parsed: Parsed) -> Reason:
    if parsed.outcome is not Outcome.STRAY:
        return OPEN_QUOTE
    return stray_text(readable(chunk[parsed.stop : parsed.stop + 4 * SHOWN].splitlines()[0]))


def _fitted(fields: Fields, width: int) -> Fields | None:
    """The fields of a row, without the empty one after a trailing delimiter; None when the number is wrong."""
    if len(fields) == width + 1 and not fields[-1]:
        return fields[:-1]
    return fields if len(fields) == width else None


def _undecodable(chunk: bytes, end: int, codes: Bytes, eol: bytes) -> Positions:
    """One position in each line that is not UTF-8, and every NUL."""
    found: list[int] = []
    view, at = memoryview(chunk)[:end], 0
    while at < end:
        last = at + _DECODE_BITE >= end
        try:
            at += codecs.utf_8_decode(view[at : at + _DECODE_BITE], "strict", last)[1]
        except UnicodeDecodeError as error:
            found.append(at + error.start)
            line_end = chunk.find(eol, at + error.start, end)
            at = end if line_end < 0 else line_end + 1
    return np.concatenate((np.array(found, dtype=np.int64), np.flatnonzero(codes == 0)))
