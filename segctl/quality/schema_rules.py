"""Rules: for each place and keyword the rows that break it, and the compiler that gathers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from segctl.quality.schema_refs import References, Schema
from segctl.quality.schema_slots import Alternative, Slot, TypedReading
from segctl.quality.schema_truth import Truth, both, no, some
from segctl.quality.schema_words import expected

MOST_SCHEMAS = 2_000
"""Schemas that one contract may unfold to; a larger one is left to the reference as a whole."""
DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Rule:
    """One keyword at one place.

    Attributes:
        pointer: Place in the row; ``*`` stands for any element.
        keyword: Of the contract.
        expected: What it wants, in words.
        fails: Rows that break it; never null.
        value: Text of what stands there; None when nothing does.
    """

    pointer: str
    keyword: str
    expected: str
    fails: Truth
    value: pl.Expr | None = None


@dataclass(frozen=True, slots=True)
class Exactly:
    """Rows that the reference decides, since no expression can.

    Attributes:
        pointer: Place that makes it so.
        keyword: Of the contract, or a word for what the columns cannot tell.
        rows: Which rows; never null.
    """

    pointer: str
    keyword: str
    rows: Truth


class NotCompiledError(Exception):
    """A keyword that has no expression; the reference decides the rows of the mask."""

    def __init__(self, rows: Truth) -> None:
        super().__init__()
        self.rows = rows


class TooLargeError(Exception):
    """A contract that unfolds to more than an expression should hold."""


@dataclass(frozen=True, slots=True)
class Here:
    """Where the compiler stands.

    Attributes:
        schema: The mapping that holds the keyword.
        base: Address its references start from.
        slot: What can stand at the place.
        pointer: The place.
        in_list: Inside `list.eval`, where only the element is known.
        open: References and places on the way here, against endless recursion.
    """

    schema: dict[str, Any]
    base: str
    slot: Slot
    pointer: str
    in_list: bool = False
    open: tuple[str, ...] = ()

    def rule(self, keyword: str, fails: Truth, limit: Any = None, *, at: str | None = None) -> list[Rule]:  # noqa: ANN401 - JSON
        """A rule at this place; none when it cannot fail."""
        if fails is False:
            return []
        words = expected(keyword, self.schema.get(keyword) if limit is None else limit)
        return [Rule(self.pointer if at is None else at, keyword, words, fails, self.slot.shown)]


Handler = Callable[["Compiler", Here, Any], list[Rule]]


@dataclass(slots=True)
class Compiler:
    """Unfolds a contract over the slots of a row.

    Attributes:
        references: Of the contract.
        reading: How nested columns become slots.
        formats: Formats assert.
        tests: Makes the test of distinct values for a schema and a regular expression of sure ones.
        handlers: Keyword → what it compiles to.
        exact: Rows for the reference, in the order found.
    """

    references: References
    reading: TypedReading
    formats: bool
    tests: Callable[[Schema, str | None], Callable[[pl.Series], pl.Series]]
    handlers: dict[str, Handler]
    exact: list[Exactly] = field(default_factory=list)
    _visited: int = 0

    def rules(self, schema: Schema, here: Here) -> list[Rule]:
        """Rules of a schema; `here` says where, its own schema does not matter."""
        if schema is True or schema == {}:
            return []
        self._visited += 1
        if self._visited > MOST_SCHEMAS or len(here.open) > DEEPEST:
            raise TooLargeError
        self.leave(here, "null", here.slot.doubt)
        if schema is False:
            return here.rule("false", here.slot.present)
        here = replace(here, schema=schema, base=self.references.base_of(schema, here.base))
        found: list[Rule] = []
        for keyword, value in schema.items():
            handler = self.handlers.get(keyword)
            if handler is None:
                continue
            try:
                found += handler(self, here, value)
            except NotCompiledError as left:
                self.leave(here, keyword, left.rows)
        return found

    def leave(self, here: Here, keyword: str, rows: Truth) -> None:
        """Leave rows to the reference."""
        if rows is not False:
            self.exact.append(Exactly(here.pointer, keyword, rows))

    def holds(self, schema: Schema, here: Here) -> Truth:
        """Rows that keep a schema; what is absent keeps everything."""
        return no(some(rule.fails for rule in self.rules(schema, here)))

    def lifted(self, here: Here, array: Alternative, build: Callable[[Compiler], list[Rule]]) -> list[Rule]:
        """Rules about elements as rules about the list that holds them; rows in doubt likewise."""
        inside = replace(self, exact=[], _visited=self._visited)
        rules = build(inside)
        self._visited = inside._visited
        for left in inside.exact:
            self.exact.append(Exactly(left.pointer, left.keyword, any_element(array, left.rows)))
        lifted = []
        for rule in rules:
            fails = any_element(array, rule.fails)
            if fails is not False:
                lifted.append(replace(rule, fails=fails, value=here.slot.shown))
        return lifted


def any_element(array: Alternative, truth: Truth) -> Truth:
    """Rows with an element for which it holds."""
    assert array.value is not None, "an array has values"
    if truth is False:
        return False
    if truth is True:
        return both(array.mask, (array.value.list.len() > 0).fill_null(value=False))
    return array.value.list.eval(truth).list.any().fill_null(value=False)


def guarded(guard: Truth, rules: Iterable[Rule]) -> list[Rule]:
    """Rules that count only where the guard holds."""
    return [replace(rule, fails=fails) for rule in rules if (fails := both(guard, rule.fails)) is not False]
