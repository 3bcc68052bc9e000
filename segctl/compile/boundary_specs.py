"""What a proposed profile of a test is given, and what that rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from segctl.compile.boundaries import Clock, Written
from segctl.compile.boundary_events import Event
from segctl.compile.lower_events import Lists
from segctl.model.dataclass import dataclass
from segctl.model.project import Definitions

OWN = "@own"
"""A value that nobody else has."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What a proposed profile is given.

    Attributes:
        traits: Stored traits.
        events: By kind, each with `at`.
        records: Later versions of traits, each with `at`.
        identifiers: By type.
        members: Segments it belongs to or not, where that is given.
        places: Range of places in a sample, by salt: the profile's name is chosen so that it lies there.
        rows: Of related tables, by name.
        consents: By purpose and channel the state, and since when; None for a state without an age.
        mates: Further profiles that stand beside it, for what counts others. `OWN` in a trait of them and of this one
            is a value that nobody else has.
    """

    traits: Mapping[str, Written] = field(default_factory=dict)
    events: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    records: tuple[Event, ...] = ()
    identifiers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, bool] = field(default_factory=dict)
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    rows: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    mates: tuple[Spec, ...] = ()
    consents: Mapping[tuple[str, str], tuple[str, Written]] = field(default_factory=dict)

    def over(self, other: Spec) -> Spec:
        """This laid over another: events together, of the rest this one's."""
        kinds = dict.fromkeys((*other.events, *self.events))
        tables = dict.fromkeys((*other.rows, *self.rows))
        return Spec(
            {**other.traits, **self.traits},
            {kind: (*other.events.get(kind, ()), *self.events.get(kind, ())) for kind in kinds},
            (*other.records, *self.records),
            {**other.identifiers, **self.identifiers},
            {**other.members, **self.members},
            {**other.places, **self.places},
            {table: (*other.rows.get(table, ()), *self.rows.get(table, ())) for table in tables},
            (*other.mates, *self.mates),
            {**other.consents, **self.consents},
        )

    @property
    def size(self) -> int:
        """How much is given, to prefer little."""
        given = (*self.events.values(), *self.rows.values())
        own = len(self.traits) + sum(map(len, given)) + len(self.records) + len(self.identifiers) + len(self.consents)
        return own + sum(mate.size + 1 for mate in self.mates)


@dataclass(frozen=True, slots=True)
class Ground:
    """What leaves stand on: the definitions, the list files, the case's clock."""

    definitions: Definitions
    lists: Lists
    clock: Clock


Candidate = tuple[str, Spec]
