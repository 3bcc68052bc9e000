"""What a project's site tells: every segment with its words, sizes, neighbours and tests; traits, events, sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.compile.references import References, references
from segctl.compile.sources import load_sources
from segctl.compile.words import describe_segment
from segctl.model.conditions import ComputedTrait, SegmentDefinition
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.model.project import Definitions, Language, StoredTrait
from segctl.operations.ls import stale_inputs, type_words
from segctl.operations.pauses import paused_now
from segctl.operations.reason_words import reason_words
from segctl.operations.session import bound_definitions
from segctl.operations.testing.testing import bound_tests

if TYPE_CHECKING:
    from segctl.model.sources import Source

_MOST_RUNS = 400


@dataclass(frozen=True, slots=True)
class SizePoint:
    """What one run meant for a segment: members, and who came and went."""

    run: str
    as_of: datetime
    size: int
    entered: int
    left: int


@dataclass(frozen=True, slots=True)
class SegmentPage:
    """One segment.

    Attributes:
        words: Indentation and text of each line of the definition in words.
        text: The file's text as written; sister segments share one.
        sizes: Of the runs in force, oldest first.
        refers: What it refers to itself.
        traits: Also what those traits rest on, stored and computed.
        events: Event kinds, also of computed traits; related tables are in `tables`.
        used_by: Segments that refer to it.
        tests: Cases that speak of it: file and name.
        paused: When it was paused, and why; None when it is not.
        stale: What the newest run says of inputs that are too old, in the site's language.
        experiments: Declared on it, with their titles.
    """

    definition: SegmentDefinition
    words: tuple[tuple[int, str], ...]
    text: str
    sizes: tuple[SizePoint, ...]
    refers: References
    traits: tuple[str, ...]
    events: tuple[str, ...]
    tables: tuple[str, ...]
    used_by: tuple[str, ...]
    tests: tuple[tuple[str, str], ...]
    paused: tuple[datetime, str] | None = None
    stale: tuple[str, ...] = ()
    experiments: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class TraitRow:
    """A trait of the site: what it is, where it comes from, who uses it."""

    name: str
    title: str
    description: str
    type: str
    unit: str
    is_computed: bool
    is_private: bool
    sources: tuple[str, ...]
    rests_on: tuple[str, ...]
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event kind or related table of the site."""

    name: str
    title: str
    description: str
    properties: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source of the site: where it reads, and what it gives."""

    name: str
    kind: str
    places: tuple[str, ...]
    file: str
    traits: tuple[str, ...]
    events: tuple[str, ...]
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that is told.

    Attributes:
        zone: IANA zone of the project, for times.
        has_runs: A workspace is there and has runs.
    """

    name: str
    zone: str
    language: Language
    segments: tuple[SegmentPage, ...]
    traits: tuple[TraitRow, ...]
    events: tuple[EventRow, ...]
    tables: tuple[EventRow, ...]
    sources: tuple[SourceRow, ...]
    has_runs: bool


def site(start: Path, *, env: str | None = None, language: str | None = None) -> Site:
    """The site of the project found upwards from `start`; a workspace adds sizes but is not needed.

    Raises:
        UsageError: Definitions have errors.
    """
    definitions, _ = bound_definitions(start, env=env)
    found, _ = load_sources(definitions.project)
    sources = [_source(name, source) for name, source in sorted(found.items())]
    words: Language = "de" if (language or definitions.project.language) == "de" else "en"
    pages = _segments(definitions, words)
    return Site(
        definitions.project.name,
        definitions.project.timezone,
        words,
        tuple(pages),
        tuple(_traits(definitions, pages, sources)),
        tuple(_events(definitions, pages, sources)),
        tuple(_tables(definitions, pages, sources)),
        tuple(sources),
        any(page.sizes for page in pages),
    )


# --- Segments ---------------------------------------------------------------------------------------------
def _segments(definitions: Definitions, language: Language) -> list[SegmentPage]:
    direct = {name: references(one.where, one.keep) for name, one in definitions.segments.items()}
    used_by: dict[str, list[str]] = {}
    for name, refers in direct.items():
        for other in refers.segments:
            used_by.setdefault(other, []).append(name)
    sizes, tests, texts = _sizes(definitions), _tests(definitions), _texts(definitions)
    paused, stale = _state(definitions)
    pages = []
    for name, one in sorted(definitions.segments.items()):
        traits, events, tables = (tuple(sorted(part)) for part in _deep(definitions, direct[name]))
        pages.append(
            SegmentPage(
                one,
                tuple(describe_segment(one, language)),
                texts.get(one.location.file if one.location else "", ""),
                sizes.get(name, ()),
                direct[name],
                traits,
                events,
                tables,
                tuple(sorted(used_by.get(name, ()))),
                tuple(tests.get(name, ())),
                paused.get(name),
                tuple(reason_words(sentence, language) for sentence in stale.get(name, ())),
                tuple((on.name, on.title) for on in definitions.experiments.values() if on.segment == name),
            )
        )
    return pages


def _deep(definitions: Definitions, refers: References) -> tuple[set[str], set[str], set[str]]:
    """Traits, events and tables of a definition and of the computed traits that it uses."""
    traits: set[str] = set()
    events, tables = set(refers.events), set(refers.related)
    waiting = [*refers.traits, *refers.histories]
    while waiting:
        name = waiting.pop()
        if name in traits:
            continue
        traits.add(name)
        if name in definitions.computed:
            inner = _of_trait(definitions, name)
            events |= set(inner.events)
            tables |= set(inner.related)
            waiting += inner.traits
    if "*" in events:
        events = {event.name for event in definitions.project.events}
    return traits, events, tables


def _of_trait(definitions: Definitions, name: str) -> References:
    trait = definitions.computed[name]
    return references(trait.selection, trait.measure, trait.formula)


def _texts(definitions: Definitions) -> dict[str, str]:
    root = Path(definitions.project.root)
    files = {one.location.file for one in definitions.segments.values() if one.location}
    return {file: (root / file).read_text("utf-8", errors="replace") for file in files if (root / file).is_file()}


def _tests(definitions: Definitions) -> dict[str, list[tuple[str, str]]]:
    try:
        cases, _ = bound_tests(definitions)
    except UsageError:
        return {}  # `lint` and `test` tell what is wrong; the site is about segments.
    found: dict[str, list[tuple[str, str]]] = {}
    for case in cases:
        for expected in case.expectations:
            found.setdefault(expected.segment, []).append((case.file, case.name))
    return found


def _sizes(definitions: Definitions) -> Mapping[str, tuple[SizePoint, ...]]:
    """Sizes by run in force, of every segment in one query; none without a workspace."""
    from segctl.state.workspace import DATABASE, Workspace

    folder = Path(definitions.project.workspace)
    if not (folder / DATABASE).is_file():
        return {}
    with Workspace.open(folder) as workspace:
        return {name: tuple(points[-_MOST_RUNS:]) for name, points in _points(workspace).items()}


def _state(
    definitions: Definitions,
) -> tuple[Mapping[str, tuple[datetime, str]], Mapping[str, list[str]]]:
    """What is paused now and why, and what the newest run says of old inputs; nothing without a workspace."""
    from segctl.state.workspace import DATABASE, Workspace

    folder = Path(definitions.project.workspace)
    if not (folder / DATABASE).is_file():
        return {}, {}
    with Workspace.open(folder) as workspace:
        pressed = paused_now(workspace, definitions.segments).segments
        return {name: (press.at, press.reason or "") for name, press in pressed.items()}, stale_inputs(workspace)


def _points(workspace: object) -> dict[str, list[SizePoint]]:
    from segctl.state.runs import run_segment
    from segctl.state.workspace import Workspace

    assert isinstance(workspace, Workspace)
    rows = workspace.query(
        "SELECT s.name, r.id AS run_id, r.as_of, x.* FROM run_segments x JOIN segments s ON s.id = x.segment"
        " JOIN runs r ON r.number = x.run WHERE x.state = 'in_force' AND s.alive ORDER BY x.run"
    )
    found: dict[str, list[SizePoint]] = {}
    for row in rows:
        part = run_segment(row)
        found.setdefault(row["name"], []).append(SizePoint(part.run, part.as_of, part.size, part.entered, part.left))
    return found


# --- Traits, events, sources ------------------------------------------------------------------------------
def _traits(definitions: Definitions, pages: list[SegmentPage], sources: list[SourceRow]) -> Iterator[TraitRow]:
    users = _users((page.definition.name, page.traits) for page in pages)
    givers = _users((source.name, source.traits) for source in sources)
    both: list[StoredTrait | ComputedTrait] = [*definitions.project.traits, *definitions.computed.values()]
    for trait in both:
        is_computed = trait.name in definitions.computed
        rests: References = _of_trait(definitions, trait.name) if is_computed else References()
        yield TraitRow(
            trait.name,
            str(trait.title or ""),
            str(trait.description or ""),
            type_words(trait.type),
            trait.type.unit or "",
            is_computed,
            trait.is_private,
            givers.get(trait.name, ()),
            (*rests.traits, *rests.events, *rests.related),
            users.get(trait.name, ()),
        )


def _events(definitions: Definitions, pages: list[SegmentPage], sources: list[SourceRow]) -> Iterator[EventRow]:
    users = _users((page.definition.name, page.events) for page in pages)
    givers = _users((source.name, source.events) for source in sources)
    for event in definitions.project.events:
        properties = tuple((name, type_words(of)) for name, of in event.properties)
        told = (str(event.title or ""), str(event.description or ""), properties)
        yield EventRow(event.name, *told, givers.get(event.name, ()), users.get(event.name, ()))


def _tables(definitions: Definitions, pages: list[SegmentPage], sources: list[SourceRow]) -> Iterator[EventRow]:
    users = _users((page.definition.name, page.tables) for page in pages)
    givers = _users((source.name, source.tables) for source in sources)
    for table in definitions.project.related:
        properties = tuple((name, type_words(of)) for name, of in table.properties)
        told = (str(table.title or ""), str(table.description or ""), properties)
        yield EventRow(table.name, *told, givers.get(table.name, ()), users.get(table.name, ()))


def _source(name: str, source: Source) -> SourceRow:
    parts = [source, *source.also]
    return SourceRow(
        name,
        source.fetch.kind if source.fetch else "file",
        source.paths,
        f"sources/{name}.yaml" if source.location is None else source.location.file,
        tuple(dict.fromkeys(target.name for part in parts for target in part.traits)),
        tuple(dict.fromkeys(kind for part in parts for rule in part.events for kind in rule.kinds)),
        tuple(dict.fromkeys(part.rows.table for part in parts if part.rows is not None)),
    )


def _users(pairs: Iterable[tuple[str, Iterable[str]]]) -> dict[str, tuple[str, ...]]:
    """Thing → who has it, in order."""
    found: dict[str, dict[str, None]] = {}
    for user, things in pairs:
        for thing in things:
            found.setdefault(thing, {})[user] = None
    return {thing: tuple(users) for thing, users in found.items()}
