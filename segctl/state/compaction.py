"""Merging small files into large ones; readers keep the files they began with, writers go on meanwhile."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.state import problems
from segctl.state.changes import CHANGES
from segctl.state.files import Meta, NewFile, StoredFile
from segctl.state.links import DATASET as LINKS
from segctl.state.sorting import EVENTS, ROW_GROUP, clear, files_to_sort, sort_events
from segctl.state.subjects import DATASET as SUBJECTS
from segctl.state.subjects import scan_subjects

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.workspace import Workspace

LOCK = "compact"
SPILL = "spill"
_CHANGE_RUNS = 50
_ROWS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Compacted:
    """What became of one dataset."""

    dataset: str
    rows: int
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int


def compact(
    workspace: Workspace,
    *,
    advance: Callable[[int], None] | None = None,
    rows_at_once: int = _ROWS_AT_ONCE,
    change_runs: int = _CHANGE_RUNS,
) -> list[Compacted]:
    """Merges what has piled up; datasets that are tidy are left alone.

    Event tails become one file per kind, sorted by (subject, ts, source, event_id); records (all versions),
    subjects, and the changes of every `change_runs` runs become one file each. Old files stay on disk for those
    who read them, until `vacuum`. Interrupted at any moment, everything is as it was before.

    Args:
        workspace: Where.
        advance: Told how many rows of events were read or written since the last call.
        rows_at_once: Rows of events to sort in memory at once.
        change_runs: Runs whose changes go into one file.

    Raises:
        TemporaryError: Another process compacts this workspace.
    """
    with workspace.lock(LOCK):
        done = [
            _compact_events(workspace, advance or (lambda _rows: None), rows_at_once),
            *(_merge(workspace, dataset, _concat) for dataset in _versioned(workspace)),
            _merge(workspace, SUBJECTS, scan_subjects),
            _merge(workspace, LINKS, _concat),
            *(_merge_changes(workspace, group) for group in _change_groups(workspace, change_runs)),
        ]
    return [part for part in done if part is not None]


@dataclass(frozen=True, slots=True)
class Pending:
    """Files of one dataset that `compact` would replace."""

    dataset: str
    files: int
    rows: int
    bytes: int


def pending(workspace: Workspace, *, change_runs: int = _CHANGE_RUNS) -> list[Pending]:
    """What `compact` would do now; reads no file."""
    several = [(name, workspace.files(name)) for name in (*_versioned(workspace), SUBJECTS, LINKS)]
    found = [
        (EVENTS, files_to_sort(workspace.files(EVENTS))),
        *((name, files) for name, files in several if len(files) > 1),
        (CHANGES, [file for group in _change_groups(workspace, change_runs) for file in group]),
    ]
    return [
        Pending(name, len(files), sum(f.rows for f in files), sum(f.bytes for f in files))
        for name, files in found
        if files
    ]


def _versioned(workspace: Workspace) -> list[str]:
    """Datasets of versions: records of profiles, and rows of related tables."""
    return [*workspace.datasets("records/"), *workspace.datasets("related/")]


def _compact_events(workspace: Workspace, advance: Callable[[int], None], rows_at_once: int) -> Compacted | None:
    files = workspace.files(EVENTS)
    # The lock is ours, so whatever lies here belongs to a process that was killed.
    clear(workspace.folder / SPILL)
    spill = workspace.folder / SPILL / uuid.uuid4().hex
    with problems.worded(workspace.folder):
        spill.mkdir(parents=True)
        try:
            made, replaced = sort_events(
                files, lambda: workspace.new_file(EVENTS), spill, rows_at_once=rows_at_once, advance=advance
            )
        finally:
            clear(workspace.folder / SPILL)
    return _swap(workspace, EVENTS, made, replaced) if replaced else None


def _merge(
    workspace: Workspace, dataset: str, scan: Callable[[Sequence[StoredFile]], pl.LazyFrame]
) -> Compacted | None:
    """One file of several, rows in the same order."""
    files = workspace.files(dataset)
    if len(files) < 2:
        return None
    path = workspace.new_file(dataset)
    with problems.worded(workspace.folder):
        scan(files).sink_parquet(
            path, compression="zstd", compression_level=3, row_group_size=ROW_GROUP, maintain_order=True
        )
    rows = sum(file.rows for file in files)
    return _swap(workspace, dataset, [NewFile(path, dataset, rows, merged_meta([f.meta for f in files]))], files)


def _concat(files: Sequence[StoredFile]) -> pl.LazyFrame:
    import polars as pl

    return pl.concat([pl.scan_parquet(file.path) for file in files], how="diagonal")


def _change_groups(workspace: Workspace, change_runs: int) -> list[list[StoredFile]]:
    """Whole groups of runs; the newest runs stay apart, since they are asked for most."""
    single = [file for file in workspace.files(CHANGES) if file.meta["runs"][0] == file.meta["runs"][1]]
    single.sort(key=lambda file: int(file.meta["runs"][0]))
    return [single[n : n + change_runs] for n in range(0, len(single) - change_runs, change_runs)]


def _merge_changes(workspace: Workspace, files: Sequence[StoredFile]) -> Compacted:
    import polars as pl

    rows = pl.concat([pl.read_parquet(file.path) for file in files]).sort("subject", "segment", "run")
    span = [files[0].meta["runs"][0], files[-1].meta["runs"][1]]
    return _swap(workspace, CHANGES, [workspace.write(CHANGES, rows, {"runs": span})], files)


def _swap(workspace: Workspace, dataset: str, made: Sequence[NewFile], replaced: Sequence[StoredFile]) -> Compacted:
    bytes_after = sum(file.path.stat().st_size for file in made)
    workspace.commit("compact", add=made, remove=[file.id for file in replaced], note={"dataset": dataset})
    return Compacted(
        dataset,
        sum(file.rows for file in made),
        len(replaced),
        len(made),
        sum(file.bytes for file in replaced),
        bytes_after,
    )


def merged_meta(metas: Sequence[Meta]) -> Meta:
    """What holds for all rows of several files together.

    Columns are united, counts are added, ``min_*`` and ``first`` take the smallest and ``max_*`` the largest;
    anything else is kept where all files agree.
    """
    merged: Meta = {}
    for name in sorted(set().union(*metas)):
        values = [meta[name] for meta in metas if meta.get(name) is not None]
        merged_value = _merged_value(name, values)
        if merged_value is not None and (len(values) == len(metas) or name == "columns" or isinstance(values[0], dict)):
            merged[name] = merged_value
    return merged


def _merged_value(name: str, values: list[object]) -> object:
    if not values:
        return None
    if name == "columns":
        return list(dict.fromkeys(column for value in values for column in value))  # type: ignore[attr-defined]  # lists
    if all(isinstance(value, dict) for value in values):
        pick = max if name.startswith("max_") else sum
        keys = dict.fromkeys(key for value in values for key in value)  # type: ignore[attr-defined]  # dictionaries
        return {key: pick([value[key] for value in values if key in value]) for key in keys}  # type: ignore[index,operator]  # `value` is a mapping here
    if name == "first" or name.startswith("min_"):
        return min(values)  # type: ignore[type-var]  # numbers
    if name.startswith("max_"):
        return max(values)  # type: ignore[type-var]  # numbers
    if all(type(value) is int for value in values):
        return sum(values)  # type: ignore[arg-type]  # integers
    return values[0] if all(value == values[0] for value in values) else None
