"""A contract applied to rows: which are bad, and every reason why.

The rows of a frame stand for JSON objects. Text columns are decoded by the contract, typed columns are taken as they
are, and where the JSON text of a row is at hand, that text is the truth.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from segctl.quality.schema_cells import TextForm
from segctl.quality.schema_exact import SchemaProblem, UnusableContractError, problems_of, row_reasons, validator
from segctl.quality.schema_instances import instances_of_types
from segctl.quality.schema_keywords import ignored_keywords
from segctl.quality.schema_numbers import exact_number
from segctl.quality.schema_plan import Plan, Tests, plan
from segctl.quality.schema_refs import References, Schema, pointer
from segctl.quality.schema_slots import NullMeaning, Slot, TypedReading, plain_frame, typed_slot
from segctl.quality.schema_text import TextColumns
from segctl.quality.schema_types import formatted_places, mentioned_types
from segctl.quality.schema_words import SHOWN

__all__ = [
    "Contract",
    "SchemaProblem",
    "TextForm",
    "UnusableContractError",
    "Verdict",
    "compile_contract",
    "problems_of",
]

REASONS = {"row": pl.Int64, "pointer": pl.String, "keyword": pl.String, "expected": pl.String, "value": pl.String}
_ESCAPE = "\\"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a contract says about some rows.

    Attributes:
        bad: One boolean per row.
        reasons: One row per bad row and reason, by row: ``row`` (position), ``pointer``, ``keyword``, ``expected``,
            ``value`` (text, shortened; null where nothing stands).
        exact: Rows that the reference decided, by (pointer, keyword) that made it necessary.
        exact_rows: Rows that the reference decided in all.
    """

    bad: pl.Series
    reasons: pl.DataFrame
    exact: dict[tuple[str, str], int] = field(default_factory=dict)
    exact_rows: int = 0

    def among(self, kept: pl.Series) -> Verdict:
        """The same about some of the rows; the others are not bad, whatever they hold."""
        bad = self.bad & kept
        reasons = self.reasons.filter(bad.gather(self.reasons["row"])) if self.reasons.height else self.reasons
        return Verdict(bad, reasons, self.exact, self.exact_rows)


def compile_contract(schema: Schema, *, formats: bool = True, null_is_absent: bool | None = None) -> Contract:
    """A contract ready for rows.

    Args:
        schema: JSON Schema 2020-12.
        formats: `format` asserts, which the draft leaves open.
        null_is_absent: What a null of a typed column is; None: JSON null where the contract allows null, else absent.

    Raises:
        UnusableContractError: The schema is not valid, of another draft, or refers to what is not there.
    """
    return Contract(schema, formats=formats, null_is_absent=null_is_absent)


class Contract:
    """A compiled contract; plans for new sets of columns are made when they come.

    Attributes:
        schema: As given.
        ignored: Pointers of keywords that mean nothing in the draft.
    """

    def __init__(self, schema: Schema, *, formats: bool, null_is_absent: bool | None) -> None:
        self.schema = schema
        self.ignored = ignored_keywords(schema)
        self._formats = formats
        self._null_is_absent = null_is_absent
        self._engine = validator(schema, formats=formats)
        self._references = References.of(schema)
        self._types = mentioned_types(self._references)
        self._formatted = formatted_places(self._references) if formats else frozenset()
        self._tests = Tests(formats=formats)
        self._plans: dict[Any, Plan] = {}

    def of_text(self, frame: pl.DataFrame, form: TextForm | None = None) -> Verdict:
        """The verdict about rows of text cells, as CSV and workbooks have them."""
        columns = TextColumns(self._types, form or TextForm(), self._formatted)
        decoded = columns.decode(frame)
        fields = {name: columns.slot(name, decoded) for name in frame.columns}
        found = self._plan(("text", form, tuple(frame.columns)), fields, self._reading())
        return self._judged(found, decoded, lambda rows: columns.instances(decoded, frame.columns, rows))

    def of_types(self, frame: pl.DataFrame) -> Verdict:
        """The verdict about typed rows, as Parquet and databases have them."""
        plain = plain_frame(frame)
        reading = self._reading()
        meanings = {name: reading.null(pointer(name)) for name in plain.columns}
        found = self._plan(("typed", tuple(plain.schema.items())), _slots(plain, reading), reading)
        return self._judged(found, plain, lambda rows: instances_of_types(plain[rows], meanings, reading.null))

    def of_json(self, frame: pl.DataFrame, texts: pl.Series, doubtful: Iterable[str] = ()) -> Verdict:
        """The verdict about rows that came as JSON.

        Args:
            frame: Decoded rows; a property that is absent or null is null.
            texts: The JSON text of each row: what counts.
            doubtful: Columns whose values may differ from what the text says, such as those of mixed types.
        """
        unsure = frozenset(doubtful) & set(frame.columns)
        work = frame.with_columns(texts.alias(_TEXT))
        reading = TypedReading(lambda _: "doubt", _has_key, is_json=True)
        key = ("json", tuple(frame.schema.items()), unsure)
        found = self._plans.get(key)
        if found is None:
            slots = _slots(frame, reading)
            for name in unsure:
                there = pl.col(name).is_not_null()
                slots[name] = Slot(there, (), there | slots[name].doubt, pl.col(name).cast(pl.String, strict=False))
            found = self._plan(key, slots, reading)
        return self._judged(found, work, lambda rows: [_parsed(text) for text in texts.gather(rows).to_list()])

    def of_instances(self, instances: list[Any]) -> Verdict:
        """The verdict of the reference alone, row by row."""
        rows = pl.int_range(len(instances), dtype=pl.Int64, eager=True)
        nothing = pl.repeat(value=False, n=len(instances), dtype=pl.Boolean, eager=True)
        return self._with_exact(nothing, _no_reasons(), rows, instances, {})

    def _reading(self) -> TypedReading:
        def meaning(at: str) -> NullMeaning:
            if self._null_is_absent is not None:
                return "absent" if self._null_is_absent else "null"
            return "null" if "null" in self._types.get(at, ()) else "absent"

        return TypedReading(meaning)

    def _plan(self, key: Any, fields: dict[str, Slot], reading: TypedReading) -> Plan:  # noqa: ANN401 - a key
        if key not in self._plans:
            self._plans[key] = plan(self._references, fields, reading, self._tests, formats=self._formats)
        return self._plans[key]

    def _judged(self, found: Plan, frame: pl.DataFrame, instances: Callable[[pl.Series], list[Any]]) -> Verdict:
        masks, left = found.select(frame)
        rows, exact = _rows_left(left, found)
        counts = masks.sum().row(0) if masks.width else ()
        parts = []
        bad = pl.repeat(value=False, n=frame.height, dtype=pl.Boolean, eager=True)
        broken = [i for i, count in enumerate(counts) if count]
        if broken:
            bad = masks.select(pl.any_horizontal(masks.columns[i] for i in broken)).to_series()
            bad = bad.scatter(rows, False) if len(rows) else bad
        for i in broken:
            at = masks[f"r{i}"]
            at = (at.scatter(rows, False) if len(rows) else at).arg_true().cast(pl.Int64)
            if len(at):
                parts.append(_reasons_of(found, i, at, frame))
        reasons = pl.concat(parts).sort("row", maintain_order=True) if parts else _no_reasons()
        if not len(rows):
            return Verdict(bad, reasons)
        return self._with_exact(bad, reasons, rows, instances(rows), exact)

    def _with_exact(
        self,
        bad: pl.Series,
        reasons: pl.DataFrame,
        rows: pl.Series,
        instances: list[Any],
        exact: dict[tuple[str, str], int],
    ) -> Verdict:
        found = [
            (row, reason.pointer, reason.keyword, reason.expected, reason.value)
            for row, instance in zip(rows.to_list(), instances, strict=True)
            for reason in row_reasons(self._engine, instance)
        ]
        if found:
            further = pl.DataFrame(found, schema=REASONS, orient="row")
            bad = bad.scatter(further["row"].unique(), True)
            reasons = pl.concat([reasons, further]).sort("row", maintain_order=True)
        return Verdict(bad, reasons, exact, len(rows))


_TEXT = "\x00json"


def _has_key(name: str) -> pl.Expr:
    """Rows whose text may hold the key: it stands there, or something is escaped."""
    text = pl.col(_TEXT)
    quoted = json.dumps(name, ensure_ascii=False)
    return (text.str.contains(quoted, literal=True) | text.str.contains(_ESCAPE, literal=True)).fill_null(value=True)


def _slots(frame: pl.DataFrame, reading: TypedReading) -> dict[str, Slot]:
    return {
        name: typed_slot(pl.col(name), dtype, pointer(name), reading, key=name) for name, dtype in frame.schema.items()
    }


def _rows_left(left: pl.DataFrame, found: Plan) -> tuple[pl.Series, dict[tuple[str, str], int]]:
    """Positions that the reference decides, and how many of them for which place and keyword."""
    if not left.width:
        return pl.Series([], dtype=pl.Int64), {}
    counts = left.sum().row(0)
    exact = {(e.pointer, e.keyword): int(n) for e, n in zip(found.exact, counts, strict=True) if n}
    if not exact:
        return pl.Series([], dtype=pl.Int64), {}
    return left.select(pl.any_horizontal(pl.all())).to_series().arg_true().cast(pl.Int64), exact


def _reasons_of(found: Plan, number: int, at: pl.Series, frame: pl.DataFrame) -> pl.DataFrame:
    rule = found.rules[number]
    value: pl.Expr = pl.lit(None, dtype=pl.String)
    if rule.value is not None:
        value = rule.value.str.head(SHOWN)
    part = frame[at].select(value.alias("value"))
    if part.height != len(at):
        part = pl.DataFrame({"value": pl.Series([None] * len(at), dtype=pl.String)})
    words = (pl.lit(rule.pointer).alias("pointer"), pl.lit(rule.keyword).alias("keyword"),
             pl.lit(rule.expected).alias("expected"))  # fmt: skip
    return part.with_columns(at.alias("row"), *words).select(list(REASONS))


def _no_reasons() -> pl.DataFrame:
    return pl.DataFrame(schema=REASONS)


def _parsed(text: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(text, parse_float=exact_number)
