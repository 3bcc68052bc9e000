"""Stored events of a source that give way: to corrections, or to a new reading of all its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segctl.state.files import NewFile, StoredFile

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.fingerprints import Words
    from segctl.connectors.key_index import SortedKeys
    from segctl.state.workspace import Workspace

EVENTS = "events"
_ROWS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Afresh:
    """All files of a source are read again; what came from it before goes.

    Attributes:
        kept: Numbers of earlier inputs whose events stay unless they come again.
    """

    kept: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Replaced:
    """Event files without the rows that give way.

    Attributes:
        add: Files written in place of others.
        remove: Ids of the files that go.
        rows: Rows that are gone.
        keys: Sorted keys of the rows of the source that stay.
    """

    add: list[NewFile]
    remove: list[int]
    rows: int
    keys: list[Words]


def without_source(workspace: Workspace, source: str, afresh: Afresh, again: SortedKeys) -> Replaced:
    """The stored events without those of a source, but for kept ones whose key is not among those read again."""
    import polars as pl

    found = Replaced([], [], 0, [])
    for stored in _files_of(workspace, source):
        gone = pl.col("source") == source
        if afresh.kept:
            keys, doubles = _kept(stored, source, afresh.kept, again)
            found.keys.extend(keys)
            gone &= ~pl.col("file_id").is_in(sorted(afresh.kept)) | pl.col("event_id").is_in(doubles.implode())
        found = _replace(workspace, stored, gone, found)
    return found


def without_events(workspace: Workspace, source: str, event_ids: pl.Series) -> Replaced:
    """The stored events without those of a source that have one of these ids."""
    import polars as pl

    found = Replaced([], [], 0, [])
    gone = (pl.col("source") == source) & pl.col("event_id").is_in(event_ids.implode())
    for stored in _files_of(workspace, source):
        found = _replace(workspace, stored, gone, found)
    return found


def _files_of(workspace: Workspace, source: str) -> list[StoredFile]:
    return [file for file in workspace.files(EVENTS) if source in file.meta.get("sources", {source: 0})]


def _replace(workspace: Workspace, stored: StoredFile, gone: pl.Expr, found: Replaced) -> Replaced:
    add, rows = without_rows(workspace, stored, gone)
    if not rows:
        return found
    return Replaced([*found.add, *add], [*found.remove, stored.id], found.rows + rows, found.keys)


def without_rows(workspace: Workspace, file: StoredFile | NewFile, gone: pl.Expr) -> tuple[list[NewFile], int]:
    """What is left of a file of events, as no file or one, and how many rows go; nothing is written when none do."""
    import polars as pl

    scan = pl.scan_parquet(file.path)
    rows = int(scan.select(gone.sum()).collect(engine="streaming").item())
    if not rows or rows == file.rows:
        return [], rows
    return [_rewritten(workspace, file, scan.filter(~gone), file.rows - rows)], rows


def _rewritten(workspace: Workspace, stored: StoredFile | NewFile, frame: pl.LazyFrame, rows: int) -> NewFile:
    """Never in memory as a whole, since after compaction one file holds all events of a kind."""
    path = workspace.new_file(EVENTS)
    try:
        frame.sink_parquet(path, compression="zstd", compression_level=3, row_group_size=262_144, maintain_order=True)
        return NewFile(path, EVENTS, rows, _meta(stored, path, rows))
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _meta(stored: StoredFile | NewFile, path: Any, rows: int) -> dict[str, Any]:  # noqa: ANN401 - a path
    """Bounds of the file before hold for its part as well; rows are counted anew."""
    import polars as pl

    scan = pl.scan_parquet(path)
    kinds = stored.meta["kinds"]
    has_several = len(kinds) > 1
    return {
        **stored.meta,
        "kinds": _counted(scan, "kind") if has_several else dict.fromkeys(kinds, rows),
        "sources": _counted(scan, "source"),
    }


def _counted(scan: pl.LazyFrame, name: str) -> dict[str, int]:
    import polars as pl

    return dict(scan.group_by(name).agg(pl.len()).sort(name).collect(engine="streaming").iter_rows())


def _kept(stored: StoredFile, source: str, kept: frozenset[int], again: SortedKeys) -> tuple[list[Words], pl.Series]:
    """Keys of the kept rows that do not come again, and ids of those that do."""
    import numpy as np
    import polars as pl

    keys: list[Words] = []
    doubles = [pl.Series("event_id", [], dtype=pl.String)]
    for part in _slices(stored):
        ids = part.filter((pl.col("source") == source) & pl.col("file_id").is_in(sorted(kept)))["event_id"]
        found = event_keys(ids)
        order = np.argsort(found)
        comes_again, _ = again.look_up(found[order])
        keys.append(found[order][~comes_again])
        doubles.append(ids.gather(order[comes_again]))
    return keys, pl.concat(doubles)


def _slices(stored: StoredFile) -> Iterator[pl.DataFrame]:
    import polars as pl

    for start in range(0, stored.rows, _ROWS_AT_ONCE):
        yield pl.scan_parquet(stored.path).select("source", "file_id", "event_id").slice(start, _ROWS_AT_ONCE).collect()


def event_keys(ids: pl.Series) -> Words:
    """The keys that the index knows events by, from their stored ids."""
    import numpy as np
    import polars as pl

    from segctl.connectors.fingerprints import combined
    from segctl.connectors.key_index import occurrence_keys

    keys = combined([ids], ids.len(), seed=3)
    parts = ids.str.extract_groups(r"^~(?<content>\d{1,20})\.\d{1,10}(?:\.(?<number>\d+))?$").struct.unnest()
    contents = parts["content"].cast(pl.UInt64, strict=False)
    by_content = contents.is_not_null().to_numpy()
    if by_content.any():
        numbers = parts["number"].cast(pl.Int64, strict=False).fill_null(0).to_numpy()
        found = occurrence_keys(contents.fill_null(0).to_numpy().astype(np.uint64), numbers)
        keys[by_content] = found[by_content]
    return keys
