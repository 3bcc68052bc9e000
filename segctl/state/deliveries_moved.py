"""An audience that is another object at its destination now: everybody has to be told again, and the old one is left.

So it is after a segment or what a destination calls it was renamed, and after somebody deleted the list there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.state.deliveries import LedgerAudience

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace

_SAME = "SELECT destination, ?1, ?1, purpose, channel FROM push_audiences WHERE id = ?2"
_COPY = """
    INSERT INTO delivered (audience, key, profile, state, digest, sent, is_unsure, identifiers, points, known_as, batch)
    SELECT ?, key, profile, state, digest, sent, is_unsure, identifiers, points, known_as, batch FROM delivered
    WHERE audience = ?"""


def move(workspace: Workspace, audience: int, remote: str, *, left: str | None) -> LedgerAudience | None:
    """Remember that an audience is elsewhere: of nobody it is known whether they are there.

    They keep their digest, so being told again is no new contact.

    Args:
        workspace: Where it is recorded.
        audience: Number in the ledger.
        remote: Its id there from now on.
        left: Id of the former one, when that is still there with everybody in it.

    Returns:
        The former one with the same people, as an audience of no segment; None without.
    """
    with workspace.transaction() as db:
        found = None
        if left is not None:
            sql = f"INSERT OR IGNORE INTO push_audiences (destination, segment, remote, purpose, channel) {_SAME}"
            made = db.execute(sql, (left, audience))
            if made.rowcount:
                db.execute(_COPY, (made.lastrowid, audience))
                found = db.execute("SELECT * FROM push_audiences WHERE id = ?", (made.lastrowid,)).fetchone()
        db.execute(
            "UPDATE delivered SET state = 'unsure', is_unsure = 1 WHERE audience = ? AND state = 'accepted'",
            (audience,),
        )
        db.execute("UPDATE push_audiences SET remote = ? WHERE id = ?", (remote, audience))
    return None if found is None else LedgerAudience(*found)
