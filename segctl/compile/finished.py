"""Definitions as they leave the compiler: references resolved, flags passed on, each with the digest of its meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from segctl.compile.digest import segment_digest, trait_digest
from segctl.compile.references import references
from segctl.model.conditions import ComputedTrait, SegmentDefinition
from segctl.model.project import Definitions, Project


def finished(
    project: Project, segments: Mapping[str, SegmentDefinition], computed: Mapping[str, ComputedTrait | None]
) -> Definitions:
    """The definitions whose references all resolve, with digests, in order of name."""
    traits = _flagged({name: trait for name, trait in sorted(computed.items()) if trait is not None}, project)
    of_traits = trait_digests(traits, project)
    digests = _in_order(
        {name: references(segment.where).segments for name, segment in segments.items()},
        lambda name, known: segment_digest(segments[name], project, segments=known, computed=of_traits),
    )
    kept = {name: replace(segments[name], digest=digests[name]) for name in sorted(digests)}
    return Definitions(project, kept, traits)


def _flagged(traits: Mapping[str, ComputedTrait], project: Project) -> dict[str, ComputedTrait]:
    """The traits with the flags of all they rest on: an age tells of the birthday it is computed from."""
    flags = {trait.name: (trait.sensitive, trait.personal) for trait in project.traits}

    def of(name: str) -> tuple[bool, bool]:
        if name not in flags and name in traits:
            trait = traits[name]
            used = references(trait.selection, trait.measure, trait.formula).traits
            found = [of(other) for other in used]
            flags[name] = any(sensitive for sensitive, _ in found), any(personal for _, personal in found)
        return flags.get(name, (False, False))

    return {n: replace(t, sensitive=of(n)[0], personal=of(n)[1]) if any(of(n)) else t for n, t in traits.items()}


def trait_digests(traits: Mapping[str, ComputedTrait], project: Project) -> dict[str, str]:
    """Name → digest of what a computed trait means, everything that it rests on included."""
    uses = {
        name: tuple(used for used in references(trait.selection, trait.measure, trait.formula).traits if used in traits)
        for name, trait in traits.items()
    }
    return _in_order(uses, lambda name, known: trait_digest(traits[name], project, computed=known))


def _in_order(uses: Mapping[str, tuple[str, ...]], digest: Callable[[str, Mapping[str, str]], str]) -> dict[str, str]:
    """Digests of everything that rests on known things only; the used come before their users."""
    users: dict[str, list[str]] = {}
    waiting = {name: len(set(used)) for name, used in uses.items()}
    for name, used in uses.items():
        for other in set(used):
            users.setdefault(other, []).append(name)
    ready = [name for name, count in waiting.items() if count == 0]
    known: dict[str, str] = {}
    while ready:
        name = ready.pop()
        known[name] = digest(name, known)
        for user in users.get(name, ()):
            waiting[user] -= 1
            if waiting[user] == 0:
                ready.append(user)
    return known
