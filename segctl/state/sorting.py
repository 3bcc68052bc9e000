"""External sort of event files: any number of rows in bounded memory.

Rows are cut into ranges of subjects that fit into memory, written once to a spill folder by (kind, range), and
sorted range by range into one file per kind. Files that are sorted already are read range by range as they are.
"""

from __future__ import annotations

import shutil
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.state.files import Meta, NewFile, StoredFile

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

EVENTS = "events"
ROW_GROUP = 262_144
_KEYS = ("subject", "ts", "source", "event_id")
_FIRST = (*_KEYS, "file_id", "line")
_BUCKETS = 4096
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Ranges:
    """How the subjects of one kind are cut.

    Attributes:
        first: First subject of every range, ascending, from 0.
    """

    first: tuple[int, ...]

    def of(self, subjects: NDArray[np.int32]) -> NDArray[np.int64]:
        """Number of the range that each subject falls into."""
        import numpy as np

        return np.searchsorted(np.asarray(self.first), subjects, side="right") - 1

    def bounds(self) -> Iterator[tuple[int, int]]:
        """First and last subject of every range, in order."""
        last = [start - 1 for start in self.first[1:]] + [2**31 - 1]
        return zip(self.first, last, strict=True)


@dataclass(slots=True)
class Spill:
    """Rows of tail files by kind and range, on disk.

    Attributes:
        schemas: Columns with at least one value, by kind.
    """

    folder: Path
    ranges: Mapping[str, Ranges]
    schemas: dict[str, dict[str, pl.DataType]] = field(default_factory=lambda: defaultdict(dict))
    _parts: dict[tuple[str, int], list[Path]] = field(default_factory=lambda: defaultdict(list))
    _count: int = 0

    def add(self, batch: pl.DataFrame, kind: str) -> None:
        """Distributes rows of one kind to their ranges."""
        import polars as pl

        ranges = self.ranges[kind]
        if len(ranges.first) == 1:
            self._write(batch, kind, 0)
            return
        number = pl.Series("range", ranges.of(batch["subject"].to_numpy()))
        parts = batch.with_columns(number).partition_by("range", as_dict=True, include_key=False)
        for (place,), part in parts.items():
            self._write(part, kind, int(place))

    def take(self, kind: str, place: int) -> list[pl.DataFrame]:
        """The rows of one range, once: their files are gone afterwards."""
        import polars as pl

        frames = []
        for path in self._parts.pop((kind, place), []):
            frames.append(pl.read_ipc(path))
            path.unlink()
        return frames

    def _write(self, part: pl.DataFrame, kind: str, place: int) -> None:
        # A tail holds the columns of all its kinds; those of other kinds are empty here.
        kept = part.select(c for c in part.columns if c in _FIRST or part[c].null_count() < part.height)
        self.schemas[kind].update(kept.schema)
        path = self.folder / f"{self._count:08}.arrow"
        self._count += 1
        kept.write_ipc(path, compression="lz4")
        self._parts[kind, place].append(path)


def sort_events(
    files: Sequence[StoredFile],
    fresh: Callable[[], Path],
    spill_folder: Path,
    *,
    rows_at_once: int,
    advance: Advance,
) -> tuple[list[NewFile], list[StoredFile]]:
    """New sorted files, one per kind that has unsorted rows or several files, and the files they replace.

    Args:
        files: All event files of a snapshot.
        fresh: Gives a fresh path for each new file.
        spill_folder: An existing folder for intermediate files; emptied as they are used.
        rows_at_once: Rows sorted in memory at once: memory is about 600 bytes times this.
        advance: Told of rows as they are read and as they are written: twice the rows in all.
    """
    replaced = files_to_sort(files)
    involved = [file for file in replaced if file.rows]
    tails = [file for file in involved if not _is_sorted_kind(file)]
    sorted_files: dict[str, list[StoredFile]] = defaultdict(list)
    for file in involved:
        if _is_sorted_kind(file):
            sorted_files[_only_kind(file)].append(file)
    ranges = _ranges(involved, rows_at_once)
    spill = Spill(spill_folder, ranges)
    for file in tails:
        _spill_file(file, spill, rows_at_once, advance)
    made = [_write_kind(kind, spill, sorted_files[kind], fresh(), advance) for kind in sorted(ranges)]
    return made, replaced


def _is_sorted_kind(file: StoredFile) -> bool:
    return bool(file.meta.get("sorted")) and len(file.meta["kinds"]) == 1


def _only_kind(file: StoredFile) -> str:
    return str(next(iter(file.meta["kinds"])))


def files_to_sort(files: Sequence[StoredFile]) -> list[StoredFile]:
    """Tails, and the sorted files of every kind that has rows in a tail or several files; empty ones always."""
    per_kind: dict[str, int] = defaultdict(int)
    for file in files:
        for kind in file.meta["kinds"]:
            # A tail alone is reason enough, so it counts double.
            per_kind[kind] += 1 if _is_sorted_kind(file) else 2
    return [f for f in files if f.rows == 0 or any(per_kind[kind] > 1 for kind in f.meta["kinds"])]


def _ranges(files: Sequence[StoredFile], rows_at_once: int) -> dict[str, Ranges]:
    """Cuts of subjects for every kind so that no range has more rows than fit, a single bucket excepted."""
    import numpy as np
    import polars as pl

    top = max((_largest_subject(file) for file in files), default=0)
    width = top // _BUCKETS + 1
    counts: dict[str, NDArray[np.int64]] = {}
    for file in files:
        bucket = (pl.col("subject") // width).alias("bucket")
        tally = _scan(file).select("kind", bucket).group_by("kind", "bucket").len().collect(engine="streaming")
        for (kind,), part in tally.partition_by("kind", as_dict=True).items():
            line = counts.setdefault(str(kind), np.zeros(_BUCKETS + 1, dtype=np.int64))
            line[part["bucket"].to_numpy()] += part["len"].to_numpy()
    return {kind: cut(line, width, rows_at_once) for kind, line in counts.items()}


def cut(rows: NDArray[np.int64], width: int, rows_at_once: int) -> Ranges:
    """Ranges of whole buckets with at most so many rows; a bucket with more has a range of its own.

    Args:
        rows: Rows in every bucket, the first of which begins at subject 0.
        width: Subjects in a bucket.
        rows_at_once: Rows that fit.
    """
    total = rows.cumsum().tolist()
    first, before = [0], 0
    while total[-1] - before > rows_at_once:
        # The first bucket that no longer fits begins the next range; a bucket is never cut.
        bucket = max(bisect_left(total, before + rows_at_once + 1), first[-1] // width + 1)
        if bucket >= len(total) or total[bucket - 1] == total[-1]:
            break
        first.append(bucket * width)
        before = total[bucket - 1]
    return Ranges(tuple(first))


def _largest_subject(file: StoredFile) -> int:
    import polars as pl

    return int(pl.scan_parquet(file.path).select(pl.col("subject").max()).collect().item() or 0)


def _scan(file: StoredFile) -> pl.LazyFrame:
    """Rows of a file with their kind, written out where the file holds only one."""
    import polars as pl

    frame = pl.scan_parquet(file.path)
    if len(file.meta["kinds"]) == 1:
        return frame.with_columns(pl.lit(_only_kind(file)).alias("kind"))
    return frame


def _spill_file(file: StoredFile, spill: Spill, rows_at_once: int, advance: Advance) -> None:
    for start in range(0, file.rows, rows_at_once):
        batch = _scan(file).slice(start, rows_at_once).collect()
        for (kind,), part in batch.partition_by("kind", as_dict=True, include_key=False).items():
            spill.add(part, str(kind))
        advance(batch.height)


def _write_kind(kind: str, spill: Spill, sorted_files: Sequence[StoredFile], path: Path, advance: Advance) -> NewFile:
    """One sorted file of one kind, written range by range."""
    from polars.io.plugins import register_io_source

    facts = Facts()
    schema = _schema(spill.schemas[kind], sorted_files)

    def ranges(
        _columns: list[str] | None, _predicate: pl.Expr | None, _rows: int | None, _batch: int | None
    ) -> Iterator[pl.DataFrame]:
        for place, (low, high) in enumerate(spill.ranges[kind].bounds()):
            rows = _gather(spill.take(kind, place), sorted_files, low, high, schema)
            if rows.height:
                ordered, is_unique = in_event_order(rows)
                facts.add(ordered, is_unique=is_unique)
                yield ordered
                advance(rows.height)

    try:
        register_io_source(ranges, schema=schema).sink_parquet(
            path, compression="zstd", compression_level=3, row_group_size=ROW_GROUP, maintain_order=True
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return NewFile(path, EVENTS, facts.rows, facts.meta(kind, list(schema)))


def _schema(found: Mapping[str, pl.DataType], sorted_files: Sequence[StoredFile]) -> dict[str, pl.DataType]:
    """Columns of the new file: keys and lineage first, then properties by name."""
    import polars as pl

    columns = dict(found)
    for file in sorted_files:
        columns.update(pl.read_parquet_schema(file.path))
    columns.pop("kind", None)
    names = [name for name in _FIRST if name in columns] + sorted(set(columns) - set(_FIRST))
    return {name: columns[name] for name in names}


def _gather(
    parts: list[pl.DataFrame], sorted_files: Sequence[StoredFile], low: int, high: int, schema: dict[str, pl.DataType]
) -> pl.DataFrame:
    import polars as pl

    inside = pl.col("subject").is_between(low, high)
    there = [pl.scan_parquet(file.path).filter(inside).collect() for file in sorted_files]
    rows = pl.concat([pl.DataFrame(schema=schema), *parts, *there], how="diagonal")
    return rows.select(list(schema))


def in_event_order(rows: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """Rows by (subject, ts, source, event_id), text by code point; and whether (subject, ts) alone is unique.

    Text is compared only where subject and time are equal, which is rare: that makes it several times quicker.
    """
    import numpy as np
    import polars as pl

    order = rows.select(pl.arg_sort_by("subject", "ts", maintain_order=True)).to_series().to_numpy().copy()
    subject, ts = rows["subject"].to_numpy()[order], rows["ts"].to_physical().to_numpy()[order]
    same = (subject[1:] == subject[:-1]) & (ts[1:] == ts[:-1])
    if not same.any():
        return rows[order], True
    tied = np.flatnonzero(np.concatenate([same, [False]]) | np.concatenate([[False], same]))
    among = rows.select(_KEYS)[order[tied]]
    order[tied] = order[tied][among.select(pl.arg_sort_by(*_KEYS, maintain_order=True)).to_series().to_numpy()]
    return rows[order], False


@dataclass(slots=True)
class Facts:
    """What a file's meta says, gathered while it is written."""

    rows: int = 0
    unique_ts: bool = True
    min_ts: int | None = None
    max_ts: int | None = None
    max_abs: dict[str, int] = field(default_factory=dict)
    sources: dict[str, int] = field(default_factory=dict)

    def add(self, rows: pl.DataFrame, *, is_unique: bool) -> None:
        """Takes in the next rows; no subject may come in two calls if `unique_ts` is to hold."""
        ts = rows["ts"].to_physical()
        self.rows += rows.height
        self.unique_ts &= is_unique
        self.min_ts = min(self.min_ts if self.min_ts is not None else ts.min(), ts.min())  # type: ignore[type-var,assignment]  # integers
        self.max_ts = max(self.max_ts if self.max_ts is not None else ts.max(), ts.max())  # type: ignore[type-var,assignment]  # integers
        for source, count in rows["source"].value_counts().iter_rows():
            self.sources[source] = self.sources.get(source, 0) + count
        for name in rows.columns:
            if ":" in name and rows[name].dtype.is_integer():
                self.max_abs[name] = max(self.max_abs.get(name, 0), _largest(rows[name]))

    def meta(self, kind: str, columns: list[str]) -> Meta:
        """As the contract of event files asks for."""
        about: dict[str, Any] = {
            "kinds": {kind: self.rows},
            "columns": columns,
            "sorted": True,
            "unique_ts": self.unique_ts,
            "min_ts": self.min_ts,
            "max_ts": self.max_ts,
            "max_abs": self.max_abs,
            "sources": self.sources,
        }
        return about


def _largest(values: pl.Series) -> int:
    # In Python: the absolute value of the smallest 64-bit integer does not fit into 64 bits.
    low, high = values.min(), values.max()
    return 0 if low is None or high is None else max(abs(int(low)), abs(int(high)))  # type: ignore[arg-type]  # integers


def clear(folder: Path) -> None:
    """Removes what an interrupted sort has left."""
    shutil.rmtree(folder, ignore_errors=True)
