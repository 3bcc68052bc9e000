"""Look at the machine, the installation and the project, and say what would get in the way."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from segctl.compile.project import load_project
from segctl.model.diagnostics import has_errors
from segctl.model.errors import SegctlError
from segctl.model.project import Project

ENGINES = ("polars", "narwhals", "numpy")
OPTIONAL_ENGINES = {"duckdb": "pip install 'segctl[duckdb]'", "fastexcel": "pip install 'segctl[excel]'"}
LEAST_FREE_BYTES = 1_000_000_000
OLDEST_NOW = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: Such as ``python``.
        status: ``problem`` gets in the way, ``note`` may, ``ok`` does not.
        detail: What was found.
        hint: What to do about it.
    """

    name: str
    status: Literal["ok", "note", "problem"]
    detail: str
    hint: str | None = None


def examine(start: Path, *, env: str | None, now: datetime, deep: bool = False) -> list[Check]:
    """Every check, in the order of reading; nothing is left behind on disk.

    Args:
        start: Where the search for the project begins.
        env: Environment to look at.
        now: The instant the clock shows.
        deep: Read all stored files and compare their checksums.
    """
    found = [_python(), *_packages(), Check("sqlite", "ok", sqlite3.sqlite_version)]
    found += [_zones("time zones", "Europe/Berlin"), _clock(now)]
    project, check = _project(start, env)
    found.append(check)
    if project is None:
        return [*found, _disk(start)]
    workspace = Path(project.workspace)
    found += [_zones("project zone", project.timezone), _writable(workspace), *_file_system(workspace)]
    return [*found, *_age(workspace, now), *_stored(workspace, deep=deep), _disk(workspace)]


def _python() -> Check:
    return Check("python", "ok", f"{sys.version.split()[0]} on {sys.platform}")


def _packages() -> Iterator[Check]:
    yield _package("segctl", needed=True, hint="install it with pip")
    for name in ENGINES:
        yield _package(name, needed=True, hint="reinstall with `pip install --force-reinstall segctl`")
    for name, hint in OPTIONAL_ENGINES.items():
        yield _package(name, needed=False, hint=hint)


def _package(name: str, *, needed: bool, hint: str) -> Check:
    try:
        import_module(name)
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == name
        status: Literal["note", "problem"] = "problem" if needed or not missing else "note"
        return Check(name, status, "not installed" if missing else f"cannot be loaded: {error}", hint)
    try:
        return Check(name, "ok", version(name))
    except PackageNotFoundError:
        return Check(name, "ok", "from a folder, not installed")


def _zones(name: str, zone: str) -> Check:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return Check(name, "problem", f"no data for {zone}", "install it with `pip install tzdata`")
    return Check(name, "ok", zone)


def _clock(now: datetime) -> Check:
    text = now.isoformat(timespec="seconds")
    if now < OLDEST_NOW:
        return Check("clock", "problem", text, "set the clock: every `within_last` depends on it")
    return Check("clock", "ok", text)


def _project(start: Path, env: str | None) -> tuple[Project | None, Check]:
    try:
        project, findings = load_project(start, env)
    except SegctlError as error:
        return None, Check("project", "problem", error.message, error.hint or "start one with `segctl init`")
    if has_errors(findings):
        return project, Check("project", "problem", f"{project.name} has errors", "see `segctl config validate`")
    return project, Check("project", "ok", f"{project.name}, environment {project.environment}")


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next((p for p in (folder, *folder.parents) if p.is_dir()), Path())


def _writable(workspace: Path) -> Check:
    place = _existing(workspace)
    try:
        with tempfile.TemporaryFile(dir=place) as trial:
            trial.write(b"segctl")
            trial.flush()
            os.fsync(trial.fileno())
    except OSError as error:
        reason = (error.strerror or "cannot be written").lower()
        return Check("workspace", "problem", f"{workspace}: {reason}", "choose another `workspace:` in segctl.yaml")
    text = str(workspace) if workspace.is_dir() else f"{workspace} (made by the first ingest)"
    return Check("workspace", "ok", text)


def _file_system(workspace: Path) -> Iterator[Check]:
    from segctl.state import mounts

    kind = mounts.file_system(_existing(workspace))
    if kind is not None and mounts.is_network(kind):
        yield Check("file system", "problem", f"{kind} is a network file system", "put the workspace on a local disk")
    elif kind is not None:
        yield Check("file system", "ok", kind)


def _age(workspace: Path, now: datetime) -> Iterator[Check]:
    """A workspace from the future means that the clock went back."""
    database = workspace / "state.db"
    if database.exists():
        changed = datetime.fromtimestamp(database.stat().st_mtime, UTC)
        if changed > now + timedelta(minutes=5):
            text = f"last changed {changed.isoformat(timespec='seconds')}, after now"
            yield Check("workspace age", "problem", text, "set the clock")


def _stored(workspace: Path, *, deep: bool) -> Iterator[Check]:
    """Whether what was stored is still there, by the database's own check and the sizes or checksums of all files."""
    from segctl.state.integrity import lost_files
    from segctl.state.workspace import Workspace

    if not (workspace / "files").exists() and not (workspace / "state.db").exists():
        return
    try:
        with Workspace.open(workspace) as opened:
            files, lost = lost_files(opened, deep=deep)
    except SegctlError as error:
        yield Check("stored data", "problem", error.message, error.hint)
        return
    if lost:
        text = f"{len(lost)} of {files:,} files are missing or damaged, such as {lost[0]}"
        yield Check("stored data", "problem", text, "restore a backup, or ingest again into a new workspace")
    else:
        yield Check("stored data", "ok", f"{files:,} files" + (", each as it was written" if deep else ""))


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(_existing(folder)).free
    text = f"{free / 1e9:,.1f} GB free"
    if free < LEAST_FREE_BYTES:
        return Check("disk", "problem", text, "free some space: ingest and compact need room")
    return Check("disk", "ok", text)
