"""The place that a destination's ledger holds for, one row a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.state.database import NOW

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace


def known_place(workspace: Workspace, destination: str) -> str | None:
    """Digest of the place where people were told; None before the first push."""
    rows = workspace.query("SELECT place FROM destination_places WHERE destination = ?", (destination,))
    return str(rows[0]["place"]) if rows else None


def keep_place(workspace: Workspace, destination: str, place: str) -> None:
    """The ledger holds for this place from now on."""
    with workspace.transaction() as db:
        db.execute(
            f"INSERT OR REPLACE INTO destination_places (destination, place, at) VALUES (?, ?, {NOW})",
            (destination, place),
        )
