"""The spool of a fetch: records that have come in, durable page by page, until all of them are ingested.

Two files in a folder of the workspace: the records, which only grow, and a sidecar that says how many bytes of them
count and where to go on. The sidecar is replaced in one step after the records are safe, so a fetch that is killed
loses at most the page it was waiting for.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from segctl.state import problems
from segctl.state.files import flush, folder_name

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace

SPOOL = "spool"
RECORDS = "records.ndjson"
SIDECAR = "position.json"
_PIECE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SpoolState:
    """How far a fetch has come.

    Attributes:
        fetch: Its id, unique for ever.
        place: What it asks; with another place it cannot go on.
        began: When it began, UTC, ISO 8601.
        since: The user's word for where it begins, None without.
        limit: The user's limit of records, None without.
        whole: It asks for everything, not only for what is new.
        start: Cursor from which it asks for what is new; None asks for everything.
        bytes: So many bytes of the records count.
        records: So many lines are in them.
        pages: So many pages came.
        position: Where to go on; None at the start, or at the end.
        cursor: Incremental cursor so far.
        is_complete: Nothing follows.
        refused: Digest of the declaration that could not take these records; None when nobody tried.
    """

    fetch: str
    place: str
    began: str
    since: str | None = None
    limit: int | None = None
    whole: bool = False
    start: Any = None
    bytes: int = 0
    records: int = 0
    pages: int = 0
    position: Any = None
    cursor: Any = None
    is_complete: bool = False
    refused: str | None = None


@dataclass(slots=True)
class Spool:
    """The spool of one source, held by whoever holds the source's lock.

    Attributes:
        folder: Its folder.
        state: What counts.
    """

    folder: Path
    state: SpoolState

    @property
    def path(self) -> Path:
        """The records, as NDJSON."""
        return self.folder / RECORDS

    @contextmanager
    def writing(self) -> Iterator[Appender]:
        """Pages may be added inside the block; what an interrupted writer left behind its last page is cut off."""
        with problems.worded(self.folder), self.path.open("r+b") as stream:
            stream.truncate(self.state.bytes)
            stream.seek(self.state.bytes)
            yield Appender(self, stream)

    def save(self, state: SpoolState) -> None:
        """Makes a state durable; the records must be already."""
        text = json.dumps(asdict(state), sort_keys=True)
        fresh = self.folder / f".{SIDECAR}"
        with problems.worded(self.folder):
            with fresh.open("w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(self.folder / SIDECAR)
            flush(self.folder)
        self.state = state

    def copied(self, folder: Path, fetch: str) -> Spool:
        """The same records as a spool of their own, with the same state but for its id; durable when this returns."""
        other = new_spool(folder, replace(self.state, fetch=fetch, bytes=0, records=0, pages=0, is_complete=False))
        left = self.state.bytes
        with problems.worded(folder), self.path.open("rb") as found, other.path.open("wb") as stream:
            while left and (piece := found.read(min(left, _PIECE_BYTES))):
                stream.write(piece)
                left -= len(piece)
            stream.flush()
            os.fsync(stream.fileno())
        other.save(replace(self.state, fetch=fetch))
        return other

    def discard(self) -> None:
        """Deletes it; the sidecar goes first, so that no half spool can be taken for a whole one."""
        with problems.worded(self.folder):
            (self.folder / SIDECAR).unlink(missing_ok=True)
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(slots=True)
class Appender:
    """An open spool."""

    spool: Spool
    _stream: IO[bytes]

    def add(self, lines: bytes, count: int, *, position: Any, cursor: Any, is_complete: bool) -> None:  # noqa: ANN401 - JSON values
        """Adds one page; it is durable when this returns."""
        before = self.spool.state
        if lines:
            self._stream.write(lines)
            self._stream.flush()
            os.fsync(self._stream.fileno())
        self.spool.save(
            replace(
                before,
                bytes=before.bytes + len(lines),
                records=before.records + count,
                pages=before.pages + 1,
                position=position,
                cursor=cursor,
                is_complete=is_complete,
            )
        )


def spool_folder(workspace: Workspace, source: str) -> Path:
    """Folder of a source's spool, there or not."""
    return workspace.folder / SPOOL / folder_name(source)


def found_spool(folder: Path) -> Spool | None:
    """The spool that an earlier fetch left in a folder, None when there is none or it cannot be trusted."""
    try:
        state = SpoolState(**json.loads((folder / SIDECAR).read_text(encoding="utf-8")))
        size = (folder / RECORDS).stat().st_size
    except (OSError, ValueError, TypeError):
        return None
    return Spool(folder, state) if size >= state.bytes else None


def new_spool(folder: Path, state: SpoolState) -> Spool:
    """An empty spool in the place of whatever was in `folder`."""
    with problems.worded(folder):
        spool = Spool(folder, state)
        spool.discard()
        folder.mkdir(parents=True, mode=0o700)
        spool.path.touch()
        for above in (folder.parent, folder.parent.parent):
            flush(above)
        spool.save(state)
    return spool
