r"""Regular expressions that mean the same on every engine: checked, and rewritten to explicit ASCII classes.

Python's `re`, Rust (Polars) and RE2 (DuckDB) differ in what ``\w``, ``\b``, ``(?i)`` and many rarer
constructs match. What is let through here is written out so that they cannot differ.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NoReturn

from segctl.compile.timewords import Problem
from segctl.model.dataclass import dataclass

LONGEST, DEEPEST, MOST_REPEATS = 1_000, 30, 1_000

_SETS = {"d": "0-9", "w": "A-Za-z0-9_", "s": "\\t\\n\\x0b\\x0c\\r\\x20"}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_REFUSED_ESCAPES = {
    "b": ("the word boundary `\\b`", "Postgres reads it as a backspace and Polars by Unicode, others by ASCII"),
    "B": ("the inner boundary `\\B`", "Polars reads it by Unicode, others by ASCII"),
    "p": ("the Unicode class `\\p`", "Python and Postgres do not know it"),
    "P": ("the Unicode class `\\P`", "Python and Postgres do not know it"),
    "u": ("the escape `\\u`", "DuckDB does not know it; write the character itself"),
    "U": ("the escape `\\U`", "DuckDB does not know it; write the character itself"),
    "N": ("the escape `\\N`", "only Python knows it; write the character itself"),
    "A": ("the anchor `\\A`", "write `^`"),
    "Z": ("the anchor `\\Z`", "write `$`"),
    "z": ("the anchor `\\z`", "write `$`"),
    "G": ("the anchor `\\G`", "only Java and Perl know it"),
    "Q": ("the quotation `\\Q`", "Python and Polars do not know it; escape each character"),
    "E": ("the quotation `\\E`", "Python and Polars do not know it; escape each character"),
    "K": ("the construct `\\K`", "only Perl knows it"),
    "R": ("the construct `\\R`", "only Java and Perl know it; write `\\n`"),
    "X": ("the construct `\\X`", "only Java and Perl know it"),
    "h": ("the class `\\h`", "only Java and Perl know it; write `[ \\t]`"),
    "k": ("the back-reference `\\k`", "Polars and DuckDB have none"),
    "g": ("the back-reference `\\g`", "Polars and DuckDB have none"),
    "0": ("the octal escape `\\0`", "Polars does not know it"),
}
_REFUSED_GROUPS = (
    ("?=", "lookahead `(?=`", "Polars and DuckDB have none"),
    ("?!", "lookahead `(?!`", "Polars and DuckDB have none"),
    ("?<=", "lookbehind `(?<=`", "Polars and DuckDB have none"),
    ("?<!", "lookbehind `(?<!`", "Polars and DuckDB have none"),
    ("?P=", "the back-reference `(?P=`", "Polars and DuckDB have none"),
    ("?P<", "the named group `(?P<`", "Postgres and Spark do not know it; a plain group does"),
    ("?<", "the named group `(?<`", "Python does not know it; a plain group does"),
    ("?'", "the named group `(?'`", "Polars and DuckDB do not know it; a plain group does"),
    ("?>", "the atomic group `(?>`", "Polars and DuckDB have none"),
    ("?#", "the comment `(?#`", "Polars and DuckDB have none"),
    ("?(", "the condition `(?(`", "Polars and DuckDB have none"),
    ("?|", "the branch reset `(?|`", "only Perl knows it"),
    ("*", "the verb `(*`", "only Perl knows it"),
)
_META = frozenset("\\.^$*+?{}[]|()")
_CLASS_META = frozenset("\\[]^-&~")


class _Unportable(Exception):  # noqa: N818 - carries the problem out of the recursion, never out of this module
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def check_pattern(pattern: str, *, ignore_case: bool = False) -> str | Problem:
    """The pattern, brought to NFC and rewritten so that every engine matches the same texts.

    Checking a rewritten pattern gives an equal one. The pattern is searched anywhere in the text;
    ``(?i)`` (ASCII letters only) and ``(?m)`` may stand at its beginning.

    Args:
        pattern: As written.
        ignore_case: Literals are case folded with Unicode, to be searched in folded text.

    Returns:
        The rewritten pattern, or a problem that names the construct and the engines that differ.
    """
    text = unicodedata.normalize("NFC", pattern)
    if not text:
        return Problem("the pattern is empty and would match every text", "use `exists: true`")
    if len(text) > LONGEST:
        return Problem(f"the pattern is longer than {LONGEST} characters", "use `in` with a list")
    try:
        return _Rewriter(text, ignore_case).whole()
    except _Unportable as unportable:
        return unportable.problem


def compile_portable(pattern: str) -> re.Pattern[str]:
    """A rewritten pattern as Python sees it: `$` is the very end here as it is on the engines."""
    if pattern.startswith("(?m)"):
        return re.compile(pattern)
    pieces = re.compile(r"\\.|\[(?:\\.|[^]\\])*\]|\$", re.DOTALL)
    return re.compile(pieces.sub(lambda piece: "\\Z" if piece[0] == "$" else piece[0], pattern))


@dataclass(slots=True)
class _Rewriter:
    """Reads the pattern once, left to right, and writes its portable form."""

    text: str
    fold: bool
    at: int = 0
    depth: int = 0
    any_case: bool = False

    def whole(self) -> str:
        flags = self.flags()
        body, _ = self.alternatives()
        if self.at < len(self.text):
            self.refuse("the closing bracket `)` has no opening one", "write `\\)` for the character")
        return ("(?m)" if "m" in flags else "") + body

    def flags(self) -> str:
        found = re.match(r"\(\?([a-zA-Z]+)\)", self.text)
        if found is None:
            return ""
        if unknown := next((flag for flag in found[1] if flag not in "im"), None):
            self.refuse(f"the flag `{unknown}` is not portable", "only `(?i)` and `(?m)` are")
        self.at = found.end()
        self.any_case = "i" in found[1]
        return found[1]

    def alternatives(self) -> tuple[str, int]:
        """The rewritten text up to the closing bracket or the end, and how many copies of pieces its counts make."""
        parts, repeated = [""], 0
        while self.at < len(self.text) and self.text[self.at] != ")":
            if self.text[self.at] == "|":
                self.at += 1
                parts.append("")
                continue
            piece, repeats = self.repeated()
            parts[-1] += piece
            repeated += repeats if repeats > 1 else 0
            if repeated > MOST_REPEATS:
                self.too_many(self.at - 1)
        return "|".join(parts), max(1, repeated)

    def too_many(self, at: int) -> NoReturn:
        self.at = at
        self.refuse(f"the repetitions add up to more than {MOST_REPEATS}", "Polars and DuckDB refuse to build it")

    def repeated(self) -> tuple[str, int]:
        start = self.at
        atom, repeats, may_repeat = self.atom()
        found = re.compile(r"[*+?]|\{[0-9]+(?:,[0-9]*)?\}").match(self.text, self.at)
        if found is None:
            if self.text[self.at : self.at + 1] == "{":
                self.refuse("the bracket `{` repeats nothing it can count", "write `\\{` for the character")
            return atom, repeats
        if not may_repeat:
            self.at = start
            self.refuse("an anchor cannot be repeated", "leave the repetition out")
        self.at = found.end()
        repeats *= self.count(found[0], found.start())
        if repeats > MOST_REPEATS:
            self.too_many(start)
        following = self.text[self.at : self.at + 1]
        if following == "+":
            self.refuse(f"the possessive repetition `{found[0]}+`", "Polars and DuckDB have none", construct=True)
        lazy = "?" if following == "?" else ""
        self.at += len(lazy)
        if self.text[self.at : self.at + 1] and self.text[self.at] in "*+?{":
            self.refuse(
                "a repetition of a repetition", "Python refuses it; put brackets around the first", construct=True
            )
        return f"{atom}{found[0]}{lazy}", repeats

    def count(self, quantifier: str, start: int) -> int:
        """How often the engine unrolls the repetition, with its limits checked."""
        if quantifier[0] != "{":
            return 1
        numbers = [int(number[:9]) for number in re.findall(r"[0-9]+", quantifier)]
        if len(numbers) == 2 and numbers[0] > numbers[1]:
            self.at = start
            self.refuse(f"the repetition `{quantifier}` counts backwards", None)
        if max(numbers) > MOST_REPEATS:
            self.at = start
            self.refuse(f"the repetition `{quantifier}` counts beyond {MOST_REPEATS}", "DuckDB stops there")
        return max(1, *numbers)

    def atom(self) -> tuple[str, int, bool]:
        """One piece of the pattern: its rewritten form, the repeats inside, and whether it may be repeated."""
        sign = self.text[self.at]
        if sign == "(":
            inner, repeats = self.group()
            return inner, repeats, True
        if sign in "*+?":
            self.refuse(f"`{sign}` repeats nothing", f"write `\\{sign}` for the character")
        if sign == "{":
            self.refuse("the bracket `{` repeats nothing", "write `\\{` for the character")
        if sign == "[":
            return self.char_class(), 1, True
        if sign == "\\":
            return self.escape(), 1, True
        written = sign if sign in "^$." else self.literal(sign)
        self.at += 1
        return written, 1, sign not in "^$"

    def group(self) -> tuple[str, int]:
        opening = self.at
        inside = self.text[self.at + 1 :]
        for prefix, name, difference in _REFUSED_GROUPS:
            if inside.startswith(prefix):
                self.refuse(name, difference, construct=True)
        if inside.startswith("?") and not inside.startswith("?:"):
            self.refuse("flags inside the pattern", "Python wants them at its beginning", construct=True)
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(f"brackets are nested deeper than {DEEPEST}", "simplify the pattern")
        self.at += 3 if inside.startswith("?:") else 1
        body, repeats = self.alternatives()
        if self.at >= len(self.text):
            self.at = opening
            self.refuse("the bracket `(` is never closed", "write `\\(` for the character")
        self.at += 1
        self.depth -= 1
        return f"(?:{body})", repeats

    def escape(self) -> str:
        sign = self.escaped()
        if sign in _SETS:
            return f"[{_SETS[sign]}]"
        if sign.lower() in _SETS:
            return f"[^{_SETS[sign.lower()]}]"
        return self.literal(self.character(sign))

    def escaped(self) -> str:
        """The sign after a backslash, the position now behind it; refused where engines differ."""
        sign = self.text[self.at + 1 : self.at + 2]
        if not sign:
            self.refuse("the pattern ends in a backslash", "write `\\\\` for the character")
        if sign in _REFUSED_ESCAPES:
            name, difference = _REFUSED_ESCAPES[sign]
            self.refuse(name, difference, construct=True, length=2)
        if sign.isdigit():
            self.refuse(f"the back-reference `\\{sign}`", "Polars and DuckDB have none", construct=True, length=2)
        if sign.isalnum() and sign not in "dDwWsSntrfvx":
            self.refuse(f"the escape `\\{sign}`", "engines do not agree on it", construct=True, length=2)
        self.at += 2
        return sign

    def character(self, sign: str) -> str:
        """The character an escape stands for."""
        if sign != "x":
            return _CONTROLS.get(sign, sign)
        digits = self.text[self.at : self.at + 2]
        if not re.fullmatch(r"[0-9A-Fa-f]{2}", digits):
            self.refuse("`\\x` without two hexadecimal digits", "Python wants exactly two", construct=True)
        self.at += 2
        return chr(int(digits, 16))

    def literal(self, character: str) -> str:
        folded = self.folded(character)
        if len(folded) > 1:
            return f"(?:{''.join(map(_literal, folded))})"
        if self.any_case and folded.isalpha() and not self.fold:
            return f"[{folded.upper()}{folded.lower()}]"
        return _literal(folded)

    def char_class(self) -> str:
        opening = self.at
        self.at += 1
        negated = self.text[self.at : self.at + 1] == "^"
        self.at += negated
        pieces: list[str] = []
        while self.text[self.at : self.at + 1] != "]":
            if self.at >= len(self.text):
                self.at = opening
                self.refuse("the class `[` is never closed", "write `\\[` for the character")
            if self.text.startswith(("[:", "[.", "[="), self.at):
                self.refuse("the POSIX class `[[:…:]]`", "Python and Spark do not know it", construct=True)
            pieces.append(self.class_item())
        if not pieces:
            self.refuse("the class is empty", "write `\\]` for the character")
        self.at += 1
        return f"[{'^' if negated else ''}{''.join(pieces)}]"

    def class_item(self) -> str:
        start = self.at
        first = self.class_character()
        is_range = self.text[self.at : self.at + 1] == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", "")
        if not is_range:
            return _SETS[first[1:]] if len(first) > 1 else self.class_single(first)
        self.at += 1
        last = self.class_character()
        if len(first) > 1 or len(last) > 1 or first > last:
            self.at = start
            self.refuse("a range in a class needs two characters in order", "write `\\-` for the character")
        return self.class_range(first, last, start)

    def class_character(self) -> str:
        """One character of a class, or a backslash and the name of a set."""
        sign = self.text[self.at]
        if sign != "\\":
            self.at += 1
            return sign
        start = self.at
        sign = self.escaped()
        if sign in "DWS":
            self.at = start
            self.refuse(f"the set `\\{sign}` inside a class", "write the class the other way round", construct=True)
        return f"\\{sign}" if sign in _SETS else self.character(sign)

    def class_single(self, character: str) -> str:
        folded = self.folded(character)
        if len(folded) > 1:
            self.refuse(f"`{character}` folds to several characters in a class", "write it outside of the class")
        if self.any_case and folded.isalpha() and not self.fold:
            return folded.upper() + folded.lower()
        return _in_class(folded)

    def class_range(self, first: str, last: str, start: int) -> str:
        written = f"{_in_class(first)}-{_in_class(last)}"
        if not self.fold and not self.any_case:
            return written
        if ord(last) > 127:
            self.at = start
            self.refuse(
                "a range beyond ASCII together with ignored case", "engines fold it differently", construct=True
            )
        return written + _other_case(first, last, lower_only=self.fold)

    def folded(self, character: str) -> str:
        if ord(character) < 32 and character not in _CONTROLS.values():
            self.refuse("a control character", "engines do not agree on it", construct=True)
        if self.fold:
            return character.casefold()
        if self.any_case and ord(character) > 127 and character.lower() != character.upper():
            self.refuse(
                f"`(?i)` with `{character}`",
                "Postgres and Spark fold ASCII only; use `ignore_case: true`",
                construct=True,
            )
        return character

    def refuse(self, what: str, hint: str | None, *, construct: bool = False, length: int = 1) -> NoReturn:
        """Leave with a problem at the current position; for a construct the hint says who differs."""
        message = f"{what} is not portable" if construct else what
        raise _Unportable(Problem(message, hint, min(self.at, len(self.text) - 1), length))


def _literal(character: str) -> str:
    if character in _META:
        return f"\\{character}"
    return f"\\x{ord(character):02x}" if ord(character) < 32 else character


def _in_class(character: str) -> str:
    if character in _CLASS_META:
        return f"\\{character}"
    return f"\\x{ord(character):02x}" if ord(character) < 32 else character


def _other_case(first: str, last: str, *, lower_only: bool) -> str:
    """The letters of an ASCII range in their other case, as ranges of a class."""
    pieces = ""
    for low, high, shift in (("A", "Z", 32), ("a", "z", -32)):
        begin, end = max(first, low), min(last, high)
        if begin <= end and not (lower_only and shift < 0):
            pieces += f"{chr(ord(begin) + shift)}-{chr(ord(end) + shift)}"
    return pieces
