"""What a file under `tests/` says: cases with given profiles and what is expected of segments, bound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from segctl.model.conditions import ConsentStatus
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location

TESTS = "tests"
"""Folder of a project that holds the tests of its segments."""
EVERYONE = "everyone"
"""Key under `given` whose body every profile of the case has too."""
KEEP = "keep"
"""What decided, where the condition holds and `keep` ranks others higher."""
ENDS = "expires"
"""What decided, where the segment has ended."""

SAME = "same"
"""What decided, where leaves hold only for one and the same value."""
LONE = "where"
"""The place of a leaf that is the whole condition."""


@dataclass(frozen=True, slots=True)
class GivenEvent:
    """One event.

    Attributes:
        at: Microseconds since 1970.
        values: Properties in physical form, by name.
    """

    kind: str
    at: int
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GivenRow:
    """One row of a related table, as it is at the case's instant; values as those of events."""

    table: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class GivenRecord:
    """Traits that a later record brought: valid from `at`, in microseconds since 1970."""

    at: int
    traits: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class GivenConsent:
    """The state of a consent from `at` on, in microseconds since 1970; None is from the beginning, without an age."""

    purpose: str
    channel: str
    status: ConsentStatus
    at: int | None = None


@dataclass(frozen=True, slots=True)
class GivenProfile:
    """One profile of a case.

    Attributes:
        name: Short name, which is also its profile id.
        traits: Stored traits as they were from the beginning, in physical form; None is missing.
        identifiers: By type, for look-ups in list files.
        events: In the order written: of two at one instant the first comes first.
        records: Later versions of the traits.
        rows: Of related tables.
        consents: As the gate sees them; what is not given is ``none``.
    """

    name: str
    traits: Mapping[str, object] = field(default_factory=dict)
    identifiers: Mapping[str, str] = field(default_factory=dict)
    events: tuple[GivenEvent, ...] = ()
    records: tuple[GivenRecord, ...] = ()
    rows: tuple[GivenRow, ...] = ()
    consents: tuple[GivenConsent, ...] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """A profile's name where it is expected."""

    name: str
    location: Location


@dataclass(frozen=True, slots=True)
class Reasons:
    """What is said to have decided one profile: places or names of leaves, or `keep`."""

    name: str
    leaves: tuple[str, ...]
    location: Location


@dataclass(frozen=True, slots=True)
class Expectation:
    """What one case expects of one segment.

    Attributes:
        members: They, and of the given profiles nobody else, belong.
        non_members: The condition is false for them, or `keep` ranks others higher.
        unknown: A missing value leaves it open, so they do not belong.
        because: Which leaves decided.
        fails: The segment cannot be decided at all (``missing: error``).
        location: Where the segment's name stands.
    """

    segment: str
    members: tuple[Named, ...] = ()
    non_members: tuple[Named, ...] = ()
    unknown: tuple[Named, ...] = ()
    because: tuple[Reasons, ...] = ()
    fails: bool = False
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Case:
    """One case: a small world at one instant, and what is expected of segments in it.

    Attributes:
        file: Path relative to the project.
        name: Unique in its file.
        profiles: In the order written; they are the whole population.
        stubs: Segments whose members are given instead of evaluated.
    """

    file: str
    name: str
    as_of: datetime
    profiles: tuple[GivenProfile, ...]
    expectations: tuple[Expectation, ...]
    stubs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    location: Location | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        """Stable name for reports: ``tests/winback.yaml: bought twice``."""
        return f"{self.file}: {self.name}"
