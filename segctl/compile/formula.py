"""Formulas of computed traits: text to a tree, and the type and unit of what it gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from typing import NoReturn

from segctl.compile.timewords import Problem
from segctl.model.conditions import Call, Formula, Number, TraitValue
from segctl.model.dataclass import dataclass
from segctl.model.types import Kind, ValueType

FUNCTIONS: dict[str, tuple[int, int]] = {
    "min": (2, 20),
    "max": (2, 20),
    "coalesce": (2, 20),
    "abs": (1, 1),
    "round": (1, 1),
    "days_since": (1, 1),
    "years_since": (1, 1),
}
"""Functions with the least and the greatest number of operands."""

LONGEST, DEEPEST, MOST_OPERANDS = 2_000, 30, 100
_SINCE_UNIT = {"days_since": "days", "years_since": "years"}
_SIGN_HINTS = {
    "^": "write the multiplication out",
    "×": "write `*`",
    "÷": "write `/`",
    "–": "write `-`",
    "−": "write `-`",
    "%": "write the share as a number: `0.5`",
}
_TOKEN = re.compile(r"\s*(?:([0-9]+(?:\.[0-9]+)?(?![\w.]))|([^\W\d]\w*)|([-+*/(),]))")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int


class _Unreadable(Exception):  # noqa: N818 - carries the problem out of the recursion, never out of this module
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def parse_formula(text: str) -> Formula | Problem:
    """The tree of a formula: ``+ - * / ( )``, unary minus, numbers, trait names and `FUNCTIONS`.

    Positions in a problem are 0-based characters of `text`.
    """
    if len(text) > LONGEST:
        return Problem(f"the formula is longer than {LONGEST} characters", "split it into several computed traits")
    try:
        return _Parser(_tokens(text), len(text)).whole()
    except _Unreadable as unreadable:
        return unreadable.problem


def traits_of(formula: Formula) -> tuple[str, ...]:
    """Names of the traits in a formula, in reading order, each once."""
    match formula:
        case TraitValue(trait):
            return (trait,)
        case Call(_, operands):
            return tuple(dict.fromkeys(name for operand in operands for name in traits_of(operand)))
        case _:
            return ()


def formula_type(formula: Formula, types: Mapping[str, ValueType]) -> ValueType | Problem:
    """The type of a formula's result: a real number with its unit.

    Args:
        formula: A parsed formula.
        types: Type of every trait it may use.

    Returns:
        A real number. Its unit is that of all terms of a sum, `share` for a ratio of equal units, and
        spelled such as ``EUR/points`` for other products and ratios; numbers and unit-less traits fit
        every unit. Or what does not fit.
    """
    try:
        return ValueType(Kind.REAL, unit=_unit_of(formula, types))
    except _Unreadable as unreadable:
        return unreadable.problem


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            _refuse_character(text, at)
        kind = "number" if found[1] else "name" if found[2] else "sign"
        tokens.append(_Token(kind, found[found.lastindex or 0], found.start(found.lastindex or 0)))
        at = found.end()
    return tokens


def _refuse_character(text: str, at: int) -> NoReturn:
    start = at + len(text[at:]) - len(text[at:].lstrip())
    written = re.match(r"[\w.]+", text[start:])
    length = len(written[0]) if written else 1
    _refuse(f"`{text[start : start + length]}` has no place in a formula", start, length, _SIGN_HINTS.get(text[start]))


class _Parser:
    """Precedence: unary minus, then `*` and `/`, then `+` and `-`; equal ones from the left."""

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self.tokens = tokens
        self.end = end
        self.at = 0
        self.depth = 0
        self.operands = 0

    def whole(self) -> Formula:
        found = self.sum()
        if token := self.peek():
            _refuse(f"`{token.text}` is not expected here", token.start, len(token.text), self.comma_hint(token))
        return found

    def sum(self) -> Formula:
        return self.chain(("+", "-"), self.product)

    def product(self) -> Formula:
        return self.chain(("*", "/"), self.signed)

    def chain(self, signs: tuple[str, str], part: Callable[[], Formula]) -> Formula:
        found = part()
        while (token := self.peek()) and token.text in signs:
            self.at += 1
            found = Call(token.text, (found, part()))
        return found

    def signed(self) -> Formula:
        if (token := self.peek()) and token.text == "-":
            self.at += 1
            self.deeper(token)
            found = Call("neg", (self.signed(),))
            self.depth -= 1
            return found
        return self.atom()

    def atom(self) -> Formula:
        token = self.peek()
        if token is None:
            _refuse("the formula ends too early", max(0, self.end - 1), 1)
        self.at += 1
        self.operands += 1
        if self.operands > MOST_OPERANDS:
            _refuse(
                f"the formula has more than {MOST_OPERANDS} operands", token.start, 1, "split it into several traits"
            )
        if token.kind == "number":
            return Number(Decimal(token.text))
        if token.text == "(":
            self.deeper(token)
            found = self.sum()
            self.close(token)
            return found
        if token.kind != "name":
            _refuse(f"`{token.text}` is not expected here", token.start, 1, self.comma_hint(token))
        following = self.peek()
        if following and following.text == "(":
            return self.call(token)
        return TraitValue(token.text)

    def call(self, name: _Token) -> Formula:
        if name.text not in FUNCTIONS:
            near = get_close_matches(name.text, FUNCTIONS, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"the functions are {', '.join(FUNCTIONS)}"
            _refuse(f"`{name.text}` is not a function", name.start, len(name.text), hint)
        opening = self.tokens[self.at]
        self.at += 1
        self.deeper(opening)
        operands = [self.sum()]
        while (token := self.peek()) and token.text == ",":
            self.at += 1
            operands.append(self.sum())
        self.close(opening)
        least, most = FUNCTIONS[name.text]
        if not least <= len(operands) <= most:
            takes = "one operand" if most == 1 else f"{least} to {most} operands"
            _refuse(f"`{name.text}` takes {takes}, not {len(operands)}", name.start, len(name.text))
        return Call(name.text, tuple(operands))

    def close(self, opening: _Token) -> None:
        token = self.peek()
        if token is None or token.text != ")":
            _refuse("this bracket is never closed", opening.start, 1, "add `)`")
        self.at += 1
        self.depth -= 1

    def deeper(self, token: _Token) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            _refuse(f"the formula is nested deeper than {DEEPEST}", token.start, 1, "split it into several traits")

    def peek(self) -> _Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def comma_hint(self, token: _Token) -> str | None:
        before = self.tokens[self.at - 1] if self.at else None
        return "decimals have a point: `0.5`" if token.text == "," and before and before.kind == "number" else None


def _unit_of(formula: Formula, types: Mapping[str, ValueType]) -> str | None:
    match formula:
        case TraitValue(trait):
            return _numeric_trait(trait, types).unit
        case Call(("days_since" | "years_since") as function, (TraitValue(trait),)):
            if _trait(trait, types).kind not in (Kind.TIME, Kind.DATE):
                _refuse(f"`{function}` needs a time or a date; `{trait}` is {_trait(trait, types).kind}", 0, 1)
            return _SINCE_UNIT[function]
        case Call("days_since" | "years_since"):
            _refuse(f"`{formula.function}` takes the name of one trait, no calculation", 0, 1)
        case Call(("*" | "/") as function, (left, right)):
            return _combined(_unit_of(left, types), _unit_of(right, types), 1 if function == "*" else -1)
        case Call(function, operands):
            return _common(function, [_unit_of(operand, types) for operand in operands])
    return None


def _common(function: str, units: list[str | None]) -> str | None:
    known = list(dict.fromkeys(unit for unit in units if unit is not None))
    if len(known) > 1:
        done = {"+": "added", "-": "subtracted"}.get(function, f"compared in `{function}`")
        _refuse(f"`{known[0]}` and `{known[1]}` cannot be {done}", 0, 1, "convert one, or fix the units of the traits")
    return known[0] if known else None


def _combined(left: str | None, right: str | None, sign: int) -> str | None:
    powers: dict[str, int] = {}
    for unit, side in ((left, 1), (right, sign)):
        for name, power in _powers(unit).items():
            powers[name] = powers.get(name, 0) + side * power
    above = [name for name, power in sorted(powers.items()) for _ in range(power)]
    below = [name for name, power in sorted(powers.items()) for _ in range(-power)]
    if not above and not below:
        return "share" if sign < 0 and left is not None and right is not None else None
    return "/".join(["*".join(above) or "1", *below])


def _powers(unit: str | None) -> dict[str, int]:
    """Powers of the parts of a unit such as ``EUR*h/points``; a share has no dimension."""
    above, *below = (unit or "share").split("/")
    powers: dict[str, int] = {}
    for part, sign in [*((part, 1) for part in above.split("*")), *((part, -1) for part in below)]:
        if part not in ("share", "1"):
            powers[part] = powers.get(part, 0) + sign
    return powers


def _trait(name: str, types: Mapping[str, ValueType]) -> ValueType:
    found = types.get(name)
    if found is None:
        near = get_close_matches(name, types, 1)
        _refuse(f"`{name}` is not a declared trait", 0, 1, f"did you mean `{near[0]}`?" if near else None)
    return found


def _numeric_trait(name: str, types: Mapping[str, ValueType]) -> ValueType:
    found = _trait(name, types)
    if not found.is_numeric:
        inside = " outside `days_since` and `years_since`" if found.kind in (Kind.TIME, Kind.DATE) else ""
        _refuse(f"`{name}` is {found.kind} and cannot be calculated with{inside}", 0, 1)
    return found


def _refuse(message: str, start: int, length: int, hint: str | None = None) -> NoReturn:
    raise _Unreadable(Problem(message, hint, start, length))
