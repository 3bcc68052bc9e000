"""Which subjects are one person: a small versioned array, applied when events are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.files import NewFile
    from segctl.state.workspace import Workspace

DATASET = "identity"


def canonical(workspace: Workspace, snapshot: int | None = None) -> pl.Series | None:
    """Subject → subject of its profile, Int32, position = subject; None when every subject is its own profile.

    Subjects that came after the array was made stand for themselves.
    """
    files = workspace.files(DATASET, snapshot)
    if not files:
        return None
    import polars as pl

    from segctl.state.subjects import subject_count

    merged = pl.read_parquet(files[-1].path)["canonical"]
    later = pl.int_range(merged.len(), subject_count(workspace, snapshot), dtype=pl.Int32, eager=True)
    return merged.append(later)


def write_canonical(workspace: Workspace, array: pl.Series) -> tuple[NewFile, list[int]]:
    """A new version of the array, and the ids of the files it replaces, for `Workspace.commit`."""
    import polars as pl

    new = workspace.write(DATASET, pl.DataFrame({"canonical": array.cast(pl.Int32)}))
    return new, [file.id for file in workspace.files(DATASET)]
