"""The rows behind changed profiles: what was known at one snapshot, what came since, and what went.

Event and record files are immutable and compaction changes no row, so the commits between two snapshots tell what is
new: rows of the files they added, less those of the files they replaced. The rows of a few profiles are held in
memory, apart by what became of them, and a replay reads those parts that were known at its step.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from segctl.engines.base import EventPart
from segctl.engines.profiles import RecordFile
from segctl.model.dataclass import dataclass
from segctl.operations.causes.reach import ALWAYS

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.workspace import Workspace

EVENTS, RECORDS, RELATED = "events", "records/", "related/"
LINEAGE = ("file_id", "line", "arrived_at", "digest")
"""Columns that say where a row came from, not what it says."""
_EXISTS = "\x00exists"
PLAIN = ("subject", "ts", "source", "event_id", "kind", "dataset")
"""Columns of event rows besides their properties; where a row came from is not asked, and costs a third of the time."""


@dataclass(frozen=True, slots=True)
class Delta:
    """Rows that came and went between two snapshots, of some subjects or all.

    Attributes:
        added: Rows that are there now and were not; with their ``dataset``.
        removed: Rows that were there and are not now.
    """

    added: pl.DataFrame
    removed: pl.DataFrame

    def of(self, subjects: pl.Series) -> Delta:
        """The rows of some subjects."""
        import polars as pl

        wanted = pl.col("subject").is_in(subjects.implode())
        return Delta(self.added.filter(wanted), self.removed.filter(wanted))

    @property
    def subjects(self) -> pl.Series:
        """Whose rows they are, ascending, each once."""
        import polars as pl

        parts = [frame["subject"] for frame in (self.added, self.removed) if frame.height]
        return pl.concat(parts).unique().sort() if parts else pl.Series("subject", [], dtype=pl.Int32)


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows as parts that engines read.

    Attributes:
        events: One a kind.
        records: One a source.
    """

    events: tuple[EventPart, ...] = ()
    records: tuple[RecordFile, ...] = ()

    def __add__(self, other: Part) -> Part:
        return Part((*self.events, *other.events), (*self.records, *other.records))


@dataclass(frozen=True, slots=True)
class Parts:
    """The rows of some profiles by what became of them between two snapshots.

    Attributes:
        kept: Known then and now.
        dropped_events: Events known then and gone or replaced now; `dropped_records` likewise.
        gone: New record versions that end a row; `gone_early` as if they were valid at the first instant.
        mended: Events that replace another one of the same id.
        late: New events from before the first instant.
        values: New record versions with values; `values_early` as if they were valid at the first instant.
        fresh: New events of after the first instant; `fresh_early` as if they had come right before it.
        new_events: Rows of `mended`, `late` and `fresh`, with ``part``.
        old_events: Rows of `dropped_events`.
        new_records: Rows of `gone` and `values`, with their ``dataset``.
        old_records: Rows of `dropped_records`.
        events: Event rows of `kept`.
        records: Record rows of `kept`.
    """

    kept: Part
    dropped_events: Part
    dropped_records: Part
    gone: Part
    gone_early: Part
    mended: Part
    late: Part
    values: Part
    values_early: Part
    fresh: Part
    fresh_early: Part
    new_events: pl.DataFrame
    old_events: pl.DataFrame
    new_records: pl.DataFrame
    old_records: pl.DataFrame
    events: pl.DataFrame
    records: pl.DataFrame


def cause_schema() -> dict[str, pl.DataType | type[pl.DataType]]:
    """Columns of causes."""
    import polars as pl

    return {"segment": pl.String, "subject": pl.Int32, "cause": pl.String, "effective": pl.Datetime("us", "UTC")}


def delta(workspace: Workspace, prefix: str, since: int, until: int, subjects: pl.Series | None = None) -> Delta | None:
    """What came and went in the datasets that begin so; None when files of then were vacuumed."""
    import polars as pl

    rows = workspace.query(
        "SELECT f.path, f.dataset, f.rows, f.vacuumed, f.added, f.removed, a.kind AS added_by, r.kind AS removed_by,"
        " json_extract(f.meta, '$.kinds') AS kinds"
        " FROM files f JOIN commits a ON a.seq = f.added LEFT JOIN commits r ON r.seq = f.removed"
        " WHERE substr(f.dataset, 1, ?) = ? AND ((f.added > ? AND f.added <= ?) OR (f.removed > ? AND f.removed <= ?))"
        " ORDER BY f.id",
        (len(prefix), prefix, since, until, since, until),
    )
    came: list[tuple[str, str, str | None]] = []
    went: list[tuple[str, str, str | None]] = []
    for row in rows:
        is_new = since < row["added"] <= until and row["added_by"] != "compact"
        is_old = row["removed"] is not None and since < row["removed"] <= until and row["removed_by"] != "compact"
        if is_new != is_old and row["rows"]:
            if row["vacuumed"] is not None:
                return None
            (came if is_new else went).append((str(workspace.folder / row["path"]), row["dataset"], row["kinds"]))
    added, removed = _rows(came, subjects), _rows(went, subjects)
    if not added.height or not removed.height:
        return Delta(added, removed)
    both = pl.concat([added.with_columns(sign=1), removed.with_columns(sign=-1)], how="diagonal_relaxed")
    content = both.drop("sign", *(name for name in LINEAGE if name in both.columns))
    both = both.with_columns(content.hash_rows(seed=1).alias("content"))
    # Rows of a rewritten file are in both, and as often: each pair cancels.
    number = pl.int_range(pl.len()).over("content", "sign")
    both = both.with_columns(number.alias("number")).with_columns(pl.len().over("content", "number").alias("copies"))
    left = both.filter(pl.col("copies") == 1).drop("content", "number", "copies")
    return Delta(left.filter(pl.col("sign") == 1).drop("sign"), left.filter(pl.col("sign") == -1).drop("sign"))


def _rows(files: Sequence[tuple[str, str, str | None]], subjects: pl.Series | None) -> pl.DataFrame:
    import polars as pl

    frames = []
    for path, dataset, kinds in files:
        scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        if subjects is not None:
            scan = scan.filter(pl.col("subject").is_in(subjects.implode()))
        rows = scan.with_columns(pl.lit(dataset).alias("dataset")).collect(engine="streaming")
        if kinds is not None and "kind" not in rows.columns:
            # A file of one kind, as compaction makes them, need not say in each row which.
            rows = rows.with_columns(pl.lit(next(iter(json.loads(kinds)))).alias("kind"))
        frames.append(rows)
    empty = pl.DataFrame(schema={"subject": pl.Int32, "dataset": pl.String})
    return pl.concat([empty, *frames], how="diagonal_relaxed")


def records_of(workspace: Workspace, snapshot: int, subjects: pl.Series) -> pl.DataFrame:
    """All record versions of some subjects in a snapshot, with their ``dataset``, without where they came from."""
    import polars as pl

    frames: list[pl.DataFrame] = [pl.DataFrame(schema={"subject": pl.Int32, "dataset": pl.String})]
    for dataset in workspace.datasets(RECORDS, snapshot):
        for file in workspace.files(dataset, snapshot):
            if file.rows:
                scan = pl.scan_parquet(file.path, glob=False, hive_partitioning=False)
                scan = scan.select(name for name in file.meta["columns"] if name not in LINEAGE)
                found = scan.filter(pl.col("subject").is_in(subjects.implode())).collect(engine="streaming")
                frames.append(found.with_columns(pl.lit(dataset).alias("dataset")))
    return pl.concat(frames, how="diagonal_relaxed")


def events_of(
    workspace: Workspace,
    snapshot: int,
    needed: Mapping[str, pl.DataFrame],
    columns: Mapping[str, Iterable[str]],
    whole: pl.Series,
    *,
    known: int | None = None,
    owners: Sequence[pl.Series | None] = (),
) -> pl.DataFrame:
    """Events in a snapshot, with ``dataset`` and ``kind``.

    Args:
        workspace: Open.
        snapshot: Which files.
        needed: Of each kind, whose events are wanted and since when: ``subject``, ``since``.
        columns: Of each kind, the properties that are asked, besides what every event has.
        whole: Subjects whose every event is wanted.
        known: Files that this snapshot sees as well may be read from their mapped copies, which know of an id only
            how it begins; None where ids matter.
        owners: Subject → subject of its profile, of each state in which order matters.
    """
    import polars as pl

    from segctl.operations.causes.mapped import is_ordered, known_bytes, mapped_events
    from segctl.operations.evaluation import event_part
    from segctl.state.hot import hot_paths

    texts = dict.fromkeys(("source", "event_id", "kind", "dataset"), pl.String)
    instant = pl.Datetime("us", "UTC")
    # Nobody may have an event: the columns that every event has are asked for all the same.
    frames: list[pl.DataFrame] = [pl.DataFrame(schema={"subject": pl.Int32, **texts, "ts": instant})]
    nobody = pl.DataFrame(schema={"subject": pl.Int32, "since": instant, "kind": pl.String})
    entirely = pl.DataFrame({"subject": whole}, schema={"subject": pl.Int32})
    copies = hot_paths(workspace) if known is not None else {}
    shortest: list[int] = []
    for file in workspace.files(EVENTS, snapshot):
        kinds = sorted(file.meta["kinds"])
        some = [of.with_columns(pl.lit(kind).alias("kind")) for kind, of in needed.items() if kind in kinds]
        all_of = [
            entirely.with_columns(pl.lit(ALWAYS).cast(instant).alias("since"), pl.lit(k).alias("kind")) for k in kinds
        ]
        since = pl.concat([nobody, *some, *all_of]).group_by("subject", "kind").agg(pl.col("since").min())
        if not file.rows or not since.height:
            continue
        wanted = {*PLAIN, *(name for kind in kinds for name in columns.get(kind, ()))}
        copy = next(iter(copies.get(file.path.stem, ())), None)
        if copy is not None and known is not None and file.added <= known:
            part = event_part(file, hot=copy)
            mapped = mapped_events(part, since, sorted(wanted.difference(PLAIN)))
            if mapped is not None:
                shortest.append(known_bytes(part))
                frames.append(mapped.with_columns(pl.lit(EVENTS).alias("dataset"), pl.lit(value=True).alias("mapped")))
                continue
        scan = pl.scan_parquet(file.path, glob=False, hive_partitioning=False)
        scan = scan.select(name for name in file.meta["columns"] if name in wanted)
        if "kind" not in file.meta["columns"]:
            scan = scan.with_columns(pl.lit(kinds[0]).alias("kind"))
        # Times are compared after the look-up of subjects: before it, all of the file's would be.
        found = scan.filter(pl.col("subject").is_in(since["subject"].unique().implode()))
        found = found.join(since.lazy(), on=["subject", "kind"], maintain_order="left")
        rows = found.filter(pl.col("ts") >= pl.col("since")).drop("since").collect(engine="streaming")
        frames.append(rows.with_columns(pl.lit(EVENTS).alias("dataset")))
    events = pl.concat(frames, how="diagonal_relaxed")
    if not shortest:
        return events
    if not is_ordered(events.with_columns(pl.col("mapped").fill_null(value=False)), min(shortest), owners):
        return events_of(workspace, snapshot, needed, columns, whole)
    return events.drop("mapped")


@dataclass(frozen=True, slots=True)
class Rows:
    """All events and record versions of some subjects, read once for all replays."""

    events: pl.DataFrame
    records: pl.DataFrame

    def of(self, subjects: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Those of some of the subjects."""
        import polars as pl

        wanted = pl.col("subject").is_in(subjects.implode())
        return self.events.filter(wanted), self.records.filter(wanted)


def held_events(frame: pl.DataFrame) -> tuple[EventPart, ...]:
    """Event rows as one part a kind."""
    if not frame.height:
        return ()
    return tuple(
        _held_kind(str(kind), rows) for (kind,), rows in sorted(frame.partition_by("kind", as_dict=True).items())
    )


def _held_kind(kind: str, rows: pl.DataFrame) -> EventPart:
    times = rows["ts"]
    least, most = times.min(), times.max()
    assert isinstance(least, datetime), "events have times"
    assert isinstance(most, datetime), "events have times"
    return EventPart("", rows.height, (kind,), tuple(rows.columns), min_ts=least, max_ts=most, held=rows)


def held_records(frame: pl.DataFrame) -> tuple[RecordFile, ...]:
    """Record rows as one part a source."""
    if not frame.height:
        return ()
    return tuple(
        RecordFile("", str(dataset).removeprefix(RECORDS), rows.height, tuple(rows.columns), held=rows)
        for (dataset,), rows in frame.partition_by("dataset", as_dict=True, include_key=False).items()
    )


def split(
    events: pl.DataFrame,
    records: pl.DataFrame,
    event_delta: Delta,
    record_delta: Delta,
    *,
    first: datetime,
    last: datetime,
) -> Parts:
    """The rows of some profiles by what became of them.

    Args:
        events: Their events of the later snapshot.
        records: Their record versions of the later snapshot.
        event_delta: What came and went of their events.
        record_delta: What came and went of their records.
        first: As_of of the earlier evaluation.
        last: As_of of the later one.
    """
    import polars as pl

    known = ("source", "event_id")
    came = event_delta.added.select(*known) if event_delta.added.height else None
    went = event_delta.removed.select(*known) if event_delta.removed.height else None
    new = events.clear() if came is None else events.join(came, on=known, how="semi")
    kept = events if came is None else events.join(came, on=known, how="anti")
    is_early = pl.col("ts") <= first
    mended = new.clear() if went is None else new.filter(is_early).join(went, on=known, how="semi")
    late = new.filter(is_early) if went is None else new.filter(is_early).join(went, on=known, how="anti")
    fresh = new.filter(~is_early)
    dropped = event_delta.removed.select(c for c in event_delta.removed.columns if c in {*events.columns, "kind"})
    old = record_delta.added.select("arrival") if record_delta.added.height else None
    new_records = records.clear() if old is None else records.join(old, on="arrival", how="semi")
    kept_records = records if old is None else records.join(old, on="arrival", how="anti")
    is_gone = pl.col("gone") if "gone" in new_records.columns else pl.lit(value=False)
    gone, values = new_records.filter(is_gone), new_records.filter(~is_gone)
    named = [("mended", mended), ("late", late), ("fresh", fresh.filter(pl.col("ts") <= last))]
    return Parts(
        kept=Part(held_events(kept), held_records(kept_records)),
        dropped_events=Part(held_events(dropped)),
        dropped_records=Part((), held_records(record_delta.removed)),
        gone=Part((), held_records(gone)),
        gone_early=Part((), held_records(_valid_early(gone, first, last))),
        mended=Part(held_events(mended)),
        late=Part(held_events(late)),
        values=Part((), held_records(values)),
        values_early=Part((), held_records(_valid_early(values, first, last))),
        fresh=Part(held_events(fresh)),
        fresh_early=Part(held_events(early_events(fresh.filter(pl.col("ts") <= last), first))),
        new_events=pl.concat([frame.with_columns(pl.lit(name).alias("part")) for name, frame in named]),
        old_events=dropped,
        new_records=new_records,
        old_records=record_delta.removed,
        events=kept,
        records=kept_records,
    )


def early_events(fresh: pl.DataFrame, first: datetime) -> pl.DataFrame:
    """Events as if they had come right before an instant, a microsecond apart and in their order."""
    import polars as pl

    if not fresh.height:
        return fresh
    ordered = fresh.sort("subject", "ts", "source", "event_id")
    behind = pl.len().over("subject") - 1 - pl.int_range(pl.len()).over("subject")
    at = pl.lit(first).cast(pl.Datetime("us", "UTC")).dt.offset_by(pl.format("-{}us", behind))
    return ordered.with_columns(at.alias("ts"))


def _valid_early(rows: pl.DataFrame, first: datetime, last: datetime) -> pl.DataFrame:
    """Versions that become valid in between as if they were valid at the first instant."""
    import polars as pl

    if not rows.height:
        return rows
    between = (pl.col("valid_from") > first) & (pl.col("valid_from") <= last)
    at = pl.lit(first).cast(pl.Datetime("us", "UTC"))
    return rows.with_columns(pl.when(between).then(at).otherwise("valid_from").alias("valid_from"))


def existing(subjects: pl.Series, at: datetime) -> pl.DataFrame:
    """An event of no declared kind for each subject."""
    import polars as pl

    return subjects.to_frame("subject").with_columns(
        pl.lit(at - timedelta(microseconds=1)).cast(pl.Datetime("us", "UTC")).alias("ts"),
        source=pl.lit(""),
        event_id=pl.lit(""),
        kind=pl.lit(_EXISTS),
    )
