"""What a snapshot of the workspace holds, as engines read it: files of records, events and related tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from segctl.engines.base import EventPart

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from segctl.engines.profiles import RecordFile
    from segctl.engines.related_rows import RowFile
    from segctl.operations.session import Session
    from segctl.state.files import StoredFile
    from segctl.state.workspace import Workspace

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def few_records(
    workspace: Workspace, snapshot: int, owners: pl.Series | None, only: Sequence[int]
) -> tuple[tuple[RecordFile, ...], None, pl.Series]:
    """The records of a few profiles, and their subjects, as the first fields of `StoredRows`."""
    import polars as pl

    from segctl.engines.profiles import records_of

    profiles = pl.Series(sorted(set(only)), dtype=pl.Int32)
    subjects = profiles if owners is None else owners.is_in(profiles.implode()).arg_true().cast(pl.Int32)
    records = (records_of(file, subjects) for file in record_files(workspace, snapshot))
    return tuple(records), None, subjects


def record_files(workspace: Workspace, snapshot: int) -> list[RecordFile]:
    """All record files of the snapshot, for the profile view."""
    from segctl.engines.profiles import RecordFile

    return [
        RecordFile(str(file.path), dataset.removeprefix("records/"), file.rows, tuple(file.meta["columns"]))
        for dataset in workspace.datasets("records/", snapshot)
        for file in workspace.files(dataset, snapshot)
    ]


def table_rows(
    session: Session, table: str, owners: pl.Series | None, *, as_of: datetime, snapshot: int, lineage: bool = False
) -> pl.DataFrame:
    """The rows of a related table that are there at as_of, by the subject of their profile."""
    from segctl.engines.related_rows import related_rows

    declared = session.project.table(table)
    properties = {} if declared is None else dict(declared.properties)
    files = row_files(session.workspace, table, snapshot)
    return related_rows(files, owners, as_of=as_of, properties=properties, lineage=lineage)


def row_files(workspace: Workspace, table: str, snapshot: int) -> list[RowFile]:
    """All files with versions of the rows of a related table."""
    from segctl.engines.related_rows import RowFile

    prefix = rows_dataset(table, "")
    return [
        RowFile(str(file.path), dataset.removeprefix(prefix), file.rows, tuple(file.meta["columns"]))
        for dataset in workspace.datasets(prefix, snapshot)
        for file in workspace.files(dataset, snapshot)
    ]


def rows_dataset(table: str, source: str) -> str:
    """Dataset with the row versions that a source gives of a related table."""
    return f"related/{table}/{source}"


def event_parts(workspace: Workspace, snapshot: int) -> tuple[EventPart, ...]:
    """All event files of a snapshot, with their mapped copies."""
    from segctl.state.hot import hot_paths

    copies = hot_paths(workspace)
    return tuple(
        event_part(file, hot=next(iter(copies.get(file.path.stem, ())), None))
        for file in workspace.files("events", snapshot)
    )


def event_part(file: StoredFile, *, hot: Path | None = None) -> EventPart:
    """A stored event file as engines see it, with the path of its mapped copy."""
    meta = file.meta
    return EventPart(
        path=str(file.path),
        rows=file.rows,
        kinds=tuple(sorted(meta["kinds"])),
        columns=tuple(meta["columns"]),
        is_sorted=bool(meta.get("sorted")),
        unique_ts=bool(meta.get("unique_ts")),
        min_ts=_instant(meta.get("min_ts")),
        max_ts=_instant(meta.get("max_ts")),
        max_abs=dict(meta.get("max_abs", {})),
        hot=None if hot is None else str(hot),
    )


def _instant(us: int | None) -> datetime | None:
    return None if us is None else _EPOCH + timedelta(microseconds=us)
