"""The engine of workflows: takes in who begins, moves everybody as far as they go, and has each effect once.

`handle` is called at an instant and ends; nothing is remembered between calls but what stands in the books. An effect
is intended in one transaction, had, and settled in the next, which also moves the person on; so whatever ends the
process, each effect happened once, did not happen and will, or is known to be unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

from segctl.compile.workflow_flow import (
    Acting,
    Asking,
    Facts,
    Over,
    Standing,
    Waiting,
    advance,
    after,
    awaited,
    questions,
)
from segctl.model.dataclass import dataclass
from segctl.model.workflows import START, Workflow
from segctl.operations.workflow.acting import Actor
from segctl.operations.workflow.chance import own_arm
from segctl.operations.workflow.intake import Intake
from segctl.operations.workflow.way import Way, stands
from segctl.operations.workflow.withdrawn import SUFFIX
from segctl.operations.workflow.world import Known, Question, Someone, World
from segctl.state.workflows import ACTIVE, Books, Instance, Settled

if TYPE_CHECKING:
    from collections.abc import Sequence

Version = Callable[[str, str], Workflow | None]
"""Name and digest → the workflow of that version, None when it does not bind any more."""


@dataclass(slots=True)
class Handled:
    """What one call did; counts are people.

    Attributes:
        entered: Who began, by workflow.
        ended: Whose way ended, by workflow and state.
        effects: By workflow, step and state.
        held: Workflow and step → why those who stand there wait.
        stuck: Workflow → people whose version does not bind any more.
    """

    entered: dict[str, int] = field(default_factory=dict)
    ended: dict[tuple[str, str], int] = field(default_factory=dict)
    effects: dict[tuple[str, str, str], int] = field(default_factory=dict)
    held: dict[tuple[str, str], str] = field(default_factory=dict)
    stuck: dict[str, int] = field(default_factory=dict)
    active: int = 0

    def count(self, workflow: str, step: str, state: str, number: int = 1) -> None:
        """One more effect."""
        key = (workflow, step, state)
        self.effects[key] = self.effects.get(key, 0) + number

    @property
    def is_empty(self) -> bool:
        """Nothing happened."""
        return not (self.entered or self.ended or self.effects)


class Engine:
    """Workflows over books and a world.

    Args:
        world: People, changes, destinations.
        books: What is on record.
        workflows: By name; those that are handled.
        version: Finds the versions that people entered with.
        pauses: Workflow → spans in which nobody begins.
    """

    def __init__(
        self,
        world: World,
        books: Books,
        workflows: Mapping[str, Workflow],
        version: Version,
        pauses: Mapping[str, Sequence[tuple[int, int]]] | None = None,
    ) -> None:
        self.world, self.books, self.workflows, self._version = world, books, workflows, version
        self._intake = Intake(world, books, workflows, pauses)
        self._actor = Actor(world, books)
        self._versions: dict[tuple[str, str], Workflow | None] = {}

    def handle(self, now: int) -> Handled:
        """Everything that is due at an instant (microseconds since 1970)."""
        handled = Handled()
        self._recover(now)
        self._tell_apart()
        self._pass(now, self._intake.take_in(now), handled)
        while self._intake.goes_on and (entered := self._intake.take_in(now)):
            self._pass(now, entered, handled)
        handled.active = len(self.books.active(self.workflows))
        return handled

    def _pass(self, now: int, entered: Mapping[str, int], handled: Handled) -> None:
        """Moves everybody as far as they go."""
        for workflow, number in entered.items():
            handled.entered[workflow] = handled.entered.get(workflow, 0) + number
        handled.stuck.clear()
        waiting = [one for one in self.books.active(self.workflows) if not self._is_stuck(one, handled)]
        people = self.world.people({one.subject for one in waiting}, now)
        present = self._present(waiting, people, now, handled)
        known = self._ask(present, people, now)
        ways = [self._way(one, people[one.subject], known, now) for one in present]
        while ways:
            ways = self._round(ways, now, handled)

    # --- Who is on the way ---------------------------------------------------------------------------------
    def _recover(self, now: int) -> None:
        """Intents without result, of a process that ended: what cannot be repeated is unknown, and people go on."""
        open_effects = self.books.effects("state = 'sending'")
        if not open_effects:
            return
        active = {one.id: one for one in self.books.active()}
        settled, moved = [], []
        for effect in open_effects:
            one = active.get(effect.instance)
            if effect.step.endswith(SUFFIX) or (
                one is not None and self.world.is_repeatable(effect.destination, effect.action)
            ):
                continue
            settled.append(Settled(effect.key, "unknown", now, "the process ended before the answer"))
            workflow = None if one is None else self._of(one)
            node = None if workflow is None else workflow.node(effect.step)
            if one is not None and node is not None:
                moved.append(stands(one, after(Standing(one.entered, one.step, one.reached), node, now)))
        self.books.write(settled=settled, moved=moved)

    def _tell_apart(self) -> None:
        """Whose merge was undone goes on where they stood, as long as the way they were merged into goes on too."""
        merged = self.books.instances(self.workflows, " AND state = 'merged' AND merged_into IS NOT NULL")
        if not merged:
            return
        active = {one.id: one for one in self.books.active(self.workflows)}
        pairs = [(one, active[one.merged_into]) for one in merged if one.merged_into in active]
        roots = self.world.roots({each.subject for pair in pairs for each in pair})
        self.books.write(
            moved=[
                replace(one, state=ACTIVE, ended=None, reason=None, merged_into=None)
                for one, older in pairs
                if roots[one.subject] != roots[older.subject]
            ]
        )

    def _of(self, one: Instance) -> Workflow | None:
        today = self.workflows.get(one.workflow)
        if today is not None and today.digest == one.version:
            return today
        key = (one.workflow, one.version)
        if key not in self._versions:
            self._versions[key] = self._version(*key)
        return self._versions[key]

    def _is_stuck(self, one: Instance, handled: Handled) -> bool:
        if self._of(one) is not None:
            return False
        handled.stuck[one.workflow] = handled.stuck.get(one.workflow, 0) + 1
        return True

    def _present(
        self, waiting: Sequence[Instance], people: Mapping[int, Someone], now: int, handled: Handled
    ) -> list[Instance]:
        """Those who go on: who left the project ends, and of two who became one person the older way goes on."""
        kept: dict[tuple[str, int], Instance] = {}
        ended = []
        for one in sorted(waiting, key=lambda one: (one.entered, one.id)):
            someone = people.get(one.subject)
            if someone is None:
                ended.append(_ends(one, "gone", "not in the population any more", now))
            elif (one.workflow, someone.root) in kept:
                older = kept[one.workflow, someone.root]
                over = _ends(one, "merged", "merged with somebody who is on the way", now)
                ended.append(replace(over, merged_into=older.id))
            else:
                kept[one.workflow, someone.root] = one
        self._write_ended(ended, handled)
        return list(kept.values())

    def _write_ended(self, ended: Sequence[Instance], handled: Handled) -> None:
        self.books.write(moved=ended)
        for one in ended:
            handled.ended[one.workflow, one.state] = handled.ended.get((one.workflow, one.state), 0) + 1

    def _ask(self, present: Sequence[Instance], people: Mapping[int, Someone], now: int) -> Known:
        """All questions of all versions in use, in one evaluation."""
        flows = {(one.workflow, one.version): flow for one in present if (flow := self._of(one)) is not None}
        asked: dict[Question, object] = {
            (*key, name): question for key, flow in flows.items() for name, question in questions(flow).items()
        }
        zones = {flow.quiet.zone for flow in flows.values() if flow.quiet is not None and flow.quiet.zone is not None}
        roots = sorted({people[one.subject].root for one in present})
        return self.world.ask(asked, zones, roots, now) if roots and (asked or zones) else Known()  # type: ignore[arg-type]  # values of `questions`

    def _way(self, one: Instance, someone: Someone, known: Known, now: int) -> Way:
        workflow = self._of(one)
        assert workflow is not None
        facts = _facts(workflow, one, someone.root, known, self.world.zone)
        at = Standing(one.entered, one.step, one.reached)
        until = awaited(workflow, at, facts, self.world.zone)
        if until is not None:
            facts = self._in_time(workflow, one, someone.root, facts, until)
        return Way(one, workflow, someone, facts, advance(workflow, at, facts, now, self.world.zone))

    def _in_time(self, workflow: Workflow, one: Instance, root: int, facts: Facts, until: int) -> Facts:
        """What was the last event when somebody's wait was over: only a late look has to ask."""
        step = workflow.first if one.step == START else one.step
        question = (one.workflow, one.version, step)
        known = self.world.ask({question: questions(workflow)[step]}, (), [root], until)
        return replace(facts, last={**facts.last, step: known.last.get(question, {}).get(root)})

    # --- Moving --------------------------------------------------------------------------------------------
    def _round(self, ways: Sequence[Way], now: int, handled: Handled) -> list[Way]:
        """Writes who waits or is over, asks for arms, acts step by step; gives back those who go on."""
        resting = [one for one in ways if isinstance(one.move, Waiting)]
        self.books.write(moved=[moved for one in resting if (moved := _rests(one)) != one.instance])
        self._write_ended([_over(one, now) for one in ways if isinstance(one.move, Over)], handled)
        onward = []
        for group in _groups(one for one in ways if isinstance(one.move, Asking)):
            onward += self._with_arms(group, now, handled)
        for group in _groups(one for one in ways if isinstance(one.move, Acting)):
            done, held = self._actor.act(group, now, handled.count)
            if held is not None:
                handled.held[group[0].instance.workflow, group[0].move.at.step] = held
            onward += [self._onward(one, now) for one in done]
        return onward

    def _onward(self, one: Way, now: int) -> Way:
        assert isinstance(one.move, Acting)
        at = after(one.move.at, one.move.node, now)
        instance = stands(one.instance, at)
        return replace(
            one, instance=instance, move=advance(one.workflow, at, one.facts, now, self.world.zone)
        )  # fmt: skip

    def _with_arms(self, group: Sequence[Way], now: int, handled: Handled) -> list[Way]:
        move = group[0].move
        assert isinstance(move, Asking)
        if move.split.experiment is None:
            arms: Mapping[int, str] = {
                one.someone.root: own_arm(one.workflow, move.node.id, move.split.arms, one.someone.profile)
                for one in group
            }
        else:
            found = self.world.arms(
                group[0].workflow, move.node, move.split, sorted({one.someone.root for one in group}), now
            )
            if found.held is not None:
                handled.held[group[0].instance.workflow, move.node.id] = found.held
                self.books.write(moved=[stands(one.instance, one.move.at) for one in group])
                return []
            arms = found.refused
        return [self._armed(one, move.node.id, arms.get(one.someone.root), now) for one in group]

    def _armed(self, one: Way, step: str, arm: str | None, now: int) -> Way:
        facts = replace(one.facts, arms={**one.facts.arms, step: arm})
        return replace(
            one, facts=facts, move=advance(one.workflow, one.move.at, facts, now, self.world.zone)
        )  # fmt: skip


def _facts(workflow: Workflow, one: Instance, root: int, known: Known, zone: str) -> Facts:
    names = questions(workflow)
    trait = workflow.quiet.zone if workflow.quiet is not None else None
    key = (one.workflow, one.version)
    return Facts(
        holds={name: root in known.holds.get((*key, name), ()) for name in names},
        last={name: known.last.get((*key, name), {}).get(root) for name in names},
        zone=known.zones.get(trait or "", {}).get(root, zone),
    )


def _groups(ways: Iterable[Way]) -> list[list[Way]]:
    """People who stand at the same step of the same version, in a fixed order."""
    found: dict[tuple[str, str, str], list[Way]] = {}
    for one in ways:
        found.setdefault((one.instance.workflow, one.instance.version, one.move.at.step), []).append(one)
    return [found[key] for key in sorted(found)]


def _rests(one: Way) -> Instance:
    assert isinstance(one.move, Waiting)
    return stands(one.instance, one.move.at, one.move.wake)


def _over(one: Way, now: int) -> Instance:
    assert isinstance(one.move, Over)
    return _ends(stands(one.instance, one.move.at), one.move.state, one.move.reason, now)


def _ends(one: Instance, state: str, reason: str, now: int) -> Instance:
    return replace(one, state=state, reason=reason, ended=now, wake=None)
