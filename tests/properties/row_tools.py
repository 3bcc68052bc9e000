"""Plain Python worlds as the rows that the row evaluator reads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from engine_tools import leaves, physical, value_of
from oracle_data import Profile, World, trait_at, trait_changes
from oracle_person import Person

from segctl.compile import ir
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
    coming = sorted({r.valid_from for r in profile.records if r.valid_from is not None and r.valid_from > now})
    later = tuple((instant, traits(world, profile, instant)) for instant in coming)
    return ProfileRow(profile.profile_id, traits(world, profile, now), lists, later)


def traits(world: World, profile: Profile, at: datetime) -> dict[str, Any]:
    """Physical values of all stored traits."""
    return {t.name: physical(trait_at(profile.records, t.name, at), t.type) for t in world.project.traits}


def event_rows(world: World, profile: Profile) -> list[EventRow]:
    """All events of a profile, those ahead of as_of too, and the changes of its traits."""
    rows = [
        EventRow(e.kind, e.ts, e.source, e.event_id, properties(world, e))
        for e in world.events
        if e.subject in profile.subjects
    ]
    for trait in world.project.traits:
        for number, (at, old, new) in enumerate(trait_changes(profile.records, trait.name)):
            values = {"old": physical(old, trait.type), "new": physical(new, trait.type)}
            rows.append(EventRow(f"trait:{trait.name}", at, "", str(number), values))
    return rows


def properties(world: World, event: Any) -> dict[str, Any]:
    """Columns of an event as they are stored."""
    kind = world.project.event(event.kind)
    assert kind is not None
    return {stored_column(name, of): value_of(world, event, name, of) for name, of in kind.properties}
