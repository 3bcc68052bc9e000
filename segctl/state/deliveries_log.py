"""Pushes on record: when, what for, and what became of each audience."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    import sqlite3

    from segctl.state.workspace import Workspace

PartStatus = Literal["running", "ok", "partial", "refused", "stopped", "paused", "interrupted"]
"""`partial`: some rows were not accepted; `refused`: a guard said no; `stopped`: the destination takes nothing more;
`paused`: only those who leave were told; `interrupted`: the call was ended before."""


@dataclass(frozen=True, slots=True)
class PushPart:
    """What one push meant for one audience.

    Attributes:
        finished: ISO instant, UTC; None while it runs, or when its process was killed.
        counts: Rows by outcome (``added``, ``updated``, ``removed``, ``invalid``, ``rejected``, ``unknown``,
            ``overtaken``, ``unchanged``, ``left``), ``calls``, ``seconds`` and the waterfall's steps.
        reason: Why it was refused or stopped.
    """

    destination: str
    segment: str
    status: str
    finished: str | None
    counts: Mapping[str, Any]
    reason: str | None


@dataclass(frozen=True, slots=True)
class Push:
    """One call of `push`.

    Attributes:
        number: Ascending, from 1.
        id: Stable name: ``u`` and eight hex digits.
        started: ISO instant, UTC.
        note: Plan, selection, what was allowed and why, run in force.
    """

    number: int
    id: str
    started: str
    note: Mapping[str, Any]
    parts: tuple[PushPart, ...]

    @property
    def status(self) -> str:
        """The worst of its parts: running, interrupted, stopped, refused, partial or ok."""
        found = {part.status for part in self.parts}
        return next((s for s in ("running", "interrupted", "stopped", "refused", "partial") if s in found), "ok")


def begin_push(workspace: Workspace, started: datetime, note: Mapping[str, Any]) -> Push:
    """Record that a push begins."""
    text, at = json.dumps(dict(note), sort_keys=True, default=str), started.isoformat(timespec="microseconds")
    with workspace.transaction() as db:
        number = int(db.execute("SELECT coalesce(max(number), 0) + 1 FROM pushes").fetchone()[0])
        name = "u" + hashlib.sha256(f"{number} {at} {text}".encode()).hexdigest()[:8]
        db.execute("INSERT INTO pushes (number, id, started, note) VALUES (?, ?, ?, ?)", (number, name, at, text))
    return Push(number, name, at, dict(note), ())


def begin_part(workspace: Workspace, push: int, audience: int) -> None:
    """Record that a push begins with an audience.

    Whoever calls it holds the destination's lock, so an older part of it that still runs belongs to a dead process.
    """
    with workspace.transaction() as db:
        db.execute(
            "UPDATE push_parts SET status = 'interrupted' WHERE audience = ? AND status = 'running'", (audience,)
        )
        db.execute(
            "INSERT OR REPLACE INTO push_parts (push, audience, status, counts) VALUES (?, ?, 'running', '{}')",
            (push, audience),
        )


def end_part(
    workspace: Workspace,
    push: int,
    audience: int,
    status: PartStatus,
    *,
    finished: datetime,
    counts: Mapping[str, Any],
    reason: str | None = None,
) -> None:
    """Record what became of an audience."""
    with workspace.transaction() as db:
        db.execute(
            "INSERT OR REPLACE INTO push_parts (push, audience, status, finished, counts, reason)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (push, audience, status, finished.isoformat(timespec="microseconds"),
             json.dumps(dict(counts), sort_keys=True), reason),
        )  # fmt: skip


def pushes(workspace: Workspace, *, limit: int | None = None) -> list[Push]:
    """Recorded pushes, newest first."""
    rows = workspace.query("SELECT * FROM pushes ORDER BY number DESC LIMIT ?", (-1 if limit is None else limit,))
    return [_push(workspace, row) for row in rows]


def last_push(workspace: Workspace, destination: str, segment: str | None = None) -> Push | None:
    """The newest push that had to do with a destination, or with one audience there; None before the first."""
    rows = workspace.query(
        "SELECT p.* FROM pushes p JOIN push_parts x ON x.push = p.number JOIN push_audiences a ON a.id = x.audience"
        " WHERE a.destination = ?1 AND coalesce(?2, a.segment) = a.segment ORDER BY p.number DESC LIMIT 1",
        (destination, segment),
    )
    return _push(workspace, rows[0]) if rows else None


def _push(workspace: Workspace, row: sqlite3.Row) -> Push:
    parts = workspace.query(
        "SELECT a.destination, a.segment, x.status, x.finished, x.counts, x.reason FROM push_parts x"
        " JOIN push_audiences a ON a.id = x.audience WHERE x.push = ? ORDER BY a.destination, a.segment",
        (row["number"],),
    )
    made = tuple(
        PushPart(to, segment, status, finished, json.loads(counts), reason)
        for to, segment, status, finished, counts, reason in parts
    )
    return Push(row["number"], row["id"], row["started"], json.loads(row["note"]), made)
