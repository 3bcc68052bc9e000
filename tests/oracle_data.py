"""What the oracle reads: people, records with their versions, events, definitions, in plain Python.

Values are in the field's own domain: text `str`, integer `int`, number and money `Decimal` with the declared
digits, boolean, `date`, aware `datetime`, `list`, `dict`; None is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from oracle_survivorship import survives

from segctl.model import conditions as c
from segctl.model.identity import LATEST, Survivorship
from segctl.model.project import Definitions, Project

Answer = bool | None
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Record:
    """One version of one row of a profile source; `valid_from` None is from the beginning."""

    source: str
    arrival: int
    traits: Mapping[str, Any]
    valid_from: datetime | None = None
    gone: bool = False
    subject: int = 0


@dataclass(frozen=True)
class Event:
    """One event; `subject` is the identifier it came with."""

    subject: int
    kind: str
    ts: datetime
    source: str
    event_id: str
    properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Event order everywhere."""
        return self.ts, self.source, self.event_id


@dataclass(frozen=True)
class Profile:
    """A person: own subject first, then those merged into it."""

    profile_id: str
    subjects: tuple[int, ...]
    records: tuple[Record, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Consent:
    """From `at` on a person's consent has this state; None is from the beginning, without an age."""

    profile_id: str
    purpose: str
    channel: str
    status: str
    at: datetime | None = None


@dataclass(frozen=True)
class World:
    """Everything an evaluation reads. `lists` holds the texts of a list file's column by (name, column).

    `rows` holds the versions of the rows of related tables (`oracle_related.Row`).
    """

    definitions: Definitions
    profiles: tuple[Profile, ...]
    events: tuple[Event, ...]
    as_of: datetime
    lists: Mapping[tuple[str, str | None], frozenset[str]] = field(default_factory=dict)
    rows: tuple[Any, ...] = ()
    consents: tuple[Consent, ...] = ()

    @property
    def project(self) -> Project:
        """The project."""
        return self.definitions.project

    def rule(self, trait: str) -> Survivorship:
        """Which value of a stored trait survives."""
        return dict(self.project.identity.survivorship).get(trait, LATEST)


@dataclass(frozen=True)
class Answers:
    """Members by segment; each leaf's answer by (segment, path) and profile; segments a `missing: error` failed."""

    population: tuple[str, ...]
    members: dict[str, frozenset[str]]
    leaves: dict[tuple[str, str], dict[str, Answer]]
    failed: frozenset[str]


# --- Trait values at an instant --------------------------------------------------------------------------------
def version_order(record: Record) -> tuple[datetime, int]:
    """Latest by declared record time, else by arrival."""
    return record.valid_from or BEGINNING, record.arrival


def live_records(records: Iterable[Record], at: datetime) -> list[Record]:
    """The version of each source's row that is valid at an instant, without those gone, latest last."""
    rows: dict[tuple[str, int], Record] = {}
    for record in sorted(records, key=version_order):
        if record.valid_from is None or record.valid_from <= at:
            rows[record.source, record.subject] = record
    return sorted((r for r in rows.values() if not r.gone), key=version_order)


def trait_at(records: Iterable[Record], trait: str, at: datetime, rule: Survivorship = LATEST) -> Any:
    """The value valid at an instant: what survives of the live records, by default the latest value."""
    return survives([(r.source, r.traits.get(trait)) for r in live_records(records, at)], rule)


def trait_changes(
    records: Sequence[Record], trait: str, rule: Survivorship = LATEST
) -> list[tuple[datetime, Any, Any]]:
    """Instants at which the value became another one; what a profile begins with is no change."""
    instants = sorted({r.valid_from for r in records if r.valid_from is not None})
    changes = []
    for at in instants:
        before = at - timedelta(microseconds=1)
        if not any(r.valid_from is None or r.valid_from <= before for r in records):
            continue
        old, new = trait_at(records, trait, before, rule), trait_at(records, trait, at, rule)
        if old != new:
            changes.append((at, old, new))
    return changes


def consent_at(world: World, profile_id: str, purpose: str, channel: str, at: datetime) -> tuple[str, datetime | None]:
    """State and beginning of a consent at an instant: what was said last, of two things at once the one told later."""
    mine = [x for x in world.consents if (x.profile_id, x.purpose, x.channel) == (profile_id, purpose, channel)]
    said = sorted((x for x in mine if x.at is None or x.at <= at), key=lambda x: x.at or BEGINNING)
    return (said[-1].status, said[-1].at) if said else ("none", None)


def leaves_of(condition: c.Condition, path: str = "") -> Iterator[tuple[str, c.Condition]]:
    """Leaves in reading order with their place, such as ``all[0].not``; each as it would answer on its own."""
    dot = f"{path}." if path else ""
    match condition:
        case c.All(items):
            for i, item in enumerate(items):
                yield from leaves_of(item, f"{dot}all[{i}]")
        case c.AnyOf(items):
            for i, item in enumerate(items):
                yield from leaves_of(item, f"{dot}any[{i}]")
        case c.NoneOf(items):
            for i, item in enumerate(items):
                yield from leaves_of(item, f"{dot}none[{i}]")
        case c.Not(item):
            yield from leaves_of(item, f"{dot}not")
        case _:
            yield path, condition


def references(condition: c.Condition) -> set[str]:
    """Segments named in a condition."""
    inner = [leaf.where for _, leaf in leaves_of(condition) if isinstance(leaf, c.ColleaguesCondition) and leaf.where]
    own = {leaf.segment for _, leaf in leaves_of(condition) if isinstance(leaf, c.SegmentCondition)}
    return own.union(*(references(where) for where in inner))


def event_leaves(condition: c.Condition) -> Iterator[c.EventCondition]:
    """The event leaves below a condition."""
    match condition:
        case c.EventCondition():
            yield condition
        case c.All(items) | c.AnyOf(items) | c.NoneOf(items):
            for item in items:
                yield from event_leaves(item)
        case c.Not(item):
            yield from event_leaves(item)
