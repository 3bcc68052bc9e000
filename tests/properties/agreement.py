"""Asks an engine and the oracle the same, finds where they differ, and makes such an example small."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import oracle
import yaml_text
from engine_tools import engine_input, physical
from oracle_data import World, leaves_of

from segctl.compile.lower import lower_segment, lower_trait
from segctl.compile.plan import Output, plan
from segctl.engines.base import Engine, Evaluation
from segctl.model import conditions as c
from segctl.model.project import Definitions


@dataclass(frozen=True)
class Difference:
    """One answer that differs: of a segment, a leaf (``leaf:SEGMENT:PATH``) or a computed trait (``value:TRAIT``)."""

    what: str
    profile: str
    expected: Any
    found: Any


def evaluated(world: World, engine: Engine, seed: int) -> Evaluation:
    """The engine's answers: segments, leaves by path, values of computed traits."""
    definitions = world.definitions
    lists = {name: sorted(texts) for name, texts in world.lists.items()}
    lowered = [lower_segment(segment, definitions, lists=lists) for segment in definitions.segments.values()]
    outputs = [Output(f"leaf:{s.name}:{leaf.path}", leaf.predicate) for s in lowered for leaf in s.leaves]
    outputs += [Output(f"value:{name}", lower_trait(name, definitions, lists=lists)) for name in definitions.computed]
    with tempfile.TemporaryDirectory() as folder:
        data = engine_input(world, Path(folder), seed)
        zone = world.project.timezone
        return engine.evaluate(plan(lowered, outputs), data, as_of=world.as_of, zone=zone)


def expected_answers(world: World) -> tuple[dict[str, dict[str, Any]], frozenset[str]]:
    """The oracle's answers by column and profile, and the segments that fail."""
    found = oracle.answers(world)
    columns: dict[str, dict[str, Any]] = {}
    for name, members in found.members.items():
        columns[f"segment:{name}"] = {p: p in members for p in found.population}
    for (name, path), answers in found.leaves.items():
        columns[f"leaf:{name}:{path}"] = dict(answers)
    people = {p.profile.profile_id: p for p in oracle.everybody(world, found.members)}
    for name, trait in world.definitions.computed.items():
        columns[f"value:{name}"] = {p: physical(people[p].trait(name), trait.type) for p in found.population}
    return columns, found.failed


def differences(world: World, engine: Engine, seed: int = 0) -> list[Difference]:
    """Every answer that differs from the oracle's."""
    expected, failed = expected_answers(world)
    evaluation = evaluated(world, engine, seed)
    wrong = [
        Difference(name, "", name in failed, name in evaluation.failed) for name in failed ^ set(evaluation.failed)
    ]
    people = {p.subjects[0]: p.profile_id for p in world.profiles}
    rows = evaluation.answers.to_dicts()
    population = sorted(people[row["subject"]] for row in rows)
    if expected and population != sorted(next(iter(expected.values()))):
        wrong.append(Difference("population", "", sorted(next(iter(expected.values()))), population))
    asked = set(expected) if rows else set()
    lost = {column for column in asked if column.split(":")[1] not in failed} - set(evaluation.answers.columns)
    wrong += [Difference(column, "", "a column", "none") for column in sorted(lost)]
    for row in rows:
        for column in asked & set(row):
            answer, right = row[column], expected[column][people[row["subject"]]]
            if answer != right or (answer is None) != (right is None):
                wrong.append(Difference(column, people[row["subject"]], right, answer))
    return sorted(wrong, key=lambda d: (d.what, d.profile))


# --- Smaller -----------------------------------------------------------------------------------------------
def smallest(world: World, is_wrong: Callable[[World], bool]) -> World:
    """Leaves things out as long as the example stays wrong."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in shrunk(world):
            if is_wrong(candidate):
                world, smaller = candidate, True
                break
    return world


def shrunk(world: World) -> Iterator[World]:
    """The same world with one thing less."""
    segments = world.definitions.segments
    for name, segment in segments.items():
        if len(segments) > 1 and not any(name in oracle.references(s.where) for s in segments.values()):
            yield with_segments(world, {n: s for n, s in segments.items() if n != name})
        for _, leaf in leaves_of(segment.where):
            if leaf != segment.where:
                yield with_segments(world, segments | {name: replace(segment, where=leaf)})
        if segment.keep is not None:
            yield with_segments(world, segments | {name: replace(segment, keep=None)})
        for smaller in simpler(segment.where):
            yield with_segments(world, segments | {name: replace(segment, where=smaller)})
    for name in world.definitions.computed:
        rest = {n: t for n, t in world.definitions.computed.items() if n != name}
        yield replace(world, definitions=replace(world.definitions, computed=rest))
    for i in range(len(world.profiles)):
        if len(world.profiles) > 1:
            yield replace(world, profiles=world.profiles[:i] + world.profiles[i + 1 :])
    for i, event in enumerate(world.events):
        yield replace(world, events=world.events[:i] + world.events[i + 1 :])
        for name in event.properties:
            less = replace(event, properties={n: v for n, v in event.properties.items() if n != name})
            yield replace(world, events=(*world.events[:i], less, *world.events[i + 1 :]))
    for i in range(len(world.consents)):
        yield replace(world, consents=world.consents[:i] + world.consents[i + 1 :])
    for i, profile in enumerate(world.profiles):
        for j in range(len(profile.records)):
            less_known = replace(profile, records=profile.records[:j] + profile.records[j + 1 :])
            yield replace(world, profiles=(*world.profiles[:i], less_known, *world.profiles[i + 1 :]))


def with_segments(world: World, segments: dict[str, c.SegmentDefinition]) -> World:
    """The same world with other segments."""
    return replace(world, definitions=Definitions(world.project, segments, world.definitions.computed))


def simpler(condition: c.Condition) -> Iterator[c.Condition]:
    """The same condition with one part less."""
    match condition:
        case c.All(items) | c.AnyOf(items) | c.NoneOf(items):
            for i, item in enumerate(items):
                if len(items) > 1:
                    yield replace(condition, items=items[:i] + items[i + 1 :])
                for less in simpler(item):
                    yield replace(condition, items=(*items[:i], less, *items[i + 1 :]))
        case c.Not(item):
            for less in simpler(item):
                yield c.Not(less)
        case c.EventCondition(selection):
            for change in ({"window": None}, {"latest": None}, {"where": ()}):
                if replace(selection, **change) != selection:
                    yield replace(condition, selection=replace(selection, **change))
        case c.SequenceCondition(steps, _, same):
            if same:
                yield replace(condition, same=())
            for i, step in enumerate(steps):
                if len(steps) > 2 and i:
                    yield replace(condition, steps=steps[:i] + steps[i + 1 :])
                for change in ({"where": ()}, {"within": None}, {"window": None}):
                    if replace(step, **change) != step:
                        yield replace(condition, steps=(*steps[:i], replace(step, **change), *steps[i + 1 :]))


def report(world: World, wrong: list[Difference], seed: int, engine: str) -> str:
    """A disagreement in words: definitions, data, answers."""
    lines = [
        f"{engine} differs from the oracle (seed {seed}), as_of {world.as_of.isoformat()}, {world.project.timezone}"
    ]
    lines += [f"  {d.what} of {d.profile!r}: oracle {d.expected!r}, {engine} {d.found!r}" for d in wrong[:8]]
    for segment in world.definitions.segments.values():
        lines += ["  " + line for line in yaml_text.segment(segment).splitlines()]
    for name, trait in world.definitions.computed.items():
        lines.append(f"  trait {name}: {yaml_text.flow(yaml_text.computed(trait))}")
    for profile in world.profiles:
        lines.append(f"  {profile.profile_id!r} subjects {profile.subjects}")
        lines += [f"    {r.source} {r.valid_from} gone={r.gone} {dict(r.traits)}" for r in profile.records]
    lines += [f"  {x}" for x in world.consents]
    for e in sorted(world.events, key=lambda e: (e.subject, *e.order)):
        lines.append(f"  event {e.subject} {e.kind} {e.ts.isoformat()} {e.source} {e.event_id} {dict(e.properties)}")
    return "\n".join(lines)


def shrunk_report(world: World, engine: Engine, seed: int) -> str:
    """The smallest form of a disagreement, told."""

    def is_wrong(candidate: World) -> bool:
        try:
            return bool(differences(candidate, engine, seed))
        except (KeyError, StopIteration, AttributeError):
            return False  # something that is still referred to was left out

    small = smallest(world, is_wrong)
    return report(small, differences(small, engine, seed), seed, engine.name)
