"""The names that a project's files may use, for its editor schemas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path

from segctl.compile.bind.names import TIME_PARTS
from segctl.compile.bind.scope import describe_type
from segctl.compile.references import references
from segctl.model.dataclass import dataclass
from segctl.model.project import Definitions
from segctl.model.types import ValueType

Typed = Mapping[str, ValueType]


@dataclass(frozen=True, slots=True)
class Names:
    """Names with what an editor shows beside them.

    Attributes:
        traits: Stored and computed traits and dotted paths into structs, with their types.
        stored: Traits that profile records have, without paths.
        titles: Trait, event or table to its title.
        events: Event kind to its properties and paths.
        tables: Related table to its properties and paths.
        colleagues: Groups of profiles that share a value.
        lists: Text files under ``lists/`` and those that definitions name.
        sources: Declared sources.
        purposes: Purpose to its title.
        channels: Those that purposes use.
        used: Header key (``tags``, ``owner``, ``purpose``, ``send_to``) to what segments have there, or may have.
    """

    traits: Typed
    stored: Typed
    titles: Mapping[str, str]
    events: Mapping[str, Typed]
    tables: Mapping[str, Typed]
    colleagues: tuple[str, ...]
    segments: Mapping[str, str]
    lists: tuple[str, ...]
    places: tuple[str, ...]
    identifiers: tuple[str, ...]
    sources: tuple[str, ...]
    used: Mapping[str, tuple[str, ...]]
    purposes: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[str, ...] = ()

    def described(self, name: str, of: ValueType) -> str:
        """Type and title, such as ``money in EUR: Kundenwert``."""
        title = self.titles.get(name)
        return describe_type(of) + (f": {title}" if title else "")


def project_names(definitions: Definitions, sources: Iterable[str]) -> Names:
    """All names of a bound project.

    Args:
        definitions: Segments and traits, with the project.
        sources: Names of the declared sources.
    """
    project = definitions.project
    stored = {trait.name: trait.type for trait in project.traits}
    computed = {name: trait.type for name, trait in definitions.computed.items()}
    titles = {trait.name: trait.title for trait in project.traits}
    titles |= {trait.name: trait.title for trait in definitions.computed.values()}
    titles |= {event.name: event.title for event in project.event_kinds}
    titles |= {table.name: table.title for table in project.related}
    titles |= {group.name: group.title for group in project.colleagues}
    segments = definitions.segments.values()
    used: dict[str, set[str | None]] = {
        "tags": {tag for segment in segments for tag in segment.tags},
        "owner": {segment.owner for segment in segments},
        "purpose": {segment.purpose for segment in segments},
        "send_to": {*definitions.destinations, *(name for segment in segments for name in segment.send_to)},
    }
    return Names(
        traits=_paths((stored | computed).items()),
        stored=stored,
        titles={name: title for name, title in titles.items() if title},
        events={event.name: _paths(event.properties) for event in project.event_kinds},
        tables={table.name: _paths(table.properties) for table in project.related},
        colleagues=tuple(group.name for group in project.colleagues),
        segments={segment.name: str(segment.title or "") for segment in segments},
        lists=_lists(definitions),
        places=tuple(places.name for places in project.places),
        identifiers=tuple(identifier.name for identifier in project.identifiers),
        sources=tuple(sorted(sources)),
        used={key: tuple(sorted(filter(None, values))) for key, values in used.items()},
        purposes={purpose.name: str(purpose.title or "") for purpose in project.purposes},
        channels=tuple(sorted({channel for purpose in project.purposes for channel in purpose.channels})),
    )


def properties_of(kinds: Iterable[Typed]) -> dict[str, ValueType]:
    """What any of the kinds declares, in order of appearance."""
    merged: dict[str, ValueType] = {}
    for kind in kinds:
        merged = {**kind, **merged}
    return merged


def with_time_parts(properties: Typed) -> dict[str, ValueType]:
    """The properties and the parts of the event's local time."""
    return {**properties, **TIME_PARTS}


def _paths(typed: Iterable[tuple[str, ValueType]], before: str = "") -> dict[str, ValueType]:
    """Names and, of structs, the dotted paths to what lies in them."""
    found: dict[str, ValueType] = {}
    for name, of in typed:
        found[f"{before}{name}"] = of
        found |= _paths(of.fields, f"{before}{name}.")
    return found


def _lists(definitions: Definitions) -> tuple[str, ...]:
    root = Path(definitions.project.root)
    there = {path.relative_to(root).as_posix() for path in (root / "lists").rglob("*") if path.is_file()}
    parts = [(segment.where,) for segment in definitions.segments.values()]
    named = {name for part in parts for name in references(*part).lists}
    named |= {n for trait in definitions.computed.values() for n in references(trait.selection, trait.measure).lists}
    return tuple(sorted(there | named))
