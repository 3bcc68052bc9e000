"""Profiles as they were at an instant: who exists, which values were valid, and how values changed before.

Every source row (source, subject) has versions; the one valid at as_of is the latest by (valid from, arrival),
and a version that says *gone* ends the row. A profile's value is that of its newest row that has one, or what the
trait's rule of survivorship says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime

import polars as pl

from segctl.engines.base import EventPart
from segctl.engines.hot_file import HotFile, opened
from segctl.engines.physical import stored_dtype
from segctl.engines.survivorship import survivor
from segctl.model.dataclass import dataclass
from segctl.model.identity import LATEST, Survivorship
from segctl.model.types import ValueType, stored_column

_INSTANT = pl.Datetime("us", "UTC")
_BEGINNING = -(2**62)
BORN = "\x00born"
EVER_BORN, NEVER_BORN = -(2**62), 2**62
_NOBODY = pl.DataFrame(schema={"subject": pl.Int32, BORN: pl.Int64})


@dataclass(frozen=True, slots=True)
class RecordFile:
    """One immutable Parquet file of typed records.

    Columns: ``subject`` Int32, ``valid_from`` Datetime(us, UTC; null is from the beginning), ``arrival`` Int64,
    ``gone`` Boolean, and one per trait named by `model.types.stored_column`.

    Attributes:
        columns: Names of the columns present.
        held: The rows themselves, where there is no file.
    """

    path: str
    source: str
    rows: int
    columns: tuple[str, ...]
    held: pl.DataFrame | None = field(default=None, repr=False, compare=False)


_LINEAGE = frozenset({"arrived_at", "file_id", "line", "digest"})


def records_of(file: RecordFile, subjects: pl.Series) -> RecordFile:
    """The records of some subjects, read, without where they came from."""
    frame = pl.scan_parquet(file.path, glob=False, hive_partitioning=False)
    frame = frame.select(name for name in file.columns if name not in _LINEAGE)
    # The range alone spares files and groups of rows.
    inside = pl.col("subject").is_between(subjects.min(), subjects.max()) & pl.col("subject").is_in(subjects.implode())
    rows = frame.filter(inside).collect(engine="streaming")
    return replace(file, rows=rows.height, held=rows)


def profile_view(
    record_files: Sequence[RecordFile],
    subjects: pl.DataFrame,
    canonical: pl.Series | None,
    *,
    as_of: datetime,
    traits: Mapping[str, ValueType],
    population: Collection[str],
    events: Sequence[EventPart] = (),
    samples: Sequence[str] = (),
    lists: Mapping[str, pl.Series] | None = None,
    survivorship: Mapping[str, Survivorship] | None = None,
    few: bool = False,
    unborn: bool = False,
) -> pl.DataFrame:
    """The profiles of the population at as_of: `EngineInput.profiles`.

    Args:
        record_files: All files of the snapshot, of all sources.
        subjects: One row per subject: ``subject`` Int32, ``profile_id``, ``identifier_class``.
        canonical: Subject → subject of its profile (position = subject); None when each is its own.
        as_of: Nothing later counts.
        traits: The stored traits wanted, by name.
        population: Classes of identifiers that belong.
        events: All event files; only read for those without a live record.
        samples: Salts; each gives a column ``sample:SALT``.
        lists: Column name → subjects whose identifier stands in the list; each gives a Boolean column.
        survivorship: Trait → which value survives, for those that do not take the newest.
        few: The subjects are some of all, so only their events are looked for.
        unborn: Also profiles without a live record that have no event yet; a column `BORN` says of everybody when
            the first event is or was, in microseconds, `NEVER_BORN` without one and `EVER_BORN` with a record.
    """
    belonging = _belonging(subjects, canonical, population)
    live = live_records(record_files, as_of=as_of, traits=traits)
    values = _values(_of_profiles(live, canonical), traits, survivorship or {})
    lacking = _lacking(belonging, values)
    own = subjects.get_column("subject").sort() if few else None
    if unborn:
        first = _first_events(events, canonical, own) if lacking.height else _NOBODY
        born = lacking.select("subject").join(first, on="subject", how="left")
        values = values.with_columns(pl.lit(EVER_BORN, pl.Int64).alias(BORN))
        values = pl.concat([values, born.with_columns(pl.col(BORN).fill_null(NEVER_BORN))], how="diagonal")
    elif lacking.height and events:
        active = _with_events(events, canonical, as_of, own)
        arrived = lacking.join(active, on="subject", how="semi").select("subject")
        values = pl.concat([values, arrived], how="diagonal")
    view = _beside(belonging, values)
    for column, listed in (lists or {}).items():
        view = view.with_columns(pl.col("subject").is_in(_profile_subjects(listed, canonical).implode()).alias(column))
    ids = view.get_column("profile_id")
    return view.with_columns(*[sample_places(ids, salt).alias(f"sample:{salt}") for salt in samples])


def live_records(
    record_files: Sequence[RecordFile], *, as_of: datetime, traits: Mapping[str, ValueType]
) -> pl.DataFrame:
    """The version of each source row that is valid at as_of, without rows that are gone.

    Columns ``subject``, ``valid`` (microseconds), ``arrival``, ``source`` and the traits by name; ordered by
    (valid, arrival).
    """
    frame = _versions(record_files, traits, as_of)
    # Pairs take longer to compare, and seldom is any subject there twice.
    if _is_repeated(frame) and frame.select(pl.struct("source", "subject").is_duplicated().any()).item():
        frame = frame.sort("valid", "arrival", maintain_order=True)
        frame = frame.unique(["source", "subject"], keep="last", maintain_order=True)
    return frame.filter(~pl.col("gone")).drop("gone")


def trait_changes(
    record_files: Sequence[RecordFile],
    canonical: pl.Series | None,
    *,
    as_of: datetime,
    traits: Mapping[str, ValueType],
    survivorship: Mapping[str, Survivorship] | None = None,
) -> dict[str, pl.DataFrame]:
    """For each trait every real change of its value up to as_of: `EngineInput.changes`.

    A profile's first version begins its history and is no change.
    """
    versions = _of_profiles(_versions(record_files, traits, as_of), canonical, keep_own=True)
    # Of several versions of a row at one instant only the last to arrive was ever seen.
    versions = versions.sort("valid", "arrival", maintain_order=True)
    versions = versions.unique(["source", "own", "valid"], keep="last", maintain_order=True)
    grid = _states(versions)
    rules = survivorship or {}
    return {name: _changes_of(grid, name, rules.get(name, LATEST)) for name in traits}


def sample_places(profile_ids: pl.Series, salt: str) -> pl.Series:
    """First 63 bits of SHA-256(salt, 0x1F, profile id) as whole numbers."""
    prefix = hashlib.sha256(salt.encode() + b"\x1f")

    def place(profile_id: str) -> int:
        digest = prefix.copy()
        digest.update(profile_id.encode())
        return int.from_bytes(digest.digest()[:8], "big") >> 1

    return pl.Series([place(profile_id) for profile_id in profile_ids], dtype=pl.Int64)


def _versions(record_files: Sequence[RecordFile], traits: Mapping[str, ValueType], as_of: datetime) -> pl.DataFrame:
    """All versions valid at or before as_of."""
    base = {
        "subject": pl.Int32(),
        "valid": pl.Int64(),
        "arrival": pl.Int64(),
        "source": pl.String(),
        "gone": pl.Boolean(),
    }
    schema: dict[str, pl.DataType] = {**base, **{_hidden(name): stored_dtype(of) for name, of in traits.items()}}
    frames = [_scan(file, traits, as_of) for file in record_files if file.rows]
    return pl.concat(frames).collect(engine="streaming") if frames else pl.DataFrame(schema=schema)


def _scan(file: RecordFile, traits: Mapping[str, ValueType], as_of: datetime) -> pl.LazyFrame:
    valid = pl.col("valid_from")
    columns = [
        pl.col("subject"),
        valid.cast(pl.Int64).fill_null(_BEGINNING).alias("valid"),
        pl.col("arrival").cast(pl.Int64),
        pl.lit(file.source).alias("source"),
        pl.col("gone"),
    ]
    for name, of in traits.items():
        column = stored_column(name, of)
        value = pl.col(column) if column in file.columns else pl.lit(None, stored_dtype(of))
        columns.append(value.alias(_hidden(name)))
    rows = file.held
    frame = pl.scan_parquet(file.path, glob=False, hive_partitioning=False) if rows is None else rows.lazy()
    return frame.filter(valid.is_null() | (valid <= pl.lit(as_of).cast(_INSTANT))).select(*columns)


def _hidden(name: str) -> str:
    """A trait's column while it stands beside the engine's own, which a trait may be named like."""
    return f"trait:{name}"


def _of_profiles(records: pl.DataFrame, canonical: pl.Series | None, *, keep_own: bool = False) -> pl.DataFrame:
    """Records by the subject of their profile; the row's own subject as `own` if asked."""
    if keep_own:
        records = records.with_columns(pl.col("subject").alias("own"))
    if canonical is None:
        return records
    return records.with_columns(_profile_subjects(records.get_column("subject"), canonical).alias("subject"))


def _profile_subjects(subjects: pl.Series, canonical: pl.Series | None) -> pl.Series:
    return subjects if canonical is None else canonical.gather(subjects)


def _values(records: pl.DataFrame, traits: Mapping[str, ValueType], rules: Mapping[str, Survivorship]) -> pl.DataFrame:
    """One row per profile: `subject` and its traits by name."""
    named = [pl.col(_hidden(name)).alias(name) for name in traits]
    if not _is_repeated(records):
        return records.select("subject", *named)
    ordered = records.sort("valid", "arrival", "source", maintain_order=True)
    survive = [survivor(pl.col(_hidden(name)), rules.get(name, LATEST)).alias(_hidden(name)) for name in traits]
    return ordered.group_by("subject", maintain_order=True).agg(*survive).select("subject", *named)


def _belonging(subjects: pl.DataFrame, canonical: pl.Series | None, population: Collection[str]) -> pl.DataFrame:
    """Subject and id of each profile with an identifier of a class that belongs."""
    inside = subjects.filter(pl.col("identifier_class").is_in(list(population))).get_column("subject")
    own = subjects.select("subject", "profile_id")
    if _is_repeated(own):
        own = own.unique("subject", keep="first", maintain_order=True)
    return own.filter(pl.col("subject").is_in(_profile_subjects(inside, canonical).unique().implode()))


def _is_ascending(frame: pl.DataFrame) -> bool:
    """Subjects stand in order, each once; known for a small part of what looking for repeated ones costs."""
    subjects = frame.get_column("subject")
    return not subjects.null_count() and bool((subjects.head(-1) < subjects.tail(-1)).all())


def _is_repeated(frame: pl.DataFrame) -> bool:
    """Some subject is there twice."""
    return not _is_ascending(frame) and bool(frame.get_column("subject").is_duplicated().any())


def _lacking(belonging: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Who belongs and has no values."""
    if belonging.get_column("subject").equals(values.get_column("subject")):
        return belonging.clear()
    return belonging.join(values.select("subject"), on="subject", how="anti")


def _beside(belonging: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Who belongs and has values, with them, by subject."""
    is_same = belonging.get_column("subject").equals(values.get_column("subject")) and _is_ascending(values)
    if is_same and "profile_id" not in values.columns:
        return belonging.hstack(values.drop("subject")).set_sorted("subject")
    return belonging.join(values, on="subject", how="inner").sort("subject")


def _with_events(
    events: Sequence[EventPart], canonical: pl.Series | None, as_of: datetime, few: pl.Series | None
) -> pl.DataFrame:
    """Subjects of profiles with an event at or before as_of; of some subjects, ascending, or of all."""
    parts = [part for part in events if part.rows and (part.min_ts is None or part.min_ts <= as_of)]
    frame = _event_times(parts, few)
    if any(part.max_ts is None or part.max_ts > as_of for part in events):
        frame = frame.filter(pl.col("ts") <= pl.lit(as_of).cast(_INSTANT))
    found = frame.select("subject").unique().collect(engine="streaming").get_column("subject")
    return _profile_subjects(found, canonical).unique().to_frame("subject")


def _first_events(events: Sequence[EventPart], canonical: pl.Series | None, few: pl.Series | None) -> pl.DataFrame:
    """Subjects of profiles with any event, and when the first was in `BORN`; of some subjects, ascending, or of all."""
    times = _event_times([part for part in events if part.rows], few).group_by("subject").agg(pl.col("ts").min())
    found = times.select("subject", pl.col("ts").cast(pl.Int64).alias(BORN)).collect(engine="streaming")
    found = found.with_columns(_profile_subjects(found.get_column("subject"), canonical).alias("subject"))
    return found.group_by("subject").agg(pl.col(BORN).min())


def _event_times(parts: Sequence[EventPart], few: pl.Series | None) -> pl.LazyFrame:
    """``subject``, ``ts`` of events, at least of some subjects, ascending, or of all."""
    frames = [part.held.lazy().select("subject", "ts") for part in parts if part.held is not None]
    paths = []
    for part in parts:
        copy = opened(part) if few is not None and part.held is None else None
        if copy is not None and few is not None:
            frames.append(_mapped_rows(copy, few).lazy())
        elif part.held is None:
            paths.append(part.path)
    if paths:
        frame = pl.scan_parquet(
            paths, glob=False, hive_partitioning=False, extra_columns="ignore", missing_columns="insert"
        )
        frames.append(frame.select("subject", "ts"))
    frame = pl.concat(frames) if frames else pl.LazyFrame(schema={"subject": pl.Int32, "ts": _INSTANT})
    return frame if few is None else frame.filter(pl.col("subject").is_in(few.implode()))


def _mapped_rows(copy: HotFile, subjects: pl.Series) -> pl.DataFrame:
    rows, own = copy.rows_of(subjects.to_numpy())
    return pl.DataFrame([pl.Series("subject", own), pl.Series("ts", copy.instants(rows)).cast(_INSTANT)])


def _states(versions: pl.DataFrame) -> pl.DataFrame:
    """The version of each source row at each instant at which its profile changed."""
    instants = versions.select("subject", pl.col("valid").alias("at")).unique()
    rows = versions.select("subject", "source", "own").unique()
    grid = instants.join(rows, on="subject").sort("at")
    found = versions.drop("subject").sort("valid")
    return grid.join_asof(
        found, left_on="at", right_on="valid", by=["source", "own"], strategy="backward", check_sortedness=False,
        coalesce=False,
    )  # fmt: skip


def _changes_of(grid: pl.DataFrame, trait: str, rule: Survivorship) -> pl.DataFrame:
    value = pl.col(_hidden(trait))
    grid = grid.with_columns(pl.when(~pl.col("gone")).then(value).alias("seen"))
    ordered = grid.sort("subject", "at", "valid", "arrival", "source", nulls_last=False)
    states = ordered.group_by("subject", "at", maintain_order=True).agg(survivor(pl.col("seen"), rule).alias("new"))
    before = states.with_columns(
        pl.col("new").shift(1).over("subject").alias("old"), pl.int_range(pl.len()).over("subject").alias("number")
    )
    changed = before.filter((pl.col("number") > 0) & pl.col("new").ne_missing(pl.col("old")))
    return changed.select(
        "subject",
        pl.col("at").cast(_INSTANT).alias("ts"),
        pl.lit(f"trait:{trait}").alias("source"),
        pl.lit("").alias("event_id"),
        "old",
        "new",
    )
