"""Plain Python worlds as the rows that the row evaluator reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import oracle
from engine_tools import leaves, physical, value_of
from oracle_data import Profile, World, consent_at, trait_at, trait_changes
from oracle_person import Person
from oracle_related import NO_TIME, rows_of

from segctl.compile import ir
from segctl.compile.lower import lower_segment, lower_trait
from segctl.compile.plan import walk
from segctl.compile.trace_rows import EventRow, ProfileRow
from segctl.model import conditions as c
from segctl.model.types import stored_column


def profile_row(world: World, profile: Profile, at: datetime | None = None) -> ProfileRow:
    """A profile's traits at as_of (or another instant), its look-ups, and the values that come later."""
    now = at or world.as_of
    lists = {
        ir.InList(leaf.name, leaf.column, leaf.identifier): Person(world, profile, {}).answer(leaf) is True
        for leaf in leaves(world)
        if isinstance(leaf, c.ListCondition)
    }
    own = [x.at for x in world.consents if x.profile_id == profile.profile_id]
    coming = sorted({at for at in (*(r.valid_from for r in profile.records), *own) if at is not None and at > now})
    later = tuple((instant, values(world, profile, instant)) for instant in coming)
    told, ranked = values(world, profile, now), scores(world, profile)
    return ProfileRow(profile.profile_id, told, lists, colleagues(world, profile), later, ranked)


def scores(world: World, profile: Profile) -> dict[ir.Score, int | None]:
    """Every score of a profile, as the oracle says."""
    asked = {n: t.formula for n, t in world.definitions.computed.items() if isinstance(t.formula, c.Score)}
    if not asked:
        return {}
    people = oracle.everybody(world, oracle.answers(world).members)
    (person,) = [p for p in people if p.profile == profile]
    nodes = {name: lower_trait(name, world.definitions) for name in asked}
    return {node: person.trait(name) for name, node in nodes.items() if isinstance(node, ir.Score)}


def colleagues(world: World, profile: Profile) -> dict[ir.Colleagues, tuple[EventRow, ...]]:
    """Who counts in each number of colleagues, as the oracle says."""
    asked = [leaf for leaf in leaves(world) if isinstance(leaf, c.ColleaguesCondition)]
    if not asked:
        return {}
    people = oracle.everybody(world, oracle.answers(world).members)
    (person,) = [p for p in people if p.profile == profile]
    counted = [(colleagues_node(world, leaf), person.colleagues(leaf)) for leaf in asked]
    return {
        node: tuple(EventRow("related:colleagues", NO_TIME, event_id=p.profile.profile_id) for p in alike)
        for node, alike in counted
    }


def colleagues_node(world: World, leaf: c.ColleaguesCondition) -> ir.Colleagues:
    """The number that a condition asks for."""
    lists = {name: sorted(texts) for name, texts in world.lists.items()}
    lowered = lower_segment(c.SegmentDefinition("x", leaf), world.definitions, lists=lists)
    return next(node for node in walk(lowered.where) if isinstance(node, ir.Colleagues))


def values(world: World, profile: Profile, at: datetime) -> dict[str, Any]:
    """Physical values of all stored traits and consents."""
    found = traits(world, profile, at)
    for leaf in leaves(world):
        if isinstance(leaf, c.ConsentCondition):
            status, since = consent_at(world, profile.profile_id, leaf.purpose, leaf.channel, at)
            name = f"consent:{leaf.purpose}:{leaf.channel}"
            found |= {name: status, f"{name}:since": since}
    return found


def traits(world: World, profile: Profile, at: datetime) -> dict[str, Any]:
    """Physical values of all stored traits."""
    return {
        t.name: physical(trait_at(profile.records, t.name, at, world.rule(t.name)), t.type)
        for t in world.project.traits
    }


def event_rows(world: World, profile: Profile) -> list[EventRow]:
    """All events of a profile, those ahead of as_of too, and the changes of its traits."""
    rows = [
        EventRow(e.kind, e.ts, e.source, e.event_id, properties(world, e))
        for e in world.events
        if e.subject in profile.subjects
    ]
    for table in world.project.related:
        for row in rows_of(world.rows, table.name, profile.subjects, world.as_of):
            values = {stored_column(name, of): physical(row.properties.get(name), of) for name, of in table.properties}
            rows.append(EventRow(row.kind, row.ts, row.source, row.event_id, values))
    for trait in world.project.traits:
        for number, (at, old, new) in enumerate(trait_changes(profile.records, trait.name, world.rule(trait.name))):
            values = {"old": physical(old, trait.type), "new": physical(new, trait.type)}
            rows.append(EventRow(f"trait:{trait.name}", at, "", str(number), values))
    return rows


def properties(world: World, event: Any) -> dict[str, Any]:
    """Columns of an event as they are stored."""
    kind = world.project.event(event.kind)
    assert kind is not None
    return {stored_column(name, of): value_of(world, event, name, of) for name, of in kind.properties}
