"""What the row evaluator reads and gives back: one profile with its events, and the answer in all its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import Protocol

from segctl.compile import ir
from segctl.model.dataclass import dataclass
from segctl.model.times import Window
from segctl.model.types import ValueType

Answer = bool | None
NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
"""Of rows of a table that hold from the beginning, and of colleagues."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of the profile, one change of a trait (kind ``trait:NAME``, values ``old`` and ``new``), or one row.

    A row of a related table has the kind ``related:NAME``, a counted colleague the kind ``related:colleagues`` and the
    value ``profile_id``.

    Attributes:
        ts: Aware; of rows and colleagues any instant up to as_of.
        event_id: Of a row its key.
        values: By column name as stored (``value:n2``) in physical form; the columns of a change are plain.
    """

    kind: str
    ts: datetime
    source: str = ""
    event_id: str = ""
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """One profile at as_of.

    Attributes:
        traits: Stored traits by name in physical form; absent or None is missing.
        lists: Answers of the look-ups in list files.
        colleagues: Who counts in each number of colleagues.
        scores: Scores among the population.
        later: Trait values that become valid after as_of, in order of time; only `next_change` reads them.
    """

    profile_id: str
    traits: Mapping[str, object] = field(default_factory=dict)
    lists: Mapping[ir.InList, bool] = field(default_factory=dict)
    colleagues: Mapping[ir.Colleagues, tuple[EventRow, ...]] = field(default_factory=dict)
    later: tuple[tuple[datetime, Mapping[str, object]], ...] = ()
    scores: Mapping[ir.Score, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TracedValue:
    """A value that decided.

    Attributes:
        name: Trait, or the measure in words (``count of order_completed``).
        value: In physical form; None when missing.
    """

    name: str
    value: object
    type: ValueType


@dataclass(frozen=True, slots=True)
class LeafTrace:
    """What one condition says about the profile, and why.

    Attributes:
        path: Position in the tree, such as ``all[0].not``.
        text: The condition in one short line.
        line: Line in the definition file, if any.
        answer: True, false, or None for unknown.
        values: Metric and trait values it read.
        events: The event rows that decided, newest last: those counted, or the first, the last, the matched steps.
        event_count: How many decided in all; `events` holds the newest of them.
        missing: For false and unknown: what would be needed, such as ``2, needs at least 3``.
    """

    path: str
    text: str
    line: int | None
    answer: Answer
    values: tuple[TracedValue, ...] = ()
    events: tuple[EventRow, ...] = ()
    event_count: int = 0
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of the tree.

    Attributes:
        word: ``all``, ``any``, ``any at_least N``, ``not`` or ``leaf``.
        leaf: Index into the trace's leaves, for leaves.
    """

    word: str
    answer: Answer
    items: tuple[Branch, ...] = ()
    leaf: int | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """Why a profile is in a segment or not.

    Attributes:
        answer: Of the whole condition, before `keep`; only true belongs.
        tree: The condition's shape with the answer of every node.
        leaves: In reading order.
    """

    segment: str
    profile_id: str
    answer: Answer
    tree: Branch
    leaves: tuple[LeafTrace, ...]


class RowsAsked(Protocol):
    """What measures and sequences ask of the row evaluator: values, tests and events of one profile at one instant.

    Attributes:
        events: Those up to as_of, in event order.
        now: as_of in microseconds since 1970.
        zone: The project's zone.
    """

    events: list[EventRow]
    now: int
    zone: str

    def truth(self, node: ir.Predicate, event: EventRow | None = None) -> Answer:
        """True, false, or None for unknown."""
        ...

    def value(self, node: ir.Expression, event: EventRow | None = None) -> object:
        """The value in working form, None when missing."""
        ...

    def fits(self, event: EventRow, kinds: Sequence[str], where: ir.Predicate | None) -> bool:
        """The event is of a kind and passes a filter."""
        ...

    def property(self, event: EventRow, name: str, of: ValueType) -> object:
        """A property of an event in working form."""
        ...

    def in_window(
        self,
        kinds: Sequence[str],
        window: Window | None,
        bounds: Sequence[tuple[str, ir.Expression]],
        where: ir.Predicate | None,
    ) -> list[EventRow]:
        """Events of some kinds in a window that pass a filter, in event order."""
        ...
