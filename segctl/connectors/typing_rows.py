"""One raw batch to typed rows: profile records or events, and for every row that does not fit all its reasons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from segctl.connectors.typing_filters import passes
from segctl.connectors.typing_formulas import Columns, as_text, evaluate, without_bytes
from segctl.connectors.typing_times import INSTANT, to_instants
from segctl.connectors.typing_values import Counts, Typed, identifier_of, present, typed
from segctl.model.sources import EventRule, Expression, Instants, NumberForm, RowsRule, Source, Target, columns_of
from segctl.model.types import TEXT, Kind, ValueType, stored_column

LONGEST_IDENTIFIER = 1024
"""Longer ones are texts in the wrong column; each would stand in every list of people for ever."""
REASON = pl.Struct({
    "column": pl.String, "expected": pl.String, "value": pl.String, "reason": pl.String,
    "pointer": pl.String, "keyword": pl.String,
})  # fmt: skip
"""`pointer` and `keyword` are of contracts, and null for values that do not fit their type."""
_SHOWN = 200
"""Characters of an offending cell that a reason repeats; the whole row stands beside it."""

_EXPECTED = {
    Kind.TEXT: "text",
    Kind.INTEGER: "a whole number",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: "a day",
    Kind.TIME: "a time",
    Kind.LIST: "a list",
    Kind.STRUCT: "a record",
}


LINKED = ("id_type", "value", "other_type", "other_value")
"""What makes a pair of linked identifiers."""


@dataclass(slots=True)
class TypedBatch:
    """What became of a raw batch.

    Attributes:
        rows: Typed rows: ``row`` (position in the batch), ``line``, ``id_type``, ``value`` (the identifier; null when
            there is none) and the typed columns. Events have ``ts``, ``kind``, ``event_id`` (null: identified by
            content); records with a record time have ``valid_from``; rows of a table have ``key``.
        bad: One row per bad row: ``row``, ``line``, ``raw`` (JSON text), ``reasons``.
        skipped: Rows that `only` or an event without a declared kind leaves out.
        kinds_skipped: Values of the kind column that are no declared event, with their rows.
        bad_ids: ``id_type`` and ``value`` of bad rows that name somebody; of bad rows of a table their ``key``.
        missing: Columns that the declaration names and the batch has not.
        linked: Identifiers that stand in one good row, earliest row first: ``row``, ``id_type`` and ``value`` (those
            of the row), ``other_type``, ``other_value``, ``seen`` (time of the row, null without one), ``line``.
    """

    rows: pl.DataFrame
    bad: pl.DataFrame
    skipped: int = 0
    kinds_skipped: dict[str, int] = field(default_factory=dict)
    bad_ids: pl.DataFrame = field(default_factory=pl.DataFrame)
    missing: set[str] = field(default_factory=set)
    linked: pl.DataFrame = field(default_factory=pl.DataFrame)


def type_batch(source: Source, frame: pl.DataFrame, lines: pl.Series, form: NumberForm, counts: Counts) -> TypedBatch:
    """Typed rows and bad rows of one raw batch; every row that passes `only` is in one of them or skipped."""
    height, rows = frame.height, pl.int_range(frame.height, dtype=pl.Int64, eager=True)
    if source.only and not (kept := passes(source.only, frame, form)).all():
        frame, lines, rows = frame.filter(kept), lines.filter(kept), rows.filter(kept)
    nothing = _all(frame.height, value=False)
    batch = _Batch(source, Columns(frame, form, source.missing_values), lines, rows, counts, nothing)
    skipped = height - frame.height
    return batch.records(skipped) if source.holds_profiles else batch.events(skipped)


@dataclass(slots=True)
class _Batch:
    source: Source
    columns: Columns
    lines: pl.Series
    rows: pl.Series
    counts: Counts
    too_long: pl.Series
    reasons: list[pl.DataFrame] = field(default_factory=list)
    links: list[pl.DataFrame] = field(default_factory=list)

    def records(self, skipped: int) -> TypedBatch:
        """Records: every row names a person, or is bad; rows of a table have a key of their own instead."""
        identity = self._identity()
        columns = [self.rows.alias("row"), self.lines.alias("line"), *identity]
        rule = self.source.rows
        if rule is None:
            self._refuse(
                "key", identity[1].is_null() & ~self.too_long, None, "an identifier", "no key column holds a value"
            )
        else:
            columns.append(self._row_keys(rule))
        targets = self.source.traits if rule is None else rule.properties
        if self.source.record_time is not None:
            columns.append(self._times(self.source.record_time, self.columns, None).alias("valid_from"))
        columns += [self._typed(target, self.columns, None).alias(_stored(target)) for target in targets]
        return self._finished(pl.DataFrame(columns), skipped, {})

    def _row_keys(self, rule: RowsRule) -> pl.Series:
        parts = [self._identifier(expression) for expression in rule.identity]
        keys = pl.select(pl.concat_str([pl.lit(part) for part in parts], separator="/").alias("key")).to_series()
        names = ", ".join(name for expression in rule.identity for name in columns_of(expression))
        self._refuse(names, keys.is_null() & ~self.too_long, None, "the key of a row", "no `id` column holds a value")
        return keys

    def events(self, skipped: int) -> TypedBatch:
        """Events of all rules; a row that is bad for one of them is bad for all."""
        identity = pl.DataFrame(self._identity())
        parts: list[pl.DataFrame] = []
        kinds_skipped: dict[str, int] = {}
        used = _all(len(self.rows), value=False)
        for rule in self.source.events:
            part = self._rule(rule, identity, kinds_skipped)
            parts.append(part)
            used = used.scatter(part["position"].unique(), True) if part.height else used
        bad_rows = self._bad_positions()
        used = used.scatter(bad_rows, True) if len(bad_rows) else used
        rows = pl.concat(parts, how="diagonal").drop("position")
        return self._finished(rows, skipped + int((~used).sum()), kinds_skipped)

    def _rule(self, rule: EventRule, identity: pl.DataFrame, kinds_skipped: dict[str, int]) -> pl.DataFrame:
        kinds, chosen = self._kinds(rule, kinds_skipped)
        positions = chosen.arg_true().cast(pl.Int64)
        columns, index = self.columns, None
        if len(positions) < len(chosen):
            columns = self._taken(columns, positions)
        parents = columns
        if rule.each is not None:
            columns, inner, index = self._children(rule.each, columns)
            positions, parents = positions.gather(inner), self._taken(parents, inner)
        # Most sources make one event of each row: nothing to gather then.
        at = _same if len(positions) == len(chosen) and index is None else _gather(positions)
        own = at(kinds)
        times = self._times(rule.time, _holder(rule.time.value, parents, columns), positions)
        found = [
            positions.alias("position"),
            at(self.rows).alias("row"),
            at(self.lines).alias("line"),
            *(at(column) for column in identity.get_columns()),
            times.alias("ts"),
            own.alias("kind"),
            self._event_ids(rule, parents, columns, index).alias("event_id"),
        ]
        for target in rule.properties:
            mask = None if set(target.kinds) >= set(rule.kinds) else own.is_in(target.kinds)
            found.append(self._typed(target, columns, positions, mask).alias(_stored(target)))
        return pl.DataFrame(found)

    def _kinds(self, rule: EventRule, skipped: dict[str, int]) -> tuple[pl.Series, pl.Series]:
        height = len(self.rows)
        if rule.kind_column is None:
            kinds = pl.Series("kind", [rule.event], dtype=pl.String).new_from_index(0, height)
            return kinds, _all(height, value=True)
        said = identifier_of(evaluate(rule.kind_column, self.columns))
        kinds = said.replace_strict(dict(rule.kind_map), default=None, return_dtype=pl.String)
        if not kinds.null_count():
            return kinds, _all(height, value=True)
        unknown = kinds.is_null()
        if rule.keeps_others:
            name = ", ".join(columns_of(rule.kind_column))
            self._refuse(name, unknown, said, "a declared event", "this is no declared event")
        for value, rows in said.filter(unknown).value_counts().iter_rows():
            skipped[value or ""] = skipped.get(value or "", 0) + rows
        return kinds, ~unknown

    def _taken(self, columns: Columns, positions: pl.Series) -> Columns:
        return Columns(columns.frame[positions], columns.form, columns.words, columns.missing)

    def _children(self, each: str, parents: Columns) -> tuple[Columns, pl.Series, pl.Series]:
        """The records inside the rows: their columns, the parent of each and its number in it."""
        lists = parents.get(each)
        if lists.dtype == pl.String:
            lists = _decoded_records(lists)
        height = len(lists)
        if not isinstance(lists.dtype, pl.List) or not isinstance(lists.dtype.inner, pl.Struct):
            lists = pl.Series("item", [None], dtype=pl.List(pl.Struct({"": pl.String}))).new_from_index(0, height)
        pairs = pl.DataFrame(
            {"position": pl.int_range(height, dtype=pl.Int64, eager=True), "item": lists},
        ).filter((pl.col("item").list.len() > 0).fill_null(value=False))
        pairs = pairs.with_columns(index=pl.int_ranges(0, pl.col("item").list.len())).explode("item", "index")
        pairs = pairs.filter(pl.col("item").is_not_null())
        inner = pairs["position"]
        frame = pairs["item"].struct.unnest()
        outer = parents.frame[inner]
        outer = outer.rename({name: f"parent.{name}" for name in outer.columns})
        return (
            Columns(pl.concat([frame, outer], how="horizontal"), parents.form, parents.words, parents.missing),
            inner,
            pairs["index"],
        )

    def _event_ids(self, rule: EventRule, parents: Columns, columns: Columns, index: pl.Series | None) -> pl.Series:
        height = columns.frame.height
        if not rule.identity:
            return pl.Series("event_id", [None], dtype=pl.String).new_from_index(0, height)
        holders = [_holder(expression, parents, columns) for expression in rule.identity]
        parts = [identifier_of(evaluate(e, of)) for e, of in zip(rule.identity, holders, strict=True)]
        ids = parts[0]
        if len(parts) > 1:
            ids = pl.select(pl.concat_str([pl.lit(part) for part in parts], separator="/")).to_series()
        # A parent's id serves all its children, so the child's number goes behind it.
        if index is not None and all(holder is parents for holder in holders):
            ids = ids + "#" + index.cast(pl.String)
        return ids + rule.id_space if rule.id_space else ids

    def _identity(self) -> list[pl.Series]:
        height = len(self.rows)
        values = [self._identifier(expression) for _, expression in self.source.key]
        if not values:
            nothing = pl.Series("id_type", [None], dtype=pl.String).new_from_index(0, height)
            return [nothing, nothing.alias("value")]
        if len(values) == 1 and not values[0].null_count():
            # As below, without a query: most sources have one key, which every row has.
            return [pl.Series("id_type", [self.source.key[0][0]]).new_from_index(0, height), values[0].alias("value")]
        frame = pl.DataFrame({str(i): value for i, value in enumerate(values)})
        which = pl.coalesce(
            pl.when(pl.col(str(i)).is_not_null()).then(pl.lit(name)) for i, (name, _) in enumerate(self.source.key)
        )
        found = frame.select(id_type=which, value=pl.coalesce(pl.all()))
        for i, (name, _) in enumerate(self.source.key):
            earlier = [str(n) for n in range(i)]
            if earlier and (further := frame.select(pl.col(str(i)).is_not_null() & pl.any_horizontal(
                pl.col(earlier).is_not_null()
            )).to_series()).any():  # fmt: skip
                other = pl.DataFrame([self.rows.alias("row"), frame[str(i)].alias("other_value")])
                other = other.with_columns(*found, pl.lit(name).alias("other_type"))
                self.links.append(other.filter(further))
        return found.get_columns()

    def _linked(self, good: pl.DataFrame) -> pl.DataFrame:
        """Pairs of identifiers of the good rows, by time."""
        if not self.links or good.is_empty():
            return pl.DataFrame()
        time = next((name for name in ("ts", "valid_from") if name in good.columns), None)
        seen = pl.lit(None, dtype=INSTANT) if time is None else pl.col(time).min()
        rows = good.group_by("row").agg(seen.alias("seen"), pl.col("line").first())
        found = pl.concat(self.links).join(rows, on="row").sort("seen", "row", nulls_last=True)
        return found.select("row", *LINKED, "seen", "line")

    def _identifier(self, expression: Expression) -> pl.Series:
        """Identifiers of the rows; what is too long for one is an offence and null."""
        values = identifier_of(evaluate(expression, self.columns))
        is_long = values.str.len_bytes() > LONGEST_IDENTIFIER
        if not is_long.any():
            return values
        is_long = (values.str.len_chars() > LONGEST_IDENTIFIER).fill_null(value=False)
        wanted = f"an identifier of at most {LONGEST_IDENTIFIER:,} characters"
        self._refuse(", ".join(columns_of(expression)), is_long, values, wanted, "it is too long")
        self.too_long |= is_long
        return values.set(is_long, None)

    def _times(self, times: Instants, columns: Columns, positions: pl.Series | None) -> pl.Series:
        value = evaluate(times.value, columns)
        raw = value if isinstance(value, pl.Series) else as_text(value)
        found = to_instants(raw, times.rule, self.counts.clock) if raw.dtype != pl.Null else raw.cast(INSTANT)
        absent = found.is_null()
        if absent.any():
            stands = present(raw)
            name = ", ".join(columns_of(times.value))
            self._refuse(name, absent & stands, raw, _expected_time(times), "this is no time", positions)
            self._refuse(name, absent & ~stands, None, _expected_time(times), "the time is missing", positions)
        return found

    def _typed(
        self, target: Target, columns: Columns, positions: pl.Series | None, mask: pl.Series | None = None
    ) -> pl.Series:
        result = typed(target, columns, self.counts)
        values, bad = result.values, result.bad
        if mask is not None:
            values = values.to_frame("v").select(pl.when(mask).then("v")).to_series()
            bad = None if bad is None else bad & mask
        if bad is not None and bad.any():
            name = ", ".join(columns_of(target.value))
            self._refuse(name, bad, _offending(result, target, columns), expected(target.type), "it does not fit",
                         positions, target=target.name)  # fmt: skip
        return values

    def _refuse(
        self,
        column: str,
        bad: pl.Series,
        raw: pl.Series | None,
        wanted: str,
        reason: str,
        positions: pl.Series | None = None,
        target: str | None = None,
    ) -> None:
        at = bad.arg_true()
        if at.is_empty():
            return
        position = at.cast(pl.Int64) if positions is None else positions.gather(at)
        value = pl.lit(None, dtype=pl.String) if raw is None else pl.lit(as_text(raw.gather(at)).str.head(_SHOWN))
        said = reason if target is None else f"`{target}`: {reason}"
        self.reasons.append(
            pl.DataFrame({"position": position}).with_columns(
                pl.struct(column=pl.lit(column), expected=pl.lit(wanted), value=value, reason=pl.lit(said))
                .cast(REASON)
                .alias("reason")
            )
        )

    def _bad_positions(self) -> pl.Series:
        if not self.reasons:
            return pl.Series("position", [], dtype=pl.Int64)
        return pl.concat([part["position"] for part in self.reasons]).unique().sort()

    def _finished(self, rows: pl.DataFrame, skipped: int, kinds_skipped: dict[str, int]) -> TypedBatch:
        if not self.reasons:
            missing, linked = self.columns.missing, self._linked(rows)
            return TypedBatch(rows, _no_bad(), skipped, kinds_skipped, missing=missing, linked=linked)
        reasons = pl.concat(self.reasons).group_by("position", maintain_order=True).agg(reasons=pl.col("reason"))
        reasons = reasons.sort("position")
        position = reasons["position"]
        raw = pl.DataFrame([without_bytes(column) for column in self.columns.frame[position].get_columns()])
        text = raw.to_struct("raw").struct.json_encode() if raw.width else pl.Series("raw", ["{}"] * len(position))
        where = [self.rows.gather(position).alias("row"), self.lines.gather(position).alias("line")]
        bad = pl.DataFrame([*where, text.alias("raw"), reasons["reasons"]])
        good = rows.join(bad.select("row"), on="row", how="anti", maintain_order="left")
        who = ("key",) if self.source.rows is not None else ("id_type", "value")
        named = rows.join(bad.select("row"), on="row", how="semi").select(who).drop_nulls()
        return TypedBatch(good, bad, skipped, kinds_skipped, named, self.columns.missing, self._linked(good))


def _all(height: int, *, value: bool) -> pl.Series:
    """So many times the same truth."""
    # A dozen times quicker than `repeat`, which is a query of its own; streams type small batches.
    return pl.Series([value], dtype=pl.Boolean).new_from_index(0, height)


def _no_bad() -> pl.DataFrame:
    return pl.DataFrame(schema={"row": pl.Int64, "line": pl.Int64, "raw": pl.String, "reasons": pl.List(REASON)})


def _same(column: pl.Series) -> pl.Series:
    return column


def _gather(positions: pl.Series) -> Callable[[pl.Series], pl.Series]:
    return lambda column: column.gather(positions)


def _stored(target: Target) -> str:
    return stored_column(target.name, target.type)


def _holder(expression: Expression, parents: Columns, columns: Columns) -> Columns:
    """Where an expression of a child event is read: at the parent, unless only the child has its columns."""
    if parents is columns:
        return columns
    probe = Columns(parents.frame.head(1), parents.form)
    for name in columns_of(expression):
        probe.get(name)
    return columns if probe.missing else parents


def _decoded_records(texts: pl.Series) -> pl.Series:
    try:
        return texts.str.json_decode(infer_schema_length=None)
    except (pl.exceptions.PolarsError, TypeError):
        return texts


def _offending(result: Typed, target: Target, columns: Columns) -> pl.Series:
    if result.raw is not None:
        return result.raw
    names = columns_of(target.value)
    texts = [as_text(columns.get(name)).fill_null("") for name in names]
    frame = pl.DataFrame(dict(zip(names, texts, strict=True)))
    return frame.select(pl.concat_str(pl.all(), separator=" | ")).to_series()


def _expected_time(times: Instants) -> str:
    form = times.rule.format
    return "a time" if form == "auto" else f"a time as `{form}`"


def expected(value_type: ValueType) -> str:
    """What a type wants, in words."""
    if value_type.kind in (Kind.NUMBER, Kind.MONEY):
        return f"a number with at most {value_type.scale} digits after the point"
    if value_type.kind is Kind.LIST and value_type.element is not None and value_type.element != TEXT:
        return f"a list, each element {expected(value_type.element)}"
    return _EXPECTED.get(value_type.kind, str(value_type.kind))
