"""Proposed cases: evaluated by the engine, thinned out to what notices changes, and written with what they expect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from segctl.compile.boundaries import Clock
from segctl.compile.boundary_specs import OWN, Spec
from segctl.compile.lower import lower_segment
from segctl.compile.mutate import mutants
from segctl.compile.source import compose
from segctl.compile.testing import Case
from segctl.compile.testing_bind import bind_tests
from segctl.compile.testing_times import DEFAULT_AS_OF, fixed_as_of
from segctl.compile.testing_write import names_line, profile_lines, scalar
from segctl.compile.trace_eval import place_in_sample
from segctl.model import conditions as c
from segctl.model.dataclass import dataclass
from segctl.model.project import Definitions
from segctl.operations.lists import ProjectLists
from segctl.operations.testing.answers import Answer, evaluate_cases
from segctl.operations.testing.segments import Segments

AT_ONCE = 80
_STEPS = 20_000


@dataclass(frozen=True, slots=True)
class Proposal:
    """One case without what it expects.

    Attributes:
        title: What it shows.
        profiles: By label, which becomes the name.
        whole: The profiles are one population and none may be left out.
        apart: Each profile is a case of its own, since `keep` ranks all that stand together.
        answer: What the segment says, once it is known; several where the profiles stand apart.
    """

    title: str
    as_of: datetime
    profiles: Mapping[str, Spec]
    whole: bool = False
    apart: bool = False
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """What a definition says of some specs, each alone: the condition, and each leaf."""

    matched: list[bool | None] = field(default_factory=list)
    leaves: list[list[bool | None]] = field(default_factory=list)


def answers_of(
    definition: c.SegmentDefinition, definitions: Definitions, lists: ProjectLists, clock: Clock, specs: Sequence[Spec]
) -> Answers:
    """The answers before `keep`, as if each spec were a profile of one world."""
    case = _case(definition, definitions, clock.as_of, {f"p{n}": spec for n, spec in enumerate(specs)}, "all")
    plain = replace(definition, keep=None)
    segments = Segments(definitions, lists, {definition.name: _lenient(plain)})
    noted: dict[str, list[list[bool | None]]] = {}
    found = evaluate_cases(segments, [case], {0: [definition.name]}, leaves=noted)[0, definition.name]
    if found.failed is not None:
        number = sum(1 for _ in segments.lowered(definition.name).leaves)
        return Answers([None] * len(specs), [[None] * len(specs) for _ in range(number)])
    return Answers(list(found.matched)[: len(specs)], [leaf[: len(specs)] for leaf in noted[definition.name]])


def _lenient(definition: c.SegmentDefinition) -> c.SegmentDefinition:
    """``missing: error`` left open, so that one profile's missing value does not hide what the others show."""

    def visit(node: c.Condition) -> c.Condition:
        match node:
            case c.All(items) | c.AnyOf(items) | c.NoneOf(items):
                return replace(node, items=tuple(map(visit, items)))
            case c.Not(item):
                return replace(node, item=visit(item))
            case c.TraitCondition(missing="error") | c.EventCondition(missing="error"):
                return replace(node, missing=None)
        return node

    return replace(definition, where=visit(definition.where))


# --- From specs to a case ---------------------------------------------------------------------------------
def named(profiles: Mapping[str, Spec]) -> dict[str, Spec]:
    """The profiles by names of their own; where a sample decides, names that lie where they should."""
    found: dict[str, Spec] = {}
    for label, spec in profiles.items():
        name = label[:48].strip("_")
        if spec.places:
            name = place_names(name, spec.places)
        while name in found or name == "everyone":
            name = f"{name}_2"
        found[name] = spec
    return found


def place_names(name: str, places: Mapping[str, tuple[int, int]]) -> str:
    """The name, or the first with a number behind it, whose place in each sample lies in the range."""
    for number in range(_STEPS):
        tried = name if number == 0 else f"{name}_{number}"
        if all(lo <= place_in_sample(salt, tried) < hi for salt, (lo, hi) in places.items()):
            return tried
    return name


def _case(
    definition: c.SegmentDefinition,
    definitions: Definitions,
    as_of: datetime,
    profiles: Mapping[str, Spec],
    title: str,
) -> Case:
    """A bound case of some profiles, by way of the text that would be written."""
    named_profiles = named(profiles) if any(spec.places for spec in profiles.values()) else dict(profiles)
    lines = case_lines(Proposal(title, as_of, named_profiles), definition.name, definitions)
    text = "\n".join(["cases:", *lines, f"      {definition.name}: {{members: []}}"])
    node, problems = compose(text, "tests/proposed.yaml")
    cases, found = bind_tests(node, "tests/proposed.yaml", definitions) if node is not None else ([], problems)
    if not cases or len(cases[0].profiles) != len(with_mates(profiles)):
        raise ValueError(f"a proposal does not bind: {[*problems, *found][:3]}")
    return cases[0]


def case_lines(proposal: Proposal, segment: str, definitions: Definitions) -> list[str]:
    """The lines of a case up to `expect:`."""
    project = definitions.project
    both = frozenset(t.name for t in project.traits) & frozenset(e.name for e in project.events)
    lines = [f"  - case: {scalar(proposal.title)}"]
    if proposal.as_of != fixed_as_of(DEFAULT_AS_OF, project.timezone):
        local = proposal.as_of.astimezone(ZoneInfo(project.timezone))
        lines.append(f"    as_of: {local.replace(tzinfo=None).isoformat(' ', 'minutes')}")
    everybody = with_mates(proposal.profiles)
    lines += ["    given:", *profile_lines(everybody, both, "      ")]
    stubs: dict[str, list[str]] = {}
    for name, spec in everybody.items():
        for other, is_member in spec.members.items():
            stubs.setdefault(other, [])
            stubs[other] += [name] if is_member else []
    if stubs:
        lines.append("    memberships:")
        for other, members in stubs.items():
            lines += names_line(other, members, "      ") or [f"      {other}: []"]
    del segment
    return [*lines, "    expect:"]


def with_mates(profiles: Mapping[str, Spec]) -> dict[str, Spec]:
    """The profiles, then those that stand beside them; what only they share gets a value of its own."""
    own = {name: _own(spec, name) for name, spec in profiles.items()}
    beside = {
        f"{name}_mate_{number + 1}": _own(mate, name)
        for name, spec in profiles.items()
        for number, mate in enumerate(spec.mates)
    }
    return {**own, **beside}


def _own(spec: Spec, name: str) -> Spec:
    traits = {trait: f"of {name}" if value == OWN else value for trait, value in spec.traits.items()}
    return replace(spec, traits=traits, mates=())


# --- What is worth keeping --------------------------------------------------------------------------------
def noticed_by(
    definition: c.SegmentDefinition,
    definitions: Definitions,
    lists: ProjectLists,
    proposals: Sequence[Proposal],
    *,
    most: int,
    brief: bool,
) -> list[Proposal]:
    """The proposals with at most so many profiles each, those first that notice changes of the definition.

    Args:
        definition: As it stands.
        definitions: All.
        lists: Values of list files.
        proposals: In order.
        most: Profiles of one case.
        brief: Leave out all without which every change is noticed as well.
    """
    variants = _variants(definition, definitions, lists)
    segments = Segments(definitions, lists, {**variants, definition.name: definition})
    unnoticed = set(variants)
    kept: list[Proposal] = []
    for proposal in proposals:
        parts = _parts(proposal, definition)
        cases = [_case(definition, definitions, part.as_of, part.profiles, part.title) for part in parts]
        asked = {n: [definition.name, *variants] for n in range(len(cases))}
        found = evaluate_cases(segments, cases, asked)
        chosen = _chosen(parts, found, definition.name, variants, unnoticed, most=most, brief=brief)
        if chosen:
            kept.append(_expecting(proposal, chosen, segments, definition, definitions))
    return kept


def _variants(
    definition: c.SegmentDefinition, definitions: Definitions, lists: ProjectLists
) -> dict[str, c.SegmentDefinition]:
    original = lower_segment(definition, definitions, lists=lists)
    found, seen = {}, {(original.where, original.keep)}
    for number, mutant in enumerate(mutants(definition, definitions)):
        lowered = lower_segment(mutant.definition, definitions, lists=lists)
        if (lowered.where, lowered.keep) not in seen:
            seen.add((lowered.where, lowered.keep))
            found[f"{definition.name} changed {number}"] = mutant.definition
    return found


def _parts(proposal: Proposal, definition: c.SegmentDefinition) -> list[Proposal]:
    profiles = named(proposal.profiles)
    if proposal.whole or not _stands_apart(definition):
        return [replace(proposal, profiles=profiles)]
    return [
        replace(proposal, profiles={name: spec}, title=f"{proposal.title} {name}") for name, spec in profiles.items()
    ]


def _stands_apart(definition: c.SegmentDefinition) -> bool:
    """True where a profile's answer depends on the others: `keep` ranks them, one missing value fails all."""
    return definition.keep is not None or _lenient(definition) != definition


def _chosen(
    parts: Sequence[Proposal],
    found: Mapping[tuple[int, str], Answer],
    name: str,
    variants: Mapping[str, object],
    unnoticed: set[str],
    *,
    most: int,
    brief: bool,
) -> dict[str, Spec]:
    """Profiles in order of what they notice that nobody before did; then, unless brief, the others."""
    notices: dict[str, set[str]] = {}
    specs: dict[str, Spec] = {}
    for number, part in enumerate(parts):
        for place, (profile, spec) in enumerate(part.profiles.items()):
            specs[profile] = spec
            plain = _state(found[number, name], place)
            notices[profile] = {key for key in variants if _state(found[number, key], place) != plain}
    if parts and parts[0].whole:
        new = set().union(*notices.values()) & unnoticed
        unnoticed -= new
        return specs if new or not brief else {}
    chosen: list[str] = []
    while len(chosen) < most:
        best = max(notices, key=lambda p: len(notices[p] & unnoticed), default=None)
        if best is None or not notices[best] & unnoticed:
            break
        chosen.append(best)
        unnoticed -= notices.pop(best)
    # One case a profile is long, and a grid's points say nothing by themselves.
    rest = [] if brief or len(parts) > 1 else [p for p in specs if p not in chosen and not p.startswith("values_")]
    wanted = {*chosen, *rest[: most - len(chosen)]}
    return {profile: spec for profile, spec in specs.items() if profile in wanted}


def _state(answer: Answer, place: int) -> object:
    if answer.failed is not None:
        return "failed"
    return answer.members[place], answer.matched[place]


def _expecting(
    proposal: Proposal,
    profiles: Mapping[str, Spec],
    segments: Segments,
    definition: c.SegmentDefinition,
    definitions: Definitions,
) -> Proposal:
    """The proposal with what the definition says of it as it will stand in the file."""
    is_apart = _stands_apart(definition) and not proposal.whole
    worlds = [{name: spec} for name, spec in profiles.items()] if is_apart else [dict(profiles)]
    cases = [_case(definition, definitions, proposal.as_of, world, proposal.title) for world in worlds]
    found = evaluate_cases(segments, cases, {n: [definition.name] for n in range(len(cases))})
    answers = tuple(found[n, definition.name] for n in range(len(cases)))
    return replace(proposal, profiles=profiles, apart=is_apart, answers=answers)


# --- The file ---------------------------------------------------------------------------------------------
def file_text(proposals: Sequence[Proposal], definition: c.SegmentDefinition, definitions: Definitions) -> str:
    """The proposed cases as a test file."""
    title = definition.title or definition.name
    lines = [
        f"# Boundary cases of `{definition.name}` ({title}), proposed by `segctl test --generate`.",
        "# What is expected was computed from the definition as it stands: read each line before you keep it.",
        "cases:",
    ]
    blocks = [block for proposal in proposals for block in _blocks(proposal, definition.name, definitions)]
    return "\n".join(lines) + "\n" + "\n".join(blocks)


def _blocks(proposal: Proposal, segment: str, definitions: Definitions) -> list[str]:
    if not proposal.apart:
        return ["\n".join([*case_lines(proposal, segment, definitions), *_expected(proposal, segment)]) + "\n"]
    blocks = []
    for (name, spec), answer in zip(proposal.profiles.items(), proposal.answers, strict=True):
        title = f"{proposal.title}, {name.replace('_', ' ')}"
        part = replace(proposal, title=title, profiles={name: spec}, apart=False, answers=(answer,))
        blocks += _blocks(part, segment, definitions)
    return blocks


def _expected(proposal: Proposal, segment: str) -> list[str]:
    answer = proposal.answers[0]
    if answer.failed is not None:
        return [f"      {segment}: {{fails: true}}"]
    groups: dict[str, list[str]] = {"members": [], "non_members": [], "unknown": []}
    for place, name in enumerate(with_mates(proposal.profiles)):
        is_member, matched = answer.members[place], answer.matched[place]
        groups["members" if is_member else "unknown" if matched is None else "non_members"].append(name)
    lines = [line for word, names in groups.items() for line in names_line(word, names, "        ")]
    return [f"      {segment}:", *lines]
