"""Segment definitions as written and bound: names resolved, literals typed, missing rules still open.

Values of literals are in the field's own domain: text is NFC `str`, integer `int`, number and money
`Decimal`, boolean `bool`, date `date`, time an aware `datetime` in UTC.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.times import Duration, Window
from segctl.model.types import ValueType

Value = str | int | Decimal | bool | date | datetime
Missing = Literal["match", "no_match", "error"]
ValueOperator = Literal[
    "equals", "not_equals", "in", "not_in", "above", "at_least", "below", "at_most", "between",
    "contains", "not_contains", "starts_with", "ends_with", "matches", "exists",
    "any_of", "all_of", "none_of", "size", "any_element",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class TraitOperand:
    """``{trait: x}`` in the place of a literal."""

    trait: str


@dataclass(frozen=True, slots=True)
class ListOperand:
    """``{list: name}`` in `in` and `not_in`: the values of a file of the project."""

    name: str


Operand = Value | TraitOperand | ListOperand | Duration


@dataclass(frozen=True, slots=True)
class ValueTest:
    """One operator on a value.

    Attributes:
        operator: As in the language.
        operands: One for most; two for `between` (both ends included); any number for `in`, `not_in`,
            `any_of`, `all_of`, `none_of`; none for `any_element`. `exists` holds one bool. A comparison of
            a gap holds `Duration` operands.
        ignore_case: Both sides are folded with Unicode case folding first.
        element: For `any_element`: tests all of which must hold on the same element, by field name
            ("" for elements that are no structs). For `size`: one test under "".
    """

    operator: ValueOperator
    operands: tuple[Operand, ...] = ()
    ignore_case: bool = False
    element: tuple[tuple[str, ValueTest], ...] = ()


Test = ValueTest | Window
"""A `Window` tests a time or date value."""


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
    All | AnyOf | NoneOf | Not | TraitCondition | ChangedCondition | EventCondition | SequenceCondition
    | SegmentCondition | SampleCondition | ListCondition
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keep:
    """Rank the matched and keep the best.

    Attributes:
        best: `top` or `bottom`.
        count: Absolute number, or None.
        percent: Share in percent (rounded up, at least 1), or None.
        by: Trait that ranks; missing is never kept. Ties: by profile id.
        per: Trait that groups; missing drops unless `keep_missing_group`.
    """

    best: Literal["top", "bottom"]
    by: str
    count: int | None = None
    percent: Decimal | None = None
    per: str | None = None
    keep_missing_group: bool = False


@dataclass(frozen=True, slots=True)
class Guards:
    """Limits a later push or `diff --guards` checks; shares in 0–1, None when not set."""

    max_removed: Decimal | None = None
    max_added: Decimal | None = None
    min_size: int | None = None
    max_size: int | None = None


@dataclass(frozen=True, slots=True)
class SegmentDefinition:
    """One segment file, bound.

    Attributes:
        digest: SHA-256 (hex) of the meaning: where, keep and every definition they refer to; comments,
            titles and the order of keys do not change it.
    """

    name: str
    where: Condition
    keep: Keep | None = None
    title: str | None = None
    description: str | None = None
    owner: str | None = None
    purpose: str | None = None
    tags: tuple[str, ...] = ()
    status: Literal["draft", "active", "paused"] = "active"
    send_to: tuple[str, ...] = ()
    guards: Guards = Guards()
    fresh: tuple[tuple[str, Duration], ...] = ()
    formerly: tuple[str, ...] = ()
    location: Location | None = field(default=None, compare=False)
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """A literal in a formula."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class TraitValue:
    """A trait's value in a formula."""

    trait: str


@dataclass(frozen=True, slots=True)
class Call:
    """``+ - * /`` (two operands), ``neg`` (one), ``min max abs round coalesce days_since years_since``."""

    function: str
    operands: tuple[Formula, ...]


Formula = Number | TraitValue | Call


@dataclass(frozen=True, slots=True)
class ComputedTrait:
    """A trait made from events or from other traits.

    Attributes:
        selection: Which events, None for formulas.
        measure: What of them, None for formulas.
        formula: Arithmetic over traits, None for event traits.
        type: Type of the result, with unit.
        sensitive: A trait it rests on, directly or not, is.
        personal: Likewise.
    """

    name: str
    type: ValueType
    selection: EventSelection | None = None
    measure: Measure | None = None
    formula: Formula | None = None
    title: str | None = None
    description: str | None = None
    sensitive: bool = field(default=False, compare=False)
    personal: bool = field(default=False, compare=False)
    location: Location | None = field(default=None, compare=False)

    @property
    def is_private(self) -> bool:
        """Values are shown only to those who ask for them."""
        return self.personal or self.sensitive
