"""Segments that mean the same, or nearly: normal forms instead of comparing each with each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from decimal import Decimal

from segctl.compile.prune import leaves
from segctl.compile.reason.theory import Theory
from segctl.compile.reason.variables import Reader
from segctl.model.conditions import (
    All,
    AnyOf,
    Condition,
    EventCondition,
    NoneOf,
    Not,
    SegmentDefinition,
    TraitCondition,
)
from segctl.model.dataclass import dataclass
from segctl.model.times import Duration

_MOST_PROOFS, _MOST_ALIKE = 200, 12
"""Pairs that are compared by proof in all, and segments on the same variables that are compared with each other."""
_NEAR = Decimal("1.1")
"""Numbers that differ by a tenth or less are near."""


@dataclass(frozen=True, slots=True)
class Alike:
    """A segment and an earlier one that it is like.

    Attributes:
        segment: The later one by name.
        other: The earlier one.
        numbers: What differs, in the later and in the earlier one; None where they mean the same.
    """

    segment: SegmentDefinition
    other: SegmentDefinition
    numbers: tuple[str, str] | None = None


def alike(reader: Reader, segments: Sequence[SegmentDefinition]) -> Iterator[Alike]:
    """Segments that mean the same as another, and those that differ from one in a single near number.

    Sister segments that one file makes are left out: their author meant them so.

    Args:
        reader: Reads leaves.
        segments: All of a project, in order of name.
    """
    equal = list(_equal(reader, segments))
    yield from equal
    known = {found.segment.name for found in equal}
    yield from _near([segment for segment in segments if segment.name not in known])


# --- The same meaning -------------------------------------------------------------------------------------
def _equal(reader: Reader, segments: Sequence[SegmentDefinition]) -> Iterator[Alike]:
    forms: dict[Hashable, SegmentDefinition] = {}
    related: dict[Hashable, list[SegmentDefinition]] = defaultdict(list)
    proofs = _MOST_PROOFS
    for segment in segments:
        form = (normal(segment.where, reader), segment.keep)
        first = forms.setdefault(form, segment)
        if first is not segment:
            if not _are_sisters(first, segment):
                yield Alike(segment, first)
            continue
        key = (frozenset(reader.read(leaf)[0] for leaf in leaves(segment.where)), segment.keep)
        for other in related[key][:_MOST_ALIKE]:
            if proofs and not _are_sisters(other, segment):
                proofs -= 1
                if _is_proved(reader, segment, other):
                    yield Alike(segment, other)
                    break
        related[key].append(segment)


def _is_proved(reader: Reader, one: SegmentDefinition, other: SegmentDefinition) -> bool:
    theory = Theory(reader)
    here, there = theory.true(one.where), theory.true(other.where)
    # Two that never hold are alike in nothing but their fault.
    return theory.implies(here, there) and theory.implies(there, here) and not theory.never(here)


def _are_sisters(one: SegmentDefinition, other: SegmentDefinition) -> bool:
    return one.location is not None and other.location is not None and one.location.file == other.location.file


def normal(condition: Condition, reader: Reader) -> Hashable:
    """The condition however it is written: without order, repetition, brackets that change nothing, double negation."""
    match condition:
        case All(items, same):
            return _group("all", [normal(item, reader) for item in items], same)
        case AnyOf(items, 1):
            return _group("any", [normal(item, reader) for item in items], ())
        case AnyOf(items, n):
            return ("some", n, tuple(sorted((normal(item, reader) for item in items), key=hash)))
        case NoneOf(items):
            return _group("all", [_opposite(normal(item, reader)) for item in items], ())
        case Not(item):
            return _opposite(normal(item, reader))
    missing = condition.missing if isinstance(condition, TraitCondition | EventCondition) else None
    return ("leaf", *reader.read(condition), missing)


def _group(kind: str, items: Sequence[Hashable], same: tuple[str, ...]) -> Hashable:
    flat: set[Hashable] = set()
    for item in items:
        is_open = isinstance(item, tuple) and item[:1] == (kind,) and not same and item[2] == ()
        flat |= item[1] if is_open and isinstance(item, tuple) else {item}
    return next(iter(flat)) if len(flat) == 1 and not same else (kind, frozenset(flat), same)


def _opposite(form: Hashable) -> Hashable:
    return form[1] if isinstance(form, tuple) and form[:1] == ("not",) else ("not", form)


# --- One near number --------------------------------------------------------------------------------------
def _near(segments: Sequence[SegmentDefinition]) -> Iterator[Alike]:
    """Segments of one shape that differ in one number, neighbours by that number."""
    places: dict[Hashable, list[tuple[Decimal, str, int, SegmentDefinition]]] = defaultdict(list)
    for at, segment in enumerate(segments):
        numbers: list[tuple[Decimal, str]] = []
        shape = _shape(segment.where, numbers)
        for place, (number, text) in enumerate(numbers):
            rest = tuple(other for n, (other, _) in enumerate(numbers) if n != place)
            places[shape, segment.keep, place, rest].append((number, text, at, segment))
    told: set[int] = set()
    for found in places.values():
        if len(found) == 2:
            # Three or more are a ladder, such as 10, 11 and 12 points, and meant.
            (low, low_text, low_at, one), (high, high_text, high_at, other) = sorted(found, key=lambda f: f[:3])
            is_near = 0 < low < high <= low * _NEAR and not _are_sisters(one, other)
            later, earlier = (one, other) if low_at > high_at else (other, one)
            if is_near and max(low_at, high_at) not in told:
                told.add(max(low_at, high_at))
                texts = (low_text, high_text) if later is one else (high_text, low_text)
                yield Alike(later, earlier, texts)


def _shape(part: object, numbers: list[tuple[Decimal, str]]) -> Hashable:
    """A condition with its numbers and lengths taken out, which are noted in reading order."""
    from segctl.compile.references import compared_fields

    if isinstance(part, Duration):
        numbers.append((Decimal(part.amount), str(part)))
        return ("length", part.unit, part.calendar)
    if isinstance(part, int | Decimal) and not isinstance(part, bool):
        numbers.append((Decimal(part), str(part)))
        return "number"
    if isinstance(part, tuple):
        return tuple(_shape(item, numbers) for item in part)
    names = compared_fields(type(part))
    if names:
        return (type(part), *(_shape(getattr(part, name), numbers) for name in names))
    return (type(part), part)
