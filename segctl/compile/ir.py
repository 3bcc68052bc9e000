"""The intermediate representation: a small closed set of frozen, hashable nodes between definitions and engines.

In here no name is unresolved, no missing-value rule is open and every literal has its column's physical
form: scaled integers for number and money, microseconds never (times stay symbolic windows or literals of
type time). Windows stay symbolic; `compile/windows.py` resolves them when `as_of` is known, so one plan
serves many instants. Predicates are three-valued: null is unknown, and engines decide once, at the root.

Two scopes share the expression nodes: a *profile* row (stored traits, metrics) and an *event* row (its
properties and time, and the stored traits of the profile it belongs to).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal as OneOf

from segctl.model.dataclass import dataclass
from segctl.model.times import Duration, Window
from segctl.model.types import INTEGER, REAL, TIME, ValueType

Physical = str | int | float | bool | date | datetime


# --- Expressions -----------------------------------------------------------------------------------------
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
    | MetricValue | OfProfile | Real | Arithmetic | DaysSince | YearsSince
)  # fmt: skip


# --- Predicates ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Constant:
    """True, false, or unknown (None)."""

    value: bool | None


@dataclass(frozen=True, slots=True)
class And:
    """Kleene conjunction; of nothing it is true."""

    items: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Kleene disjunction; of nothing it is false."""

    items: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """True if `n` items are true, false if true plus unknown are fewer than `n`, else unknown."""

    items: tuple[Predicate, ...]
    n: int


@dataclass(frozen=True, slots=True)
class Not:
    """Kleene negation."""

    item: Predicate


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison of two values of one type; unknown when either is null."""

    op: OneOf["eq", "ne", "lt", "le", "gt", "ge"]
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class In:
    """The value is one of the literals; of none it is false for a present value; unknown when null."""

    value: Expression
    options: tuple[Physical, ...]


@dataclass(frozen=True, slots=True)
class TextTest:
    """A test on text; `pattern` is a literal or another text value; `matches` takes a portable regex, unanchored."""

    op: OneOf["eq", "contains", "starts_with", "ends_with", "matches"]
    value: Expression
    pattern: Expression
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class FoldedIn:
    """The value, case folded, is one of these folded texts."""

    value: Expression
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exists:
    """The value is not null; never unknown. An empty list exists."""

    value: Expression


@dataclass(frozen=True, slots=True)
class InWindow:
    """A time or date value lies in a window; a date stands for its first local instant.

    A window bound may be `TraitTime`: another trait of the same profile, found in `bounds` by name.
    """

    value: Expression
    window: Window
    bounds: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True, slots=True)
class ArrayTest:
    """`any`, `all` or `none` of the options stand in the list; null list is unknown."""

    op: OneOf["any", "all", "none"]
    value: Expression
    options: tuple[Physical, ...]


@dataclass(frozen=True, slots=True)
class AnyElement:
    """Some element of the list fulfils the predicate (true wins, unknown elements count as no match)."""

    value: Expression
    item: Predicate


@dataclass(frozen=True, slots=True)
class IfMissing:
    """Unknown becomes `then`; None means: unknown for any profile fails the segment."""

    item: Predicate
    then: bool | None


@dataclass(frozen=True, slots=True)
class IsMember:
    """Member of another segment of the plan; never unknown."""

    segment: str


@dataclass(frozen=True, slots=True)
class InSample:
    """First 63 bits of SHA-256(salt, 0x1F, profile_id) are below `threshold` (0 … 2**63)."""

    salt: str
    threshold: int


@dataclass(frozen=True, slots=True)
class InList:
    """An identifier of the profile stands in a list file."""

    name: str
    column: str | None
    identifier: str


@dataclass(frozen=True, slots=True)
class HasSequence:
    """The sequence has a match; never unknown."""

    sequence: Sequence


@dataclass(frozen=True, slots=True)
class HasCommonValue:
    """For one and the same value of `same`, the item holds over metrics restricted to events with that value.

    Values are those seen in events that any metric inside selects; an event with a missing value counts for none.
    True if the item is true for one value, else unknown if unknown for one, else false.
    """

    same: tuple[tuple[str, ValueType], ...]
    item: Predicate


Predicate = (
    Constant | And | Or | AtLeast | Not | Compare | In | TextTest | FoldedIn | Exists | InWindow | ArrayTest
    | AnyElement | IfMissing | IsMember | InSample | InList | HasSequence | HasCommonValue
)  # fmt: skip


# --- Metrics: one value a profile, from events -------------------------------------------------------------
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


# --- What is asked -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Keep:
    """Rank the matched by a value and keep the best, in each group if `per` is given."""

    best: OneOf["top", "bottom"]
    by: Expression
    count: int | None
    percent: str | None
    per: Expression | None
    keep_missing_group: bool


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition of a segment as people see it.

    Attributes:
        path: Position in the tree, such as ``all[0].not``.
        text: The condition in one short line.
        predicate: Its own three-valued answer.
        line: Line in the definition file, None for definitions without one.
    """

    path: str
    text: str
    predicate: Predicate
    line: int | None = None


@dataclass(frozen=True, slots=True)
class LoweredSegment:
    """A segment ready to plan.

    Attributes:
        leaves: In reading order.
        digest: Of the definition it comes from.
    """

    name: str
    where: Predicate
    keep: Keep | None = None
    leaves: tuple[Leaf, ...] = ()
    digest: str = ""
