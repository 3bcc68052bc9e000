"""The folder of mapped copies: files that can be made again at any time, named after the event file they copy.

A copy appears under its name only when it is whole and on disk. Nobody needs one: who finds none reads the event file.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.state import problems
from segctl.state.files import flush

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace

FOLDER = "hot"
LOCK = "hot"
NAMES = ".names"
"""How copies of files of subjects end; see `state.names`."""
_SUFFIX = ".hot"
_UNDER_WAY = ".part"


def hot_path(workspace: Workspace, source: Path, columns: Collection[str], *, version: int) -> Path:
    """Where the copy of an event file with some columns stands, or would stand."""
    digest = hashlib.sha256(json.dumps([version, sorted(columns)]).encode()).hexdigest()[:16]
    return workspace.folder / FOLDER / f"{source.stem}.{digest}{_SUFFIX}"


def hot_paths(workspace: Workspace) -> dict[str, list[Path]]:
    """All copies, the newest first, by the name (without ending) of the file they copy."""
    found: dict[str, list[tuple[float, Path]]] = {}
    folder = workspace.folder / FOLDER
    if folder.is_dir():
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(_SUFFIX):
                    at = (entry.stat().st_mtime, Path(entry.path))
                    found.setdefault(entry.name.partition(".")[0], []).append(at)
    return {stem: [path for _, path in sorted(paths, reverse=True)] for stem, paths in found.items()}


def place(workspace: Workspace, target: Path, write: Callable[[Path], None]) -> None:
    """Has a copy written aside, and gives it its name once it is on disk; call it under the lock.

    Raises:
        LocalIOError: Disk full or not writable.
    """
    aside = target.with_name(f"{uuid.uuid4().hex}{_UNDER_WAY}")
    with problems.worded(workspace.folder):
        target.parent.mkdir(exist_ok=True)
        try:
            write(aside)
            flush(aside)
            aside.rename(target)
            flush(target.parent)
        finally:
            aside.unlink(missing_ok=True)


def expect(workspace: Workspace) -> None:
    """Has the newest copies read ahead where the system does so, for one who will soon look here and there in them."""
    if not hasattr(os, "posix_fadvise"):
        return
    for newest, *_ in hot_paths(workspace).values():
        with suppress(OSError):
            handle = os.open(newest, os.O_RDONLY)
            try:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_WILLNEED)
            finally:
                os.close(handle)


def discard(paths: Iterable[Path]) -> int:
    """Deletes copies; gives their bytes. Who has one mapped keeps it."""
    freed = 0
    for path in paths:
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            continue
        freed += size
    return freed


def tidy(workspace: Workspace) -> int:
    """Deletes copies of files that are gone, and what killed builders left; gives the bytes.

    Call it under the lock, so that nothing under way is taken for a leftover.
    """
    folder = workspace.folder / FOLDER
    if not folder.is_dir():
        return 0
    rows = workspace.query("SELECT path FROM files WHERE dataset IN ('events', 'subjects') AND vacuumed IS NULL")
    alive = {str(row["path"]).rpartition("/")[2].partition(".")[0] for row in rows}
    gone = [path for stem, paths in hot_paths(workspace).items() if stem not in alive for path in paths]
    gone += [path for path in folder.glob(f"*{NAMES}") if path.stem not in alive]
    return discard([*gone, *folder.glob(f"*{_UNDER_WAY}")])
