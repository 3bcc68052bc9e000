"""The ledger of what was ingested, so that an unchanged input is skipped and every row finds its file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace


STANDARD_INPUT = "-"


@dataclass(frozen=True, slots=True)
class IngestedInput:
    """One input file as it was once read.

    Attributes:
        id: Number that rows carry as ``file_id``.
        path: As the source named it.
        digest: Hex SHA-256 of the bytes as delivered; empty when it was begun and its bytes never gone through.
        modified: Seconds since the epoch by the file system; None for standard input.
        rows: Rows found; None when it was begun and never finished.
        good: Rows that became records or events.
        bad: Rows in quarantine.
        note: Whatever else is worth keeping, such as the detected encoding.
        seen: When it was begun, UTC, ISO 8601.
        commit: Commit that brought its rows; None when it was begun and never finished.
    """

    id: int
    source: str
    path: str
    digest: str
    size: int
    modified: float | None
    rows: int | None
    good: int | None
    bad: int | None
    note: dict[str, Any] = field(default_factory=dict)
    seen: str = ""
    commit: int | None = None


def begin_input(
    workspace: Workspace, source: str, path: str, *, digest: str, size: int, modified: float | None = None
) -> int:
    """A number for an input that is about to be read; it counts as ingested only after `finish_input`."""
    with workspace.transaction() as db:
        cursor = db.execute(
            "INSERT INTO inputs (source, path, digest, size, modified) VALUES (?, ?, ?, ?, ?)",
            (source, printable(path), digest, size, modified),
        )
    return int(cursor.lastrowid or 0)


def note_digest(workspace: Workspace, input_id: int, digest: str) -> None:
    """The digest of an input that may have been begun without one."""
    if workspace.query("SELECT 1 FROM inputs WHERE id = ? AND digest = ''", (input_id,)):
        with workspace.transaction() as db:
            db.execute("UPDATE inputs SET digest = ? WHERE id = ?", (digest, input_id))


def has_input_of(workspace: Workspace, source: str, size: int) -> bool:
    """Whether a finished input of a source had so many bytes; if none had, no bytes of this size are known."""
    found = "SELECT 1 FROM inputs WHERE source = ? AND size = ? AND seq IS NOT NULL LIMIT 1"
    return bool(workspace.query(found, (source, size)))


def finish_input(
    input_id: int, *, rows: int, good: int, bad: int, note: dict[str, Any] | None = None
) -> Callable[[sqlite3.Connection], None]:
    """What `Workspace.commit` runs as `within`, so that rows and ledger become visible together."""

    def update(db: sqlite3.Connection) -> None:
        db.execute(
            "UPDATE inputs SET rows = ?, good = ?, bad = ?, note = ?, seq = (SELECT max(seq) FROM commits)"
            " WHERE id = ?",
            (rows, good, bad, json.dumps(note or {}, sort_keys=True), input_id),
        )

    return update


def move_to_good(input_id: int, rows: int) -> Callable[[sqlite3.Connection], None]:
    """What `Workspace.commit` runs as `within` when bad rows of a finished input have become good ones."""

    def update(db: sqlite3.Connection) -> None:
        db.execute("UPDATE inputs SET good = good + ?, bad = max(0, bad - ?) WHERE id = ?", (rows, rows, input_id))

    return update


def supersede_inputs(db: sqlite3.Connection, source: str, *, kept: Iterable[int] = ()) -> None:
    """Notes that the rows of all finished inputs of a source, but for those kept, are replaced by the next ones."""
    stay = set(kept)
    found = db.execute("SELECT id, note FROM inputs WHERE source = ? AND seq IS NOT NULL", (source,)).fetchall()
    changed = [(json.dumps({**json.loads(note or "{}"), "superseded": True}), id_) for id_, note in found]
    db.executemany("UPDATE inputs SET note = ? WHERE id = ?", [row for row in changed if row[1] not in stay])


def is_ingested(workspace: Workspace, source: str, digest: str) -> bool:
    """True when a file with exactly these bytes was ingested for this source, under whatever name."""
    return bool(
        workspace.query(
            "SELECT 1 FROM inputs WHERE source = ? AND digest = ? AND seq IS NOT NULL LIMIT 1", (source, digest)
        )
    )


def inputs_like(workspace: Workspace, source: str, paths: Sequence[str], digests: Sequence[str]) -> set[int]:
    """Numbers of all readings of a source, finished or not, that had one of these paths or these bytes.

    What came through standard input has no path, so only its bytes say that it is the same.
    """
    named = {printable(path) for path in paths} - {STANDARD_INPUT}
    same = set(digests)
    rows = workspace.query("SELECT id, path, digest FROM inputs WHERE source = ?", (source,))
    return {row["id"] for row in rows if row["path"] in named or row["digest"] in same}


def newest_digests(workspace: Workspace, source: str) -> set[str]:
    """Digests of the files that the last commit of a source read; none before the first."""
    rows = workspace.query(
        "SELECT digest FROM inputs WHERE source = ? AND seq = (SELECT max(seq) FROM inputs WHERE source = ?)",
        (source, source),
    )
    return {row["digest"] for row in rows}


def newest_input(workspace: Workspace, source: str, path: str) -> IngestedInput | None:
    """The last finished reading of this path, None when there is none.

    Equal size and modification time let a caller skip the digest; a full picture compares the digest of the
    newest only, since an older picture may come back.
    """
    rows = workspace.query(
        "SELECT * FROM inputs WHERE source = ? AND path = ? AND seq IS NOT NULL ORDER BY id DESC LIMIT 1",
        (source, printable(path)),
    )
    return _input(rows[0]) if rows else None


def inputs(workspace: Workspace, source: str | None = None, *, snapshot: int | None = None) -> list[IngestedInput]:
    """Finished inputs in the order they were read, of one source or all, up to a snapshot."""
    at = workspace.snapshot() if snapshot is None else snapshot
    rows = workspace.query(
        "SELECT * FROM inputs WHERE seq <= ? AND (? IS NULL OR source = ?) ORDER BY id", (at, source, source)
    )
    return [_input(row) for row in rows]


def input_by_id(workspace: Workspace, input_id: int) -> IngestedInput | None:
    """The input a row's ``file_id`` names."""
    rows = workspace.query("SELECT * FROM inputs WHERE id = ?", (input_id,))
    return _input(rows[0]) if rows else None


def printable(path: str) -> str:
    """A path as text that can be stored: bytes of a name that are no UTF-8 become escapes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _input(row: sqlite3.Row) -> IngestedInput:
    return IngestedInput(
        row["id"],
        row["source"],
        row["path"],
        row["digest"],
        row["size"],
        row["modified"],
        row["rows"],
        row["good"],
        row["bad"],
        json.loads(row["note"] or "{}"),
        row["seen"],
        row["seq"],
    )
