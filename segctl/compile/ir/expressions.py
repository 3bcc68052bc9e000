"""Values of a profile row or an event row."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING
from typing import Literal as OneOf

from segctl.model.dataclass import dataclass
from segctl.model.types import INTEGER, REAL, TIME, ValueType

if TYPE_CHECKING:
    from segctl.compile.ir.metrics import Metric
    from segctl.compile.ir.predicates import Predicate


Physical = str | int | float | bool | date | datetime


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant in the physical form of `type`."""

    value: Physical
    type: ValueType


@dataclass(frozen=True, slots=True)
class StoredTrait:
    """A stored trait's value that is valid at as_of; null when missing."""

    name: str
    type: ValueType


@dataclass(frozen=True, slots=True)
class EventProperty:
    """A property of the event row; null when missing or not declared for its kind."""

    name: str
    type: ValueType


@dataclass(frozen=True, slots=True)
class EventTime:
    """The event's instant."""

    @property
    def type(self) -> ValueType:
        """An instant in UTC."""
        return TIME


@dataclass(frozen=True, slots=True)
class EventTimePart:
    """Part of the event's local time: month 1–12, weekday 1–7 (Monday 1), hour 0–23, or the local date."""

    part: OneOf["month", "weekday", "hour", "date"]
    type: ValueType


@dataclass(frozen=True, slots=True)
class Element:
    """The element under test inside `AnyElement`."""

    type: ValueType


@dataclass(frozen=True, slots=True)
class StructField:
    """One field of a struct; null when the struct is."""

    of: Expression
    field: str
    type: ValueType


@dataclass(frozen=True, slots=True)
class Size:
    """Number of elements of a list; null for a missing list."""

    of: Expression

    @property
    def type(self) -> ValueType:
        """A count."""
        return INTEGER


@dataclass(frozen=True, slots=True)
class MetricValue:
    """What a metric gives for the profile."""

    metric: Metric

    @property
    def type(self) -> ValueType:
        """The metric's type."""
        return self.metric.type


@dataclass(frozen=True, slots=True)
class Colleagues:
    """How many profiles of the population share the value and meet the condition; 0 where the value is missing.

    Attributes:
        shared: The value they share, of each profile.
        where: Asked of each of them; unknown does not count.
        others_only: The profile itself does not count.
    """

    shared: Expression
    where: Predicate | None = None
    others_only: bool = False

    @property
    def type(self) -> ValueType:
        """A count."""
        return INTEGER


@dataclass(frozen=True, slots=True)
class Score:
    """``1 + groups * worse // n`` among the population: how many of the `n` profiles with a value have a worse one.

    Null where the value, or the one beside it, is.

    Attributes:
        of: What ranks.
        groups: The highest score.
        best: Whether high or low values are good.
        beside: Profiles without this value are not scored and not counted.
    """

    of: Expression
    groups: int
    best: OneOf["high", "low"]
    beside: Expression | None = None

    @property
    def type(self) -> ValueType:
        """A whole number."""
        return INTEGER


@dataclass(frozen=True, slots=True)
class OfProfile:
    """A value over all events of the profile, also inside `HasCommonValue`."""

    of: Expression

    @property
    def type(self) -> ValueType:
        """The value's type."""
        return self.of.type


@dataclass(frozen=True, slots=True)
class Real:
    """An exact number as a 64-bit float: scaled integer divided by ``10 ** scale``."""

    of: Expression

    @property
    def type(self) -> ValueType:
        """A real number."""
        return REAL


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Float arithmetic over real operands; null in, null out, but for `coalesce`; division by zero is null.

    `min` and `max` skip nothing: null if any operand is. `round` rounds half away from zero to whole numbers.
    """

    function: OneOf["+", "-", "*", "/", "neg", "min", "max", "abs", "round", "coalesce"]
    operands: tuple[Expression, ...]

    @property
    def type(self) -> ValueType:
        """A real number."""
        return REAL


@dataclass(frozen=True, slots=True)
class DaysSince:
    """``(as_of − value)`` in days of 24 hours, as a real number; a date stands for its first local instant."""

    of: Expression

    @property
    def type(self) -> ValueType:
        """A real number."""
        return REAL


@dataclass(frozen=True, slots=True)
class YearsSince:
    """Completed years between the value's local day and as_of's local day (an age), as a real number."""

    of: Expression

    @property
    def type(self) -> ValueType:
        """A real number."""
        return REAL


Expression = (
    Literal | StoredTrait | EventProperty | EventTime | EventTimePart | Element | StructField | Size
    | MetricValue | Colleagues | Score | OfProfile | Real | Arithmetic | DaysSince | YearsSince
)  # fmt: skip
