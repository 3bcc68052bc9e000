"""Find one value after another in a JSON text that never is in memory as a whole."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

from segctl.connectors.files.base import MAX_RECORD_BYTES
from segctl.connectors.files.json_values import DECODER
from segctl.connectors.files.text import Utf8Stream

_SPACE = re.compile(r"[ \t\r\n]*")
# A string ends on its line; a quote without another one behind it was left over, and is no mark.
_PART = re.compile(r'"(?:[^"\\\n]|\\.)*"|["\[\]{},]', re.DOTALL)
_PIECE = 1024 * 1024


class JsonText:
    """A window on a JSON text that moves forward.

    Attributes:
        over: The text ends with the window.
    """

    def __init__(self, source: Utf8Stream, piece: int = _PIECE) -> None:
        self._source = source
        self._piece = piece
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self.over = False
        self._text = ""
        self._at = 0

    def more(self) -> bool:
        """Widen the window; False when the text is over."""
        raw = self._source.read(self._piece)
        self.over = not raw
        self._text = self._text[self._at :] + self._decoder.decode(raw, final=self.over)
        self._at = 0
        return not self.over

    def peek(self) -> str:
        """The next character that is no white space, empty at the end of the text."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self.more() and self._at >= len(self._text):
                return ""

    def take(self) -> str:
        """The next character that is no white space, passed over."""
        letter = self.peek()
        self._at += len(letter)
        return letter

    def value(self) -> tuple[Any, str] | None:
        """The next value and its text; None where it is not well-formed or not complete, and nothing is passed over."""
        self.peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                # Trouble well before the end of the window does not go away with more text.
                if self.over or len(self._text) - error.pos > self._piece or self._too_long() or not self.more():
                    return None
            except (ValueError, RecursionError):
                return None
            else:
                if end < len(self._text) or self.over or not self.more():
                    text, self._at = self._text[self._at : end], end
                    return value, text

    def _too_long(self) -> bool:
        return len(self._text) - self._at > MAX_RECORD_BYTES

    def extent(self, *, keep: int = MAX_RECORD_BYTES, limit: int | None = None) -> tuple[str, int, bool]:
        """Pass over one list element or member value by its brackets, however wrong it is inside.

        Args:
            keep: Characters of it to give back.
            limit: Give up after about so many characters.

        Returns:
            Its first `keep` characters, its length, and whether its end was found.
        """
        kept: list[str] = []
        length, depth = 0, 0
        while True:
            end, depth, done = self._scan(depth)
            piece = self._text[self._at : end]
            if length < keep:
                kept.append(piece[: keep - length])
            length += len(piece)
            self._at = end
            if done or (self.over and self._at >= len(self._text)) or (limit is not None and length > limit):
                return "".join(kept), length, done
            if not self.more() and self._at >= len(self._text):
                return "".join(kept), length, False

    def _scan(self, depth: int) -> tuple[int, int, bool]:
        """How far the element reaches in the window, the depth there, and whether it ends there."""
        at = self._at
        while found := _PART.search(self._text, at):
            mark = self._text[found.start()]
            if found[0] == '"' and self._may_close(found.end()):
                return found.start(), depth, False
            if depth == 0 and mark in ",]}":
                return found.start(), depth, True
            depth += (mark in "[{") - (mark in "]}")
            at = found.end()
            if depth == 0 and mark in "]}":
                return at, depth, True
        return len(self._text), depth, False

    def _may_close(self, start: int) -> bool:
        """The string that starts here may end beyond the window."""
        return not self.over and "\n" not in self._text[start:] and len(self._text) - start <= MAX_RECORD_BYTES
