"""Contacts of workflows that are not yet among the events, as `state.contacts` keeps those of pushes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.workspace import Workspace

_DUE = "is_contact = 1 AND is_event = 0 AND state IN ('done', 'unknown')"


def has_workflow_contacts(workspace: Workspace) -> bool:
    """True if some effects are no events yet."""
    return bool(workspace.query(f"SELECT 1 FROM workflow_effects WHERE {_DUE} LIMIT 1"))


def workflow_contacts(workspace: Workspace) -> pl.DataFrame:
    """Effects that are no events yet, by key.

    Returns:
        ``key`` String, ``subject`` Int32, ``at`` Int64 (microseconds since 1970), and the properties of the event:
        ``segment`` is ``workflow:NAME``, ``push`` the step.
    """
    import polars as pl

    rows = workspace.query(
        "SELECT key, subject, coalesce(settled, intended) AS at, destination, 'workflow:' || workflow AS segment,"
        f" purpose, channel, step AS push FROM workflow_effects WHERE {_DUE} ORDER BY key"
    )
    text = dict.fromkeys(("destination", "segment", "purpose", "channel", "push"), pl.String)
    schema = {"key": pl.String, "subject": pl.Int32, "at": pl.Int64, **text}
    return pl.DataFrame([tuple(row) for row in rows], schema=schema, orient="row")


def are_events(keys: Sequence[str]) -> Callable[[sqlite3.Connection], None]:
    """What belongs into the commit of the events."""

    def mark(db: sqlite3.Connection) -> None:
        db.executemany("UPDATE workflow_effects SET is_event = 1 WHERE key = ?", [(key,) for key in keys])

    return mark
