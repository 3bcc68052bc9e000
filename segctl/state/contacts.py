"""Contacts that became true in the ledger of deliveries and are not yet among the events.

A trigger of the database notes each addition that a destination accepted, in the transaction that says so. Whoever
turns them into events deletes them in the commit of those events, so a crash in between loses and doubles nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.workspace import Workspace

_AT_ONCE = 50_000
_DUE = """
    SELECT d.id, d.key, d.profile, a.id AS audience, a.destination, a.segment, a.purpose, a.channel, p.id AS push,
        coalesce(b.settled, b.intended) AS at
    FROM contacts_due d JOIN push_audiences a ON a.id = d.audience JOIN push_batches b ON b.number = d.batch
    JOIN pushes p ON p.number = b.push ORDER BY d.id"""
COLUMNS = ("id", "key", "profile", "audience", "destination", "segment", "purpose", "channel", "push", "at")


def has_contacts_due(workspace: Workspace) -> bool:
    """True if some additions are no events yet."""
    return bool(workspace.query("SELECT 1 FROM contacts_due LIMIT 1"))


def contacts_due(workspace: Workspace) -> pl.DataFrame:
    """Additions that are no events yet, in the order in which they were accepted.

    Returns:
        `COLUMNS`: ``id`` and ``audience`` Int64, the others String; ``profile`` is a profile id, ``at`` an ISO instant.
    """
    import polars as pl

    columns: list[list[object]] = [[] for _ in COLUMNS]
    for block in workspace.blocks(_DUE, (), _AT_ONCE):
        for column, values in zip(columns, zip(*block, strict=True), strict=True):
            column.extend(values)
    numbers = ("id", "audience")
    return pl.DataFrame(
        [pl.Series(name, values, pl.Int64 if name in numbers else pl.String)
         for name, values in zip(COLUMNS, columns, strict=True)]
    )  # fmt: skip


def no_longer_due(until: int) -> Callable[[sqlite3.Connection], None]:
    """What belongs into the commit of the events: additions up to this id are no longer due."""

    def delete(db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM contacts_due WHERE id <= ?", (until,))

    return delete
