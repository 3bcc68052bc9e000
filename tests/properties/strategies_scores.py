"""Random worlds in which profiles are scored among all, and conditions on their scores."""

from __future__ import annotations

from dataclasses import replace

import strategies
import strategies_related
from oracle_data import World
from strategies_data import Dice, events, people, project

from segctl.model import conditions as c
from segctl.model.project import Definitions
from segctl.model.types import INTEGER, Kind

RANKING = (Kind.INTEGER, Kind.MONEY, Kind.NUMBER, Kind.REAL, Kind.DATE, Kind.TIME)


class Ranker(strategies.Author):
    """Computes scores among other traits, and asks for them."""

    def compute(self, name: str) -> None:
        """One more computed trait, often a score, also of scores."""
        ranking = self.traits(*RANKING)
        if not ranking or self.dice.chance(0.4):
            super().compute(name)
            return
        beside = c.TraitValue(self.dice.one(self.traits())[0]) if self.dice.chance(0.3) else None
        of = c.TraitValue(self.dice.one(ranking)[0])
        score = c.Score(of, self.dice.one((2, 3, 5, 5, 10, 100)), self.dice.one(("high", "low")), beside)
        self.computed[name] = c.ComputedTrait(name, INTEGER, formula=score)

    def leaf(self) -> c.Condition:
        """A leaf of any kind, often on a score."""
        scores = [name for name, trait in self.computed.items() if isinstance(trait.formula, c.Score)]
        if not scores or self.dice.chance(0.5):
            return super().leaf()
        operator = self.dice.one(("equals", "at_least", "below", "in", "not_equals", "between", "exists"))
        test = self.value_test(operator, INTEGER)
        return c.TraitCondition(self.dice.one(scores), test, (), None if operator == "exists" else self.missing())


def world(seed: int, segments: int = 2) -> World:
    """One example with scores."""
    dice = Dice(seed)
    of = project(dice)
    of = replace(of, related=strategies_related.tables(dice), colleagues=strategies_related.groups(of))
    author = Ranker(dice, of)
    for number in range(dice.random.randint(1, 5)):
        author.compute(f"x{number}")
    for number in range(segments):
        author.segments[f"s{number}"] = c.SegmentDefinition(f"s{number}", author.condition(), author.keep())
    profiles = people(dice, of)
    happened = events(dice, of, profiles)
    definitions = Definitions(of, author.segments, author.computed)
    rows = strategies_related.rows(dice, of, profiles)
    return World(definitions, profiles, happened, dice.as_of, strategies.LISTS, rows)
