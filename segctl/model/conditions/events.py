"""Conditions on events: which are selected, what is measured of them, sequences."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from segctl.model.conditions.values import Missing, Test
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.times import Duration, Window


@dataclass(frozen=True, slots=True)
class PropertyTest:
    """One entry of `where`: an event property (dotted path into structs) or a part of its local time.

    Attributes:
        property: Property name, or ``time.month``, ``time.weekday`` (1 = Monday), ``time.hour``, ``time.date``.
        path: Field names into a struct.
    """

    property: str
    test: Test
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FollowedBy:
    """Count only events that another event follows, in the sense of a sequence's `then`.

    Attributes:
        events: Event kinds of the follower.
        where: Filter on the follower.
        same: Properties both must share; a missing value ties with nothing.
        within: From the first event, end included; None means up to as_of.
    """

    events: tuple[str, ...]
    where: tuple[PropertyTest, ...] = ()
    same: tuple[str, ...] = ()
    within: Duration | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """Number of selected events; 0 of none."""

    followed_by: FollowedBy | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`sum` and `distinct` are 0 of none; `average`, `min`, `max` are missing of none. Missing values are skipped."""

    function: Literal["sum", "average", "min", "max", "distinct"]
    of: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Periods:
    """Distinct local days, weeks (Monday), months or years with a selected event; 0 of none."""

    unit: Literal["days", "weeks", "months", "years"]


@dataclass(frozen=True, slots=True)
class Share:
    """Share of the selected events that also fit `where`, 0 to 1; missing of none."""

    where: tuple[PropertyTest, ...]


@dataclass(frozen=True, slots=True)
class EdgeTime:
    """Time of the first or last selected event; missing of none."""

    edge: Literal["first", "last"]


@dataclass(frozen=True, slots=True)
class EdgeValue:
    """Value of a property at the first or last selected event, even if that is missing."""

    edge: Literal["first", "last"]
    of: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MostFrequent:
    """The most frequent value, missing ones skipped; ties go to the value of the latest event."""

    of: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gap:
    """Time between neighbouring selected events; missing below two. As a trait: days, a real number."""

    function: Literal["average", "max", "last"]


Measure = Count | Aggregate | Periods | Share | EdgeTime | EdgeValue | MostFrequent | Gap


@dataclass(frozen=True, slots=True)
class EventSelection:
    """Which events are measured: kinds, then window, then `where`, then only the newest `latest` of those.

    Attributes:
        events: Declared kinds; ``("*",)`` is every declared kind.
    """

    events: tuple[str, ...]
    window: Window | None = None
    where: tuple[PropertyTest, ...] = ()
    latest: int | None = None


@dataclass(frozen=True, slots=True)
class EventCondition:
    """A measure over the selected events passes one test; `first` and `last` are tested by a window."""

    selection: EventSelection
    measure: Measure
    test: Test
    missing: Missing | None = None
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a sequence.

    Attributes:
        events: Kinds that fit.
        where: Filter on the event.
        negative: `then_not`: no such event may stand there.
        window: Only on the first step.
        within: From the previous positive step's event, end included; None is open.
    """

    events: tuple[str, ...]
    where: tuple[PropertyTest, ...] = ()
    negative: bool = False
    window: Window | None = None
    within: Duration | None = None


@dataclass(frozen=True, slots=True)
class SequenceCondition:
    """Steps in time order, tied by `same` properties."""

    steps: tuple[Step, ...]
    start: Literal["first", "last", "any"] = "any"
    same: tuple[str, ...] = ()
    location: Location | None = field(default=None, compare=False)
