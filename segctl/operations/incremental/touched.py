"""Whose answers can be others than at an earlier instant: of whom something is new, or whose time has come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.causes.rows import EVENTS, LINEAGE, RECORDS, RELATED
from segctl.operations.consent.gate import concerned
from segctl.operations.identity_causes import as_long

if TYPE_CHECKING:
    import sqlite3

    import polars as pl

    from segctl.operations.session import Session
    from segctl.state.workspace import Workspace

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """Identities at two snapshots.

    Attributes:
        then: Subject → subject of its profile at the earlier one, as long as `now`; None where both are None.
        now: At the later one.
        count_then: Subjects there were.
        count: Subjects there are.
    """

    then: pl.Series | None
    now: pl.Series | None
    count_then: int
    count: int

    def profiles(self, raw: pl.Series) -> pl.Series:
        """Profiles that some subjects belong to or belonged to, ascending, each once."""
        import polars as pl

        if self.now is None or self.then is None:
            return raw.unique().sort()
        return pl.concat([self.now.gather(raw), self.then.gather(raw)]).unique().sort()


def known(workspace: Workspace, since: int, until: int) -> Known:
    """Identities at two snapshots."""
    from segctl.state.identity import DATASET, canonical
    from segctl.state.subjects import subject_count

    count_then, count = subject_count(workspace, since), subject_count(workspace, until)
    now = canonical(workspace, until)
    if now is None and not workspace.files(DATASET, since):
        return Known(None, None, count_then, count)
    return Known(as_long(canonical(workspace, since), count), as_long(now, count), count_then, count)


def touched(session: Session, people: Known, since: int, until: int) -> pl.Series | None:
    """Profiles of whom a snapshot knows something that an earlier one did not, ascending, Int32.

    A new identifier, record, event or row of a related table, or one that went; a merge or its undo; a word of consent.

    Returns:
        None when files of then were vacuumed, so that nobody knows.
    """
    import polars as pl

    workspace = session.workspace
    parts = [pl.int_range(people.count_then, people.count, dtype=pl.Int32, eager=True)]
    for prefix in (EVENTS, RECORDS, RELATED):
        found = _rewritten(workspace, prefix, since, until)
        if found is None:
            return None
        parts += [found["subject"], *(_owners(workspace, found, until) if prefix == RELATED else ())]
    parts.append(concerned(session, until, since))
    if people.now is not None and people.then is not None:
        parts.append((people.now != people.then).arg_true().cast(pl.Int32))
    subjects = pl.concat([part.cast(pl.Int32).alias("subject") for part in parts])
    # A row of a related table that is gone belongs to nobody.
    return people.profiles(subjects.drop_nulls().unique())


def belonging(session: Session, people: Known, profiles: pl.Series, snapshot: int) -> int:
    """How many of some profiles have an identifier of a class of the population; only those are evaluated."""
    import polars as pl

    from segctl.operations.evaluation import classified
    from segctl.state.subjects import Subjects

    classes = classified(Subjects(session.workspace).table(snapshot), session.project)
    inside = classes.filter(pl.col("identifier_class").is_in(list(session.project.population)))["subject"]
    owners = inside if people.now is None else people.now.gather(inside)
    return int(profiles.is_in(owners.implode()).sum())


def _rewritten(workspace: Workspace, prefix: str, since: int, until: int) -> pl.DataFrame | None:
    """Rows that came or went between two snapshots, but for those that only moved to another file.

    Returns:
        ``subject``, and of rows of related tables ``dataset`` and ``key``, each once; None when files were vacuumed.
    """
    import polars as pl

    columns = ["subject", "dataset", "key"] if prefix == RELATED else ["subject"]
    rows = workspace.query(
        "SELECT f.path, f.dataset, f.rows, f.vacuumed, json_extract(f.meta, '$.kinds') AS kinds,"
        " f.added > ? AND a.kind != 'compact' AS came, coalesce(f.removed <= ? AND r.kind != 'compact', 0) AS went"
        " FROM files f JOIN commits a ON a.seq = f.added LEFT JOIN commits r ON r.seq = f.removed"
        " WHERE substr(f.dataset, 1, ?) = ? AND ((f.added > ? AND f.added <= ?) OR (f.removed > ? AND f.removed <= ?))",
        (since, until, len(prefix), prefix, since, until, since, until),
    )
    moved = [row for row in rows if row["came"] != row["went"] and row["rows"]]
    if any(row["vacuumed"] is not None for row in moved):
        return None
    scans = [_signed(workspace, row) for row in moved]
    if not any(row["went"] for row in moved):
        plain = (scan.select(columns).unique() for scan in scans)
        return pl.concat([_none(columns).lazy(), *plain]).collect()
    every = pl.concat(scans, how="diagonal_relaxed")
    names = [name for name in every.collect_schema().names() if name != "sign"]
    # What was only written to another file adds up to nothing, though nobody holds millions of rows to see it.
    content = (pl.struct(names).hash(seed=1).reinterpret(signed=True) * pl.col("sign")).alias("content")
    sums = every.select(*columns, content, "sign").group_by(columns).agg(pl.col("content", "sign").sum())
    found = sums.filter((pl.col("content") != 0) | (pl.col("sign") != 0)).select(columns)
    return found.collect(engine="streaming")


def _signed(workspace: Workspace, row: sqlite3.Row) -> pl.LazyFrame:
    """Rows of a file without where they came from, with ``dataset``, and ``sign``: 1 if they came, -1 if they went."""
    import polars as pl

    scan = pl.scan_parquet(workspace.folder / row["path"], glob=False, hive_partitioning=False)
    scan = scan.drop(LINEAGE, strict=False).with_columns(
        pl.lit(row["dataset"]).alias("dataset"), pl.lit(1 if row["came"] else -1, pl.Int64).alias("sign")
    )
    if row["kinds"] is not None and "kind" not in scan.collect_schema():
        # A file of one kind, as compaction makes them, need not say in each row which.
        return scan.with_columns(pl.lit(next(iter(json.loads(row["kinds"])))).alias("kind"))
    return scan


def _none(columns: Sequence[str]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(schema={name: pl.Int32() if name == "subject" else pl.String() for name in columns})


def _owners(workspace: Workspace, rows: pl.DataFrame, snapshot: int) -> list[pl.Series]:
    """Subjects of all versions of some rows of related tables: what moves or goes, its owner of before loses."""
    import polars as pl

    found = []
    for (dataset,), some in rows.partition_by("dataset", as_dict=True).items():
        paths = [str(file.path) for file in workspace.files(str(dataset), snapshot) if file.rows]
        if paths:
            versions = pl.scan_parquet(paths, glob=False, hive_partitioning=False, extra_columns="ignore")
            wanted = versions.select("subject", "key").join(some.lazy(), on="key", how="semi")
            found.append(wanted.select(pl.col("subject").unique()).collect(engine="streaming")["subject"])
    return found


def appearing(workspace: Workspace, people: Known, snapshot: int, after: int, until: int) -> pl.Series:
    """Profiles with an event or a record version of between two instants, so that they may be there only now.

    Args:
        workspace: Open.
        people: Identities.
        snapshot: Which files.
        after: Microseconds since 1970, not included.
        until: Likewise, included.
    """
    import polars as pl

    parts = [pl.Series("subject", [], dtype=pl.Int32)]
    late = [file for file in workspace.files(EVENTS, snapshot) if file.rows and _reaches(file.meta, after, until)]
    datasets = workspace.datasets(RECORDS, snapshot)
    versions = [file for name in datasets for file in workspace.files(name, snapshot) if file.rows]
    for files, column in ((late, "ts"), (versions, "valid_from")):
        if files:
            paths = [str(file.path) for file in files]
            rows = pl.scan_parquet(paths, glob=False, hive_partitioning=False, extra_columns="ignore")
            lo, hi = (
                pl.lit(_EPOCH + timedelta(microseconds=us)).cast(pl.Datetime("us", "UTC")) for us in (after, until)
            )
            inside = (pl.col(column) > lo) & (pl.col(column) <= hi)
            parts.append(rows.filter(inside).select(pl.col("subject").unique()).collect(engine="streaming")["subject"])
    return people.profiles(pl.concat(parts).unique())


def _reaches(meta: dict[str, object], after: int, until: int) -> bool:
    least, most = meta.get("min_ts"), meta.get("max_ts")
    return not (isinstance(most, int) and most <= after) and not (isinstance(least, int) and least > until)
