"""What one look at the workflows remembers for the next."""

from __future__ import annotations

from segctl.state.workflows import Database


def fact(db: Database, name: str) -> str | None:
    """What an earlier look has remembered; None when none did."""
    rows = db.query("SELECT value FROM workflow_facts WHERE name = ?", (name,))
    return rows[0][0] if rows else None


def remember(db: Database, name: str, value: str) -> None:
    """For the next look."""
    with db.transaction() as writing:
        writing.execute("INSERT OR REPLACE INTO workflow_facts VALUES (?, ?)", (name, value))
