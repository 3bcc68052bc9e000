"""Whether the stored files are still what was committed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.state import problems
from segctl.state.files import FILES, crc32

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace


def has_files(folder: Path) -> bool:
    """True when files of data lie in a workspace's folder, whatever its database says."""
    return any(names for _, _, names in os.walk(folder / FILES))


def lost_files(workspace: Workspace, *, deep: bool = False) -> tuple[int, list[Path]]:
    """How many files are current, and those of them that are not on disk with the size they had.

    Args:
        workspace: Whose files.
        deep: Read every file and compare its checksum, too.

    Raises:
        IntegrityError: The database's pages do not fit together.
    """
    found = workspace.query("PRAGMA quick_check(1)")[0][0]
    if found != "ok":
        raise problems.damaged(workspace.folder / "state.db", str(found))
    files = _current(workspace)
    sound = _is_unchanged if deep else _has_size
    return len(files), [file.path for file in files if not sound(file)]


def damaged_file(workspace: Workspace) -> Path | None:
    """The first current file that is not on disk, has lost bytes or cannot be read to its end; None when all are sound.

    Reads every column of every current file, so it is for those who already know that something is wrong.
    """
    files = _current(workspace)
    return next((file.path for file in files if not _is_unchanged(file) or not _is_readable(file.path)), None)


def has_size(path: Path, size: int) -> bool:
    """True when the file is there with as many bytes as were committed."""
    try:
        return os.stat(path).st_size == size
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class _Committed:
    """A file as it was committed; the checksum is None for files older than checksums."""

    path: Path
    bytes: int
    crc32: int | None


def _current(workspace: Workspace) -> list[_Committed]:
    rows = workspace.query("SELECT path, bytes, crc32 FROM files WHERE removed IS NULL ORDER BY id")
    return [_Committed(workspace.folder / row["path"], row["bytes"], row["crc32"]) for row in rows]


def _has_size(file: _Committed) -> bool:
    return has_size(file.path, file.bytes)


def _is_unchanged(file: _Committed) -> bool:
    if not _has_size(file):
        return False
    try:
        return file.crc32 is None or crc32(file.path) == file.crc32
    except OSError:
        return False


def _is_readable(path: Path) -> bool:
    import polars as pl

    if path.suffix != ".parquet":
        return True
    try:
        pl.scan_parquet(path).select(pl.len().alias(":rows"), pl.all().count()).collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError):
        return False
    return True
