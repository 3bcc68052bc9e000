r"""ECMA-262 patterns in Rust's syntax, by reading them: what both know means the same afterwards.

What Rust has not (look-around, back-references, ``\cC``) or would read in another sense (``[a&&b]``, ``\d``) is either
written out or left to the exact engine: a translation that is merely accepted proves nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_DIGITS = "0-9"
_WORDS = "A-Za-z0-9_"
_BLANKS = r"\x{9}-\x{d}\x{20}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}"
_SETS = {"d": _DIGITS, "w": _WORDS, "s": _BLANKS}
_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
# ECMA's dot leaves out U+000D, U+2028 and U+2029 too; the reference does not, and there is one verdict only.
_ANY = r"[^\n]"
_SYNTAX = frozenset("^$\\.*+?()[]{}|/")
_PROPERTIES = frozenset({"L", "Lu", "Ll", "Lt", "N", "Nd", "Letter", "Uppercase_Letter", "Lowercase_Letter", "Number"})
_QUANTIFIER = re.compile(r"[*+?]|\{(\d{1,4})(?:(,)(\d{1,4})?)?\}")
_NAME = re.compile(r"\(\?<([A-Za-z_][A-Za-z0-9_]*)>")
MOST_COPIES = 1000
"""Counted repetitions are unrolled; beyond this the compiled pattern grows too large."""
_DEEPEST = 50


class _Untranslated(Exception):  # noqa: N818 - a signal inside this module
    pass


def to_rust(pattern: str) -> str | None:
    """The pattern for Polars, None where only the exact engine knows what it means."""
    try:
        return _Reader(pattern).whole()
    except _Untranslated:
        return None


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0
    depth: int = 0

    def whole(self) -> str:
        body, _ = self.alternatives()
        if self.at < len(self.text):
            raise _Untranslated
        return body

    def next(self, count: int = 1) -> str:
        return self.text[self.at : self.at + count]

    def alternatives(self) -> tuple[str, int]:
        """The text up to the closing bracket or the end, and how many copies its counts make."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _Untranslated
        parts, copies = [""], 0
        while self.at < len(self.text) and self.next() != ")":
            if self.next() == "|":
                self.at += 1
                parts.append("")
                continue
            piece, size = self.repeated()
            parts[-1] += piece
            copies += size
        if copies > MOST_COPIES:
            raise _Untranslated
        self.depth -= 1
        return "|".join(parts), max(copies, 1)

    def repeated(self) -> tuple[str, int]:
        atom, size, may_repeat = self.atom()
        found = _QUANTIFIER.match(self.text, self.at)
        if found is None:
            return atom, size
        if not may_repeat:
            raise _Untranslated
        self.at = found.end()
        if self.next() == "?":  # which of several matches is found first does not matter here
            self.at += 1
        if self.next() and self.next() in "*+?{":
            raise _Untranslated
        low, high = int(found[1] or 1), int(found[3] or found[1] or 1)
        if low > high:
            raise _Untranslated
        return atom + found[0], size * max(high, 1)

    def atom(self) -> tuple[str, int, bool]:
        """One piece, the copies in it, and whether it may be repeated."""
        sign = self.next()
        if sign == "(":
            body, size = self.group()
            return body, size, True
        if sign == "[":
            return self.char_class(), 1, True
        if sign in "*+?{}]":
            raise _Untranslated
        self.at += 1
        if sign in "^$":
            return sign, 0, False
        if sign == ".":
            return _ANY, 1, True
        if sign != "\\":
            return _literal(sign), 1, True
        found = self.escape()
        return (f"[{found}]" if len(found) > 1 or found == "" else _literal(found)), 1, True

    def group(self) -> tuple[str, int]:
        named = _NAME.match(self.text, self.at)
        if named is not None:
            self.at = named.end()
        elif self.next(3) == "(?:":
            self.at += 3
        elif self.next(2) == "(?":
            raise _Untranslated
        else:
            self.at += 1
        body, size = self.alternatives()
        if self.next() != ")":
            raise _Untranslated
        self.at += 1
        return f"(?:{body})", size

    def escape(self) -> str:
        """What follows a backslash: one character as itself, or the inside of a class."""
        sign = self.next()
        self.at += 1
        if sign in _SETS:
            return _SETS[sign]
        if sign in ("D", "W", "S"):
            return f"[^{_SETS[sign.lower()]}]"
        if sign in _CONTROLS:
            return _CONTROLS[sign]
        if sign and (sign in _SYNTAX or sign == "-"):
            return sign
        if sign in ("p", "P"):
            return self.property(sign)
        if sign in ("x", "u"):
            return self.code(sign)
        raise _Untranslated

    def property(self, sign: str) -> str:
        found = re.compile(r"\{([A-Za-z_]+)\}").match(self.text, self.at)
        if found is None or found[1] not in _PROPERTIES:
            raise _Untranslated
        self.at = found.end()
        return f"\\{sign}{{{found[1]}}}"

    def code(self, sign: str) -> str:
        found = re.compile(r"[0-9A-Fa-f]{2}" if sign == "x" else r"[0-9A-Fa-f]{4}").match(self.text, self.at)
        if found is None:
            raise _Untranslated
        self.at = found.end()
        number = int(found[0], 16)
        if 0xD800 <= number <= 0xDFFF:
            raise _Untranslated
        return chr(number)

    def char_class(self) -> str:
        self.at += 1
        negated = self.next() == "^"
        self.at += negated
        pieces: list[str] = []
        while self.next() != "]":
            if self.at >= len(self.text):
                raise _Untranslated
            pieces.append(self.class_item())
        if not pieces:  # matches nothing, or anything: Rust has neither form
            raise _Untranslated
        self.at += 1
        return f"[{'^' if negated else ''}{''.join(pieces)}]"

    def class_item(self) -> str:
        first = self.class_member()
        if self.next() != "-" or self.next(2) in ("-]", "-"):
            return first if len(first) > 1 else _literal(first)
        self.at += 1
        last = self.class_member()
        if len(first) > 1 or len(last) > 1 or first > last:
            raise _Untranslated
        return f"{_literal(first)}-{_literal(last)}"

    def class_member(self) -> str:
        sign = self.next()
        self.at += 1
        return self.escape() if sign == "\\" else sign


def _literal(character: str) -> str:
    # Everything but letters and digits is written as a number, so that no sign has a meaning of its own.
    return character if character.isascii() and character.isalnum() else f"\\x{{{ord(character):x}}}"
