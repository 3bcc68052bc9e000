"""Where somebody goes in a workflow: from one state and what is known of the person to the next, and nothing else.

`advance` is a function of values: no clock, no database, no destination. What has to be known of people is named by
`questions`, so that one evaluation answers it for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from segctl.compile.workflow_times import next_clock, quiet_until
from segctl.compile.zones import shifted
from segctl.model.conditions import Condition, EventSelection
from segctl.model.dataclass import dataclass
from segctl.model.workflows import (
    END,
    START,
    Act,
    Branch,
    Node,
    Signal,
    Split,
    Stop,
    Wait,
    WaitFor,
    WaitUntil,
    Workflow,
)

WHEN = "when"
_EXIT = "exit."


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a person at an instant.

    Attributes:
        holds: Question → whether the condition holds; unknown counts as no.
        last: Question → when the last such event was (microseconds since 1970), not after the instant; None for never.
        zone: Of the person, for times of day.
        arms: Split → the arm, None for somebody who is in none; those that nobody has asked for are missing.
    """

    holds: Mapping[str, bool] = field(default_factory=dict)
    last: Mapping[str, int | None] = field(default_factory=dict)
    zone: str = "UTC"
    arms: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody is.

    Attributes:
        entered: When it began for them; instants are microseconds since 1970.
        step: Id of the step; `START` before the first.
        reached: Since when they are there.
    """

    entered: int
    step: str = START
    reached: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing to do now.

    Attributes:
        wake: When there is, if nothing happens before.
    """

    at: Standing
    wake: int


@dataclass(frozen=True, slots=True)
class Acting:
    """Something is to be done now; `after` leads on once it is."""

    at: Standing
    node: Node
    act: Act


@dataclass(frozen=True, slots=True)
class Asking:
    """The arm of a split by an experiment must be known before it goes on."""

    at: Standing
    node: Node
    split: Split


@dataclass(frozen=True, slots=True)
class Over:
    """The way has ended.

    Attributes:
        state: ``done``: at its end; ``exited``: by an exit rule.
        reason: Name of the rule, or what `stop` says.
    """

    at: Standing
    state: str
    reason: str


Move = Waiting | Acting | Asking | Over


def questions(workflow: Workflow) -> dict[str, Condition | EventSelection]:
    """All that a workflow asks about a person, by the name of the question."""
    found: dict[str, Condition | EventSelection] = {}

    def ask(name: str, signal: Signal) -> None:
        asked = signal.condition if signal.selection is None else signal.selection
        if asked is not None:
            found[name] = asked

    if workflow.when is not None:
        found[WHEN] = workflow.when
    for rule in workflow.exits:
        ask(f"{_EXIT}{rule.name}", rule.signal)
    for node in workflow.nodes:
        if isinstance(node.body, WaitFor):
            ask(node.id, node.body.signal)
        elif isinstance(node.body, Branch):
            found |= {f"{node.id}.{number}": one for number, one in enumerate(node.body.conditions, start=1)}
    return found


def advance(workflow: Workflow, at: Standing, facts: Facts, now: int, zone: str) -> Move:
    """Goes as far as it goes without waiting or acting.

    Args:
        workflow: The version that the person entered with.
        at: Where they are.
        facts: What is known of them at `now`.
        now: Microseconds since 1970.
        zone: The project's: months and years of durations are its.
    """
    over = _exited(workflow, at, facts)
    if over is not None:
        return over
    if at.step == START:
        at = Standing(at.entered, workflow.first, max(at.reached, at.entered))
    while True:
        node = workflow.node(at.step)
        if node is None:
            return Over(at, "done", "end of the way")
        found = _step(node, at, facts, now, zone)
        if not isinstance(found, Standing):
            return _in_quiet(workflow, found, facts, now)
        at = found


def after(at: Standing, node: Node, now: int) -> Standing:
    """Where somebody is once the step was done at `now`."""
    return Standing(at.entered, node.way("next"), now)


def _exited(workflow: Workflow, at: Standing, facts: Facts) -> Over | None:
    for rule in workflow.exits:
        if _is_true(f"{_EXIT}{rule.name}", rule.signal, facts, at.entered):
            return Over(at, "exited", rule.name)
    return None


def awaited(workflow: Workflow, at: Standing, facts: Facts, zone: str) -> int | None:
    """Until when somebody waits for an event whose last one came after that: there may have been one in time."""
    node = workflow.node(workflow.first if at.step == START else at.step)
    if node is None or not isinstance(node.body, WaitFor):
        return None
    until, last = shifted(max(at.reached, at.entered), node.body.at_most, 1, zone), facts.last.get(node.id)
    return until if last is not None and last > until else None


def _is_true(name: str, signal: Signal, facts: Facts, since: int, until: int | None = None) -> bool:
    """Whether a condition holds, or an event came later than an instant and, where there is an end, in time."""
    if signal.selection is None:
        return facts.holds.get(name, False)
    last = facts.last.get(name)
    return last is not None and last > since and (until is None or last <= until)


def _step(node: Node, at: Standing, facts: Facts, now: int, zone: str) -> Standing | Move:
    """One step further, or what keeps from going on."""
    match node.body:
        case Wait(length):
            return _waited(node, at, shifted(at.reached, length, 1, zone), now)
        case WaitUntil(clock, days):
            return _waited(node, at, next_clock(clock, days, at.reached, facts.zone), now)
        case WaitFor(signal, at_most):
            until = shifted(at.reached, at_most, 1, zone)
            if _is_true(node.id, signal, facts, at.reached, until):
                return Standing(at.entered, node.way("reached"), now)
            return _waited(node, at, until, now, "timeout")
        case Branch(conditions):
            names = (str(number) for number in range(1, len(conditions) + 1))
            way = next((name for name in names if facts.holds.get(f"{node.id}.{name}", False)), "else")
            return Standing(at.entered, node.way(way), at.reached)
        case Split() as split:
            if node.id not in facts.arms:
                return Asking(at, node, split)
            return Standing(at.entered, node.way(facts.arms[node.id] or "else"), at.reached)
        case Act() as act:
            return Acting(at, node, act)
        case Stop(reason):
            return Over(at, "done", reason)


def _waited(node: Node, at: Standing, until: int, now: int, way: str = "next") -> Standing | Waiting:
    """The step behind, as of the end of waiting: a late run shifts nothing that comes after."""
    return Waiting(at, until) if now < until else Standing(at.entered, node.way(way), until)


def _in_quiet(workflow: Workflow, move: Move, facts: Facts, now: int) -> Move:
    if isinstance(move, Acting) and move.act.is_quiet:
        until = quiet_until(workflow.quiet, now, facts.zone)
        if until > now:
            return Waiting(move.at, until)
    return move


__all__ = [
    "END", "Acting", "Asking", "Facts", "Move", "Over", "Standing", "Waiting", "advance", "after", "questions",
]  # fmt: skip
