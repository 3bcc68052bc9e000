"""An audience that is another object at its destination now: everybody has to be told again, and the old one is left.

So it is after a segment or what a destination calls it was renamed, and after somebody deleted the list there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from segctl.state.deliveries import LedgerAudience

if TYPE_CHECKING:
    from sqlite3 import Connection

    from segctl.state.workspace import Workspace

_SAME = """
    INSERT INTO push_audiences (destination, segment, remote, purpose, channel, name)
    SELECT destination, ?1, ?2, purpose, channel, ?2 FROM push_audiences WHERE id = ?3
    ON CONFLICT DO UPDATE SET purpose = CASE WHEN {alone} OR purpose IS excluded.purpose THEN excluded.purpose END,
        channel = CASE WHEN {alone} OR channel IS excluded.channel THEN excluded.channel ELSE '' END RETURNING *"""
# People who are still there were told for another purpose: what all of them are for nobody can say, so nobody may stay.
_ALONE = "NOT EXISTS (SELECT 1 FROM delivered d WHERE d.audience = push_audiences.id)"
_OTHERS = """
    SELECT * FROM push_audiences WHERE remote = ?1 AND id <> ?2 AND segment <> ?3
    AND destination = (SELECT destination FROM push_audiences WHERE id = ?2) ORDER BY id"""
_FORMER = """
    SELECT f.id FROM push_audiences f JOIN push_audiences a USING (destination)
    WHERE a.id = ? AND f.segment = ?"""
_COPY = """
    INSERT OR REPLACE INTO delivered
        (audience, key, profile, state, digest, sent, is_unsure, identifiers, points, known_as, batch)
    SELECT ?1, key, profile, state, digest, sent, is_unsure, identifiers, points, known_as, batch FROM delivered
    WHERE audience = ?2"""
_DOUBLE = "key IN (SELECT key FROM delivered WHERE audience = ?2)"
# Who is taken off the books here was not taken out: the state says so to what watches over withdrawals.
_FORGET = (
    "UPDATE delivered SET state = 'unsure' WHERE audience = ?1 AND {which}",
    "DELETE FROM delivered WHERE audience = ?1 AND {which}",
    "DELETE FROM push_failures WHERE audience = ?1 AND {which}",
)
# An answer to a call about one list says nothing about another, and being told for another segment is a contact.
_UNSURE = "state = 'unsure', is_unsure = 1, sent = NULL, batch = 0"
_GIVE = f"UPDATE OR IGNORE delivered SET audience = ?2, digest = NULL, {_UNSURE} WHERE audience = ?1"


def move(
    workspace: Workspace, audience: int, remote: str, name: str, *, left: str | None, gone: Iterable[str] = ()
) -> LedgerAudience | None:
    """Remember that an audience is elsewhere: of nobody it is known whether they are there.

    They keep their digest, so being told again is no new contact. Who is still on a list that the audience left once
    is in it again, as far as is known.

    Args:
        workspace: Where it is recorded.
        audience: Number in the ledger.
        remote: Its id there from now on.
        name: What it is called there from now on.
        left: Id of the former one, when that is still there with everybody in it.
        gone: Keys of people who are to be taken out of the former one, and were never in the new one.

    Returns:
        The former one, as an audience of no segment, with all of the people whom no other audience has there; None
        when it is not there any more.
    """
    with workspace.transaction() as db:
        found = None
        if left is not None:
            found = db.execute(_SAME.format(alone=_ALONE), (former_name(left), left, audience)).fetchone()
            db.execute(_COPY, (found["id"], audience))
            for other in db.execute(_OTHERS, (left, audience, former_name(left))).fetchall():
                _forget(db, _DOUBLE, found["id"], other["id"])
        for key in gone:
            _forget(db, "key = ?2", audience, key)
        db.execute(f"UPDATE delivered SET {_UNSURE} WHERE audience = ?", (audience,))
        db.execute("UPDATE push_audiences SET remote = ?, name = ? WHERE id = ?", (remote, name, audience))
        for (former,) in db.execute(_FORMER, (audience, former_name(remote))).fetchall():
            _give(db, former, audience)
    return None if found is None else LedgerAudience(*found)


def others_there(workspace: Workspace, audience: LedgerAudience) -> list[LedgerAudience]:
    """Audiences of segments that are the same object at the destination, in the order they were made."""
    if audience.remote is None:
        return []
    rows = workspace.query(_OTHERS, (audience.remote, audience.id, former_name(audience.remote)))
    return [LedgerAudience(*row) for row in rows]


def give(workspace: Workspace, audience: int, other: int) -> None:
    """Let another audience, the same object there, look after the people of one that nobody is told of any more."""
    with workspace.transaction() as db:
        _give(db, audience, other)


def forget_double(workspace: Workspace, audience: int, other: int) -> None:
    """Take people off one audience's books whom another one, the same object at the destination, has as well."""
    with workspace.transaction() as db:
        _forget(db, _DOUBLE, audience, other)


def forget_list(workspace: Workspace, audience: int) -> None:
    """Take everybody off the books of an audience that is not at its destination any more."""
    with workspace.transaction() as db:
        _forget(db, "true", audience)


def former_name(remote: str | None) -> str:
    """What a list is called in the ledger that an audience has left; no segment can be called so."""
    return f"{remote} (former)"


def _give(db: Connection, audience: int, other: int) -> None:
    db.execute(_GIVE, (audience, other))
    _forget(db, "true", audience)


def _forget(db: Connection, which: str, *params: object) -> None:
    for statement in _FORGET:
        db.execute(statement.format(which=which), params)
