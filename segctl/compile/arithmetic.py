"""Formulas over columns: text such as ``coalesce(quantity, 1) * `unit price` `` to an expression tree."""

from __future__ import annotations

import re
from decimal import Decimal

from segctl.model.sources import Call, Column, Expression, Literally

MAX_LENGTH = 2_000
MAX_DEPTH = 40
MAX_TOKENS = 200
FUNCTIONS = ("coalesce", "concat")

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d+)?(?![\w]))
      | `(?P<quoted>[^`]+)`
      | "(?P<double>[^"]*)" | '(?P<single>[^']*)'
      | (?P<name>[^\W\d]\w*(?:\.\w+)*)
      | (?P<sign>[-+*/(),])
    )""",
    re.VERBOSE,
)


class FormulaError(ValueError):
    """The formula cannot be read.

    Attributes:
        position: 0-based offset of the offending character in the formula.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


def parse_formula(text: str) -> Expression:
    """The expression a formula says.

    Args:
        text: ``+ - * / ( )``, `coalesce(…)`, `concat(…)`, numbers, texts in quotes, column names (dotted paths
            into nested records; names with blanks in backticks).

    Raises:
        FormulaError: With the place of the first mistake.

    >>> parse_formula("Menge * Preis")
    Call(function='*', operands=(Column(name='Menge'), Column(name='Preis')))
    """
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"the formula is longer than {MAX_LENGTH:,} characters", MAX_LENGTH)
    parser = _Parser(_tokens(text), len(text))
    found = parser.sum(0)
    parser.expect_end()
    return found


def _tokens(text: str) -> list[tuple[str, str, int]]:
    tokens: list[tuple[str, str, int]] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            rest = text[position:]
            start = position + len(rest) - len(rest.lstrip())
            raise FormulaError(_unreadable(text[start:]), start)
        tokens.append((match.lastgroup, match.group(match.lastgroup), match.start(match.lastgroup)))
        position = match.end()
        if len(tokens) > MAX_TOKENS:
            raise FormulaError(f"the formula has more than {MAX_TOKENS} parts", position)
    return tokens


def _unreadable(rest: str) -> str:
    if rest[0] in "\"'`":
        return f"the {rest[0]} is never closed"
    if rest[0] in "×÷":
        return f"write `{'*' if rest[0] == '×' else '/'}` for `{rest[0]}`"
    number = re.match(r"\d+,\d+", rest)
    if number:
        return f"write `{number.group().replace(',', '.')}`: formulas use a decimal point"
    return f"`{rest[:12]}` cannot be read here"


class _Parser:
    """Recursive descent with a bound on depth."""

    def __init__(self, tokens: list[tuple[str, str, int]], end: int) -> None:
        self.tokens = tokens
        self.index = 0
        self.end = end

    def sum(self, depth: int) -> Expression:
        left = self.product(depth)
        while self._sign() in ("+", "-"):
            sign = self._take()
            left = Call(sign, (left, self.product(depth)))
        return left

    def product(self, depth: int) -> Expression:
        left = self.unary(depth)
        while self._sign() in ("*", "/"):
            sign = self._take()
            left = Call(sign, (left, self.unary(depth)))
        return left

    def unary(self, depth: int) -> Expression:
        if depth > MAX_DEPTH:
            raise FormulaError("the formula is nested too deeply", self._position())
        if self._sign() == "-":
            self._take()
            return Call("neg", (self.unary(depth + 1),))
        return self.atom(depth)

    def atom(self, depth: int) -> Expression:
        if self.index >= len(self.tokens):
            raise FormulaError("the formula ends too early", self.end)
        kind, text, position = self.tokens[self.index]
        self.index += 1
        if kind == "number":
            return Literally(Decimal(text))
        if kind in ("double", "single"):
            return Literally(text)
        if kind == "quoted":
            return Column(text)
        if kind == "name":
            return self._call(text, position, depth) if self._sign() == "(" else Column(text)
        if text != "(":
            raise FormulaError(f"`{text}` cannot stand here", position)
        inner = self.sum(depth + 1)
        self._close()
        return inner

    def _call(self, name: str, position: int, depth: int) -> Expression:
        if name not in FUNCTIONS:
            raise FormulaError(f"`{name}` is no function; there are `coalesce` and `concat`", position)
        self._take()
        operands = [self.sum(depth + 1)]
        while self._sign() == ",":
            self._take()
            operands.append(self.sum(depth + 1))
        self._close()
        return Call(name, tuple(operands))

    def _close(self) -> None:
        if self._sign() != ")":
            raise FormulaError("a `)` is missing", self._position())
        self._take()

    def _sign(self) -> str | None:
        if self.index < len(self.tokens) and self.tokens[self.index][0] == "sign":
            return self.tokens[self.index][1]
        return None

    def _take(self) -> str:
        self.index += 1
        return self.tokens[self.index - 1][1]

    def _position(self) -> int:
        return self.tokens[self.index][2] if self.index < len(self.tokens) else self.end

    def expect_end(self) -> None:
        """Nothing may follow.

        Raises:
            FormulaError: Something does.
        """
        if self.index < len(self.tokens):
            raise FormulaError(f"`{self.tokens[self.index][1]}` cannot stand here", self._position())
