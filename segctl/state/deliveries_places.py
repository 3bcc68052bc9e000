"""The place that a destination's ledger holds for, one row a destination."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from segctl.state.database import NOW

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace


def known_place(workspace: Workspace, destination: str) -> str | None:
    """Digest of the place where people were told; None before the first push."""
    rows = workspace.query("SELECT place FROM destination_places WHERE destination = ?", (destination,))
    return str(rows[0]["place"]) if rows else None


def gone_since(workspace: Workspace, destination: str) -> str | None:
    """ISO instant at which the place said that it wants nothing more, ever; None while it takes something."""
    rows = workspace.query("SELECT gone FROM destination_places WHERE destination = ?", (destination,))
    return rows[0]["gone"] if rows else None


def keep_gone(workspace: Workspace, destination: str, at: datetime | None) -> None:
    """The place wants nothing more since then; None when it is to be tried again."""
    text = None if at is None else at.isoformat(timespec="seconds")
    with workspace.transaction() as db:
        db.execute("UPDATE destination_places SET gone = ? WHERE destination = ?", (text, destination))


def keep_place(workspace: Workspace, destination: str, place: str) -> None:
    """The ledger holds for this place from now on."""
    with workspace.transaction() as db:
        db.execute(
            f"INSERT OR REPLACE INTO destination_places (destination, place, at) VALUES (?, ?, {NOW})",
            (destination, place),
        )
