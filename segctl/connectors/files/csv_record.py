"""One CSV record at a time: the slow, exact path, and the rules that the fast path must agree with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from segctl.connectors.files.base import Detected

Fields = list[bytes | None]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How records are written; every mark is one ASCII byte.

    Attributes:
        delimiter: Between fields.
        quote: Around fields; empty when nothing is quoted.
        eol: Ends a physical line; a carriage return before a line feed belongs to it.
        width: Fields of a row.
        trailing: Rows are normally followed by one more delimiter.
        comment: Start of lines that are no records; empty for none.
    """

    delimiter: bytes
    quote: bytes
    eol: bytes
    width: int
    trailing: bool = False
    comment: bytes = b""

    @property
    def written_width(self) -> int:
        """Fields as delimiters count them."""
        return self.width + self.trailing


class Outcome(Enum):
    """How reading one record ended."""

    RECORD = "a record"
    OPEN = "the text ended inside quotes"
    STRAY = "something stood between a closing quote and the next delimiter"


@dataclass(frozen=True, slots=True)
class Parsed:
    """One record.

    Attributes:
        outcome: Anything but RECORD means that `fields` is not to be used.
        fields: Values without quotes; None where nothing stands, ``b""`` where an empty text is quoted.
        stop: Where the next record starts (RECORD), or where the trouble stands.
    """

    outcome: Outcome
    fields: Fields
    stop: int


def dialect_of(detected: Detected) -> Dialect:
    """The dialect of a file whose detection is complete."""
    return Dialect(
        delimiter=detected.delimiter.encode(),
        quote=detected.quote.encode(),
        eol=detected.eol.encode(),
        width=len(detected.columns),
        trailing=detected.trailing,
        comment=detected.comment.encode(),
    )


def parse_record(text: bytes, start: int, end: int, dialect: Dialect) -> Parsed:
    """Read the record that starts at `start`, looking no further than `end`.

    A quote opens a field only as its first byte; inside an unquoted field it is a letter like any other.
    """
    fields: Fields = []
    line_end = _find(text, dialect.eol, start, end)
    at = start
    while True:
        if dialect.quote and text.startswith(dialect.quote, at, end):
            closing = _closing_quote(text, at + 1, end, dialect.quote)
            if closing < 0:
                return Parsed(Outcome.OPEN, fields, at)
            fields.append(text[at + 1 : closing].replace(dialect.quote * 2, dialect.quote))
            at = closing + 1
            if closing > line_end:
                line_end = _find(text, dialect.eol, at, end)
            if not text.startswith(dialect.delimiter, at, line_end) and _content_end(text, at, line_end, dialect) != at:
                return Parsed(Outcome.STRAY, fields, at)
        else:
            stop = text.find(dialect.delimiter, at, line_end)
            stop = stop if stop >= 0 else _content_end(text, at, line_end, dialect)
            fields.append(text[at:stop] or None)
            at = stop
        if not text.startswith(dialect.delimiter, at, line_end):
            return Parsed(Outcome.RECORD, fields, min(line_end + 1, end))
        at += 1


def _find(text: bytes, mark: bytes, start: int, end: int) -> int:
    found = text.find(mark, start, end)
    return end if found < 0 else found


def _closing_quote(text: bytes, start: int, end: int, quote: bytes) -> int:
    at = text.find(quote, start, end)
    while at >= 0 and text.startswith(quote, at + 1, end):
        at = text.find(quote, at + 2, end)
    return at


def _content_end(text: bytes, start: int, line_end: int, dialect: Dialect) -> int:
    """Where the line ends without the carriage return of a CR LF."""
    has_return = dialect.eol == b"\n" and line_end > start and text[line_end - 1 : line_end] == b"\r"
    return line_end - has_return


def write_record(fields: Sequence[bytes | None], dialect: Dialect) -> bytes:
    """A row in the plainest form of its dialect, which every parser reads alike."""
    cells: Iterable[bytes] = (_cell(field, dialect.quote) for field in fields)
    return dialect.delimiter.join(cells) + dialect.delimiter * dialect.trailing + dialect.eol


def _cell(field: bytes | None, quote: bytes) -> bytes:
    if field is None:
        return b""
    return quote + field.replace(quote, quote * 2) + quote if quote else field


def first_record(text: bytes, skip_rows: int, dialect: Dialect, *, final: bool) -> tuple[int, int] | None:
    """Where the first record (or header) starts, after skipped, empty and comment lines, and its physical line.

    None when the text is over before that line is known to begin; `final` says that no more text follows.
    """
    at, line = 0, 1
    while True:
        end = text.find(dialect.eol, at)
        if end < 0 and not final:
            return None
        stop = len(text) if end < 0 else end
        if line > skip_rows and not _is_idle(text[at:stop], dialect):
            return at, line
        if end < 0:
            return len(text), line
        at, line = stop + 1, line + 1


def _is_idle(line: bytes, dialect: Dialect) -> bool:
    return not line.rstrip(b"\r") or bool(dialect.comment and line.startswith(dialect.comment))
