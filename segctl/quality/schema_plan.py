"""A contract over columns of known types: all its rules as one selection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from segctl.quality import schema_arrays, schema_logic, schema_objects, schema_scalars
from segctl.quality.schema_exact import DistinctTest, as_json
from segctl.quality.schema_refs import References, Schema
from segctl.quality.schema_rules import Compiler, Exactly, Here, Rule, TooLargeError
from segctl.quality.schema_slots import Slot, TypedReading
from segctl.quality.schema_truth import Truth, either, some

HANDLERS = schema_scalars.HANDLERS | schema_logic.HANDLERS | schema_arrays.HANDLERS | schema_objects.HANDLERS


class Tests:
    """Tests of distinct values, each made once for a contract and keeping what it has learnt."""

    def __init__(self, *, formats: bool) -> None:
        self._formats = formats
        self._made: dict[str, DistinctTest] = {}

    def __call__(self, schema: Schema, sure: str | None) -> Callable[[pl.Series], pl.Series]:
        """The test of a schema; `sure` is a regular expression of texts that keep it."""
        key = as_json(schema)
        if key not in self._made:
            self._made[key] = DistinctTest(schema, formats=self._formats, sure=sure)
        return self._made[key].failing


@dataclass(frozen=True, slots=True)
class Plan:
    """Compiled rules.

    Attributes:
        rules: In the order of the contract; one that cannot fail is not there.
        exact: Rows that the reference decides, by place and keyword; each list is a disjunction.
    """

    rules: tuple[Rule, ...]
    exact: tuple[Exactly, ...]

    def select(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Masks of the rules and of the rows for the reference, one column each."""
        masks = [_column(rule.fails, frame.height, f"r{i}") for i, rule in enumerate(self.rules)]
        left = [_column(each.rows, frame.height, f"x{i}") for i, each in enumerate(self.exact)]
        found = frame.select(*masks, *left) if masks or left else pl.DataFrame()
        names = found.columns
        return found.select(names[: len(masks)]), found.select(names[len(masks) :])


def _column(truth: Truth, height: int, name: str) -> pl.Expr:
    expr = pl.repeat(value=truth, n=height, dtype=pl.Boolean) if isinstance(truth, bool) else truth
    return expr.alias(name)


def plan(
    references: References, fields: dict[str, Slot], reading: TypedReading, tests: Tests, *, formats: bool
) -> Plan:
    """The contract over the slots of a row."""
    compiler = Compiler(references, reading, formats, tests, HANDLERS)
    start = references.start()
    try:
        rules = compiler.rules(start.schema, Here({}, start.base, schema_objects.object_slot(fields), ""))
    except TooLargeError:
        return Plan((), (Exactly("", "size", True),))
    return Plan(_joined(rules), _together(compiler.exact))


def _joined(rules: list[Rule]) -> tuple[Rule, ...]:
    """Rules that say the same about the same place are one, such as a branch that is reached twice."""
    found: dict[tuple[str, str, str], Rule] = {}
    for rule in rules:
        key = (rule.pointer, rule.keyword, rule.expected)
        known = found.get(key)
        fails = rule.fails if known is None else either(known.fails, rule.fails)
        found[key] = Rule(rule.pointer, rule.keyword, rule.expected, fails, rule.value)
    return tuple(found.values())


def _together(exact: list[Exactly]) -> tuple[Exactly, ...]:
    found: dict[tuple[str, str], dict[int, Truth]] = {}
    for each in exact:
        found.setdefault((each.pointer, each.keyword), {})[_identity(each.rows)] = each.rows
    return tuple(Exactly(at, keyword, some(rows.values())) for (at, keyword), rows in found.items())


def _identity(rows: Truth) -> int:
    return int(rows) if isinstance(rows, bool) else id(rows)
