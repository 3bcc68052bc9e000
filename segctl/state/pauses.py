"""The stop button on record: who paused or resumed what, when and why; rows are added, never changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace

Kind = Literal["segment", "destination", "workflow", "all"]
Action = Literal["pause", "resume"]


@dataclass(frozen=True, slots=True)
class Pause:
    """One press of the button.

    Attributes:
        kind: What stops; ``all`` is every segment, destination and workflow, also those to come.
        name: Of the segment, destination or workflow; empty for all.
        at: When, UTC.
        who: Name of the account that ran the command, None when unknown.
    """

    kind: Kind
    name: str
    action: Action
    at: datetime
    who: str | None
    reason: str | None


def paused(workspace: Workspace) -> dict[tuple[Kind, str], Pause]:
    """What is paused now: the newest row of each thing that says so."""
    return _paused(workspace.query(_NEWEST))


def pause_log(workspace: Workspace) -> list[Pause]:
    """Every press of the button, oldest first."""
    return [_pause(row) for row in workspace.query("SELECT * FROM pauses ORDER BY id")]


def record_pauses(workspace: Workspace, presses: Iterable[Pause]) -> list[Pause]:
    """Add rows for what they change; of two at once that want the same, one adds a row.

    Returns:
        Those that changed something.
    """
    done = []
    with workspace.transaction() as db:
        now = set(_paused(db.execute(_NEWEST).fetchall()))
        for press in presses:
            key = (press.kind, press.name)
            if (press.action == "pause") != (key in now):
                _insert(db, press)
                now ^= {key}
                done.append(press)
    return done


_NEWEST = "SELECT *, max(id) FROM pauses GROUP BY kind, name ORDER BY kind, name"


def _paused(rows: Iterable[sqlite3.Row]) -> dict[tuple[Kind, str], Pause]:
    found = [_pause(row) for row in rows]
    return {(one.kind, one.name): one for one in found if one.action == "pause"}


def _insert(db: sqlite3.Connection, press: Pause) -> None:
    at = press.at.astimezone(UTC).isoformat(timespec="microseconds")
    db.execute(
        "INSERT INTO pauses (kind, name, action, at, who, reason) VALUES (?, ?, ?, ?, ?, ?)",
        (press.kind, press.name, press.action, at, press.who, press.reason),
    )


def _pause(row: sqlite3.Row) -> Pause:
    at = datetime.fromisoformat(row["at"])
    return Pause(row["kind"], row["name"], row["action"], at, row["who"], row["reason"])
