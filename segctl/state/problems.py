"""The wording of everything that can go wrong with a workspace."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segctl.model.errors import IntegrityError, LocalIOError, SegctlError, TemporaryError, UsageError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def no_workspace(folder: Path) -> UsageError:
    """Nothing was ever stored in this folder."""
    return UsageError("SEG601", f"there is no workspace at `{folder}` yet", hint="run `segctl ingest` first")


def newer_workspace(folder: Path, *, found: int, known: int, written_by: str, running: str) -> UsageError:
    """The workspace's schema is ahead of this program."""
    return UsageError(
        "SEG602",
        f"the workspace at `{folder}` was written by segctl {written_by}; this is segctl {running}",
        why=f"its format is {found}, this version reads up to {known}",
        hint=f"install segctl {written_by} or newer; nothing was changed",
    )


def network_file_system(folder: Path, kind: str, override: str) -> UsageError:
    """The workspace would lie on a file system without reliable locks."""
    return UsageError(
        "SEG603",
        f"the workspace `{folder}` is on a network file system ({kind})",
        why="locks and crash safety are not reliable there",
        hint=f"set `workspace:` in segctl.yaml to a local folder, or {override}=1 to take the risk",
    )


def locked(resource: str, holder: str) -> TemporaryError:
    """Another process holds the lock of a resource."""
    return TemporaryError(
        "SEG604",
        f"`{resource}` is locked by {holder}",
        hint="try again when it has ended, or wait with `--lock-wait 5m`",
    )


def files_changed(folder: Path) -> TemporaryError:
    """Files to be replaced were replaced by somebody else."""
    return TemporaryError(
        "SEG613",
        f"another process replaced files of `{folder}` meanwhile",
        hint="run the command again; nothing was changed",
    )


def run_meanwhile() -> TemporaryError:
    """A run was recorded between the question and the answer."""
    return TemporaryError(
        "SEG546", "another run was recorded meanwhile; nothing was changed", hint="run the command again"
    )


def snapshot_gone(snapshot: int) -> UsageError:
    """A past snapshot lost files to a vacuum."""
    return UsageError(
        "SEG608",
        f"what was known at snapshot {snapshot} is no longer kept",
        why="`segctl compact --vacuum` has deleted files it was made of",
        hint="use a newer run, or `--as-of` with today's knowledge",
    )


def file_missing(path: Path) -> IntegrityError:
    """A file that the database lists is not on disk."""
    return IntegrityError(
        "SEG609",
        f"`{path}` is missing from the workspace",
        hint="restore a backup, or ingest again into a new workspace",
    )


def file_damaged(path: Path) -> IntegrityError:
    """A file is not what was committed."""
    return IntegrityError(
        "SEG615",
        f"`{path}` is damaged: it is not what was stored",
        hint="restore a backup, or ingest again into a new workspace; then look at the disk",
    )


def database_gone(path: Path) -> IntegrityError:
    """Stored files without the database that says what they are."""
    return IntegrityError(
        "SEG616",
        f"`{path}` is missing or empty, but stored files are there",
        why="without it nobody knows what they are; nothing was changed",
        hint="restore a backup of the workspace, or move its folder away and ingest again",
    )


def damaged(path: Path, why: str) -> IntegrityError:
    """The database cannot be read as one of ours."""
    return IntegrityError(
        "SEG610", f"`{path}` is not a sound segctl database", why=why, hint="restore a backup of the workspace"
    )


def unknown_run(text: str) -> UsageError:
    """Nothing on record fits the words given for a run."""
    return UsageError("SEG611", f"there is no run `{text}`", hint="`segctl ls runs` lists them")


def ambiguous_run(text: str, ids: list[str]) -> UsageError:
    """Several runs begin with the given characters."""
    return UsageError(
        "SEG612",
        f"`{text}` fits {len(ids)} runs",
        why="such as " + ", ".join(f"`{i}`" for i in ids[:3]),
        hint="give more characters",
    )


def unknown_identity_run(text: str, known: list[str]) -> UsageError:
    """No run of `dedupe` has that name."""
    hint = f"there is {', '.join(f'`{run}`' for run in known[:5])}" if known else "`segctl dedupe` records one"
    return UsageError("SEG473", f"`{text}` is no run of dedupe that changed anything, and no profile", hint=hint)


def no_membership(segment: str) -> UsageError:
    """A segment that no run in force has evaluated."""
    return UsageError("SEG614", f"no membership of `{segment}` is recorded yet", hint="run `segctl apply` first")


def from_os(error: OSError, folder: Path) -> SegctlError:
    """The error of the operating system in our words; disk full has its own code."""
    number = error.errno if error.errno is not None else _number(error)
    return _from_number(number or 0, str(error.filename or folder), error.strerror or str(error))


def from_polars(error: Exception, folder: Path) -> SegctlError | None:
    """An error of the operating system that Polars has wrapped, in our words; None for any other."""
    number = _number(error)
    return None if number is None else _from_number(number, str(folder), os.strerror(number))


def _number(error: Exception) -> int | None:
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found[1]) if found else None


def _from_number(number: int, place: str, why: str) -> SegctlError:
    if number in _FULL:
        hint = "make room and run the command again"
        return LocalIOError("SEG606", f"no space left to write `{place}`", why=why, hint=hint)
    return LocalIOError("SEG607", f"cannot use `{place}`", why=why)


def from_sqlite(error: sqlite3.Error, database: Path) -> SegctlError:
    """The error of SQLite in our words."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return TemporaryError(
            "SEG605", f"`{database}` is busy", why=text, hint="try again, or wait with `--lock-wait 5m`"
        )
    if "disk is full" in text:
        return LocalIOError(
            "SEG606", f"no space left to write `{database}`", why=text, hint="make room and run the command again"
        )
    if isinstance(error, sqlite3.OperationalError) and "Could not decode" not in text:
        return LocalIOError("SEG607", f"cannot use `{database}`", why=text)
    if isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, sqlite3.IntegrityError | sqlite3.ProgrammingError
    ):
        return damaged(database, text)
    raise error  # a bug of ours: constraint or statement


@contextmanager
def worded(folder: Path) -> Iterator[None]:
    """Turns errors of the operating system and of SQLite inside the block into ours, also those in Polars' clothes."""
    try:
        yield
    except sqlite3.Error as error:
        raise from_sqlite(error, folder / "state.db") from error
    except OSError as error:
        raise from_os(error, folder) from error
    except Exception as error:
        # By name, so that reading a run's size needs no Polars.
        ours = from_polars(error, folder) if type(error).__module__.startswith("polars.") else None
        if ours is None:
            raise
        raise ours from error
