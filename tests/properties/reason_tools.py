"""Families of conditions that speak of the same things, and what is claimed of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import strategies
from oracle_data import Answer, World
from oracle_person import Person
from oracle_windows import Clock
from strategies_data import Dice

from segctl.compile.reason.formulas import negated
from segctl.compile.reason.theory import Theory
from segctl.compile.reason.variables import Reader
from segctl.compile.zones import to_us
from segctl.model import conditions as c

COMPARING = ("at_least", "at_most", "equals", "above", "below", "not_equals", "between")


class Relatives:
    """Writes conditions about what another one is about.

    Args:
        seed: Of one example.
        world: Data and computed traits.
    """

    def __init__(self, seed: int, world: World) -> None:
        self.dice = Dice(seed + 10**6)
        self.dice.zone, self.dice.as_of = Dice(seed).zone, world.as_of
        self.dice.clock = Clock(world.as_of, self.dice.zone)
        self.dice.edges = [*self.dice._edges()]
        self.author = strategies.Author(self.dice, world.project)
        self.author.computed = dict(world.definitions.computed)

    def family(self) -> list[c.Condition]:
        """A leaf, two relatives of it, now and then combinations of them."""
        first = self.author.leaf()
        parts = first.items if isinstance(first, c.All) else (first, first)
        members = [without_error(leaf) for leaf in (first, *(self.relative(part) for part in parts))]
        if self.dice.chance(0.3):
            members.append(c.AnyOf(tuple(members[1:3]), self.dice.random.randint(1, len(members[1:3]))))
            members.append(c.Not(c.All(tuple(members[:2]))))
        return members

    def relative(self, leaf: c.Condition) -> c.Condition:
        """Another condition about the same trait, events or sequence."""
        match leaf:
            case c.TraitCondition(name, _, path):
                of = dict(self.author.traits())[name]
                for field in path:
                    of = dict(of.fields)[field]
                return replace(leaf, test=self.author.test(of), missing=None)
            case c.EventCondition(c.EventSelection()):
                return self.relative_event(leaf)
            case c.SequenceCondition():
                return self.relative_sequence(leaf)
            case c.ChangedCondition():
                window = self.author.window(of_events=True)
                return replace(leaf, old=leaf.old if self.dice.chance(0.5) else None, window=window)
        return leaf

    def relative_event(self, leaf: c.EventCondition) -> c.EventCondition:
        """Other events, or another measure of them."""
        chosen: Any = leaf.selection
        match self.dice.random.randrange(6):
            case 0:
                chosen = replace(chosen, window=self.author.window(of_events=True))
            case 1:
                chosen = replace(chosen, window=None)
            case 2:
                chosen = replace(chosen, where=chosen.where[1:])
            case 3:
                chosen = replace(chosen, latest=self.dice.one((None, 1, 2)))
            case 4 if not chosen.where and isinstance(leaf.measure, c.Count):
                chosen = replace(chosen, events=("*",))
        number = self.dice.random.randint(0, 3)
        operands = (number, number + 1) if (word := self.dice.one(COMPARING)) == "between" else (number,)
        count = c.ValueTest(word, operands)
        roll = self.dice.random.random()
        if roll < 0.35:
            return c.EventCondition(chosen, c.Count(), count)
        if roll < 0.55:
            edge = c.EdgeTime(self.dice.one(("first", "last")))
            return c.EventCondition(chosen, edge, self.author.window(of_events=True))
        if roll < 0.65:
            return c.EventCondition(chosen, c.Periods(self.dice.one(("days", "weeks", "months", "years"))), count)
        return c.EventCondition(chosen, leaf.measure, leaf.test)

    def relative_sequence(self, leaf: c.SequenceCondition) -> c.Condition:
        """A looser or tighter sequence, or one of its steps alone."""
        if self.dice.chance(0.4):
            step = self.dice.one([step for step in leaf.steps if not step.negative])
            events = c.EventSelection(step.events, step.window, step.where)
            return c.EventCondition(events, c.Count(), c.ValueTest("at_least", (1,)))
        steps = list(leaf.steps)
        at = self.dice.random.randrange(len(steps))
        where = () if self.dice.chance(0.5) else steps[at].where
        steps[at] = replace(steps[at], within=self.author.within() if at else None, where=where)
        return replace(leaf, steps=tuple(steps), same=leaf.same if self.dice.chance(0.5) else ())


def without_error(leaf: c.Condition) -> c.Condition:
    """The leaf without `missing: error`, which fails segments."""
    if isinstance(leaf, c.TraitCondition | c.EventCondition) and leaf.missing == "error":
        return replace(leaf, missing=None)
    return leaf


def wrong_claims(seed: int) -> Iterator[str]:
    """Everything that is claimed of a family and that somebody in the data disproves."""
    world = strategies.world(seed, 0)
    relatives = Relatives(seed, world)
    people = [person for person in (Person(world, x, {}) for x in world.profiles) if person.exists]
    for _ in range(4):
        family = relatives.family()
        answers = [[person.answer(condition) for person in people] for condition in family]
        for today in (None, to_us(world.as_of)):
            yield from _disproved(Theory(Reader(world.definitions, today)), family, answers)


def _disproved(theory: Theory, family: list[c.Condition], answers: list[list[Answer]]) -> Iterator[str]:
    outcomes = {}
    for at, condition in enumerate(family):
        outcomes[at, True], outcomes[at, False] = theory.true(condition), theory.false(condition)
    for (at, wanted), formula in outcomes.items():
        if theory.never(formula) and wanted in answers[at]:
            yield f"never {wanted}: {family[at]}"
        if theory.never(negated(formula)) and any(answer is not wanted for answer in answers[at]):
            yield f"always {wanted}: {family[at]}"
        for (other, beside), formula_beside in outcomes.items():
            pairs = list(zip(answers[at], answers[other], strict=True))
            if theory.never(formula, formula_beside) and (wanted, beside) in pairs:
                yield f"never {wanted} with {beside}: {family[at]} and {family[other]}"
            if theory.implies(formula, formula_beside) and any(a is wanted and b is not beside for a, b in pairs):
                yield f"{wanted} makes {beside}: {family[at]} and {family[other]}"
