"""Populations on both sides of what `keep` keeps, for proposed tests."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from math import ceil

from segctl.compile.boundaries import Written, default
from segctl.compile.boundary_specs import Ground, Spec
from segctl.compile.lower import leaves_of
from segctl.compile.zones import DAY
from segctl.model import conditions as c
from segctl.model.types import Kind
from segctl.operations.lists import ProjectLists
from segctl.operations.testing.proposals import Proposal

MOST = 60


def population_cases(
    definition: c.SegmentDefinition, ground: Ground, lists: ProjectLists, member: Spec
) -> Iterator[Proposal]:
    """Cases in which one more or one less would be kept; with ties, missing values, and groups.

    Args:
        definition: With or without `keep`.
        ground: Definitions and clock.
        lists: Values of list files.
        member: What makes the condition true.
    """
    del lists
    yield from _score_cases(definition, ground, member)
    keep = definition.keep
    if keep is None:
        return
    as_of = ground.clock.as_of
    for size in _sizes(keep):
        profiles = {f"rank_{n + 1}": _ranked(keep, ground, 100 - n).over(member) for n in range(size)}
        yield Proposal(f"keep: {size} ranked", as_of, profiles, whole=True)
    tied = {f"tied_{n}": _ranked(keep, ground, 50).over(member) for n in ("a", "b", "c")}
    tied["without_value"] = member
    yield Proposal("keep: a tie goes to the name first in the alphabet", as_of, tied, whole=True)
    per = ground.definitions.project.trait(keep.per) if keep.per is not None else None
    if per is not None and per.type.kind is Kind.TEXT:
        groups: dict[str, Spec] = {}
        for number, group in enumerate(("DE", "DE", "AT", "AT", None, None)):
            spec = _ranked(keep, ground, 90 - 10 * number).over(member)
            traits: dict[str, Written] = {k: v for k, v in spec.traits.items() if k != keep.per}
            own = Spec({**traits, **({} if group is None else {per.name: group})}, spec.events, spec.records)
            groups[f"{(group or 'no_group').lower()}_{number % 2 + 1}"] = own
        yield Proposal(f"keep: for each {keep.per}", as_of, groups, whole=True)


def _score_cases(definition: c.SegmentDefinition, ground: Ground, member: Spec) -> Iterator[Proposal]:
    """Populations of ten with different values, for each score that a leaf tests."""
    for path, leaf in leaves_of(definition.where):
        computed = ground.definitions.computed.get(leaf.trait) if isinstance(leaf, c.TraitCondition) else None
        if computed is None or not isinstance(computed.formula, c.Score):
            continue
        by = c.Keep("top", computed.formula.of.trait, count=1)
        profiles = {f"place_{n + 1}": _ranked(by, ground, 100 - 7 * n).over(member) for n in range(10)}
        yield Proposal(f"{path or 'where'}: {computed.name} of ten", ground.clock.as_of, profiles, whole=True)


def ranked_at_all(definition: c.SegmentDefinition, ground: Ground) -> Spec:
    """What `keep` needs of a profile before it ranks it: a stored value and a group."""
    keep, project = definition.keep, ground.definitions.project
    if keep is None:
        return Spec()
    named = [trait for name in (keep.by, keep.per) if name is not None and (trait := project.trait(name)) is not None]
    return Spec(traits={trait.name: default(trait.type, ground.clock) for trait in named})


def _sizes(keep: c.Keep) -> list[int]:
    """Populations in which one of a hundred, or one place, more or less keeps another number."""
    if keep.count is not None:
        return [keep.count + 1] if keep.count < MOST else []
    percent = Fraction(keep.percent or Decimal(1))

    def places(of: Fraction, size: int) -> int:
        return max(1, ceil(size * of / 100))

    found = []
    for other in (percent - 1, percent + 1):
        size = next((n for n in range(2, MOST) if places(other, n) != places(percent, n)), None)
        found += [size] if size is not None else []
    return list(dict.fromkeys(found))


def _ranked(keep: c.Keep, ground: Ground, value: int) -> Spec:
    """What gives a profile a value to rank by."""
    stored = ground.definitions.project.trait(keep.by)
    if stored is not None:
        return Spec(traits={keep.by: _written(stored.type.kind, value, ground)})
    computed = ground.definitions.computed[keep.by]
    selection, measure = computed.selection, computed.measure
    if not isinstance(selection, c.EventSelection) or measure is None:
        return Spec()
    at = ground.clock.text(ground.clock.now - DAY)
    kind = selection.events[0] if selection.events != ("*",) else ground.definitions.project.events[0].name
    if isinstance(measure, c.Aggregate | c.EdgeValue | c.MostFrequent) and not measure.path:
        return Spec(events={kind: ({"at": at, measure.of: value},)})
    if isinstance(measure, c.EdgeTime):
        return Spec(events={kind: ({"at": ground.clock.text(ground.clock.now - (101 - value) * DAY)},)})
    return Spec(events={kind: tuple({"at": at} for _ in range(value // 10))})


def _written(kind: Kind, value: int, ground: Ground) -> Written:
    if kind in (Kind.DATE, Kind.TIME):
        return ground.clock.text(ground.clock.now - (101 - value) * DAY)
    return value
