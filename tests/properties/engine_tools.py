"""Plain Python worlds as the files and frames that engines read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
from oracle_data import Event, Profile, World, consent_at, trait_at, trait_changes
from oracle_person import Person
from oracle_related import NO_TIME, live_rows
from oracle_values import sample_place

from segctl.engines.base import EngineInput, EventPart
from segctl.engines.physical import stored_dtype
from segctl.model import conditions as c
from segctl.model.project import RelatedTable
from segctl.model.types import EXACT, Kind, ValueType, stored_column

EVENT_COLUMNS: dict[str, Any] = {
    "subject": pl.Int32(),
    "ts": pl.Datetime("us", "UTC"),
    "source": pl.String(),
    "event_id": pl.String(),
    "kind": pl.String(),
}


def physical(value: Any, of: ValueType) -> Any:
    """A value in physical form: exact numbers as scaled integers."""
    if value is None:
        return None
    if of.kind is Kind.LIST and of.element is not None:
        return [physical(element, of.element) for element in value]
    if of.kind is Kind.STRUCT:
        return {name: physical(value.get(name), inner) for name, inner in of.fields}
    return int(value * 10**of.scale) if of.kind in EXACT else value


def engine_input(world: World, folder: Path, seed: int) -> EngineInput:
    """Files and frames of a world; how rows lie in files is random.

    Args:
        world: Its events carry a subject each.
        folder: Where files go.
        seed: Of the layout.
    """
    people = [p for p in world.profiles if Person(world, p, {}).exists]
    merged = any(len(p.subjects) > 1 for p in world.profiles)
    return EngineInput(
        profiles=profile_frame(world, people),
        events=tuple(event_parts(world, folder, Random(seed))),
        canonical=canonical(world) if merged or seed % 3 == 0 else None,
        changes={t.name: change_frame(world, t.name, t.type) for t in world.project.traits},
        related={table.name: related_frame(world, table) for table in world.project.related},
    )


def profile_frame(world: World, people: Sequence[Profile]) -> pl.DataFrame:
    """One row a profile with its traits at as_of, samples and look-ups."""
    columns: dict[str, pl.Series] = {
        "subject": pl.Series([p.subjects[0] for p in people], dtype=pl.Int32),
        "profile_id": pl.Series([p.profile_id for p in people], dtype=pl.String),
    }
    for trait in world.project.traits:
        values = [
            physical(trait_at(p.records, trait.name, world.as_of, world.rule(trait.name)), trait.type) for p in people
        ]
        columns[trait.name] = pl.Series(values, dtype=stored_dtype(trait.type), strict=True)
    for leaf in leaves(world):
        if isinstance(leaf, c.SampleCondition):
            places = [sample_place(leaf.salt, p.profile_id) >> 1 for p in people]
            columns[f"sample:{leaf.salt}"] = pl.Series(places, dtype=pl.Int64)
        if isinstance(leaf, c.ListCondition):
            found = [Person(world, p, {}).answer(leaf) for p in people]
            columns[f"list:{leaf.name}:{leaf.column or ''}:{leaf.identifier}"] = pl.Series(found, dtype=pl.Boolean)
        if isinstance(leaf, c.ConsentCondition):
            states = [consent_at(world, p.profile_id, leaf.purpose, leaf.channel, world.as_of) for p in people]
            name = f"consent:{leaf.purpose}:{leaf.channel}"
            columns[name] = pl.Series([status for status, _ in states], dtype=pl.String)
            columns[f"{name}:since"] = pl.Series([since for _, since in states], dtype=EVENT_COLUMNS["ts"])
    return pl.DataFrame(columns).sort("subject")


def leaves(world: World) -> Iterable[c.Condition]:
    """All conditions that are no combination of others."""
    found: list[c.Condition] = [segment.where for segment in world.definitions.segments.values()]
    while found:
        match found.pop():
            case c.All(items) | c.AnyOf(items) | c.NoneOf(items):
                found.extend(items)
            case c.Not(item):
                found.append(item)
            case leaf:
                if isinstance(leaf, c.ColleaguesCondition) and leaf.where is not None:
                    found.append(leaf.where)
                yield leaf


def canonical(world: World) -> pl.Series:
    """Subject to the subject of its profile."""
    size = (
        max(
            [e.subject for e in world.events]
            + [r.subject for r in world.rows]
            + [s for p in world.profiles for s in p.subjects]
        )
        + 1
    )
    owner = {s: p.subjects[0] for p in world.profiles for s in p.subjects}
    return pl.Series("canonical", [owner.get(s, s) for s in range(size)], dtype=pl.Int32)


def related_frame(world: World, table: RelatedTable) -> pl.DataFrame:
    """One row a row that is valid at as_of, by the subject of its profile."""
    owner = {s: p.subjects[0] for p in world.profiles for s in p.subjects}
    live = [row for row in live_rows(world.rows, world.as_of) if row.table == table.name]
    base = {name: EVENT_COLUMNS[name] for name in ("subject", "ts", "source", "event_id")}
    rows = [
        [
            *(owner.get(row.subject, row.subject), NO_TIME, row.source, row.key),
            *(physical(row.properties.get(name), of) for name, of in table.properties),
        ]
        for row in live
    ]
    schema = base | {name: stored_dtype(of) for name, of in table.properties}
    return pl.DataFrame(rows, schema=schema, orient="row")


def change_frame(world: World, trait: str, of: ValueType) -> pl.DataFrame:
    """One row a change of a trait, those after as_of included."""
    rows = [
        (p.subjects[0], at, "", str(number), physical(old, of), physical(new, of))
        for p in world.profiles
        for number, (at, old, new) in enumerate(trait_changes(p.records, trait, world.rule(trait)))
    ]
    values = stored_dtype(of)
    schema = {name: EVENT_COLUMNS[name] for name in ("subject", "ts", "source", "event_id")} | {
        "old": values,
        "new": values,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def event_parts(world: World, folder: Path, random: Random) -> Iterable[EventPart]:
    """Compacted files of one kind, sorted, and tails of several kinds as they came."""
    tails: list[list[Event]] = [[] for _ in range(random.choice((1, 1, 2)))]
    sorted_files: dict[str, list[Event]] = {}
    share = random.choice((0.0, 0.5, 1.0, 1.0))
    for event in world.events:
        if random.random() < share:
            sorted_files.setdefault(event.kind, []).append(event)
        else:
            random.choice(tails).append(event)
    for number, (kind, events) in enumerate(sorted(sorted_files.items())):
        events.sort(key=lambda e: (e.subject, *e.order))
        yield part(world, folder / f"sorted-{number}.parquet", (kind,), events, random, is_sorted=True)
    for number, events in enumerate(tails):
        if events:
            kinds = tuple(sorted({e.kind for e in events}))
            yield part(world, folder / f"tail-{number}.parquet", kinds, events, random)


def part(
    world: World,
    path: Path,
    kinds: tuple[str, ...],
    events: Sequence[Event],
    random: Random,
    *,
    is_sorted: bool = False,
) -> EventPart:
    """One file with its statistics; a column that nobody delivered may be left out."""
    properties = {stored_column(name, of): (name, of) for k in kinds for name, of in world.project.event(k).properties}
    columns: dict[str, pl.Series] = {
        "subject": pl.Series([e.subject for e in events], dtype=pl.Int32),
        "ts": pl.Series([e.ts for e in events], dtype=EVENT_COLUMNS["ts"]),
        "source": pl.Series([e.source for e in events], dtype=pl.String),
        "event_id": pl.Series([e.event_id for e in events], dtype=pl.String),
    }
    if not is_sorted:
        columns["kind"] = pl.Series([e.kind for e in events], dtype=pl.String)
    max_abs: dict[str, int] = {}
    for column, (name, of) in properties.items():
        values = [value_of(world, e, name, of) for e in events]
        if all(v is None for v in values) and random.random() < 0.5:
            continue
        columns[column] = pl.Series(values, dtype=stored_dtype(of), strict=True)
        if of.kind in EXACT and random.random() < 0.7:
            max_abs[column] = max((abs(v) for v in values if v is not None), default=0)
    pl.DataFrame(columns).write_parquet(path)
    instants = [e.ts for e in events]
    moments = {(e.subject, e.ts) for e in events}
    return EventPart(
        path=str(path),
        rows=len(events),
        kinds=kinds,
        columns=tuple(columns),
        is_sorted=is_sorted,
        unique_ts=is_sorted and len(moments) == len(events),
        min_ts=min(instants) - timedelta(0),
        max_ts=max(instants),
        max_abs=max_abs,
    )


def value_of(world: World, event: Event, name: str, of: ValueType) -> Any:
    """A property in physical form where the event's kind declares it with this type."""
    kind = world.project.event(event.kind)
    declared = None if kind is None else kind.property_type(name)
    return physical(event.properties.get(name), of) if declared == of else None
