"""The texts that definitions compare with, and where the data would have to hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Protocol

from segctl.compile.prune import leaves
from segctl.compile.source import Node, Scalar, walk
from segctl.model.conditions import (
    ComputedTrait,
    Condition,
    Count,
    EventCondition,
    EventSelection,
    PropertyTest,
    SequenceCondition,
    Share,
    Test,
    TraitCondition,
    ValueTest,
)
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.project import Definitions

_COMPARED = frozenset({"equals", "not_equals", "in", "not_in", "any_of", "all_of", "none_of"})


class Known(Protocol):
    """Texts that occur, with the number of profiles or events that have them; None when not all are known."""

    def trait_values(self, trait: str) -> Mapping[str, int] | None:
        """Of a trait."""

    def property_values(self, event: str, name: str) -> Mapping[str, int] | None:
        """Of a property."""


@dataclass(frozen=True, slots=True)
class ExampleFacts:
    """What the data of an example hold."""

    traits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    properties: Mapping[tuple[str, str], Mapping[str, int]] = field(default_factory=dict)

    def trait_values(self, trait: str) -> Mapping[str, int] | None:
        """As given."""
        return self.traits.get(trait)

    def property_values(self, event: str, name: str) -> Mapping[str, int] | None:
        """As given."""
        return self.properties.get((event, name))


@dataclass(frozen=True, slots=True)
class ComparedText:
    """A text that a trait or a property is compared with.

    Attributes:
        text: The literal.
        kinds: Events whose property it is; none for a trait.
        name: Of the trait or property.
        location: Of the condition or computed trait.
    """

    text: str
    kinds: tuple[str, ...]
    name: str
    location: Location | None

    @property
    def what(self) -> str:
        """Trait or property, in words."""
        return f"the trait `{self.name}`" if not self.kinds else f"`{self.name}` of {self._events}"

    @property
    def _events(self) -> str:
        return " and ".join(f"`{kind}`" for kind in self.kinds[:3]) if len(self.kinds) <= 3 else "these events"

    def values(self, known: Known) -> Mapping[str, int] | None:
        """All texts that occur there; None when they are not known in full, or there are none at all."""
        if not self.kinds:
            return known.trait_values(self.name)
        together: dict[str, int] = {}
        for kind in self.kinds:
            found = known.property_values(kind, self.name)
            if found is None:
                return None
            for text, rows in found.items():
                together[text] = together.get(text, 0) + rows
        return together

    def in_other_case(self, known: Mapping[str, int]) -> str | None:
        """The most frequent text that differs in its case alone."""
        folded = self.text.casefold()
        same = [text for text in known if text.casefold() == folded]
        return max(same, key=lambda text: (known[text], text)) if same else None


def tested_texts(definitions: Definitions) -> Iterator[ComparedText]:
    """Every text that definitions compare with, in order of segment; texts that fit in any case are left out."""
    for segment in definitions.segments.values():
        for leaf in leaves(segment.where):
            yield from _of_leaf(leaf, definitions)
    for trait in definitions.computed.values():
        yield from _of_trait(trait, definitions)


def place_of(text: str, node: Node | None) -> Location | None:
    """Where a text stands below a condition, None when it does not stand there as it is."""
    scalars = (part for part in walk(node) if isinstance(part, Scalar)) if node is not None else ()
    return next((scalar.location for scalar in scalars if scalar.text == text), None)


def _of_leaf(leaf: Condition, definitions: Definitions) -> Iterator[ComparedText]:
    match leaf:
        case TraitCondition(trait, test, ()):
            if trait not in definitions.computed:
                yield from _of_test(test, (), trait, leaf.location)
        case EventCondition(EventSelection() as selection, measure):
            yield from _of_events(selection, measure, leaf.location, definitions)
        case SequenceCondition(steps):
            for step in steps:
                yield from _of_filters(step.where, step.events, leaf.location, definitions)


def _of_trait(trait: ComputedTrait, definitions: Definitions) -> Iterator[ComparedText]:
    if isinstance(trait.selection, EventSelection):
        yield from _of_events(trait.selection, trait.measure, trait.location, definitions)


def _of_events(
    selection: EventSelection, measure: object, at: Location | None, definitions: Definitions
) -> Iterator[ComparedText]:
    yield from _of_filters(selection.where, selection.events, at, definitions)
    if isinstance(measure, Share):
        yield from _of_filters(measure.where, selection.events, at, definitions)
    if isinstance(measure, Count) and measure.followed_by is not None:
        yield from _of_filters(measure.followed_by.where, measure.followed_by.events, at, definitions)


def _of_filters(
    filters: Iterable[PropertyTest], events: tuple[str, ...], at: Location | None, definitions: Definitions
) -> Iterator[ComparedText]:
    for filter_ in filters:
        declared = [
            kind.name
            for kind in definitions.project.events
            if (kind.name in events or "*" in events) and kind.property_type(filter_.property) is not None
        ]
        if declared and not filter_.path:
            yield from _of_test(filter_.test, tuple(declared), filter_.property, at)


def _of_test(test: Test, kinds: tuple[str, ...], name: str, at: Location | None) -> Iterator[ComparedText]:
    if isinstance(test, ValueTest) and test.operator in _COMPARED and not test.ignore_case:
        for operand in test.operands:
            if isinstance(operand, str):
                yield ComparedText(operand, kinds, name, at)
