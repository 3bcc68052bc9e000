"""Whether the stored files are still what was committed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.state import problems
from segctl.state.files import FILES

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace


def has_files(folder: Path) -> bool:
    """True when files of data lie in a workspace's folder, whatever its database says."""
    return any(names for _, _, names in os.walk(folder / FILES))


def lost_files(workspace: Workspace) -> tuple[int, list[Path]]:
    """How many files are current, and those of them that are not on disk with the size they had.

    Raises:
        IntegrityError: The database's pages do not fit together.
    """
    found = workspace.query("PRAGMA quick_check(1)")[0][0]
    if found != "ok":
        raise problems.damaged(workspace.folder / "state.db", str(found))
    files = _current(workspace)
    return len(files), [path for path, size in files if not has_size(path, size)]


def damaged_file(workspace: Workspace) -> Path | None:
    """The first current file that is not on disk, has lost bytes or cannot be read to its end; None when all are sound.

    Reads every column of every current file, so it is for those who already know that something is wrong.
    """
    files = _current(workspace)
    return next((path for path, size in files if not has_size(path, size) or not _is_readable(path)), None)


def has_size(path: Path, size: int) -> bool:
    """True when the file is there with as many bytes as were committed."""
    try:
        return os.stat(path).st_size == size
    except OSError:
        return False


def _current(workspace: Workspace) -> list[tuple[Path, int]]:
    rows = workspace.query("SELECT path, bytes FROM files WHERE removed IS NULL ORDER BY id")
    return [(workspace.folder / row["path"], int(row["bytes"])) for row in rows]


def _is_readable(path: Path) -> bool:
    import polars as pl

    if path.suffix != ".parquet":
        return True
    try:
        pl.scan_parquet(path).select(pl.len().alias(":rows"), pl.all().count()).collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError):
        return False
    return True
