"""How far each fetched source has come: one bookmark a source, moved in the transaction that commits its rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Bookmark:
    """The end of the last fetch whose rows are committed.

    Attributes:
        source: Name of the source.
        place: What the fetch asked, in a word that changes with it; a cursor of another place means nothing.
        cursor: JSON value from which only what is new is asked for; None when there is none.
        fetch: Id of that fetch: what it left on disk is done with.
        at: When it was committed, UTC, ISO 8601.
        commit: Number of the commit; None when it brought no rows.
    """

    source: str
    place: str
    cursor: Any
    fetch: str
    at: str = ""
    commit: int | None = None


def bookmark(workspace: Workspace, source: str) -> Bookmark | None:
    """The bookmark of a source, None before its first finished fetch."""
    rows = workspace.query("SELECT * FROM bookmarks WHERE source = ?", (source,))
    if not rows:
        return None
    row = rows[0]
    return Bookmark(source, row["place"], json.loads(row["cursor"]), row["fetch"], row["at"], row["seq"])


def set_bookmark(mark: Bookmark) -> Callable[[sqlite3.Connection], None]:
    """What `Workspace.commit` runs as `within`, so that rows and bookmark become visible together."""

    def update(db: sqlite3.Connection) -> None:
        db.execute(
            "INSERT OR REPLACE INTO bookmarks (source, place, cursor, fetch, seq)"
            " VALUES (?, ?, ?, ?, (SELECT max(seq) FROM commits))",
            (mark.source, mark.place, json.dumps(mark.cursor, sort_keys=True), mark.fetch),
        )

    return update
