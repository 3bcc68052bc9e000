"""The project file, bound: settings, identifiers, traits, events, environments."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Literal

from segctl.model.audience import Cap, Holdout, PriorityList
from segctl.model.consent import ConsentRules, Purpose
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.identity import IdentityRules
from segctl.model.lint import LintSettings
from segctl.model.places import NearDefaults, PlaceList
from segctl.model.types import ValueType

if TYPE_CHECKING:
    # Forty classes that a command about the project alone need not build.
    from segctl.model.conditions import ComputedTrait, SegmentDefinition
    from segctl.model.content import Content
    from segctl.model.destinations import Destination
    from segctl.model.experiments import Experiment, UniversalHoldout
    from segctl.model.reports import ReportSettings
    from segctl.model.workflows import Workflow

IdentifierClass = Literal["known", "anonymous"]
Language = Literal["de", "en"]
RELATED = "related:"
"""Prefix of the pseudo event kind that holds the rows of a related table."""


@dataclass(frozen=True, slots=True)
class IdentifierType:
    """A kind of identifier; the order in the project file is the priority for minting profile ids.

    Attributes:
        personal: The value itself is personal data, so profile ids are minted from its hash.
    """

    name: str
    identifier_class: IdentifierClass = "known"
    personal: bool = False


@dataclass(frozen=True, slots=True)
class StoredTrait:
    """A trait that comes from profile records.

    Attributes:
        sensitive: Special category of personal data (health, religion …); refused without purpose later.
        personal: Names, addresses, e-mail …: shown only with `--show-personal`.
    """

    name: str
    type: ValueType
    title: str | None = None
    description: str | None = None
    sensitive: bool = False
    personal: bool = False
    location: Location | None = field(default=None, compare=False)

    @property
    def is_private(self) -> bool:
        """Values are shown only to those who ask for them."""
        return self.personal or self.sensitive


@dataclass(frozen=True, slots=True)
class EventKind:
    """A declared kind of event with typed properties."""

    name: str
    properties: tuple[tuple[str, ValueType], ...] = ()
    title: str | None = None
    description: str | None = None
    location: Location | None = field(default=None, compare=False)

    def property_type(self, name: str) -> ValueType | None:
        """Declared type of a property, None when not declared."""
        return dict(self.properties).get(name)


@dataclass(frozen=True, slots=True)
class RelatedTable:
    """A declared table whose rows belong to profiles: tickets, subscriptions, devices.

    A row is known by its key within its source, and its version valid at as_of counts.
    """

    name: str
    properties: tuple[tuple[str, ValueType], ...] = ()
    title: str | None = None
    description: str | None = None
    location: Location | None = field(default=None, compare=False)

    def property_type(self, name: str) -> ValueType | None:
        """Declared type of a property, None when not declared."""
        return dict(self.properties).get(name)


@dataclass(frozen=True, slots=True)
class Colleagues:
    """Profiles that share a value, such as those of one company.

    Attributes:
        same: The stored trait they share; a profile without it has nobody.
        others_only: The profile itself does not count among them.
    """

    name: str
    same: str
    others_only: bool = False
    title: str | None = None
    description: str | None = None
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Project:
    """Everything a project's files say, for one environment.

    Attributes:
        root: Absolute path of the folder that holds `segctl.yaml`.
        timezone: IANA zone; calendar words use it.
        language: `de` or `en`.
        stale: What inputs do that are older than `fresh` of a segment says.
        workspace: Absolute path of this environment's workspace folder.
        population: Classes of identifiers that make a profile part of the population.
        related: Tables of rows that belong to profiles.
        colleagues: Groups of profiles that share a value; one namespace with `related`.
        places: Declared lists of places.
        near: What `near` conditions need not say again.
        purposes: What people are contacted or profiled for.
        consent: What holds for consent to any purpose.
        contact_points: Kind of contact point → traits and identifiers that hold one, the preferred first.
        priority: Segments of which a profile goes to the first only.
        caps: How often people may be contacted.
        holdout: Segments whose members are kept out of every push.
        universal_holdouts: Generations of people whom no campaign reaches, in order of time, none at once.
        identity: How people are recognised.
        lint: How severe each lint rule is.
        reports: What counts as success in reports; None when nothing is said.
    """

    root: str
    name: str
    timezone: str = "UTC"
    language: Language = "en"
    stale: Literal["refuse", "mark"] = "refuse"
    environment: str = "dev"
    workspace: str = ""
    population: tuple[IdentifierClass, ...] = ("known",)
    keep_landed_days: int = 30
    identifiers: tuple[IdentifierType, ...] = ()
    traits: tuple[StoredTrait, ...] = ()
    events: tuple[EventKind, ...] = ()
    related: tuple[RelatedTable, ...] = ()
    colleagues: tuple[Colleagues, ...] = ()
    places: tuple[PlaceList, ...] = ()
    near: NearDefaults = NearDefaults()
    purposes: tuple[Purpose, ...] = ()
    consent: ConsentRules = ConsentRules()
    contact_points: tuple[tuple[str, tuple[str, ...]], ...] = ()
    priority: tuple[PriorityList, ...] = ()
    caps: tuple[Cap, ...] = ()
    holdout: tuple[Holdout, ...] = ()
    universal_holdouts: tuple[UniversalHoldout, ...] = ()
    identity: IdentityRules = IdentityRules()
    lint: LintSettings = LintSettings()
    reports: ReportSettings | None = None

    def trait(self, name: str) -> StoredTrait | None:
        """The declared trait of that name, or None."""
        return next((t for t in self.traits if t.name == name), None)

    @property
    def event_kinds(self) -> tuple[EventKind, ...]:
        """Declared kinds of events, and the one that pushes write; ``"*"`` means the declared ones only."""
        from segctl.model.contacted import CONTACTED_KIND

        return self.events if self.is_declared(CONTACTED_KIND.name) else (*self.events, CONTACTED_KIND)

    def is_declared(self, event: str) -> bool:
        """True if the project file declares a kind of events of that name."""
        return any(e.name == event for e in self.events)

    def event(self, name: str) -> EventKind | None:
        """The event kind of that name, or None."""
        return next((e for e in self.event_kinds if e.name == name), None)

    def table(self, name: str) -> RelatedTable | None:
        """The declared related table of that name, or None."""
        return next((t for t in self.related if t.name == name), None)


@dataclass(frozen=True, slots=True)
class Definitions:
    """All definitions of a project, bound.

    Attributes:
        segments: By name, in order of name.
        computed: Computed traits by name.
        destinations: Of `destinations/`, by name.
        experiments: Of `experiments/`, by name; their segments are named as they are today.
        workflows: Of `workflows/`, by name.
        content: Of `content/`; None where a project has none.
    """

    project: Project
    segments: dict[str, SegmentDefinition]
    computed: dict[str, ComputedTrait]
    destinations: dict[str, Destination] = field(default_factory=dict)
    experiments: dict[str, Experiment] = field(default_factory=dict)
    workflows: dict[str, Workflow] = field(default_factory=dict)
    content: Content | None = None

    def trait(self, name: str) -> StoredTrait | ComputedTrait | None:
        """The stored or computed trait of that name, or None."""
        return self.project.trait(name) or self.computed.get(name)
