"""Workflows as declared in `workflows/NAME.yaml`: what begins them, which steps follow, what ends them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from datetime import time
from decimal import Decimal
from typing import Literal

from segctl.model.audience import Cap
from segctl.model.conditions.events import EventSelection
from segctl.model.conditions.tree import Condition
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.times import Duration

TriggerKind = Literal["entered", "left", "stayed", "event", "every"]
Period = Literal["day", "week", "month"]
CONTROL = "control"
"""Arm of those who get nothing and are recorded."""
TREATED = "in"
"""Arm of all others."""
START = "start"
"""Where an instance stands that has done nothing yet."""
END = ""
"""Where the way ends."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """What begins a workflow for a person.

    Attributes:
        segment: Of ``entered``, ``left`` and ``stayed``; of ``every`` whose members begin.
        length: Of ``stayed``: how long they must have been members without a break.
        selection: Of ``event``: which events; no window and no `latest`.
        period: Of ``every``.
        day: Of ``every``: day of the week (1 is Monday) or of the month; a month without it has its last.
        at: Of ``every``: wall clock in the project's zone.
        edits: Members who came or went because a definition changed count too.
    """

    kind: TriggerKind
    segment: str | None = None
    length: Duration | None = None
    selection: EventSelection | None = None
    period: Period | None = None
    day: int | None = None
    at: time | None = None
    edits: bool = False
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that can come true while somebody waits: an event since then, or a condition of the language.

    Attributes:
        selection: Which events; later than the moment that is counted from.
        condition: Instead of events.
    """

    selection: EventSelection | None = None
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Quiet:
    """When nobody is written to.

    Attributes:
        begin: Wall clock; from `begin` on, to before `end`, over midnight where `end` is earlier.
        end: Likewise.
        days: Days of the week (1 is Monday) that are quiet as a whole.
        zone: Stored trait with each person's IANA zone; None for the project's. Where it holds none, the project's.
    """

    begin: time | None = None
    end: time | None = None
    days: tuple[int, ...] = ()
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Reentry:
    """Whether somebody may go through again; nobody is in a workflow twice at a time.

    Attributes:
        rule: ``once``, ``always``, or ``after`` a length that counts from the last entry.
    """

    rule: Literal["once", "always", "after"] = "once"
    length: Duration | None = None


# --- Steps --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Wait:
    """A length of time, from when the step was reached."""

    length: Duration


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """The next such time of day, in the zone of `Quiet.zone`; on one of some days of the week (1 is Monday)."""

    at: time
    days: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Until something happens, at most so long; those to whom it happened may go another way than the others."""

    signal: Signal
    at_most: Duration


@dataclass(frozen=True, slots=True)
class Branch:
    """The first way whose condition holds; ``else`` for the others. Ways are named by their place."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """Ways by chance: by an experiment's assignment, or by weights of the step's own.

    Attributes:
        arms: Name and weight; weights do not matter where there is an experiment.
        experiment: Whose arm decides; who is in none goes ``else``.
    """

    arms: tuple[tuple[str, Decimal], ...]
    experiment: str | None = None


ActionKind = Literal["mail", "add", "remove", "task", "set", "command"]


@dataclass(frozen=True, slots=True)
class Act:
    """Something that is done to a person, once.

    Attributes:
        kind: ``mail``: a message through a destination; ``add`` and ``remove``: an audience there; ``task``: a ticket
            or call-back by webhook or CRM; ``set``: a trait; ``command``: a program of one's own.
        destination: Of mail, audience and task.
        audience: Name of the audience there.
        content: Of a mail: name of the template in `content/`.
        purpose: What it is for, as the gate asks.
        fields: Of a task: what it says, by name; `text` is its title.
        trait: Of ``set``; with `value` in stored form.
        command: Program and arguments.
        capped: What a cap does: the step is left out, or waits.
        is_quiet: Quiet hours hold for it.
    """

    kind: ActionKind
    destination: str | None = None
    audience: str | None = None
    content: str | None = None
    purpose: str | None = None
    fields: tuple[tuple[str, str], ...] = ()
    trait: str | None = None
    value: object = None
    command: tuple[str, ...] = ()
    capped: Literal["skip", "wait"] = "skip"
    is_quiet: bool = False


@dataclass(frozen=True, slots=True)
class Stop:
    """The way ends here."""

    reason: str = "end of the way"


StepBody = Wait | WaitUntil | WaitFor | Branch | Split | Act | Stop


@dataclass(frozen=True, slots=True)
class Node:
    """One step with where it leads.

    Attributes:
        id: As named, or its place such as ``2`` or ``3.then.1``.
        ways: Name of a way → id of the step it leads to (`END` for none): ``next``, ``reached`` and ``timeout`` of
            `WaitFor`, places of conditions and ``else`` of `Branch`, arms and ``else`` of `Split`.
    """

    id: str
    body: StepBody
    ways: tuple[tuple[str, str], ...] = ()
    title: str | None = None
    location: Location | None = field(default=None, compare=False)

    def way(self, name: str) -> str:
        """The step that a way leads to."""
        return dict(self.ways)[name]


@dataclass(frozen=True, slots=True)
class ExitRule:
    """What ends the workflow for a person wherever they are: an event since the entry, or a condition."""

    name: str
    signal: Signal
    location: Location | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow.

    Attributes:
        nodes: In the order written; the first is where it begins.
        when: Who does not fit at the entry does not begin.
        exits: Looked at before every step and while waiting.
        control: Share of those who begin that get nothing and are recorded.
        caps: Of messages of this workflow alone, beside the project's.
        purpose: Of actions that name none.
        digest: Of its meaning.
        text: The file, so that those who wait can go on by it after an edit.
    """

    name: str
    trigger: Trigger
    nodes: tuple[Node, ...]
    when: Condition | None = None
    exits: tuple[ExitRule, ...] = ()
    reentry: Reentry = Reentry()
    control: Decimal = Decimal(0)
    quiet: Quiet | None = None
    caps: tuple[Cap, ...] = ()
    purpose: str | None = None
    status: Literal["draft", "active", "paused"] = "active"
    title: str | None = None
    description: str | None = None
    owner: str | None = None
    location: Location | None = field(default=None, compare=False)
    digest: str = ""
    text: bytes = field(default=b"", compare=False)

    @property
    def first(self) -> str:
        """Id of the first step."""
        return self.nodes[0].id

    def node(self, step: str) -> Node | None:
        """The step of that id."""
        return next((node for node in self.nodes if node.id == step), None)

    @property
    def actions(self) -> Iterator[tuple[Node, Act]]:
        """The steps that do something."""
        return ((node, node.body) for node in self.nodes if isinstance(node.body, Act))
