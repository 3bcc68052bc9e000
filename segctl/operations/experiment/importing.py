"""Take over who was in which arm of an experiment that was dealt elsewhere: all rows of a file, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.compile import timewords
from segctl.compile.suggest import did_you_mean, one_of
from segctl.compile.zones import day_start, from_us, instant_of
from segctl.model.dataclass import dataclass
from segctl.model.errors import DataError, Refused
from segctl.model.times import Instant, LocalDay, LocalTime
from segctl.operations.consent.files import FileRow, rows_of_file
from segctl.operations.experiment.run import declared_experiment

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.experiments import Experiment
    from segctl.operations.session import Session
    from segctl.stats.srm import SplitTest

_PERSON = ("id", "profile_id")
_COLUMNS = ("arm", "exposed_at", "assigned_at", "unit", "stratum")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file.

    Attributes:
        name: On record.
        rows: Of the file.
        people: Arm → profiles in the file.
        new: Profiles that were not on record.
        is_new: The experiment was not on record before.
        split: Of all on record with those of the file, against the weights.
    """

    name: str
    rows: int
    people: Mapping[str, int]
    new: int
    is_new: bool
    split: SplitTest


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    person: str
    kind: str | None
    arm: str
    exposed: datetime | None
    assigned: datetime
    unit: str | None
    stratum: str | None


def import_assignments(
    session: Session,
    name: str,
    path: Path | None,
    data: bytes | None = None,
    *,
    now: datetime,
    is_sent: bool = False,
    dry_run: bool = False,
) -> Taken:
    """Put the assignments of a file on record; an experiment that was never started is, with the first of them.

    Columns: ``id`` (a profile id, or any identifier of the person) or the name of a declared identifier; ``arm``; and
    where they exist ``exposed_at``, ``assigned_at``, ``unit``, ``stratum``.

    Args:
        session: Open project and workspace.
        name: Of a declared experiment.
        path: A CSV or NDJSON file, perhaps compressed; None with `data`.
        data: Its content instead.
        now: Time of assignment where the file has none.
        is_sent: Who has no time of exposure is exposed now.
        dry_run: Look at everything and write nothing.

    Raises:
        UsageError: No such experiment or file.
        DataError: A column is missing, no row is there, or rows cannot be taken; nothing was written.
        Refused: Somebody is on record with another arm.
    """
    import polars as pl

    from segctl.state.assignments import assignments, record_assignments

    experiment = declared_experiment(session, name)
    rows = list(_rows(session, experiment, path, data, now, is_sent=is_sent))
    if not rows:
        raise DataError(
            "SEG971", f"nobody of `{name}` was dealt an arm, so it was not started and nothing was written",
            why="the file has no rows",
            hint="was the file still being written? it needs a row for each person who was dealt an arm",
        )  # fmt: skip
    frame = _placed(session, experiment, rows)
    before = assignments(session.workspace, experiment.key)
    is_new = False
    if not dry_run:
        is_new = _begun(session, experiment, rows)
        if not record_assignments(session.workspace, {experiment.key: frame}, is_imported=True):
            raise Refused(
                "SEG971", f"somebody in the file is on record in another arm of `{name}`; nothing was written",
                hint=f"`segctl experiment assign {name} --dry-run -f csv` shows who is in which arm",
            )  # fmt: skip
    people = dict(frame.group_by("arm").len().sort("arm").iter_rows())
    known = set(before["profile_id"].to_list())
    new = sum(one not in known for one in frame["profile_id"].to_list())
    split = _split(session, experiment, pl.concat([before, frame]), now)
    return Taken(experiment.key, len(rows), people, new, is_new, split)


def _split(session: Session, experiment: Experiment, rows: pl.DataFrame, now: datetime) -> SplitTest:
    from segctl.operations.experiment.running import next_epoch
    from segctl.operations.experiment.status import counted_epochs
    from segctl.state.experiments import record
    from segctl.stats.srm import split_test_of_epochs

    known = record(session.workspace, experiment.key)
    epochs = known.epochs if known is not None else (next_epoch(experiment, None, now),)
    return split_test_of_epochs(counted_epochs(rows, epochs))


def _begun(session: Session, experiment: Experiment, rows: Sequence[_Row]) -> bool:
    from segctl.operations.experiment.frozen import definition_of, frozen_digest
    from segctl.operations.experiment.running import next_epoch
    from segctl.state.experiments import begin

    at = min(row.assigned for row in rows)
    definition = definition_of(experiment)
    return begin(
        session.workspace, experiment.key, definition=definition, digest=frozen_digest(definition), at=at,
        epoch=next_epoch(experiment, None, at),
    )  # fmt: skip


# --- Reading ----------------------------------------------------------------------------------------------
def _rows(
    session: Session, experiment: Experiment, path: Path | None, data: bytes | None, now: datetime, *, is_sent: bool
) -> Iterator[_Row]:
    """The rows of the file; all that is wrong with any is told together."""
    header: list[str] = []
    kinds = [one.name for one in session.project.identifiers]
    bad: list[str] = []
    arms = [arm.name for arm in experiment.arms]
    person: str | None = None
    for row in rows_of_file(path, data, header):
        person = person or _person_column(header, kinds, needs_unit=experiment.same is not None)
        made = _row(row, person, arms, now, session.project.timezone, is_sent=is_sent, kinds=kinds)
        if isinstance(made, _Row):
            yield made
        else:
            bad.append(f"line {row.line}: {made}")
    _refuse(bad)


def _person_column(header: Sequence[str], kinds: Sequence[str], *, needs_unit: bool) -> str:
    found = next((name for name in (*_PERSON, *kinds) if name in header), None)
    missing = [] if found is not None else [one_of((*_PERSON, *kinds), "or")]
    missing += ["`arm`"] if "arm" not in header else []
    missing += ["`unit`"] if needs_unit and "unit" not in header else []
    if found is None or missing:
        near = next((did_you_mean(name, _COLUMNS) for name in header if name not in (*_COLUMNS, found or "")), None)
        raise DataError(
            "SEG970", f"the file has no column {' and none '.join(missing)}", hint=near or "name it in the first line"
        )
    return found


def _row(
    row: FileRow, person: str, arms: Sequence[str], now: datetime, zone: str, *, is_sent: bool, kinds: Sequence[str]
) -> _Row | str:
    """What the row says, or what is wrong with it; values of people are not repeated."""
    if row.fault is not None:
        return row.fault
    who, arm = row.values.get(person, ""), row.values.get("arm", "")
    if not who:
        return f"`{person}` is empty"
    if arm not in arms:
        return f"`{arm[:40]}` is no arm; the arms are {one_of(arms, 'and')}"
    times: dict[str, datetime | None] = {}
    for column in ("exposed_at", "assigned_at"):
        written = row.values.get(column) or None
        times[column] = None if written is None else _moment(written, zone)
        if written is not None and times[column] is None:
            return f"`{column}` is no time: `{written[:40]}`"
    exposed = times["exposed_at"] or (now if is_sent else None)
    assigned = times["assigned_at"] or exposed or now
    if exposed is not None and exposed < assigned:
        return "`exposed_at` is before `assigned_at`"
    kind = person if person in kinds else None
    return _Row(row.line, who, kind, arm, exposed, assigned, row.values.get("unit") or None,
                row.values.get("stratum") or None)  # fmt: skip


def _moment(text: str, zone: str) -> datetime | None:
    """An instant; a day is its first one."""
    match timewords.parse_time_point(text):
        case Instant(at):
            return at
        case LocalTime(at):
            return from_us(instant_of(at, zone))
        case LocalDay(day):
            return from_us(day_start(day, zone))
    return None


# --- Finding people ---------------------------------------------------------------------------------------
def _placed(session: Session, experiment: Experiment, rows: Sequence[_Row]) -> pl.DataFrame:
    """The rows as assignments, one per profile."""
    import polars as pl

    from segctl.state.assignments import schema

    people = _people(session, {(row.kind, row.person) for row in rows})
    found: dict[str, tuple[object, ...]] = {}
    bad = []
    for row in rows:
        who = people.get((row.kind, row.person))
        if who is None:
            bad.append(f"line {row.line}: nobody is known by that `{row.kind or 'id'}`")
            continue
        profile, subject = who
        unit = row.unit or profile
        told = (experiment.key, unit, profile, subject, row.arm, row.stratum, row.assigned, row.exposed, 1, None)
        before = found.setdefault(profile, told)
        if before[4] != row.arm:
            bad.append(f"line {row.line}: the same person stands further up with another arm")
        elif before[7] != row.exposed:
            bad.append(f"line {row.line}: the same person stands further up with another `exposed_at`")
    _refuse(bad)
    return pl.DataFrame(list(found.values()), schema=schema(), orient="row")


def _people(session: Session, asked: set[tuple[str | None, str]]) -> dict[tuple[str | None, str], tuple[str, int]]:
    """Kind (None for any) and value → profile id and subject; values of several people lead to nobody."""
    import polars as pl

    from segctl.state.identity import canonical
    from segctl.state.subjects import Subjects

    table = Subjects(session.workspace).table().select("subject", "profile_id", "id_type", "value").collect()
    ids, owners = table["profile_id"], canonical(session.workspace)
    wanted = pl.Series([value for _, value in asked], dtype=pl.String).unique()
    rows = table.filter(pl.col("value").is_in(wanted.implode()) | pl.col("profile_id").is_in(wanted.implode()))
    own = rows["subject"] if owners is None else owners.gather(rows["subject"])
    known: dict[tuple[str | None, str], set[int]] = {}
    for profile, kind, value, subject in zip(rows["profile_id"], rows["id_type"], rows["value"], own, strict=True):
        for key in ((None, profile), (None, value), (kind, value)):
            known.setdefault(key, set()).add(subject)
    places = dict(zip(table["subject"].to_list(), range(table.height), strict=True))
    return {
        key: (ids[places[subject]], subject)
        for key, subjects in known.items()
        if key in asked and len(subjects) == 1
        for subject in subjects
    }


def _refuse(bad: Sequence[str]) -> None:
    if bad:
        more = f" and {len(bad) - _SHOWN:,} more" if len(bad) > _SHOWN else ""
        raise DataError(
            "SEG971",
            f"{len(bad):,} row{'s' if len(bad) > 1 else ''} cannot be taken, so nothing was written",
            why="; ".join(bad[:_SHOWN]) + more,
            hint="mend them, or take in the people first: `segctl ingest`",
        )
