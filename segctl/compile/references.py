"""What a definition refers to: segments, traits, event kinds, list files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any

from segctl.model.conditions import (
    ChangedCondition,
    ColleaguesCondition,
    ConsentCondition,
    EventSelection,
    FollowedBy,
    Keep,
    ListCondition,
    ListOperand,
    PlaceTrait,
    RelatedSelection,
    SegmentCondition,
    Step,
    TraitCondition,
    TraitOperand,
    TraitValue,
)
from segctl.model.dataclass import dataclass
from segctl.model.places import CsvFile
from segctl.model.times import TraitTime


@dataclass(frozen=True, slots=True)
class References:
    """Names in the order they are met, each once.

    Attributes:
        segments: Segments whose membership is asked.
        traits: Stored and computed traits, without what those refer to in turn.
        histories: Stored traits whose changes are asked.
        events: Event kinds; ``*`` stands for every declared one.
        lists: Files of the project.
        related: Tables of rows; of colleagues the trait that they share is among `traits`.
        purposes: Purposes whose consent is asked.
    """

    segments: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    histories: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()


def references(*parts: object) -> References:
    """Everything that conditions, `keep`, selections, measures or formulas refer to."""
    found: dict[str, dict[str, None]] = {
        "segments": {},
        "traits": {},
        "histories": {},
        "events": {},
        "lists": {},
        "related": {},
        "purposes": {},
    }
    for part in parts:
        for node in _walk(part):
            named = _NAMES.get(type(node))
            if named is not None:
                found[named[0]] |= dict.fromkeys(named[1](node))
    return References(*(tuple(names) for names in found.values()))


def weight(*parts: object) -> tuple[int, list[str]]:
    """How many parts definitions have, and the traits they refer to as often as they do."""
    nodes = [node for part in parts for node in _walk(part)]
    named = (TraitCondition, TraitOperand, TraitTime, TraitValue, PlaceTrait)
    return len(nodes), [node.trait for node in nodes if isinstance(node, named)]


def cycle_in(graph: Mapping[str, tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Every group of names that refer to one another in a circle, as the circle itself with its start repeated."""
    state: dict[str, int] = {}
    cycles: list[tuple[str, ...]] = []
    for root in sorted(graph):
        path: list[str] = []
        work = [(root, False)]
        while work:
            name, is_done = work.pop()
            if is_done:
                state[name] = 2
                path.pop()
            elif state.get(name) == 1:
                cycles.append((*path[path.index(name) :], name))
            elif name not in state and name in graph:
                state[name] = 1
                path.append(name)
                work.append((name, True))
                work.extend((other, False) for other in reversed(graph[name]))
    return cycles


_NAMES: dict[type, tuple[str, Callable[[Any], Iterable[str]]]] = {
    SegmentCondition: ("segments", lambda node: (node.segment,)),
    **dict.fromkeys(
        (TraitCondition, TraitOperand, TraitTime, TraitValue, PlaceTrait, ColleaguesCondition),
        ("traits", lambda node: (node.trait,)),
    ),
    ChangedCondition: ("histories", lambda node: (node.trait,)),
    **dict.fromkeys((EventSelection, FollowedBy, Step), ("events", lambda node: node.events)),
    RelatedSelection: ("related", lambda node: (node.table,)),
    ConsentCondition: ("purposes", lambda node: (node.purpose,)),
    **dict.fromkeys((ListCondition, ListOperand), ("lists", lambda node: (node.name,))),
    CsvFile: ("lists", lambda node: (node.path,)),
    Keep: ("traits", lambda node: filter(None, (node.by, node.per))),
}
"""What a node of each type refers to."""


def _walk(part: object) -> list[Any]:
    """Every dataclass in a definition, in reading order."""
    found: list[Any] = []
    stack: list[Any] = [part]
    while stack:
        node = stack.pop()
        of = type(node)
        if of is tuple:
            stack.extend(reversed(node))
            continue
        parts = _PARTS.get(of)
        if parts is None:
            parts = _PARTS[of] = _parts_of(of)
        if parts is not _no_parts:
            found.append(node)
            stack.extend(parts(node))
    return found


def _no_parts(_: object) -> tuple[Any, ...]:
    return ()


_PARTS: dict[type, Callable[[Any], tuple[Any, ...]]] = {}
"""What gives the values of a type's fields, the last first: asked for each node of each definition."""


def _parts_of(of: type) -> Callable[[Any], tuple[Any, ...]]:
    names = compared_fields(of)
    if len(names) < 2:
        return (lambda node: (getattr(node, names[0]),)) if names else _no_parts
    return attrgetter(*reversed(names))


_FIELDS: dict[type, tuple[str, ...]] = {}


def compared_fields(of: type) -> tuple[str, ...]:
    """Names of a dataclass's fields that carry meaning (places do not); none for other types."""
    found = _FIELDS.get(of)
    if found is None:
        found = tuple(field.name for field in fields(of) if field.compare) if is_dataclass(of) else ()
        _FIELDS[of] = found
    return found
