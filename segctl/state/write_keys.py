"""Write keys that a collector accepts: the digest of each, never the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A write key on record.

    Attributes:
        name: Unique in the workspace.
        source: The source it writes to.
        digest: SHA-256 of the key, in hexadecimal.
        at: When it was made, UTC, ISO 8601.
    """

    name: str
    source: str
    digest: str
    at: str


def stored_keys(workspace: Workspace) -> list[StoredKey]:
    """All keys on record, by name."""
    rows = workspace.query("SELECT name, source, digest, at FROM write_keys ORDER BY name")
    return [StoredKey(row["name"], row["source"], row["digest"], row["at"]) for row in rows]


def add_key(workspace: Workspace, name: str, source: str, digest: str) -> bool:
    """Puts a key on record; False when the name is taken."""
    with workspace.transaction() as db:
        statement = "INSERT OR IGNORE INTO write_keys (name, source, digest) VALUES (?, ?, ?)"
        return db.execute(statement, (name, source, digest)).rowcount > 0


def remove_key(workspace: Workspace, name: str) -> bool:
    """Takes a key off the record; False when there is none of that name."""
    with workspace.transaction() as db:
        return db.execute("DELETE FROM write_keys WHERE name = ?", (name,)).rowcount > 0
