"""The data dictionary: what stands in an event kind or a trait, how complete it is, what is frequent."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.compile.lower import lower_trait
from segctl.compile.plan import Output
from segctl.compile.words_trace import exact_number
from segctl.model.dataclass import dataclass
from segctl.model.types import Kind, ValueType, stored_column
from segctl.operations.evaluation import evaluate
from segctl.operations.ls import type_words
from segctl.operations.things import find_trait, unknown_thing

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.session import Session

FREQUENT = 8


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """One property or trait.

    Attributes:
        filled: Share of rows with a value, 0 to 1; None without rows.
        distinct: Different values; None for lists and structs.
        frequent: The most frequent values with their rows, most first; ties by value. Empty where hidden.
        lowest: Smallest value of numbers, dates and times.
        highest: Largest, likewise.
    """

    name: str
    type: str
    unit: str | None
    filled: float | None
    distinct: int | None
    frequent: tuple[tuple[Any, int], ...] = ()
    lowest: Any = None
    highest: Any = None


@dataclass(frozen=True, slots=True)
class EventFacts:
    """One event kind as stored.

    Attributes:
        sources: Source → rows.
        properties: Facts of each declared property.
    """

    event: str
    rows: int
    first: datetime | None
    last: datetime | None
    sources: tuple[tuple[str, int], ...]
    properties: tuple[FieldFacts, ...]


@dataclass(frozen=True, slots=True)
class TraitFacts:
    """One trait over all profiles of the population.

    Attributes:
        personal: Its values are personal or sensitive, so they are shown only when asked for.
    """

    facts: FieldFacts
    profiles: int
    personal: bool


def event_facts(session: Session, name: str) -> EventFacts:
    """What is stored of an event kind; every file of the newest snapshot is read.

    Raises:
        UsageError: No such event kind.
    """
    import polars as pl

    kind = session.project.event(name)
    if kind is None:
        raise unknown_thing("event", name, [e.name for e in session.project.events])
    columns = {stored_column(p, of): (p, of) for p, of in kind.properties}
    files = [f for f in session.workspace.files("events") if name in f.meta["kinds"]]
    parts = []
    for file in files:
        scan = pl.scan_parquet(file.path)
        if len(file.meta["kinds"]) > 1:
            scan = scan.filter(pl.col("kind") == name)
        present = [c for c in columns if c in file.meta["columns"]]
        parts.append(scan.select("ts", "source", *present))
    if not parts:
        empty = tuple(FieldFacts(p, type_words(of), of.unit, None, None) for p, of in kind.properties)
        return EventFacts(name, 0, None, None, (), empty)
    rows = pl.concat(parts, how="diagonal").collect()
    return EventFacts(
        event=name,
        rows=rows.height,
        first=rows["ts"].min(),  # type: ignore[arg-type]  # the column holds instants
        last=rows["ts"].max(),  # type: ignore[arg-type]  # likewise
        sources=tuple(sorted(rows.group_by("source").len().iter_rows())),
        properties=tuple(
            _field_facts(p, of, rows[column] if column in rows.columns else None, rows.height)
            for column, (p, of) in columns.items()
        ),
    )


def trait_facts(session: Session, name: str, *, as_of: datetime, show_personal: bool = False) -> TraitFacts:
    """What a stored or computed trait holds over the population.

    Raises:
        UsageError: No such trait.
    """
    trait = find_trait(session.definitions, name)
    found = evaluate(
        session,
        [],
        as_of=as_of,
        snapshot=session.workspace.snapshot(),
        outputs=[Output("value", lower_trait(name, session.definitions, lists=session.lists))],
    )
    values = found.frame["value"]
    facts = _field_facts(name, trait.type, values, values.len(), is_hidden=trait.is_private and not show_personal)
    return TraitFacts(facts, values.len(), trait.is_private)


def shown(value: Any, value_type: ValueType) -> Any:  # noqa: ANN401 - a value of any declared type
    """A stored value in its natural form: scaled integers become decimals."""
    if value is None:
        return None
    if value_type.kind in (Kind.NUMBER, Kind.MONEY):
        return exact_number(value, value_type)
    if value_type.kind is Kind.LIST and value_type.element is not None:
        return [shown(v, value_type.element) for v in value]
    if value_type.kind is Kind.STRUCT:
        types = dict(value_type.fields)
        return {name: shown(v, types[name]) for name, v in value.items()}
    return value


def _field_facts(
    name: str, value_type: ValueType, values: pl.Series | None, rows: int, *, is_hidden: bool = False
) -> FieldFacts:
    filled = 0 if values is None else rows - values.null_count()
    facts = FieldFacts(name, type_words(value_type), value_type.unit, filled / rows if rows else None, 0)
    if values is None or not filled:
        return facts
    if value_type.kind is Kind.LIST and value_type.element is not None and value_type.element.kind is Kind.TEXT:
        values, value_type = values.explode().drop_nulls(), value_type.element
    if value_type.kind in (Kind.LIST, Kind.STRUCT):
        return FieldFacts(name, facts.type, facts.unit, facts.filled, None)
    present = values.drop_nulls()
    orders = value_type.kind not in (Kind.TEXT, Kind.BOOLEAN) and not is_hidden and present.len() > 0
    return FieldFacts(
        name=name,
        type=facts.type,
        unit=facts.unit,
        filled=facts.filled,
        distinct=present.n_unique(),
        frequent=() if is_hidden else _frequent(present, value_type),
        lowest=shown(present.min(), value_type) if orders else None,
        highest=shown(present.max(), value_type) if orders else None,
    )


def _frequent(values: pl.Series, value_type: ValueType) -> tuple[tuple[Any, int], ...]:
    import polars as pl

    counts = values.rename("value").to_frame().group_by("value").len("rows")
    best = counts.sort(["rows", "value"], descending=[True, False]).head(FREQUENT)
    if counts.height > FREQUENT and best["rows"][0] == 1:
        return ()  # numbers of orders and the like: no value is more frequent than another
    return tuple((shown(v, value_type), n) for v, n in best.select("value", pl.col("rows")).iter_rows())
