"""What a definition may refer to, and where its problems are collected."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import field

from segctl.compile.suggest import did_you_mean
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Location, Severity
from segctl.model.project import RELATED, Colleagues, EventKind, Project, RelatedTable
from segctl.model.types import ValueType

_MOST_SUGGESTIONS, _LONGEST_HINT = 200, 400


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A property whose types differ between the event kinds that are read together."""

    first_kind: str
    first: ValueType
    second_kind: str
    second: ValueType


def _no_computed_trait(_name: str) -> ValueType | None:
    return None


@dataclass(slots=True)
class Scope:
    """Names and types in reach, and the list that diagnostics go to.

    Attributes:
        project: Declared traits, events, identifiers, zone.
        segments: Names of all segments of the project.
        computed: Names of all computed traits.
        computed_type: Type of a computed trait, None when its definition is broken (and already reported).
        inputs: Names that `fresh` may speak of besides event kinds: the sources.
        diagnostics: Everything found so far.
    """

    project: Project
    segments: Collection[str] = ()
    computed: Collection[str] = ()
    computed_type: Callable[[str], ValueType | None] = _no_computed_trait
    inputs: Collection[str] = ()
    diagnostics: list[Diagnostic] = field(default_factory=list)
    traits: dict[str, ValueType] = field(init=False)
    events: dict[str, EventKind] = field(init=False)
    tables: dict[str, RelatedTable] = field(init=False)
    colleagues: dict[str, Colleagues] = field(init=False)
    _properties: dict[tuple[str, ...], dict[str, ValueType | Disagreement]] = field(init=False)
    _hints: dict[tuple[str, int], str | None] = field(init=False)

    def __post_init__(self) -> None:
        self.traits = {trait.name: trait.type for trait in self.project.traits}
        self.events = {event.name: event for event in self.project.event_kinds}
        self.tables = {table.name: table for table in self.project.related}
        self.colleagues = {group.name: group for group in self.project.colleagues}
        self._properties = {}
        self._hints = {}

    def error(
        self, code: str, message: str, location: Location, *, hint: str | None = None, why: str | None = None
    ) -> None:
        """Collect an error."""
        # Hints repeat what was written, however long it is.
        hint = hint if hint is None or len(hint) <= _LONGEST_HINT else f"{hint[:_LONGEST_HINT]}…"
        self.diagnostics.append(Diagnostic(code, Severity.ERROR, message, location, why=why, hint=hint))

    def warn(self, code: str, message: str, location: Location, *, hint: str | None = None) -> None:
        """Collect a warning."""
        self.diagnostics.append(Diagnostic(code, Severity.WARNING, message, location, hint=hint))

    def meant(
        self, name: str, known: Collection[str], synonyms: Mapping[str, str] | None = None, otherwise: str | None = None
    ) -> str | None:
        """A hint with the nearest known name; a file full of mistakes gets suggestions for the first ones only."""
        key = (name, hash(tuple(known)))
        if key not in self._hints:
            if len(self._hints) >= _MOST_SUGGESTIONS:
                return otherwise
            self._hints[key] = did_you_mean(name, known, synonyms=synonyms)
        return self._hints[key] or otherwise

    @property
    def trait_names(self) -> tuple[str, ...]:
        """Stored and computed traits."""
        return (*self.traits, *self.computed)

    def properties(self, kinds: tuple[str, ...]) -> dict[str, ValueType | Disagreement]:
        """Properties that one of the kinds (or a table, ``related:NAME``) declares, with the type they agree on."""
        found = self._properties.get(kinds)
        if found is None:
            found = self._properties[kinds] = self._merged(self.kinds(kinds))
        return found

    def kinds(self, kinds: tuple[str, ...]) -> tuple[str, ...]:
        """The kinds themselves; all declared ones for ``*``."""
        return tuple(event.name for event in self.project.events) if kinds == ("*",) else kinds

    def _declared(self, kind: str) -> tuple[tuple[str, ValueType], ...]:
        if kind.startswith(RELATED):
            return self.tables[kind.removeprefix(RELATED)].properties
        return self.events[kind].properties

    def _merged(self, kinds: tuple[str, ...]) -> dict[str, ValueType | Disagreement]:
        merged: dict[str, ValueType | Disagreement] = {}
        owners: dict[str, str] = {}
        for kind in kinds:
            for name, of in self._declared(kind):
                known = merged.get(name)
                if known is None:
                    merged[name], owners[name] = of, kind
                elif isinstance(known, ValueType) and known != of:
                    merged[name] = Disagreement(owners[name], known, kind, of)
        return merged


def describe_type(of: ValueType) -> str:
    """A type in the words of the project file, such as ``money in EUR`` or ``list of text``."""
    if of.element is not None:
        return f"list of {describe_type(of.element)}"
    return f"{of.kind.value} in {of.unit}" if of.unit else str(of.kind.value)


def shown(text: str) -> str:
    """A user's text short enough for a message, on one line, in backticks."""
    flat = " ".join(text.split())
    return f"`{flat if len(flat) <= 60 else flat[:57] + '...'}`"
