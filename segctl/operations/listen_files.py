"""Files of accepted requests that nobody needs any more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.model.errors import SegctlError
from segctl.model.fetching_collector import CollectorFetch

if TYPE_CHECKING:
    from segctl.model.project import Project
    from segctl.model.sources import Source
    from segctl.state.workspace import Workspace

_REMEMBERED = timedelta(days=31)
"""Indexes of signed requests stay as long at least, also when no source needs them any more."""


def forget_collected(project: Project, workspace: Workspace, sources: Mapping[str, Source], *, now: datetime) -> int:
    """Deletes files that are older than `keep_landed` and that every source has read.

    The newest file always stays, since the next one's name follows from it.

    Args:
        project: With its settings.
        workspace: Where the files and the places of the sources stand.
        sources: All declared ones.
        now: Present time, aware.

    Returns:
        How many files are gone.
    """
    from segctl.connectors.collector.files import SEEN, TORN, collected_files, collector_folder

    folder = collector_folder(Path(project.workspace))
    names = collected_files(folder)
    if not names:
        return 0
    oldest = now - timedelta(days=project.keep_landed_days)
    read = _read_by_all(workspace, sources)
    gone = 0
    for name in names[:-1]:
        path = folder / name
        if read is not None and name < read and _modified(path, now) < oldest:
            path.unlink(missing_ok=True)
            (folder / f"{name}{TORN}").unlink(missing_ok=True)
            gone += 1
    longest = max((fetch.remember_s for fetch in _fetches(sources)), default=0.0)
    for index in folder.glob(f"*{SEEN}"):
        if _modified(index, now) < now - max(_REMEMBERED, timedelta(seconds=longest)):
            index.unlink(missing_ok=True)
    return gone


def _fetches(sources: Mapping[str, Source]) -> list[CollectorFetch]:
    return [of.fetch for of in sources.values() if isinstance(of.fetch, CollectorFetch)]


def _read_by_all(workspace: Workspace, sources: Mapping[str, Source]) -> str | None:
    """Name of the file in which the slowest source stands; None while one has read nothing, or none is declared.

    A source has read what an ingest or a stream took for it, whichever came further.
    """
    names = [name for name, of in sources.items() if isinstance(of.fetch, CollectorFetch)]
    files = [_reached(workspace, name) for name in names]
    return min(files) if files and all(files) else None


def _reached(workspace: Workspace, source: str) -> str:
    from segctl.state.bookmarks import bookmark
    from segctl.state.stream_log import place_of

    mark, streamed = bookmark(workspace, source), place_of(workspace, f"collector:{source}")
    ingested = mark.cursor if mark is not None else None
    places = [ingested or {}, {} if streamed is None else json.loads(streamed.position)]
    return max(str(place.get("file", "")) for place in places)


def _modified(path: Path, now: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, now.tzinfo)
    except FileNotFoundError:
        return now


def forget_quietly(project: Project, workspace: Workspace, *, now: datetime) -> None:
    """`forget_collected` at the end of an ingest: what cannot be deleted now is deleted the next time."""
    from segctl.compile.sources import load_sources
    from segctl.connectors.collector.files import collector_folder

    if collector_folder(Path(project.workspace)).is_dir():
        with suppress(SegctlError, OSError):
            forget_collected(project, workspace, load_sources(project)[0], now=now)
