"""Raw columns to typed ones: what fits its declared type, and which cells do not."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from segctl.connectors.fixed_texts import byte_table, is_trimmed_ascii
from segctl.connectors.typing_formulas import Columns, as_text, evaluate
from segctl.connectors.typing_numbers import Exact, rescaled, to_scaled
from segctl.connectors.typing_times import INSTANT, ClockCounts, to_days, to_instants
from segctl.model.sources import NumberForm, Target
from segctl.model.types import EXACT, Kind, ValueType

_TRUE = ("true", "t", "yes", "y", "ja", "j", "1", "1.0", "wahr", "on", "x")
_FALSE = ("false", "f", "no", "n", "nein", "0", "0.0", "falsch", "off")
_FEW = 256
"""Texts that are quicker looked at one by one than by a query."""


@dataclass(slots=True)
class Counts:
    """What was decided on the way.

    Attributes:
        clock: Local times that a clock change made doubtful.
        dropped_elements: Missing elements that were taken out of lists.
    """

    clock: ClockCounts = field(default_factory=ClockCounts)
    dropped_elements: int = 0

    def add(self, other: Counts) -> None:
        """Adds what was decided in another batch."""
        self.clock.ambiguous += other.clock.ambiguous
        self.clock.missing += other.clock.missing
        self.dropped_elements += other.dropped_elements


@dataclass(frozen=True, slots=True)
class Typed:
    """A typed column.

    Attributes:
        values: In the type's physical form; null where nothing stands or nothing fits.
        bad: True where something stands that does not fit; None when everything fits.
        raw: The column before, for reasons; None for results of arithmetic.
    """

    values: pl.Series
    bad: pl.Series | None
    raw: pl.Series | None


def physical(value_type: ValueType) -> pl.DataType:
    """The polars type of a declared type's physical form."""
    kind = value_type.kind
    if kind in EXACT:
        return pl.Int64()
    if kind is Kind.LIST and value_type.element is not None:
        return pl.List(physical(value_type.element))
    if kind is Kind.STRUCT:
        return pl.Struct({name: physical(of) for name, of in value_type.fields})
    simple: dict[Kind, pl.DataType] = {
        Kind.TEXT: pl.String(),
        Kind.BOOLEAN: pl.Boolean(),
        Kind.DATE: pl.Date(),
        Kind.TIME: INSTANT,
        Kind.REAL: pl.Float64(),
    }
    return simple[kind]


def typed(target: Target, columns: Columns, counts: Counts) -> Typed:
    """The column of one trait or property."""
    form = target.numbers or columns.form
    value = evaluate(target.value, columns, form)
    if isinstance(value, Exact) and target.type.kind in EXACT:
        numbers = rescaled(value, target.type.scale, rounds=target.rounds)
        bad = value.bad | (numbers.is_null() & value.numbers.is_not_null())
        return Typed(numbers, bad if bad.any() else None, None)
    raw = as_text(value) if isinstance(value, Exact) else value
    values = convert(raw, target.type, target, form, counts)
    if values.null_count() == raw.null_count():
        return Typed(values, None, raw)
    bad = values.is_null() & present(raw)
    return Typed(values, bad if bad.any() else None, raw)


def present(raw: pl.Series) -> pl.Series:
    """True where a value stands: no null, no blank, no NaN."""
    if raw.dtype == pl.String:
        some = raw.is_not_null()
        return some & (raw.str.strip_chars() != "")
    if raw.dtype.is_float():
        return raw.is_not_null() & raw.is_not_nan()
    if raw.dtype == pl.Null:
        return pl.repeat(value=False, n=len(raw), dtype=pl.Boolean, eager=True)
    return raw.is_not_null()


def convert(raw: pl.Series, value_type: ValueType, target: Target, form: NumberForm, counts: Counts) -> pl.Series:
    """The physical form of a raw column; null where nothing stands or nothing fits."""
    if raw.dtype == pl.Null:
        return raw.cast(physical(value_type))
    kind = value_type.kind
    if kind is Kind.TEXT:
        return text_of(raw)
    if kind in EXACT:
        if raw.dtype == pl.Boolean or raw.dtype.is_nested() or raw.dtype.is_temporal():
            return _nothing(raw, pl.Int64())
        is_share = value_type.unit == "share"
        return to_scaled(raw, value_type.scale, form=form, rounds=target.rounds, is_share=is_share)
    if kind is Kind.BOOLEAN:
        return _truths(raw)
    if kind in (Kind.DATE, Kind.TIME):
        if raw.dtype == pl.Boolean or raw.dtype.is_nested():
            return _nothing(raw, physical(value_type))
        return (to_days if kind is Kind.DATE else to_instants)(raw, target.time, counts.clock)
    if kind is Kind.LIST:
        return _lists(raw, value_type, target, form, counts)
    return _structs(raw, value_type, target, form, counts)


def _nothing(raw: pl.Series, dtype: pl.DataType) -> pl.Series:
    return pl.Series(raw.name, [None], dtype=dtype).new_from_index(0, len(raw))


def text_of(raw: pl.Series) -> pl.Series:
    """Text in NFC; blanks are null."""
    text = as_text(raw)
    return text if _is_ascii(text) else text.str.normalize("NFC")


def identifier_of(value: pl.Series | Exact) -> pl.Series:
    """An identifier: text in NFC without blanks around it; empty is null."""
    if isinstance(value, pl.Series) and (table := byte_table(value)) is not None and is_trimmed_ascii(table):
        return value
    text = as_text(value)
    if len(text) > _FEW or any(one != one.strip() for one in text.to_list() if one):
        text = text.str.strip_chars()
    return text if _is_ascii(text) else text.str.normalize("NFC")


def _is_ascii(text: pl.Series) -> bool:
    # Each method of texts is a query of its own, which costs more than looking at a few of them.
    if len(text) <= _FEW:
        return all(one.isascii() for one in text.to_list() if one)
    return bool((text.str.len_bytes() == text.str.len_chars()).all())


def _truths(raw: pl.Series) -> pl.Series:
    if raw.dtype == pl.Boolean:
        return raw
    if raw.dtype.is_nested() or raw.dtype.is_temporal():
        return _nothing(raw, pl.Boolean())
    text = as_text(raw).str.strip_chars().str.to_lowercase()
    is_true, is_false = text.is_in(_TRUE), text.is_in(_FALSE)
    return is_true.set(~(is_true | is_false).fill_null(value=False), None)


def _lists(raw: pl.Series, value_type: ValueType, target: Target, form: NumberForm, counts: Counts) -> pl.Series:
    element = value_type.element
    assert element is not None, "a list type has one"
    lists = _as_lists(raw, element, target)
    if lists is None:
        return _nothing(raw, physical(value_type))
    rows = pl.DataFrame({"row": pl.int_range(len(lists), eager=True), "item": lists}).filter(
        pl.col("item").is_not_null() & (pl.col("item").list.len() > 0)
    )
    items = rows.explode("item")
    values = convert(items["item"], element, target, form, counts)
    some = present(items["item"])
    counts.dropped_elements += int((~some).sum())
    misfits = items["row"].filter(some & values.is_null()).unique()
    kept = items.select("row").with_columns(values.alias("item")).filter(some)
    grouped = kept.group_by("row", maintain_order=True).agg("item")
    empty = pl.Series("empty", [[]], dtype=physical(value_type)).new_from_index(0, len(lists))
    every = empty.to_frame().with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    joined = every.join(grouped, on="row", how="left", maintain_order="left")
    values = joined.select(pl.coalesce("item", "empty")).to_series()
    absent = lists.is_null()
    if not misfits.is_empty():
        absent = absent.scatter(misfits, True)
    return _without(values, absent).rename(raw.name)


def _as_lists(raw: pl.Series, element: ValueType, target: Target) -> pl.Series | None:
    if isinstance(raw.dtype, pl.List):
        return raw
    if isinstance(raw.dtype, pl.Array):
        return raw.arr.to_list()
    if raw.dtype != pl.String:
        return None
    text = as_text(raw).str.strip_chars()
    if target.separator is not None:
        parts = text.str.split(target.separator)
        return parts.list.eval(pl.element().str.strip_chars())
    return _decoded(text, pl.List(_loose(element)))


def _loose(value_type: ValueType) -> pl.DataType:
    """What JSON text is read as before its parts are typed."""
    if value_type.kind is Kind.STRUCT:
        return pl.Struct({name: _loose(of) for name, of in value_type.fields})
    if value_type.kind is Kind.LIST and value_type.element is not None:
        return pl.List(_loose(value_type.element))
    return pl.String()


def _decoded(text: pl.Series, dtype: pl.DataType) -> pl.Series:
    """JSON texts decoded; a text that is no such JSON gives null for its own row only."""
    opening = "[" if isinstance(dtype, pl.List) else "{"
    text = text.set(~text.str.starts_with(opening).fill_null(value=False), None)
    try:
        return text.str.json_decode(dtype)
    except pl.exceptions.PolarsError:
        return pl.concat([_decoded_one(text.slice(i, 1), dtype) for i in range(len(text))])


def _decoded_one(text: pl.Series, dtype: pl.DataType) -> pl.Series:
    try:
        return text.str.json_decode(dtype)
    except pl.exceptions.PolarsError:
        return pl.Series(text.name, [None], dtype=dtype)


def _structs(raw: pl.Series, value_type: ValueType, target: Target, form: NumberForm, counts: Counts) -> pl.Series:
    structs = _decoded(as_text(raw).str.strip_chars(), _loose(value_type)) if raw.dtype == pl.String else raw
    if not isinstance(structs.dtype, pl.Struct):
        return _nothing(raw, physical(value_type))
    known = {field.name for field in structs.dtype.fields}
    absent = structs.is_null()
    columns = []
    for name, of in value_type.fields:
        if name not in known:
            columns.append(_nothing(raw, physical(of)).rename(name))
            continue
        part = structs.struct.field(name)
        values = convert(part, of, target, form, counts)
        absent = absent | (present(part) & values.is_null())
        columns.append(values.rename(name))
    if not columns:
        return _nothing(raw, physical(value_type))
    return _without(pl.DataFrame(columns).to_struct(raw.name), absent)


def _without(values: pl.Series, absent: pl.Series) -> pl.Series:
    if not absent.any():
        return values
    frame = pl.DataFrame({"v": values, "absent": absent})
    return frame.select(pl.when(~pl.col("absent")).then("v").alias(values.name)).to_series()
