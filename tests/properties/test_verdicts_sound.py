"""What lint calls redundant changes nobody's membership, on nasty random data judged by the slow oracle."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
import strategies
from oracle_data import World
from oracle_person import Person
from reason_tools import Relatives

from segctl.compile.reason.analysis import Analyst, Verdict, children
from segctl.compile.zones import to_us
from segctl.model import conditions as c
from segctl.model.diagnostics import Location
from segctl.model.project import Definitions

START, MANY = (int(os.environ.get(f"SEGCTL_PROPERTY_{name}", n)) for name, n in (("START", "0"), ("EXAMPLES", "8000")))


def segment(relatives: Relatives, number: int) -> c.SegmentDefinition:
    """A random tree over a family of related leaves."""
    dice = relatives.dice
    family = [leaf for leaf in relatives.family() if not isinstance(leaf, c.All | c.AnyOf | c.Not)] or [
        relatives.author.trait_condition()
    ]
    family += [leaf for leaf in relatives.family() if not isinstance(leaf, c.All | c.AnyOf | c.Not)]

    def tree(depth: int) -> c.Condition:
        if depth == 2 or dice.chance(0.4):
            return dice.one(family)
        items = tuple(tree(depth + 1) for _ in range(dice.one((2, 2, 3))))
        kind = dice.one((c.All, c.All, c.AnyOf, c.NoneOf))
        return kind(items) if not dice.chance(0.15) else c.Not(items[0])

    where = numbered(tree(0), iter(range(1, 1000)))
    return c.SegmentDefinition(f"s{number}", where)


def numbered(condition: c.Condition, lines: Iterator[int]) -> c.Condition:
    """The condition with a place of its own for every part, by which verdicts are found again."""
    if isinstance(condition, c.All | c.AnyOf | c.NoneOf):
        condition = replace(condition, items=tuple(numbered(item, lines) for item in condition.items))
    elif isinstance(condition, c.Not):
        condition = replace(condition, item=numbered(condition.item, lines))
    return replace(condition, location=Location("a.yaml", next(lines)))


def without(condition: c.Condition, lines: set[int]) -> c.Condition | None:
    """The condition without the parts in some lines."""
    if condition.location is not None and condition.location.line in lines:
        return None
    kept = [part for part in (without(item, lines) for item in children(condition)) if part is not None]
    if isinstance(condition, c.All | c.AnyOf | c.NoneOf):
        return replace(condition, items=tuple(kept))
    return replace(condition, item=kept[0]) if isinstance(condition, c.Not) else condition


def wrong(seed: int) -> Iterator[str]:
    """Every verdict that the data disprove."""
    world = strategies.world(seed, 0)
    relatives = Relatives(seed, world)
    for number in range(3):
        definition = segment(relatives, number)
        definitions = Definitions(world.project, {definition.name: definition}, world.definitions.computed)
        verdicts = Analyst(definitions, to_us(world.as_of)).verdicts(definition)
        people = [p for p in (Person(world, x, {}) for x in world.profiles) if p.exists]
        yield from _disproved(definition, verdicts, people)


def _disproved(definition: c.SegmentDefinition, verdicts: list[Verdict], people: list[Person]) -> Iterator[str]:
    members = [person.answer(definition.where) is True for person in people]
    gone = set()
    for verdict in verdicts:
        place = verdict.condition.location
        assert place is not None
        answers = [person.answer(verdict.condition) for person in people]
        told = f"{verdict.kind}: {verdict.condition} in {definition.where}"
        if verdict.kind == "never" and any(members):
            yield told
        if verdict.kind == "always" and not all(members):
            yield told
        if verdict.kind == "leaf_never" and True in answers:
            yield told
        if verdict.kind == "leaf_always" and not all(answer is True for answer in answers):
            yield told
        if verdict.kind in ("duplicate", "redundant", "unreachable", "branch_never"):
            gone.add(place.line)
    # A contradiction inside a branch is told at its later half; the branch itself stays here.
    rest = without(definition.where, gone) if not any(v.kind == "branch_never" for v in verdicts) else None
    if rest is not None and [person.answer(rest) is True for person in people] != members:
        yield f"{sorted(gone)} are not redundant in {definition.where}"


@pytest.mark.parametrize("start", range(0, 120, 40))
def test_no_verdict_about_a_segment_is_disproved_by_data(start: int) -> None:
    assert [told for seed in range(start, start + 40) for told in wrong(seed)] == []


@pytest.mark.slow
def test_no_verdict_is_disproved_on_many_more_examples() -> None:
    """The long run; each number from SEGCTL_PROPERTY_START on is one example."""
    assert [told for seed in range(START, START + MANY) for told in wrong(seed)] == []


def test_examples_hold_verdicts_of_every_kind() -> None:
    """The test above says something only where something is claimed."""
    found: set[str] = set()
    for seed in range(100):
        world: World = strategies.world(seed, 0)
        relatives = Relatives(seed, world)
        for number in range(3):
            definition = segment(relatives, number)
            definitions = Definitions(world.project, {definition.name: definition}, world.definitions.computed)
            found |= {verdict.kind for verdict in Analyst(definitions, to_us(world.as_of)).verdicts(definition)}

    assert found >= {"never", "always", "leaf_never", "leaf_always", "duplicate", "redundant", "unreachable"}
