"""The tree of a segment's `where`: and, or, not, and every kind of leaf."""

from __future__ import annotations

from dataclasses import field
from decimal import Decimal

from segctl.model.conditions.consent import ConsentCondition
from segctl.model.conditions.events import EventCondition, SequenceCondition
from segctl.model.conditions.near import NearCondition
from segctl.model.conditions.related import ColleaguesCondition, RelatedCondition
from segctl.model.conditions.values import Missing, Test, Value
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.times import Window


@dataclass(frozen=True, slots=True)
class All:
    """Every item holds (Kleene); with `same` the event leaves hold for one and the same value of these properties."""

    items: tuple[Condition, ...]
    same: tuple[str, ...] = ()
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least `at_least` items hold; unknown when only the unknown ones could decide."""

    items: tuple[Condition, ...]
    at_least: int = 1
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NoneOf:
    """No item holds."""

    items: tuple[Condition, ...]
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The item does not hold."""

    item: Condition
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class TraitCondition:
    """A stored or computed value passes one test.

    Attributes:
        trait: Declared trait or computed trait.
        path: Field names into a struct, empty for the value itself.
        test: One operator.
        missing: What unknown turns into before any surrounding `not`; None leaves it unknown.
    """

    trait: str
    test: Test
    path: tuple[str, ...] = ()
    missing: Missing | None = None
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ChangedCondition:
    """A stored trait's history has a change from `old` (any if None) to `new` (any if None) in the window."""

    trait: str
    old: Value | None
    new: Value | None
    window: Window | None
    missing: Missing | None = None
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SegmentCondition:
    """Member of another segment at the same as_of, after its `keep`; never unknown."""

    segment: str
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SampleCondition:
    """A stable pseudo-random share of profiles by id."""

    percent: Decimal
    salt: str
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ListCondition:
    """An identifier of the profile stands in a file of the project.

    Attributes:
        name: Path or declared name of the list.
        column: Column of the file, None for its only or first one.
        identifier: Identifier type looked up, e.g. ``email``.
    """

    name: str
    column: str | None
    identifier: str
    location: Location | None = field(default=None, compare=False)


Condition = (
    NearCondition | All | AnyOf | NoneOf | Not | TraitCondition | ChangedCondition | EventCondition | SequenceCondition
    | SegmentCondition | SampleCondition | ListCondition | RelatedCondition | ColleaguesCondition | ConsentCondition
)  # fmt: skip
