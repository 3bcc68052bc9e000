"""The judge: a slow, obvious evaluator of bound definitions over plain Python data.

It reads conditions as written, shares nothing with lowering or engines, and follows `language.md` sentence
by sentence: brute force wherever that is shorter. `oracle_data` holds what it reads, `oracle_person` one
profile's answers, `oracle_windows` the calendar, `oracle_values` comparisons and arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from oracle_data import Answer, Answers, Event, Profile, Record, World, leaves_of, references
from oracle_person import Person
from oracle_values import key

from segctl.model import conditions as c

__all__ = ["Answer", "Answers", "Event", "Person", "Profile", "Record", "World", "answers", "everybody"]


def answers(world: World) -> Answers:
    """Every segment and every leaf for every profile that exists at as_of."""
    people = [p for p in everybody(world, {}) if p.exists]
    result = Answers(tuple(sorted(p.profile.profile_id for p in people)), {}, {}, frozenset())
    failed: set[str] = set()
    for name in in_order_of_reference(world.definitions.segments):
        definition = world.definitions.segments[name]
        for person in people:
            person.members = result.members
        if references(definition.where) & failed:
            failed.add(name)
            continue
        for path, leaf in leaves_of(definition.where):
            result.leaves[name, path] = {p.profile.profile_id: p.answer(leaf) for p in people}
        for person in people:
            person.met_forbidden_unknown = False
        matched = [p for p in people if p.answer(definition.where) is True]
        if any(p.met_forbidden_unknown for p in people):
            failed.add(name)
            continue
        kept = matched if definition.keep is None else keep(matched, definition.keep)
        result.members[name] = frozenset(p.profile.profile_id for p in kept)
    return Answers(result.population, result.members, result.leaves, frozenset(failed))


def everybody(world: World, members: Mapping[str, frozenset[str]]) -> list[Person]:
    """All profiles, each knowing those of the population for its colleagues."""
    known = {name: frozenset() for name in world.definitions.segments} | dict(members)
    people = [Person(world, profile, known) for profile in world.profiles]
    population = [p for p in people if p.exists]
    for person in people:
        person.everybody = population
    return people


def in_order_of_reference(segments: Mapping[str, c.SegmentDefinition]) -> list[str]:
    """Names, each after those it refers to."""
    done: list[str] = []

    def visit(name: str) -> None:
        if name not in done:
            for other in sorted(references(segments[name].where)):
                visit(other)
            done.append(name)

    for name in segments:
        visit(name)
    return done


def keep(matched: list[Person], rule: c.Keep) -> list[Person]:
    """Rank the matched, in each group, and keep the best."""
    groups: dict[Any, list[Person]] = {}
    for person in matched:
        group = None if rule.per is None else person.trait(rule.per)
        if rule.per is None or group is not None or rule.keep_missing_group:
            groups.setdefault(key([group]), []).append(person)
    return [person for group in groups.values() for person in best_of(group, rule)]


def best_of(group: list[Person], rule: c.Keep) -> list[Person]:
    """The first so many by value, then by profile id; a percent of the group, rounded up, at least 1."""
    ranked = [p for p in group if p.trait(rule.by) is not None]
    ranked.sort(key=lambda p: p.profile.profile_id)
    ranked.sort(key=lambda p: p.trait(rule.by), reverse=rule.best == "top")
    if rule.count is not None:
        return ranked[: rule.count]
    assert rule.percent is not None
    return ranked[: max(1, math.ceil(len(group) * rule.percent / 100))]
