"""What the engine of workflows asks of the world: a live workspace, a simulated past, or the people of a test."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Literal, Protocol

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.model.conditions import Condition, EventSelection
    from segctl.model.workflows import Act, Node, Split, Workflow
    from segctl.state.workflows import Place

CONTACTS = ("mail", "task", "add")
"""Actions that count for caps, as a push does for whoever it adds."""
Question = tuple[str, str, str]
"""Workflow, digest of its version, and name of the question."""


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody entered or left a segment.

    Attributes:
        effective: Microseconds since 1970, as all instants here.
        by_edit: A definition changed, nobody moved.
        sequence: Names the change for ever.
        by_undo: A merge was undone: whoever had begun before does not begin anew.
    """

    segment: str
    subject: int
    entered: bool
    effective: int
    by_edit: bool
    sequence: str
    by_undo: bool = False


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that begins a workflow."""

    subject: int
    at: int


@dataclass(frozen=True, slots=True)
class Someone:
    """A profile that is there now.

    Attributes:
        root: Subject of the profile, after merges.
        profile: Its id.
    """

    root: int
    profile: str


@dataclass(frozen=True, slots=True)
class Known:
    """What was found about profiles.

    Attributes:
        holds: Question → roots for whom it holds.
        last: Question → root → when the last such event was.
        zones: Trait → root → IANA zone, where it holds one.
    """

    holds: Mapping[Question, frozenset[int]] = field(default_factory=dict)
    last: Mapping[Question, Mapping[int, int]] = field(default_factory=dict)
    zones: Mapping[str, Mapping[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody was contacted and it is no event yet."""

    root: int
    at: int
    channel: str | None
    purpose: str | None


@dataclass(frozen=True, slots=True)
class Doing:
    """One effect that is about to happen.

    Attributes:
        key: Of the effect: what destinations may know a repetition by.
        entry: What began the person's way.
        entered: When.
    """

    key: str
    someone: Someone
    entry: str
    entered: int


Outcome = Literal["done", "invalid", "unknown", "again", "not_now", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an effect.

    Attributes:
        outcome: ``not_now``: nothing happened, and later it may; ``again``: it may have happened, and repeating it
            changes nothing; ``refused``: the gate said no at the last moment.
        reason: Without anybody's data.
        is_personal: It says nothing about others, such as a mailbox that is full: they are told all the same.
        may_be_all: When it befalls several people one after the other, the destination fails and not they.
    """

    outcome: Outcome
    reason: str | None = None
    is_personal: bool = False
    may_be_all: bool = False


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the gate says of some people at a step.

    Attributes:
        refused: Root → step and reason, such as ``consent:withdrawn``; a cap is ``cap:NAME``. The others are allowed.
        held: Why nothing can be done at this step now, for nobody; None when it can.
        channel: What people are reached by there.
    """

    refused: Mapping[int, str] = field(default_factory=dict)
    held: str | None = None
    channel: str | None = None


class World(Protocol):
    """Where people, changes and destinations come from. Instants are microseconds since 1970."""

    zone: str

    def now_there(self) -> tuple[str, int]:
        """The end of the feed, and the newest snapshot: where a workflow begins to read."""
        ...

    def changes(self, feed: str, segments: Collection[str], now: int) -> tuple[list[Change], str]:
        """Changes after a position in their order, and the position behind them."""
        ...

    def happened(self, selection: EventSelection, place: Place, now: int) -> list[Happened]:
        """Events that a place has not seen yet and that are not later than now, in order of person and time."""
        ...

    def members(self, segment: str, now: int) -> list[int]:
        """Subjects of the members in force."""
        ...

    def people(self, subjects: Iterable[int], now: int) -> dict[int, Someone]:
        """Subject → profile, of those who are there."""
        ...

    def roots(self, subjects: Iterable[int]) -> dict[int, int]:
        """Subject → subject of its profile after merges, whether or not that is there."""
        ...

    def subjects(self, roots: Collection[int]) -> Collection[int]:
        """All subjects of some profiles, those that were merged into them too."""
        ...

    def ask(
        self,
        questions: Mapping[Question, Condition | EventSelection],
        zones: Collection[str],
        roots: Sequence[int],
        now: int,
    ) -> Known:
        """What holds for some profiles."""
        ...

    def arms(self, workflow: Workflow, node: Node, split: Split, roots: Sequence[int], now: int) -> Allowed:
        """Arms of a split by an experiment: `refused` is root → arm, none for who is in none; `held` when unknown."""
        ...

    def allow(
        self, workflow: Workflow, node: Node, act: Act, people: Sequence[Someone], contacts: Sequence[Contact], now: int
    ) -> Allowed:
        """Whom the gate lets through now."""
        ...

    def since(self, now: int) -> int:
        """What the clock shows after what was done since a look began at `now`."""
        ...

    def stopped(self, workflow: str, act: Act) -> str | None:
        """Why nobody else may be told now, though the look began before; None when nothing stands against it."""
        ...

    def is_declared(self, workflow: str) -> bool:
        """Whether there is such a workflow today, so that whom it has put into an audience belongs there."""
        ...

    def is_repeatable(self, destination: str | None, action: str) -> bool:
        """Whether an effect that may have happened can simply be repeated."""
        ...

    def at_once(self, act: Act) -> int:
        """How many people go in one call."""
        ...

    def perform(self, workflow: Workflow, node: Node, act: Act, doing: Sequence[Doing], now: int) -> dict[str, Result]:
        """Has the effects; key → what became of each."""
        ...

    def close(self) -> None:
        """Lets go of connections."""
        ...
