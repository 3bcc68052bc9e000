"""Random worlds written as test files answer as the oracle says: case by case, side by side, and as mutants."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import oracle
import pytest
import strategies
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_data import Event, Profile, Record, World

from segctl.compile.lower import lower_segment
from segctl.compile.mutate import mutants
from segctl.compile.source import compose
from segctl.compile.testing import Case
from segctl.compile.testing_bind import bind_tests
from segctl.compile.testing_write import flow
from segctl.operations.testing.answers import evaluate_cases
from segctl.operations.testing.mutants import means_the_same
from segctl.operations.testing.segments import Segments

FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
EXAMPLES = 60


def plain(value: Any) -> Any:
    """A value that YAML can hold: without control characters."""
    match value:
        case str():
            return None if FORBIDDEN.search(value) else value
        case list():
            return [plain(item) for item in value if plain(item) is not None]
        case dict():
            return {name: plain(inner) for name, inner in value.items()}
    return value


def tellable(world: World) -> World:
    """The world as a test file can tell it: one source, no merges, nobody outside the population."""
    profiles, events = [], []
    before: dict[str, Any] = {}
    for number, profile in enumerate(world.profiles):
        traits = {k: plain(v) for r in profile.records for k, v in r.traits.items() if plain(v) is not None}
        own = [e for e in world.events if e.subject in profile.subjects]
        # A test file tells events kind by kind, and of two at one instant the first one written comes first.
        own.sort(key=lambda e: e.order)
        kinds = dict.fromkeys(e.kind for e in own)
        for place, event in enumerate(e for kind in kinds for e in own if e.kind == kind):
            properties = {k: plain(v) for k, v in event.properties.items()}
            events.append(Event(number, event.kind, event.ts, "test", f"{place:06}", properties))
        later = [r.valid_from for r in profile.records if r.valid_from is not None]
        records = (Record("test", 0, traits, None, subject=number),)
        if later and traits:
            records = (*records, Record("test", 1, {**traits, **(before or traits)}, max(later), subject=number))
        before = traits
        profiles.append(Profile(profile.profile_id, (number,), records, profile.identifiers))
    return replace(world, profiles=tuple(profiles), events=tuple(events), rows=())


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%fZ")


def written(value: Any) -> Any:
    """A value as a test file writes it."""
    match value:
        case datetime():
            return moment(value)
        case date():
            return value.isoformat()
        case list():
            return [written(item) for item in value]
        case dict():
            return {name: written(inner) for name, inner in value.items()}
    return value


def case_text(world: World, name: str) -> str:
    """The world as one case that expects nothing in particular."""
    lines = [f"  - case: {name}", f"    as_of: {moment(world.as_of)}", "    given:"]
    for profile in world.profiles:
        base, *later = profile.records
        body: dict[str, Any] = {f"trait:{k}": written(v) for k, v in base.traits.items()}
        body |= {f"identifier:{kind}": text for kind, text in profile.identifiers}
        for event in world.events:
            if event.subject == profile.subjects[0]:
                told = {f"property:{k}": written(v) for k, v in event.properties.items() if v is not None}
                body.setdefault(f"event:{event.kind}", []).append({"at": moment(event.ts), **told})
        if later and later[0].valid_from is not None:
            body["records"] = [
                {"at": moment(r.valid_from), **{f"trait:{k}": written(v) for k, v in r.traits.items()}}
                for r in later
                if r.valid_from is not None
            ]
        told = [x for x in world.consents if x.profile_id == profile.profile_id]
        if told:
            body["consents"] = [
                {"consent": x.purpose, "channel": x.channel, "status": x.status}
                | ({} if x.at is None else {"at": moment(x.at)})
                for x in told
            ]
        lines.append(f"      {profile.profile_id}: {flow(body)}")
    segment = next(iter(world.definitions.segments))
    return "\n".join([*lines, "    expect:", f"      {segment}: {{members: []}}"])


def bound(worlds: list[World]) -> list[Case]:
    """Worlds of one project as the cases of one file."""
    text = "\n".join(["cases:", *(case_text(world, f"world {n}") for n, world in enumerate(worlds))])
    node, problems = compose(text, "tests/random.yaml")
    assert node is not None, problems
    cases, found = bind_tests(node, "tests/random.yaml", worlds[0].definitions)
    assert [d for d in found if d.severity == "error"] == [], text
    return cases


def usable(seed: int) -> World | None:
    world = tellable(strategies.world(seed, 2))
    names = {p.profile_id for p in world.profiles}
    fits = all(re.fullmatch(r"[^\W_][\w.-]{0,62}", name) for name in names)
    return world if fits and names and "related" not in repr(world.definitions.segments) else None


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_a_world_written_as_a_test_answers_as_the_oracle_says(seed: int) -> None:
    world = usable(seed)
    if world is None:
        return
    expected = oracle.answers(world)
    lists: Any = {name: sorted(texts) for name, texts in world.lists.items()}
    (case,) = bound([world])
    names = list(world.definitions.segments)

    found = evaluate_cases(Segments(world.definitions, lists), [case], {0: names})

    population = set(expected.population)
    for name in names:
        answer = found[0, name]
        assert (answer.failed is not None) == (name in expected.failed)
        if answer.failed is None and len(population) == len(world.profiles):
            members = {p.name for p, is_in in zip(case.profiles, answer.members, strict=True) if is_in}
            assert members == set(expected.members[name])


@settings(max_examples=EXAMPLES // 2, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), shift=st.integers(0, 3))
def test_cases_side_by_side_answer_as_each_alone(seed: int, shift: int) -> None:
    world = usable(seed)
    if world is None:
        return
    half = replace(world, profiles=world.profiles[shift:] or world.profiles)
    cases = bound([world, half, world])
    names = list(world.definitions.segments)
    lists: Any = {name: sorted(texts) for name, texts in world.lists.items()}
    segments = Segments(world.definitions, lists)

    together = evaluate_cases(segments, cases, dict.fromkeys(range(3), names))

    for number, case in enumerate(cases):
        alone = evaluate_cases(segments, [case], {0: names})
        for name in names:
            one, other = together[number, name], alone[0, name]
            assert (one.failed is None) == (other.failed is None)
            assert (one.members, one.matched) == (other.members, other.matched)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_every_mutant_is_a_definition_and_most_mean_something_else(seed: int) -> None:
    world = strategies.world(seed, 1)
    lists: Any = {name: sorted(texts) for name, texts in world.lists.items()}
    for definition in world.definitions.segments.values():
        original = lower_segment(definition, world.definitions, lists=lists)
        found = list(mutants(definition, world.definitions))
        lowered = [lower_segment(m.definition, world.definitions, lists=lists) for m in found]
        different = [one for one in lowered if (one.where, one.keep) != (original.where, original.keep)]

        assert found
        assert len(different) >= len(found) // 2
        assert all(mutant.words.strip() for mutant in found)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("49.90"), "49.90"),
        ("NO", '"NO"'),
        ("1:30", '"1:30"'),
        ("a: b", '"a: b"'),
        ("# x", '"# x"'),
        ("", '""'),
        ("Größe", "Größe"),
        (True, "true"),
        ([1, "a,b"], '[1, "a,b"]'),
    ],
)
def test_values_are_written_so_that_they_are_read_again(value: Any, text: str) -> None:
    assert flow(value) == text


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32))
def test_a_change_that_is_proved_to_mean_the_same_answers_the_same(seed: int) -> None:
    world = usable(seed)
    if world is None:
        return
    definitions = world.definitions
    name, definition = next(iter(definitions.segments.items()))
    found = [m.definition for m in mutants(definition, definitions)][:12]
    variants = {f"changed {n}": one for n, one in enumerate(found) if means_the_same(definitions, definition, one)}
    lists: Any = {key: sorted(texts) for key, texts in world.lists.items()}
    (case,) = bound([world])

    answers = evaluate_cases(Segments(definitions, lists, variants), [case], {0: [name, *variants]})

    for key, variant in variants.items():
        assert answers[0, key] == answers[0, name], variant
