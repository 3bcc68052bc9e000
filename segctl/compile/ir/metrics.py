"""What is found in a profile's events: one value of them (a metric), or whether a sequence occurs."""

from __future__ import annotations

from typing import Literal as OneOf

from segctl.compile.ir.expressions import Expression
from segctl.compile.ir.predicates import Predicate
from segctl.model.dataclass import dataclass
from segctl.model.times import Duration, Window
from segctl.model.types import ValueType


@dataclass(frozen=True, slots=True)
class Followed:
    """A later event that must exist: as `then` of a sequence."""

    kinds: tuple[str, ...]
    where: Predicate | None
    same: tuple[tuple[str, ValueType], ...]
    within: Duration | None


@dataclass(frozen=True, slots=True)
class Measure:
    """What is computed of the selected events.

    Attributes:
        function: count, sum, average, min, max, distinct (of `of`); days, weeks, months, years (distinct local
            periods); share (of events where `where` is true); first_time, last_time; first_value, last_value,
            most_frequent (of `of`); gap_average, gap_max, gap_last (in days, real).
        of: The property, where one is measured.
        where: For share.
        followed: For count: only events that are followed.
    """

    function: OneOf[
        "count", "sum", "average", "min", "max", "distinct", "days", "weeks", "months", "years", "share",
        "first_time", "last_time", "first_value", "last_value", "most_frequent", "gap_average", "gap_max", "gap_last",
    ]  # fmt: skip
    of: Expression | None = None
    where: Predicate | None = None
    followed: Followed | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure over selected events: kinds, window, `where`, then the newest `latest` of those.

    Attributes:
        kinds: Event kinds in order of name; a trait's history is the pseudo kind ``trait:NAME`` with the
            properties ``old`` and ``new``.
        bounds: Values of `TraitTime` bounds of the window, by trait.
    """

    kinds: tuple[str, ...]
    measure: Measure
    type: ValueType
    window: Window | None = None
    where: Predicate | None = None
    latest: int | None = None
    bounds: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a sequence; see `language.md`, Sequence details."""

    kinds: tuple[str, ...]
    where: Predicate | None
    negative: bool
    window: Window | None
    within: Duration | None
    bounds: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True, slots=True)
class Sequence:
    """Steps in time order; `same` ties all steps by property values."""

    steps: tuple[Step, ...]
    start: OneOf["first", "last", "any"]
    same: tuple[tuple[str, ValueType], ...]
