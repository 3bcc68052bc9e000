"""The worlds of test cases side by side, as the engine reads them: each case its own population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.compile import ir
from segctl.compile.consents import consents_of, since_trait, status_trait
from segctl.compile.plan import HISTORY, Plan, walk
from segctl.compile.testing import Case, GivenEvent, GivenProfile
from segctl.compile.testing_consents import consent_values
from segctl.compile.trace import EventRow, ProfileRow
from segctl.compile.trace_rows import NO_TIME
from segctl.compile.zones import from_us, to_us
from segctl.engines.base import EngineInput, EventPart
from segctl.model.dataclass import dataclass
from segctl.model.project import RELATED, Project
from segctl.model.types import EXACT, ValueType, stored_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import polars as pl

    from segctl.operations.lists import ProjectLists

SOURCE = "test"


@dataclass(frozen=True, slots=True)
class World:
    """Cases of one instant side by side; a profile's subject is its position in `rows`.

    Attributes:
        cases: In order.
        rows: Position of its case in `cases`, and the profile.
    """

    project: Project
    lists: ProjectLists
    cases: tuple[Case, ...]
    rows: tuple[tuple[int, GivenProfile], ...]

    @staticmethod
    def of(project: Project, lists: ProjectLists, cases: Sequence[Case]) -> World:
        """The world of some cases, which share their instant."""
        rows = tuple((number, profile) for number, case in enumerate(cases) for profile in case.profiles)
        return World(project, lists, tuple(cases), rows)

    def column(self, values: Iterable[Any], dtype: pl.DataType) -> pl.Series:
        """One value a row."""
        import polars as pl

        return pl.Series(list(values), dtype=dtype, strict=True)


def engine_input(world: World, asking: Plan, columns: Mapping[str, pl.Series], folder: Path) -> EngineInput:
    """What an engine reads.

    Args:
        world: The cases.
        asking: What is evaluated.
        columns: Further columns of the profiles.
        folder: Where the events are written.
    """
    import polars as pl

    types = {trait.name: trait.type for trait in world.project.traits}
    as_of = to_us(world.cases[0].as_of) if world.cases else 0
    return EngineInput(
        profiles=pl.DataFrame({**_profiles(world, asking, types, as_of), **columns}),
        events=(_events(world, folder),),
        changes={trait: _changes(world, trait, types[trait], as_of) for trait in asking.histories},
        related={table: _related(world, table) for table in asking.tables},
    )


def _profiles(world: World, asking: Plan, types: Mapping[str, ValueType], as_of: int) -> dict[str, pl.Series]:
    import polars as pl

    from segctl.engines.physical import stored_dtype
    from segctl.engines.profiles import sample_places
    from segctl.engines.scope import list_column

    names = world.column((profile.name for _, profile in world.rows), pl.String())
    found = {"subject": world.column(range(len(world.rows)), pl.Int32()), "profile_id": names}
    current = [traits_at(profile, as_of) for _, profile in world.rows]
    for trait in asking.traits:
        if trait in types:
            found[trait] = world.column((traits.get(trait) for traits in current), stored_dtype(types[trait]))
    consents = [consent_values(profile, asking.consents, as_of) for _, profile in world.rows]
    for purpose, channel in asking.consents:
        for one in (status_trait(purpose, channel), since_trait(purpose, channel)):
            found[one.name] = world.column((values[one.name] for values in consents), stored_dtype(one.type))
    for salt in asking.samples:
        found[f"sample:{salt}"] = sample_places(names, salt)
    for look_up in asking.lists:
        values = frozenset(world.lists[look_up.name, look_up.column])
        answers = (profile.identifiers.get(look_up.identifier) in values for _, profile in world.rows)
        found[list_column(look_up)] = world.column(answers, pl.Boolean())
    return found


def traits_at(profile: GivenProfile, us: int) -> dict[str, object]:
    """The values valid at an instant: of the latest version that has one."""
    found = dict(profile.traits)
    for record in profile.records:
        if record.at <= us:
            found |= {name: value for name, value in record.traits.items() if value is not None}
    return found


def trait_changes(profile: GivenProfile, trait: str) -> Iterator[tuple[int, object, object]]:
    """When a trait became another value: instant, old and new; what a profile begins with is no change."""
    known = profile.traits.get(trait)
    is_begun = bool(profile.traits)
    for at in dict.fromkeys(record.at for record in profile.records):
        new = traits_at(profile, at).get(trait)
        if is_begun and new != known:
            yield at, known, new
        known, is_begun = new, True


def _changes(world: World, trait: str, of: ValueType, as_of: int) -> pl.DataFrame:
    import polars as pl

    from segctl.engines.physical import stored_dtype

    rows = [
        (subject, at, SOURCE, f"{number:06}", old, new)
        for subject, (_, profile) in enumerate(world.rows)
        for number, (at, old, new) in enumerate(trait_changes(profile, trait))
        if at <= as_of
    ]
    value = stored_dtype(of)
    schema = {
        "subject": pl.Int32(), "ts": pl.Int64(), "source": pl.String(), "event_id": pl.String(),
        "old": value, "new": value,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("ts").cast(pl.Datetime("us", "UTC")))


def _related(world: World, table: str) -> pl.DataFrame:
    """The rows of a related table, as they are at the cases' instant."""
    import polars as pl

    from segctl.engines.physical import stored_dtype

    declared = world.project.table(table)
    properties = declared.properties if declared is not None else ()
    rows = [
        (s, n, row.values) for s, (_, p) in enumerate(world.rows) for n, row in enumerate(p.rows) if row.table == table
    ]
    columns = {
        "subject": world.column((s for s, _, _ in rows), pl.Int32()),
        "ts": world.column((0 for _ in rows), pl.Int64()).cast(pl.Datetime("us", "UTC")),
        "source": world.column((SOURCE for _ in rows), pl.String()),
        "event_id": world.column((f"{s}:{n:06}" for s, n, _ in rows), pl.String()),
    }
    for name, of in properties:
        columns[name] = world.column((values.get(name) for _, _, values in rows), stored_dtype(of))
    return pl.DataFrame(columns)


# --- Events -----------------------------------------------------------------------------------------------
def _events(world: World, folder: Path) -> EventPart:
    """All events in one file of several kinds, as a tail of the workspace."""
    import polars as pl

    from segctl.engines.physical import stored_dtype

    rows = [(s, n, event) for s, (_, profile) in enumerate(world.rows) for n, event in enumerate(profile.events)]
    kinds = tuple(sorted({event.kind for _, _, event in rows}))
    columns = {
        "subject": world.column((s for s, _, _ in rows), pl.Int32()),
        "ts": world.column((e.at for _, _, e in rows), pl.Int64()).cast(pl.Datetime("us", "UTC")),
        "source": world.column((SOURCE for _ in rows), pl.String()),
        "event_id": world.column((f"{n:06}" for _, n, _ in rows), pl.String()),
        "kind": world.column((e.kind for _, _, e in rows), pl.String()),
    }
    max_abs = {}
    for column, (name, of, declaring) in _properties(world.project, kinds).items():
        values = [event.values.get(name) if event.kind in declaring else None for _, _, event in rows]
        if any(value is not None for value in values):
            columns[column] = world.column(values, stored_dtype(of))
            if of.kind in EXACT:
                max_abs[column] = max(abs(int(value)) for value in values if isinstance(value, int))
    path = folder / f"events-{to_us(world.cases[0].as_of) if world.cases else 0}.parquet"
    pl.DataFrame(columns).write_parquet(path, compression="uncompressed")
    instants = [event.at for _, _, event in rows] or [0]
    return EventPart(
        path=str(path), rows=len(rows), kinds=kinds, columns=tuple(columns), max_abs=max_abs,
        min_ts=from_us(min(instants)), max_ts=from_us(max(instants)),
    )  # fmt: skip


def _properties(project: Project, kinds: Iterable[str]) -> dict[str, tuple[str, ValueType, set[str]]]:
    """Columns of the properties that some kinds declare: name, type, and which kinds do."""
    found: dict[str, tuple[str, ValueType, set[str]]] = {}
    for kind in kinds:
        declared = project.event(kind)
        for name, of in declared.properties if declared is not None else ():
            found.setdefault(stored_column(name, of), (name, of, set()))[2].add(kind)
    return found


# --- Rows, for explanations -------------------------------------------------------------------------------
def profile_row(world: World, profile: GivenProfile, as_of: int, segment: ir.LoweredSegment) -> ProfileRow:
    """A profile as the row evaluator reads it, for one segment."""
    nodes = list(walk(segment.where))
    lists = {
        look_up: profile.identifiers.get(look_up.identifier) in world.lists[look_up.name, look_up.column]
        for look_up in nodes
        if isinstance(look_up, ir.InList)
    }
    asked = consents_of(node.name for node in nodes if isinstance(node, ir.StoredTrait))
    values = traits_at(profile, as_of) | consent_values(profile, asked, as_of)
    present = {name: value for name, value in values.items() if value is not None}
    return ProfileRow(profile.name, present, lists)


def event_rows(project: Project, profile: GivenProfile) -> list[EventRow]:
    """A profile's events and changes of traits as the row evaluator reads them."""
    rows = [_event_row(project, event, number) for number, event in enumerate(profile.events)]
    rows += [EventRow(RELATED + r.table, NO_TIME, SOURCE, f"{n:06}", r.values) for n, r in enumerate(profile.rows)]
    traits = dict.fromkeys(name for record in profile.records for name in record.traits)
    for trait in traits:
        for number, (at, old, new) in enumerate(trait_changes(profile, trait)):
            values = {"old": old, "new": new}
            rows.append(EventRow(f"{HISTORY}{trait}", from_us(at), SOURCE, f"{number:06}", values))
    return rows


def _event_row(project: Project, event: GivenEvent, number: int) -> EventRow:
    declared = project.event(event.kind)
    types = dict(declared.properties) if declared is not None else {}
    values = {stored_column(name, types[name]): value for name, value in event.values.items()}
    return EventRow(event.kind, from_us(event.at), SOURCE, f"{number:06}", values)
