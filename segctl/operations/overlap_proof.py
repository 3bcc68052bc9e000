"""How two definitions lie to each other whatever the data are, with a profile that shows what is not so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Literal

from segctl.compile.reason.formulas import Formula
from segctl.compile.reason.theory import Theory
from segctl.compile.reason.variables import Reader
from segctl.compile.zones import DAY
from segctl.model.conditions import (
    All,
    Condition,
    EventCondition,
    EventSelection,
    SegmentDefinition,
    SequenceCondition,
    TraitCondition,
    ValueTest,
)
from segctl.model.dataclass import dataclass
from segctl.model.project import Definitions
from segctl.model.times import Window

if TYPE_CHECKING:
    from segctl.compile.boundaries import Clock
    from segctl.compile.boundary_leaves import Ground, Spec
    from segctl.operations.lists import ProjectLists

Kind = Literal["equivalent", "subset", "superset", "disjoint", "overlapping", "empty", "open"]
_TRIES, _ROUNDS = 120, 4


@dataclass(frozen=True, slots=True)
class Relation:
    """What is certain of two definitions.

    Attributes:
        kind: The same members; the first in the second; the second in the first; nobody in both; profiles of every
            sort, as the example shows; a definition that never has a member; or nothing of these is proved.
        example: A test of both definitions, as YAML, with a profile that is in the first and not in the second, one
            that is in the second and not in the first, and one that is in both, as far as such profiles were found.
        shown: Which of ``first only``, ``second only`` and ``both`` the example shows to be possible.
        ranking: Segments whose `keep` ranks people against others, so that no example is looked for.
    """

    kind: Kind
    example: str | None = None
    shown: tuple[str, ...] = ()
    ranking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Example:
    """A profile, and what the two segments say of it."""

    spec: Spec
    first: bool | None
    second: bool | None


def relation_of(definitions: Definitions, lists: ProjectLists, first: str, second: str) -> Relation:
    """What can be proved of two segments, and examples of what cannot be excluded.

    Args:
        definitions: All bound.
        lists: Values of list files.
        first: A segment.
        second: Another one.
    """
    one, other = definitions.segments[first], definitions.segments[second]
    theory = Theory(Reader(definitions))
    kind = _proved(theory, theory.member(one), theory.member(other))
    if kind in ("equivalent", "empty"):
        return Relation(kind)
    # Whoever is kept depends on everybody else, so a few profiles show nothing.
    ranking = tuple(segment.name for segment in (one, other) if segment.keep is not None)
    if ranking:
        return Relation(kind, ranking=ranking)
    found = _examples(definitions, lists, one, other, _open(kind))
    if not found:
        return Relation(kind)
    kind = "overlapping" if len(found) == 3 else kind
    return Relation(kind, _test(definitions, one, other, found), tuple(found))


def _proved(theory: Theory, one: Formula, other: Formula) -> Kind:
    if theory.never(one) or theory.never(other):
        return "empty"
    inner, outer = theory.implies(one, other), theory.implies(other, one)
    if inner and outer:
        return "equivalent"
    if inner or outer:
        return "subset" if inner else "superset"
    return "disjoint" if theory.never(one, other) else "open"


def _open(kind: Kind) -> tuple[str, ...]:
    """What the proof does not exclude."""
    excluded = {"subset": "first only", "superset": "second only", "disjoint": "both"}.get(kind)
    return tuple(shown for shown in ("first only", "second only", "both") if shown != excluded)


# --- Examples ---------------------------------------------------------------------------------------------
def _examples(
    definitions: Definitions,
    lists: ProjectLists,
    one: SegmentDefinition,
    other: SegmentDefinition,
    wanted: Sequence[str],
) -> dict[str, _Example]:
    """Small profiles by what they show, evaluated like customers; of segments without `keep`."""
    from segctl.compile.boundary_leaves import Ground
    from segctl.compile.lower import leaves_of
    from segctl.operations.testing.proposals import answers_of

    clock = _clock(definitions, one, other)
    together = replace(one, where=All((one.where, other.where)))
    leaves = [leaf for _, leaf in leaves_of(together.where)]
    candidates = _candidates(leaves, Ground(definitions, lists, clock))
    dice = Random(0)
    found: dict[str, _Example] = {}
    for _ in range(_ROUNDS):
        specs = [_mixed(candidates, dice) for _ in range(_TRIES)]
        in_one = answers_of(one, definitions, lists, clock, specs).matched
        in_other = answers_of(other, definitions, lists, clock, specs).matched
        for spec, here, there in zip(specs, in_one, in_other, strict=True):
            shown = _shown(here is True, there is True)
            if shown in wanted and (shown not in found or spec.size < found[shown].spec.size):
                found[shown] = _Example(spec, here, there)
        if len(found) == len(wanted):
            break
    return {shown: found[shown] for shown in wanted if shown in found}


def _shown(first: bool, second: bool) -> str:
    return {(True, False): "first only", (False, True): "second only", (True, True): "both"}.get((first, second), "")


def _clock(definitions: Definitions, *segments: SegmentDefinition) -> Clock:
    """The instant of tests that name none."""
    from segctl.compile.boundaries import Clock
    from segctl.operations.testing.segments import usual_as_of

    zone = definitions.project.timezone
    return Clock(usual_as_of(zone, segments), zone)


def _candidates(leaves: Iterable[Condition], ground: Ground) -> list[list[Spec]]:
    """For each leaf, what puts a profile on either side of its bounds."""
    from segctl.compile.boundaries import middle
    from segctl.compile.boundary_leaves import leaf_candidates

    found = []
    for leaf in leaves:
        bases = [us for window in _windows(leaf) if (us := middle(window, ground.clock)) is not None]
        made = {
            repr(spec): spec
            for base in (bases or [ground.clock.now - DAY])
            for _, spec in leaf_candidates(leaf, ground, base=base)
        }
        found.append(list(made.values()))
    return found


def _windows(leaf: Condition) -> list[Window]:
    match leaf:
        case EventCondition(EventSelection(_, window)) if window is not None:
            return [window]
        case EventCondition(_, _, test) | TraitCondition(_, test) if not isinstance(test, ValueTest):
            return [test]
        case SequenceCondition((first, *_)) if first.window is not None:
            return [first.window]
    return []


def _mixed(candidates: Sequence[Sequence[Spec]], dice: Random) -> Spec:
    """A profile with something for each leaf, or nothing."""
    from segctl.compile.boundary_leaves import Spec

    mixed = Spec()
    for some in candidates:
        if some and dice.random() < 0.75:
            mixed = dice.choice(some).over(mixed)
    return mixed


def _test(
    definitions: Definitions, one: SegmentDefinition, other: SegmentDefinition, found: dict[str, _Example]
) -> str:
    """A file for `segctl test`."""
    from segctl.operations.testing.proposals import Proposal, case_lines, named

    profiles = named({shown.replace(" ", "_"): example.spec for shown, example in found.items()})
    title = f"{one.name} and {other.name}"
    proposal = Proposal(title, _clock(definitions, one, other).as_of, profiles)
    lines = ["cases:", *case_lines(proposal, one.name, definitions)]
    for segment, answers in (
        (one.name, [example.first for example in found.values()]),
        (other.name, [example.second for example in found.values()]),
    ):
        lines.append(f"      {segment}:")
        for word, wanted in (("members", True), ("non_members", False), ("unknown", None)):
            names = [name for name, answer in zip(profiles, answers, strict=True) if answer is wanted]
            lines += [f"        {word}: [{', '.join(names)}]"] if names else []
    return "\n".join(lines) + "\n"
