"""Experiments on record: when they ran, by which definition and weights, and when somebody looked at results.

Who is in which arm lies in files beside it, see `assignments`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from segctl.model.dataclass import dataclass
from segctl.state.assignments import assigned_names, assignment_counts, assignments, record_assignments

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace

__all__ = [
    "UNIVERSAL",
    "Epoch",
    "ExperimentRecord",
    "Look",
    "add_epochs",
    "add_look",
    "assigned_names",
    "assignment_counts",
    "assignments",
    "begin",
    "end",
    "looks",
    "record",
    "record_assignments",
    "records",
]

UNIVERSAL = "universal:"
"""Begins the name under which a generation of the universal holdout is on record."""
State = Literal["running", "stopped"]


@dataclass(frozen=True, slots=True)
class Epoch:
    """What was in force for those who were assigned then.

    Attributes:
        number: From 1.
        at: Begin, UTC.
        weights: Arm → weight, in the order of the arms.
        traffic: Share of the members that take part.
        layer: None for an experiment without one.
        low: Begin of its range there, 0 to 1; `high` is its end, not included.
    """

    number: int
    at: datetime
    weights: Mapping[str, Decimal]
    traffic: Decimal = Decimal(1)
    layer: str | None = None
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """What has happened to an experiment.

    Attributes:
        name: On record (`Experiment.key`).
        definition: As it was when it started, JSON values.
        digest: Of what must not change while it runs.
        started: UTC, likewise `stopped`.
        reason: Why it was stopped.
        winner: The arm that everybody gets since.
        epochs: Oldest first; at least one.
    """

    name: str
    definition: Mapping[str, Any]
    digest: str
    started: datetime
    stopped: datetime | None = None
    reason: str | None = None
    winner: str | None = None
    epochs: tuple[Epoch, ...] = field(default_factory=tuple)

    @property
    def state(self) -> State:
        """The word for it; before the start there is no record."""
        return "running" if self.stopped is None else "stopped"


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody saw results.

    Attributes:
        at: UTC.
        command: That showed them, such as ``report ab``.
    """

    at: datetime
    command: str


def record(workspace: Workspace, name: str) -> ExperimentRecord | None:
    """What is on record of an experiment; None before its start."""
    rows = workspace.query("SELECT * FROM experiments WHERE name = ?", (name,))
    return _record(workspace, rows[0]) if rows else None


def records(workspace: Workspace) -> dict[str, ExperimentRecord]:
    """Every experiment that was ever started, by name on record."""
    rows = workspace.query("SELECT * FROM experiments ORDER BY name")
    return {row["name"]: _record(workspace, row) for row in rows}


def begin(
    workspace: Workspace, name: str, *, definition: Mapping[str, Any], digest: str, at: datetime, epoch: Epoch
) -> bool:
    """Record that an experiment starts.

    Returns:
        False when it is on record already; nothing is changed then.
    """
    text = json.dumps(dict(definition), sort_keys=True, ensure_ascii=False)
    with workspace.transaction() as db:
        made = db.execute(
            "INSERT OR IGNORE INTO experiments (name, definition, digest, started) VALUES (?, ?, ?, ?)",
            (name, text, digest, _text(at)),
        )
        if made.rowcount:
            _insert_epoch(db, name, epoch)
        return bool(made.rowcount)


def end(workspace: Workspace, name: str, *, at: datetime, reason: str | None = None, winner: str | None = None) -> bool:
    """Record that an experiment is stopped; False when it does not run."""
    with workspace.transaction() as db:
        changed = db.execute(
            "UPDATE experiments SET stopped = ?, reason = ?, winner = ? WHERE name = ? AND stopped IS NULL",
            (_text(at), reason, winner, name),
        )
        return bool(changed.rowcount)


def add_epochs(epochs: Mapping[str, Epoch]) -> Callable[[sqlite3.Connection], None]:
    """What belongs into the commit of the first assignments by new weights, traffic or layer: by name on record."""

    def insert(db: sqlite3.Connection) -> None:
        for name, epoch in epochs.items():
            _insert_epoch(db, name, epoch)

    return insert


def looks(workspace: Workspace, name: str) -> tuple[Look, ...]:
    """When results of an experiment were seen, oldest first."""
    rows = workspace.query("SELECT at, command FROM experiment_looks WHERE experiment = ? ORDER BY at, id", (name,))
    return tuple(Look(datetime.fromisoformat(row["at"]), row["command"]) for row in rows)


def add_look(workspace: Workspace, name: str, *, at: datetime, command: str) -> None:
    """Record that somebody sees results of an experiment."""
    with workspace.transaction() as db:
        db.execute(
            "INSERT INTO experiment_looks (experiment, at, command) VALUES (?, ?, ?)", (name, _text(at), command)
        )


def _record(workspace: Workspace, row: sqlite3.Row) -> ExperimentRecord:
    epochs = workspace.query("SELECT * FROM experiment_epochs WHERE experiment = ? ORDER BY number", (row["name"],))
    return ExperimentRecord(
        name=row["name"],
        definition=json.loads(row["definition"]),
        digest=row["digest"],
        started=datetime.fromisoformat(row["started"]),
        stopped=datetime.fromisoformat(row["stopped"]) if row["stopped"] else None,
        reason=row["reason"],
        winner=row["winner"],
        epochs=tuple(_epoch(one) for one in epochs),
    )


def _epoch(row: sqlite3.Row) -> Epoch:
    weights = {arm: Decimal(weight) for arm, weight in json.loads(row["weights"]).items()}
    at, traffic = datetime.fromisoformat(row["at"]), Decimal(row["traffic"])
    return Epoch(row["number"], at, weights, traffic, row["layer"], Decimal(row["low"]), Decimal(row["high"]))


def _insert_epoch(db: sqlite3.Connection, name: str, epoch: Epoch) -> None:
    weights = json.dumps({arm: str(weight) for arm, weight in epoch.weights.items()}, ensure_ascii=False)
    db.execute(
        "INSERT INTO experiment_epochs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (name, epoch.number, _text(epoch.at), weights, str(epoch.traffic), epoch.layer, str(epoch.low),
         str(epoch.high)),
    )  # fmt: skip


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
