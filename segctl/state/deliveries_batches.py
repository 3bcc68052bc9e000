"""Batches of a push: the intent before a call, its result after, each with all its rows in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace


@dataclass(frozen=True, slots=True)
class NewRow:
    """One person of a batch, as the ledger keeps them.

    Attributes:
        key: As in the audience.
        digest: Of identifiers and fields; None for a removal.
        profile: Profile id, None when unknown.
        identifiers: JSON object of what the destination is told.
        points: Packed tokens of the contact points that consent was asked for.
    """

    key: str
    digest: str | None
    profile: str | None
    identifiers: str
    points: bytes


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A batch whose result is not on record: its call may have been sent, or its job still runs.

    Attributes:
        id: Idempotency key, the same for every try.
        keys: Of its rows, in the order of the call.
        job: Id at the service; None when the call's answer never came.
    """

    number: int
    id: str
    audience: int
    action: str
    keys: tuple[str, ...]
    job: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row was not accepted, as `Trouble` of a connector.

    Attributes:
        is_final: Nothing but a person can settle it (only of `unknown`).
    """

    state: str
    reason: str
    code: str | None = None
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a batch.

    Attributes:
        number: Of the batch.
        audience: As in the ledger.
        action: ``add``, ``update`` or ``remove``.
        accepted: Keys.
        faults: Key → why not.
        known_as: Key → id at the destination.
        withdrawn: Keys of which nothing was taken and that may be sent again: no failure, and no effect.
        profiles: Key → profile id, of the faults.
        digests: Key → digest, of the faults.
        reason: Of the whole batch.
    """

    number: int
    audience: int
    action: str
    at: datetime
    accepted: Sequence[str] = ()
    faults: Mapping[str, Fault] = field(default_factory=dict)
    known_as: Mapping[str, str] = field(default_factory=dict)
    withdrawn: Sequence[str] = ()
    profiles: Mapping[str, str | None] = field(default_factory=dict)
    digests: Mapping[str, str | None] = field(default_factory=dict)
    reason: str | None = None


_LOST = 50
"""Lost calls that may be repeated under their own key; older ones no service remembers."""
_INTEND_ADD = """
    INSERT INTO delivered (audience, key, profile, state, digest, sent, is_unsure, identifiers, points, batch)
    VALUES (?, ?, ?, 'adding', NULL, ?, 0, ?, ?, ?)
    ON CONFLICT (audience, key) DO UPDATE SET is_unsure = is_unsure OR state <> 'accepted', state = 'adding',
        sent = excluded.sent, profile = excluded.profile, identifiers = excluded.identifiers,
        points = excluded.points, batch = excluded.batch"""
_INTEND_REMOVE = """
    UPDATE delivered SET is_unsure = is_unsure OR state <> 'accepted', state = 'removing', batch = ?
    WHERE audience = ? AND key = ?"""
_ADDED = """
    UPDATE delivered SET state = 'accepted', digest = sent, sent = NULL, is_unsure = 0,
        known_as = coalesce(?, known_as) WHERE audience = ? AND key = ? AND batch = ?"""
_REMOVED = "DELETE FROM delivered WHERE audience = ? AND key = ? AND batch = ?"
# Somebody of whom nothing was accepted, and no earlier call may have had its effect, is certainly not there.
_NEVER_THERE = """
    DELETE FROM delivered WHERE audience = ? AND key = ? AND batch = ?
    AND state = 'adding' AND digest IS NULL AND NOT is_unsure"""
_AS_BEFORE = """
    UPDATE delivered SET state = CASE WHEN is_unsure THEN 'unsure' ELSE 'accepted' END, sent = NULL
    WHERE audience = ? AND key = ? AND batch = ? AND state IN ('adding', 'removing')"""
_UNSURE = """
    UPDATE delivered SET state = ?, is_unsure = 1, sent = CASE WHEN ?1 = 'unknown' THEN sent END
    WHERE audience = ? AND key = ? AND batch = ?"""
_FAILED = """
    INSERT INTO push_failures (audience, key, profile, action, state, digest, reason, code, batch, first_at, last_at,
        tries) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
    ON CONFLICT (audience, key) DO UPDATE SET profile = coalesce(excluded.profile, profile), state = excluded.state,
        digest = excluded.digest, reason = excluded.reason, code = excluded.code, batch = excluded.batch,
        last_at = excluded.last_at, tries = tries + 1,
        first_at = CASE WHEN action = excluded.action THEN first_at ELSE excluded.first_at END,
        action = excluded.action"""


def intend(
    workspace: Workspace,
    *,
    id: str,  # noqa: A002 - as the column
    push: int,
    audience: int,
    action: str,
    rows: Sequence[NewRow],
    head: int,
    attempt: int,
    at: datetime,
) -> int:
    """Record that a call is about to be made, before it is made.

    Args:
        workspace: Where it is recorded.
        id: Idempotency key of the call.
        push: Number of the push.
        audience: Number of the audience.
        action: ``add``, ``update`` or ``remove``.
        rows: Of the call, in its order.
        head: Consent ledger's head at which every row was found allowed.
        attempt: From 1.
        at: Now.

    Returns:
        The batch's number.
    """
    keys = bytes.fromhex("".join(row.key for row in rows))
    with workspace.transaction() as db:
        number = int(
            db.execute(
                "INSERT INTO push_batches (id, push, audience, action, state, keys, rows, consent_head, attempts,"
                " intended) VALUES (?, ?, ?, ?, 'intended', ?, ?, ?, ?, ?)",
                (id, push, audience, action, keys, len(rows), head, attempt, _text(at)),
            ).lastrowid
            or 0
        )
        if action == "remove":
            db.executemany(_INTEND_REMOVE, [(number, audience, row.key) for row in rows])
        else:
            db.executemany(
                _INTEND_ADD,
                [
                    (audience, row.key, row.profile, row.digest, row.identifiers, row.points, number)
                    for row in rows
                ],
            )  # fmt: skip
    return number


def keep_in_doubt(workspace: Workspace, audience: int, keys: Sequence[str]) -> None:
    """Remember that people may be taken out with somebody else: whatever comes between, they are put in again."""
    if keys:
        with workspace.transaction() as db:
            db.executemany(
                "UPDATE delivered SET state = 'unsure', is_unsure = 1 WHERE audience = ? AND key = ?"
                " AND state = 'accepted'",
                [(audience, key) for key in keys],
            )


def keep_job(workspace: Workspace, number: int, job: str) -> None:
    """Remember the id of the job that a call began, so that it can be followed after a crash."""
    with workspace.transaction() as db:
        db.execute("UPDATE push_batches SET state = 'job', job = ? WHERE number = ?", (job, number))


def settle(workspace: Workspace, result: Result) -> None:
    """Record what became of a batch; doing it twice does it once."""
    with workspace.transaction() as db:
        if db.execute("SELECT settled FROM push_batches WHERE number = ?", (result.number,)).fetchone()[0] is not None:
            return
        _settle_accepted(db, result)
        _settle_faults(db, result)
        here = [(result.audience, key, result.number) for key in result.withdrawn]
        db.executemany(_NEVER_THERE, here)
        db.executemany(_AS_BEFORE, here)
        count = dict.fromkeys(("invalid", "rejected", "unknown"), 0)
        for fault in result.faults.values():
            count[fault.state] += 1
        db.execute(
            "UPDATE push_batches SET state = ?, settled = ?, accepted = ?, invalid = ?, rejected = ?, unknown = ?,"
            " reason = ? WHERE number = ?",
            ("withdrawn" if result.withdrawn else "done", _text(result.at), len(result.accepted), *count.values(),
             result.reason, result.number),
        )  # fmt: skip


def _settle_accepted(db: sqlite3.Connection, result: Result) -> None:
    audience, number = result.audience, result.number
    if result.action == "remove":
        db.executemany(_REMOVED, [(audience, key, number) for key in result.accepted])
    else:
        known = result.known_as
        db.executemany(_ADDED, [(known.get(key), audience, key, number) for key in result.accepted])
    if db.execute("SELECT 1 FROM push_failures WHERE audience = ? LIMIT 1", (audience,)).fetchone():
        db.executemany(
            "DELETE FROM push_failures WHERE audience = ? AND key = ?", [(audience, key) for key in result.accepted]
        )


def _settle_faults(db: sqlite3.Connection, result: Result) -> None:
    audience, number, at = result.audience, result.number, _text(result.at)
    for key, fault in result.faults.items():
        here = (audience, key, number)
        if fault.state == "unknown":
            # A removal is always repeated; an addition only where that is harmless.
            state = "unknown" if fault.is_final and result.action != "remove" else "unsure"
            db.execute(_UNSURE, (state, *here))
        else:
            db.execute(_NEVER_THERE, here)
            db.execute(_AS_BEFORE, here)
        db.execute(
            _FAILED,
            (audience, key, result.profiles.get(key), result.action, fault.state, result.digests.get(key),
             fault.reason, fault.code, number, at, at),
        )  # fmt: skip


def lose(workspace: Workspace, number: int, at: datetime) -> None:
    """Record that nobody will hear what became of a batch: its people may be there or not."""
    with workspace.transaction() as db:
        audience = db.execute("SELECT audience FROM push_batches WHERE number = ?", (number,)).fetchone()[0]
        keys = _keys(db.execute("SELECT keys FROM push_batches WHERE number = ?", (number,)).fetchone()[0])
        db.executemany(
            "UPDATE delivered SET state = 'unsure', is_unsure = 1 WHERE audience = ? AND key = ? AND batch = ?",
            [(audience, key, number) for key in keys],
        )
        db.execute("UPDATE push_batches SET state = 'lost', settled = ? WHERE number = ?", (_text(at), number))


def open_batches(workspace: Workspace, audiences: Iterable[int]) -> list[OpenBatch]:
    """Batches of these audiences without a result, oldest first."""
    found: list[OpenBatch] = []
    for audience in audiences:
        rows = workspace.query(
            "SELECT number, id, audience, action, keys, job FROM push_batches WHERE audience = ? AND settled IS NULL",
            (audience,),
        )
        found += [OpenBatch(number, name, of, action, _keys(keys), job) for number, name, of, action, keys, job in rows]
    return sorted(found, key=lambda batch: batch.number)


def lost_batches(workspace: Workspace, audience: int) -> list[OpenBatch]:
    """Newest lost calls of an audience of which every row is still as the call left it, oldest first."""
    rows = workspace.query(
        "SELECT number, id, audience, action, keys, job FROM push_batches WHERE audience = ? AND state = 'lost'"
        " ORDER BY number DESC LIMIT ?",
        (audience, _LOST),
    )
    found = [OpenBatch(number, name, of, action, _keys(keys), job) for number, name, of, action, keys, job in rows]
    return [batch for batch in reversed(found) if all(_is_as_lost(workspace, batch, key) for key in batch.keys)]


def _is_as_lost(workspace: Workspace, batch: OpenBatch, key: str) -> bool:
    sql = "SELECT 1 FROM delivered WHERE audience = ? AND key = ? AND batch = ? AND state = 'unsure'"
    return bool(workspace.query(sql, (batch.audience, key, batch.number)))


def drop_failures(workspace: Workspace, audience: int, keys: Iterable[str]) -> None:
    """Forget failures that no longer matter, such as of people who need not be told any more."""
    rows: list[Any] = [(audience, key) for key in keys]
    if rows:
        with workspace.transaction() as db:
            db.executemany("DELETE FROM push_failures WHERE audience = ? AND key = ?", rows)


def remove_backlog(workspace: Workspace, destination: str) -> tuple[int, str | None]:
    """Removals that a destination did not accept so far: how many, and the ISO instant of the oldest first failure."""
    rows = workspace.query(
        "SELECT count(*), min(f.first_at) FROM push_failures f JOIN push_audiences a ON a.id = f.audience"
        " WHERE a.destination = ? AND f.action = 'remove'",
        (destination,),
    )
    return int(rows[0][0]), rows[0][1]


def _keys(packed: bytes) -> tuple[str, ...]:
    text = packed.hex()
    return tuple(text[at : at + 32] for at in range(0, len(text), 32))


def _text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")
