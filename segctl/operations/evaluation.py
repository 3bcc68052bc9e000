"""Segments and values evaluated over a snapshot of the workspace: what `apply`, `size`, `show` and `explain` share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from segctl.compile import ir
from segctl.compile.lower import lower_segment
from segctl.compile.plan import Output, Plan, plan, references, walk
from segctl.compile.selection import with_references
from segctl.engines import ENGINES
from segctl.engines.base import Engine, EngineInput, EventPart
from segctl.model.contacted import CONTACTED
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.operations.expiry import expired
from segctl.operations.progress import Progress, Silent
from segctl.operations.stored_inputs import (
    event_part,
    event_parts,
    few_records,
    record_files,
    row_files,
    rows_dataset,
    table_rows,
)

if TYPE_CHECKING:
    import polars as pl

    from segctl.engines.profiles import RecordFile
    from segctl.model.project import Project
    from segctl.operations.session import Session

# Whoever evaluates finds these here.
__all__ = ["event_part", "event_parts", "record_files", "row_files", "rows_dataset", "table_rows"]
_EXTRAS = {"duckdb": "duckdb"}


@dataclass(frozen=True, slots=True)
class Answers:
    """What an evaluation found.

    Attributes:
        frame: One row per profile, sorted by ``subject``: ``subject`` Int32, a Boolean column per segment by name,
            and the further outputs by name.
        failed: Segments that could not be decided, with the reason; they have no column.
        leaf_counts: Segment → for each leaf its text, and for how many it is true and unknown.
        timings: Phase → seconds.
        details: Beside ``subject``, in the order of `frame`: ``leaf:SEGMENT:N`` of every counted leaf, and
            ``where:SEGMENT``, ``by:SEGMENT``, ``per:SEGMENT`` of those that `keep` the best; None when not asked for.
        due: In the order of `frame`, the instants before which time alone changes no answer of the row, see
            `engines.base.Evaluation`; None when not asked for.
        details_of: Gives such details where they are not at hand: of some subjects, and of those for whom an output
            (if one is named) is true; some columns, or (empty) all.
    """

    frame: pl.DataFrame
    failed: Mapping[str, str] = field(default_factory=dict)
    leaf_counts: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    details: pl.DataFrame | None = None
    due: pl.Series | None = None
    details_of: Callable[[pl.Series, Sequence[str], str | None], pl.DataFrame] | None = None


@dataclass(frozen=True, slots=True)
class StoredRows:
    """Rows to evaluate instead of those of a snapshot; None where the snapshot's own are meant.

    Attributes:
        records: Files of record versions.
        events: Files of events.
        subjects: Whose identifiers count, ascending, Int32.
        identifiers: Rows of the table of subjects, at least of `subjects`, read before.
        members: Segment → subjects that belong to it, for look-ups in the pseudo list `MEMBERS`.
        tables: Snapshot of related tables.
        ledger: Snapshot whose consents are known.
        outside: Subjects that nothing is evaluated for, ascending.
    """

    records: tuple[RecordFile, ...] | None = None
    events: tuple[EventPart, ...] | None = None
    subjects: pl.Series | None = None
    identifiers: pl.DataFrame | None = None
    members: Mapping[str, pl.Series] = field(default_factory=dict)
    tables: int | None = None
    ledger: int | None = None
    outside: pl.Series | None = None


MEMBERS = "\x00members"
"""Name of the pseudo list whose columns are segments with members that are given, not evaluated."""


def evaluate(
    session: Session,
    names: Iterable[str],
    *,
    as_of: datetime,
    snapshot: int,
    engine: str = "polars",
    leaves: bool = False,
    details: bool = False,
    due: bool = False,
    outputs: Sequence[Output] = (),
    only: Sequence[int] | None = None,
    data: EngineInput | None = None,
    progress: Progress | None = None,
) -> Answers:
    """Evaluate segments, what they refer to, and further outputs, in one plan.

    Args:
        session: Open project and workspace.
        names: Segments asked for.
        as_of: Valid time.
        snapshot: Which files are seen.
        engine: Key of `engines.ENGINES`.
        leaves: Also count every leaf of the segments asked for.
        details: Also give what `Answers.details` holds.
        due: Also give next changes.
        outputs: Further columns.
        only: Subjects whose rows are wanted; None for everybody.
        data: An input loaded before, to save reading it again.
        progress: Hears what is going on.

    Raises:
        UsageError: The engine is not installed.
        DataError: A list file cannot be read.
    """
    clock = time.perf_counter()
    asked = tuple(names)
    lowered = without_expired(session, lowered_segments(session, asked, outputs), as_of)
    counted = [leaf_output(s.name, i, leaf) for s in lowered if leaves and s.name in asked
               for i, leaf in enumerate(s.leaves)]  # fmt: skip
    counted += [output for s in lowered if details and s.name in asked for output in rank_outputs(s)]
    asking = plan(lowered, (*outputs, *counted))
    planned = time.perf_counter()
    data = data or load_input(session, asking, as_of=as_of, snapshot=snapshot, only=only)
    loaded = time.perf_counter()
    (progress or Silent()).note(
        f"{data.profiles.height:,} profiles, {sum(p.rows for p in data.events):,} stored events"
    )
    zone = session.project.timezone
    found = load_engine(engine).evaluate(asking, data, as_of=as_of, zone=zone, only=only, due=due)
    done = time.perf_counter()
    frame = (found.answers.drop("due") if due else found.answers).rename(
        {f"segment:{s.name}": s.name for s in lowered if s.name not in found.failed}
    )
    return Answers(
        frame=frame.drop([o.name for o in counted], strict=False),
        failed=found.failed,
        leaf_counts=_leaf_counts(frame, [s for s in lowered if s.name in asked]) if leaves else {},
        details=frame.select("subject", *(o.name for o in counted if o.name in frame.columns)) if details else None,
        due=found.answers["due"] if due else None,
        timings={"plan": planned - clock, "load": loaded - planned, "evaluate": done - loaded},
    )


def lowered_segments(session: Session, names: Iterable[str], outputs: Sequence[Output] = ()) -> list[ir.LoweredSegment]:
    """The named segments and all they (and the outputs) refer to, lowered."""
    segments = session.definitions.segments
    known: dict[str, ir.LoweredSegment] = {}

    def lowered(name: str) -> ir.LoweredSegment:
        if name not in known:
            known[name] = lower_segment(segments[name], session.definitions, lists=session.lists)
        return known[name]

    wanted = [node.segment for o in outputs for node in walk(o.ask) if isinstance(node, ir.IsMember)]
    return [lowered(n) for n in with_references([*names, *wanted], lambda n: references(lowered(n)))]


def without_expired(session: Session, lowered: Iterable[ir.LoweredSegment], as_of: datetime) -> list[ir.LoweredSegment]:
    """The segments, where nobody belongs to those that have ended; their leaves still count."""
    segments, zone = session.definitions.segments, session.project.timezone
    lowered = list(lowered)
    ended = set(expired(segments, [one.name for one in lowered if one.name in segments], as_of, zone))
    return [replace(one, where=ir.Constant(value=False), keep=None) if one.name in ended else one for one in lowered]


def load_engine(name: str) -> Engine:
    """The engine of that name.

    Raises:
        UsageError: Not known, or its package is not installed.
    """
    if name not in ENGINES:
        raise UsageError("SEG513", f"`{name}` is no engine", hint=f"use one of {', '.join(ENGINES)}")
    module, _, attribute = ENGINES[name].partition(":")
    if name in _EXTRAS:
        try:
            import_module(name)
        except ImportError as error:
            extra = _EXTRAS[name]
            raise UsageError(
                "SEG514", f"the engine `{name}` is not installed", hint=f"`pip install 'segctl[{extra}]'`"
            ) from error
    engine: Engine = getattr(import_module(module), attribute)()
    return engine


def rank_outputs(segment: ir.LoweredSegment, where: ir.Predicate | None = None) -> list[Output]:
    """What ranks the profiles of a segment that keeps the best; nothing for others."""
    if segment.keep is None:
        return []
    found = [Output(f"where:{segment.name}", where or segment.where), Output(f"by:{segment.name}", segment.keep.by)]
    return found if segment.keep.per is None else [*found, Output(f"per:{segment.name}", segment.keep.per)]


def load_input(
    session: Session,
    asking: Plan,
    *,
    as_of: datetime,
    snapshot: int,
    owners: pl.Series | None = None,
    stored: StoredRows | None = None,
    only: Sequence[int] | None = None,
    unborn: bool = False,
) -> EngineInput:
    """Everything a plan reads: the profiles as they were at as_of, and the event files of the snapshot.

    Args:
        session: Open project and workspace.
        asking: What is evaluated.
        as_of: Valid time.
        snapshot: Which files are seen.
        owners: Subject → subject of its profile, instead of the snapshot's own.
        stored: Rows instead of the snapshot's own.
        only: Profiles that are asked for; others may be missing where the plan asks of nobody else.
        unborn: Also profiles that are not there at as_of, see `profile_view`.
    """
    import polars as pl

    from segctl.engines.profiles import profile_view, trait_changes
    from segctl.engines.scope import list_column
    from segctl.operations.coming import coming
    from segctl.operations.consent.gate import with_consents
    from segctl.state.identity import canonical
    from segctl.state.names import names_of
    from segctl.state.subjects import Subjects

    workspace, project = session.workspace, session.project
    given = stored or StoredRows()
    subjects = Subjects(workspace).table(snapshot) if given.identifiers is None else given.identifiers.lazy()
    owners = canonical(workspace, snapshot) if owners is None else owners
    if only is not None and stored is None and not asks_everybody(asking):
        given = StoredRows(*few_records(workspace, snapshot, owners, only))
    records = record_files(workspace, snapshot) if given.records is None else list(given.records)
    parts = given.events
    if parts is None:
        parts = event_parts(workspace, snapshot)
    if given.subjects is not None and given.identifiers is None:
        subjects = names_of(workspace, given.subjects, snapshot).lazy()
    elif given.subjects is not None:
        subjects = subjects.filter(pl.col("subject").is_in(given.subjects.implode()))
    types = {t.name: t.type for t in project.traits}
    survivorship = dict(project.identity.survivorship)
    profiles = profile_view(
        records,
        classified(subjects, project),
        owners,
        as_of=as_of,
        traits={name: types[name] for name in asking.traits},
        population=project.population,
        # That we told somebody something keeps nobody among the living.
        events=tuple(part for part in parts if part.kinds != (CONTACTED,)),
        samples=asking.samples,
        lists={list_column(look_up): _listed(session, look_up, snapshot, given) for look_up in asking.lists},
        survivorship=survivorship,
        few=given.subjects is not None,
        unborn=unborn,
    )
    profiles = with_consents(session, profiles, asking, records, owners, as_of=as_of, snapshot=snapshot, stored=given)
    histories = {name: types[name] for name in asking.histories}
    changes = (
        trait_changes(records, owners, as_of=as_of, traits=histories, survivorship=survivorship) if histories else {}
    )
    tables = snapshot if given.tables is None else given.tables
    related = {name: table_rows(session, name, owners, as_of=as_of, snapshot=tables) for name in asking.tables}

    def later() -> pl.DataFrame:
        return coming(
            session, asking, records, owners, profiles["subject"], as_of=as_of, snapshot=snapshot, stored=given
        )

    return EngineInput(profiles=profiles, events=parts, canonical=owners, changes=changes, related=related, later=later)


def asks_everybody(asking: Plan) -> bool:
    """True if an answer about one profile may depend on others."""
    ranks = any(segment.keep is not None for segment in asking.segments)
    return ranks or bool(asking.scores) or bool(asking.colleagues)


def classified(subjects: pl.LazyFrame, project: Project) -> pl.DataFrame:
    """Subjects with the class that the project declares for their type now; an undeclared type keeps its last."""
    import polars as pl

    declared = [
        pl.when(pl.col("id_type") == one.name).then(pl.lit(one.identifier_class)) for one in project.identifiers
    ]
    identifier_class = pl.coalesce(*declared, "identifier_class").alias("identifier_class")
    return subjects.select("subject", "profile_id", identifier_class).collect()


def leaf_output(segment: str, number: int, leaf: ir.Leaf) -> Output:
    """The column that counts a leaf."""
    return Output(f"leaf:{segment}:{number}", leaf.predicate)


def _leaf_counts(frame: pl.DataFrame, segments: Iterable[ir.LoweredSegment]) -> dict[str, list[dict[str, Any]]]:
    return {
        s.name: [
            {
                "path": leaf.path,
                "text": leaf.text,
                "true": int(frame[column].fill_null(value=False).sum()),
                "unknown": frame[column].null_count(),
            }
            for i, leaf in enumerate(s.leaves)
            if (column := f"leaf:{s.name}:{i}") in frame.columns
        ]
        for s in segments
    }


def _listed(session: Session, look_up: ir.InList, snapshot: int, given: StoredRows) -> pl.Series:
    """Subjects whose identifier stands in the list's file."""
    import polars as pl

    if look_up.name == MEMBERS:
        return given.members[look_up.column or ""]

    from segctl.state.subjects import Subjects

    values = pl.Series(session.lists[look_up.name, look_up.column], dtype=pl.String)
    table = Subjects(session.workspace).table(snapshot).filter(pl.col("id_type") == look_up.identifier)
    return table.filter(pl.col("value").is_in(values.implode())).select("subject").collect()["subject"]
