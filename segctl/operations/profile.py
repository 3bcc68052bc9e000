"""One person's timeline: segments entered and left, events, sources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.types import stored_column
from segctl.operations.causes.words import kind_of, say, translated
from segctl.operations.dictionary import shown
from segctl.operations.people import find_person

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.experiment.person import PersonArm
    from segctl.operations.golden import GoldenTrait
    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """Something that happened to one person.

    Attributes:
        at: When, UTC; None for what holds from the beginning.
        what: ``event``, ``record``, ``row`` (a version of a row of a related table), ``entered`` or ``left``.
        name: Event kind, source, table or segment.
        details: Properties, values that came with a record, or the cause.
        source: Where an event or record came from.
        place: File and line it stood in, ``data/orders.json:17``.
    """

    at: datetime | None
    what: str
    name: str
    details: dict[str, Any]
    source: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """One profile.

    Attributes:
        identifiers: Type and value of every identifier; values of personal types only when asked for.
        segments: Names of the segments the profile is in now.
        timeline: Oldest first; what holds from the beginning comes first.
        hidden: Personal traits that were left out.
        traits: What survives of each trait, with the record it comes from; empty when nobody asked as of a time.
        arms: Of experiments, oldest assignment first.
    """

    profile_id: str
    identifiers: tuple[tuple[str, str], ...]
    segments: tuple[str, ...]
    timeline: tuple[TimelineRow, ...]
    hidden: tuple[str, ...]
    traits: tuple[GoldenTrait, ...] = ()
    arms: tuple[PersonArm, ...] = ()


def profile(
    session: Session, who: str, *, show_personal: bool = False, limit: int | None = None, now: datetime | None = None
) -> Person:
    """Everything known of one person, in order of time.

    Args:
        session: Open project and workspace.
        who: Profile id or any identifier.
        show_personal: Also personal traits and identifiers.
        limit: Only the newest so many rows of the timeline.
        now: As of when traits are told; None leaves them out.

    Raises:
        UsageError: Nobody, or more than one person, is known by it.
    """
    from segctl.operations.experiment.person import arms_of_person
    from segctl.state.memberships import intervals

    owner, subjects = find_person(session.workspace, who, rules=session.project.identity)
    stays = intervals(session.workspace, subjects)
    moved = [
        TimelineRow(s.entered_at, "entered", s.segment, _cause(session, s.segment, s.entered_cause)) for s in stays
    ]
    moved += [
        TimelineRow(s.left_at, "left", s.segment, _cause(session, s.segment, s.left_cause))
        for s in stays
        if s.left_at is not None
    ]
    places = Places(session)
    rows = [
        *_records(session, subjects, places, show_personal=show_personal),
        *_related(session, subjects, places),
        *_events(session, subjects, places),
        *moved,
    ]
    rows.sort(key=lambda r: (r.at is not None, r.at, _ORDER[r.what], r.name))
    hidden = [] if show_personal else [t.name for t in session.project.traits if t.is_private]
    traits: tuple[GoldenTrait, ...] = ()
    if now is not None:
        from segctl.operations.golden import golden_traits

        traits = golden_traits(session, subjects, places, now=now, show_personal=show_personal)
    return Person(
        profile_id=owner.profile_id,
        identifiers=tuple(_identifiers(session, subjects, show_personal=show_personal)),
        # A merged person may still stand in a segment twice, until the next run.
        segments=tuple(sorted({s.segment for s in stays if s.left_at is None})),
        timeline=tuple(rows[-limit:] if limit else rows),
        hidden=tuple(hidden),
        traits=traits,
        arms=arms_of_person(session, subjects, now=now),
    )


_ORDER = {"record": 0, "row": 1, "event": 2, "left": 3, "entered": 4}


def _cause(session: Session, segment: str, line: str | None) -> dict[str, Any]:
    """Why somebody came or went, in words and as the kind's machine word."""
    if line is None:
        return {}
    language = session.language()
    said = say(line, zone=session.project.timezone, language=language, said=translated(session, segment, language))
    return {"cause": said, "cause_kind": kind_of(line)}


class Places:
    """File and line of a row, by the ledger of inputs."""

    def __init__(self, session: Session) -> None:
        from segctl.state.inputs import inputs

        root = Path(session.project.root)
        self._paths = {i.id: _relative(i.path, root) for i in inputs(session.workspace)}

    def name(self, file_id: int | None, line: int | None) -> str | None:
        """``data/orders.json:17``; None when the input is not on record."""
        path = self._paths.get(file_id) if file_id is not None else None
        return None if path is None else f"{path}:{line}" if line is not None else path


def _relative(path: str, root: Path) -> str:
    try:
        return Path(path).relative_to(root).as_posix()
    except ValueError:
        return path


def _identifiers(session: Session, subjects: tuple[int, ...], *, show_personal: bool) -> list[tuple[str, str]]:
    import polars as pl

    from segctl.state.subjects import Subjects

    personal = {i.name for i in session.project.identifiers if i.personal}
    rows = Subjects(session.workspace).table().filter(pl.col("subject").is_in(list(subjects))).collect()
    return [
        (id_type, value if show_personal or id_type not in personal else "(personal)")
        for id_type, value in rows.select("id_type", "value").sort("id_type", "value").iter_rows()
    ]


def _events(session: Session, subjects: tuple[int, ...], places: Places) -> list[TimelineRow]:
    kinds = {e.name: e.properties for e in session.project.event_kinds}
    rows = []
    for record in person_events(session, subjects).iter_rows(named=True):
        properties = {
            name: shown(record[column], of)
            for name, of in kinds.get(record["kind"], ())
            if record.get(column := stored_column(name, of)) is not None
        }
        rows.append(
            TimelineRow(
                record["ts"],
                "event",
                record["kind"],
                properties,
                record["source"],
                places.name(record["file_id"], record["line"]),
            )
        )
    return rows


def _related(session: Session, subjects: tuple[int, ...], places: Places) -> list[TimelineRow]:
    """The versions of rows of related tables while they were this person's."""
    import polars as pl

    from segctl.operations.evaluation import rows_dataset

    found = []
    for table in session.project.related:
        columns = {stored_column(name, of): (name, of) for name, of in table.properties}
        prefix = rows_dataset(table.name, "")
        for dataset in session.workspace.datasets(prefix):
            for file in session.workspace.files(dataset):
                mine = pl.scan_parquet(file.path).filter(pl.col("subject").is_in(list(subjects))).collect()
                for row in mine.iter_rows(named=True):
                    details = {n: shown(row[c], of) for c, (n, of) in columns.items() if row.get(c) is not None}
                    place = places.name(row["file_id"], row["line"])
                    told = {"key": row["key"], **details}
                    source = dataset.removeprefix(prefix)
                    found.append(TimelineRow(row["valid_from"], "row", table.name, told, source, place))
    return found


def person_events(session: Session, subjects: tuple[int, ...], snapshot: int | None = None) -> pl.DataFrame:
    """All events of these subjects in event order, with lineage and every stored property column."""
    import polars as pl

    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "subject": pl.Int32,
        "ts": pl.Datetime("us", "UTC"),
        "source": pl.String,
        "event_id": pl.String,
        "kind": pl.String,
        "file_id": pl.Int32,
        "line": pl.Int64,
    }
    parts = [pl.DataFrame(schema=schema)]
    for file in session.workspace.files("events", snapshot):
        found = pl.scan_parquet(file.path).filter(pl.col("subject").is_in(list(subjects))).collect()
        if found.height:
            kinds = list(file.meta["kinds"])
            parts.append(found if "kind" in found.columns else found.with_columns(kind=pl.lit(kinds[0])))
    return pl.concat(parts, how="diagonal_relaxed").sort("ts", "source", "event_id")


def person_records(session: Session, subjects: tuple[int, ...], snapshot: int | None = None) -> pl.DataFrame:
    """All record versions of these subjects in order of arrival, with a column ``record_source``."""
    import polars as pl

    parts = []
    for dataset in session.workspace.datasets("records/", snapshot):
        for file in session.workspace.files(dataset, snapshot):
            found = pl.scan_parquet(file.path).filter(pl.col("subject").is_in(list(subjects))).collect()
            if found.height:
                parts.append(found.with_columns(record_source=pl.lit(dataset.removeprefix("records/"))))
    return pl.concat(parts, how="diagonal_relaxed").sort("arrival") if parts else pl.DataFrame()


def _records(session: Session, subjects: tuple[int, ...], places: Places, *, show_personal: bool) -> list[TimelineRow]:
    visible = {
        stored_column(t.name, t.type): (t.name, t.type)
        for t in session.project.traits
        if show_personal or not t.is_private
    }
    rows = []
    for record in person_records(session, subjects).iter_rows(named=True):
        values = {
            name: shown(record[column], of) for column, (name, of) in visible.items() if record.get(column) is not None
        }
        rows.append(
            TimelineRow(
                record["valid_from"],
                "record",
                "gone" if record["gone"] else record["record_source"],
                values,
                record["record_source"],
                places.name(record["file_id"], record["line"]),
            )
        )
    return rows
