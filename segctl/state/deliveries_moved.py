"""An audience that is another object at its destination now: everybody has to be told again, and the old one is left.

So it is after a segment or what a destination calls it was renamed, and after somebody deleted the list there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.state.deliveries import LedgerAudience

if TYPE_CHECKING:
    from sqlite3 import Connection

    from segctl.state.workspace import Workspace

_SAME = """
    INSERT INTO push_audiences (destination, segment, remote, purpose, channel, name)
    SELECT destination, ?1, ?2, purpose, channel, ?2 FROM push_audiences WHERE id = ?3
    ON CONFLICT DO UPDATE SET purpose = excluded.purpose, channel = excluded.channel RETURNING *"""
_OTHER = """
    SELECT 1 FROM push_audiences WHERE remote = ? AND id <> ? AND segment <> ?
    AND destination = (SELECT destination FROM push_audiences WHERE id = ?)"""
_COPY = """
    INSERT OR REPLACE INTO delivered
        (audience, key, profile, state, digest, sent, is_unsure, identifiers, points, known_as, batch)
    SELECT ?, key, profile, state, digest, sent, is_unsure, identifiers, points, known_as, batch FROM delivered
    WHERE audience = ?"""

_ADOPT = (
    "UPDATE OR IGNORE delivered SET audience = ?1, state = 'unsure', is_unsure = 1 WHERE audience = ?2",
    "UPDATE delivered SET state = 'unsure' WHERE audience = ?2",
    "DELETE FROM delivered WHERE audience = ?2",
    "DELETE FROM push_failures WHERE audience = ?2",
)


def move(workspace: Workspace, audience: int, remote: str, name: str, *, left: str | None) -> LedgerAudience | None:
    """Remember that an audience is elsewhere: of nobody it is known whether they are there.

    They keep their digest, so being told again is no new contact.

    Args:
        workspace: Where it is recorded.
        audience: Number in the ledger.
        remote: Its id there from now on.
        name: What it is called there from now on.
        left: Id of the former one, when that is still there with everybody in it.

    Returns:
        The former one with the same people, as an audience of no segment; None without, and where another segment
        has the same one.
    """
    with workspace.transaction() as db:
        found, former = None, former_name(left)
        # A list that another segment fills too is not emptied.
        if left is not None and not db.execute(_OTHER, (left, audience, former, audience)).fetchone():
            found = db.execute(_SAME, (former, left, audience)).fetchone()
            db.execute(_COPY, (found["id"], audience))
        db.execute(
            "UPDATE delivered SET state = 'unsure', is_unsure = 1 WHERE audience = ? AND state = 'accepted'",
            (audience,),
        )
        _come_back(db, audience, remote)
        db.execute("UPDATE push_audiences SET remote = ?, name = ? WHERE id = ?", (remote, name, audience))
    return None if found is None else LedgerAudience(*found)


def former_name(remote: str | None) -> str:
    """What a list is called in the ledger that an audience has left; no segment can be called so."""
    return f"{remote} (former)"


def _come_back(db: Connection, audience: int, remote: str) -> None:
    """Who is still on a list that the audience left once is in it again, as far as is known."""
    sql = (
        "SELECT id FROM push_audiences WHERE segment = ?"
        " AND destination = (SELECT destination FROM push_audiences WHERE id = ?)"
    )
    for (left,) in db.execute(sql, (former_name(remote), audience)).fetchall():
        for statement in _ADOPT:
            db.execute(statement, (audience, left))
