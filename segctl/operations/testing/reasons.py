"""Which leaf decided a profile's answer in a test, by the row evaluator, with the values it saw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from segctl.compile import ir
from segctl.compile.plan import references
from segctl.compile.testing import ENDS, KEEP, LONE, SAME, Case
from segctl.compile.testing_expect import leaf_names
from segctl.compile.trace import Branch, LeafTrace, Trace, trace
from segctl.compile.zones import to_us
from segctl.model.dataclass import dataclass
from segctl.model.project import Language
from segctl.operations.testing.answers import Answer, colleagues_of, evaluate_cases, scores_of
from segctl.operations.testing.segments import Segments
from segctl.operations.testing.world import World, event_rows, profile_row


@dataclass(frozen=True, slots=True)
class Explained:
    """What each leaf says of one profile.

    Attributes:
        trace: Tree and leaves.
        kept: False where the condition holds and `keep` ranks others higher.
        names: How each leaf may be called, by its place.
        file: Of the definition.
        zone: Of times that are shown.
        ended: The segment had ended, whatever its leaves say.
        language: Of conditions and values.
    """

    trace: Trace
    kept: bool
    names: dict[str, tuple[str, ...]]
    file: str | None
    zone: str = "UTC"
    ended: bool = False
    language: Language = "en"

    def said(self, names: frozenset[str]) -> str:
        """The place by which a leaf is called in messages."""
        return next((path for path in self.names if path in names), "something else")

    @property
    def deciding(self) -> tuple[LeafTrace, ...]:
        """The leaves that decided, in reading order."""
        places = set() if self.ended else {place for place in _places(self.trace) if place is not None}
        return tuple(leaf for number, leaf in enumerate(self.trace.leaves) if number in places)


def explained(segments: Segments, case: Case, name: str, profile: str, answer: Answer) -> Explained:
    """Why the segment answers as it does for a profile of a case."""
    segment = segments.lowered(name)
    world = World.of(segments.definitions.project, segments.lists, [case])
    given = next(p for p in case.profiles if p.name == profile)
    number = case.profiles.index(given)
    row = profile_row(world, given, to_us(case.as_of), segment)
    among = replace(
        row,
        colleagues=colleagues_of(segments, segment, case, number),
        scores=scores_of(segments, segment, case, number),
    )
    found = trace(
        segment,
        among,
        event_rows(world.project, given),
        as_of=case.as_of,
        zone=world.project.timezone,
        members=_members(segments, case, segment, number),
        language=segments.language,
    )
    definition = segments.definitions.segments[name]
    kept = answer.members[number] or answer.matched[number] is not True
    file = definition.location.file if definition.location else None
    ended = segments.has_ended(name, case.as_of)
    names, zone = leaf_names(definition), world.project.timezone
    return Explained(found, kept, names, file, zone, ended, segments.language)


def _members(segments: Segments, case: Case, segment: ir.LoweredSegment, number: int) -> dict[str, bool]:
    """Whether the profile belongs to the segments that this one refers to."""
    names = list(references(segment))
    if not names:
        return {}
    given = {name: case.profiles[number].name in case.stubs[name] for name in names if name in case.stubs}
    asked = [name for name in names if name not in given]
    alone = replace(case, expectations=())
    found = evaluate_cases(segments, [alone], {0: asked}) if asked else {}
    return given | {name: _belongs(found[0, name], number) for name in asked}


def _belongs(answer: Answer, number: int) -> bool:
    return answer.failed is None and answer.members[number]


def decided_by(why: Explained) -> list[frozenset[str]]:
    """For each leaf that decided, the names it goes by."""
    if why.ended:
        return [frozenset(why.names[ENDS])]
    if not why.kept:
        return [frozenset(why.names[KEEP])]
    found = {
        frozenset((SAME,)) if place is None else frozenset(_called(why, why.trace.leaves[place]))
        for place in _places(why.trace)
    }
    return sorted(found, key=sorted)


def _called(why: Explained, leaf: LeafTrace) -> tuple[str, ...]:
    return why.names[leaf.path or LONE]


def _places(found: Trace) -> set[int | None]:
    """Positions of the leaves that decided; None for a test of one and the same value."""
    return set(_decisive(found.tree))


def _decisive(branch: Branch) -> Iterator[int | None]:
    if branch.word == "leaf":
        yield branch.leaf
        return
    for item in branch.items:
        if branch.word == "not" or item.answer == branch.answer:
            yield from _decisive(item)
