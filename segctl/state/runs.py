"""Runs on record: one evaluation each, with its inputs, digests and what came of it for every segment."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.state import problems

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_IN_FORCE = "('ok', 'partial')"


class RunStatus(StrEnum):
    """What became of a run."""

    OK = "ok"
    PARTIAL = "partial"
    """Some segments failed and keep their last membership."""
    FAILED = "failed"
    """Nothing came into force."""
    WHAT_IF = "what_if"
    """Its as_of lies before the one in force: recorded and shown, never pushed."""


class SegmentState(StrEnum):
    """What a run meant for one segment."""

    IN_FORCE = "in_force"
    WHAT_IF = "what_if"
    FAILED = "failed"
    REMOVED = "removed"
    """Its definition is gone, so everybody left."""


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run about to be recorded.

    Attributes:
        as_of: Valid time of the evaluation, aware.
        snapshot: Commit whose files it read.
        started: Wall clock, aware; likewise `finished`.
        definitions: Segment → digest of its bound definition.
        timings: Phase → seconds.
        note: Whatever else it was made from: zone data, list digests, selection.
    """

    as_of: datetime
    snapshot: int
    started: datetime
    finished: datetime
    tool_version: str
    definitions: Mapping[str, str] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    note: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """A recorded run.

    Attributes:
        number: Ascending in the order of recording, from 1.
        id: Stable name: ``r`` and eight hex digits.
        reproducible: False once vacuum has deleted files of its snapshot.
        commit: Commit that recorded it.
    """

    number: int
    id: str
    status: RunStatus
    as_of: datetime
    snapshot: int
    started: datetime
    finished: datetime
    tool_version: str
    definitions: dict[str, str]
    timings: dict[str, float]
    note: dict[str, Any]
    reproducible: bool
    commit: int


@dataclass(frozen=True, slots=True)
class RunSegment:
    """What one run meant for one segment; profiles throughout.

    Attributes:
        size: Members found by the run; for a failed segment those it keeps.
        entered: Compared with the membership in force before.
        left: Likewise.
        reason: Why it failed.
        leaves: Counts of the definition's leaves, as the operation recorded them.
    """

    segment: str
    run: str
    as_of: datetime
    state: SegmentState
    size: int
    entered: int
    left: int
    reason: str | None = None
    leaves: Any = None


def microseconds(at: datetime) -> int:
    """Microseconds since 1970 in UTC."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant(value: int) -> datetime:
    """The aware UTC time of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=value)


def run_id(number: int, run: NewRun) -> str:
    """Name of a run, the same wherever the same run is recorded as the same number."""
    about = [number, microseconds(run.as_of), run.snapshot, dict(run.definitions)]
    return "r" + hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:8]


def insert_run(db: sqlite3.Connection, number: int, run: NewRun, status: RunStatus) -> None:
    """Adds the run's row in the current commit."""
    db.execute(
        "INSERT INTO runs (number, id, status, as_of, snapshot, started, finished, tool_version, definitions, timings,"
        " note, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT max(seq) FROM commits))",
        (
            number,
            run_id(number, run),
            status.value,
            microseconds(run.as_of),
            run.snapshot,
            _text(run.started),
            _text(run.finished),
            run.tool_version,
            _json(run.definitions),
            _json(run.timings),
            _json(run.note),
        ),
    )


def newest_number(workspace: Workspace) -> int:
    """Number of the newest run of any status; 0 before the first."""
    return int(workspace.query("SELECT coalesce(max(number), 0) FROM runs")[0][0])


def runs(workspace: Workspace, *, limit: int | None = None) -> list[Run]:
    """Recorded runs of every status, newest first."""
    rows = workspace.query("SELECT * FROM runs ORDER BY number DESC LIMIT ?", (-1 if limit is None else limit,))
    return [_run(row) for row in rows]


def find_run(workspace: Workspace, words: str | datetime) -> Run:
    """The run that a person means.

    Args:
        workspace: Where runs are recorded.
        words: ``last`` and ``previous`` are the newest two in force; an id or its beginning; or an aware time,
            which means the newest run in force whose as_of is not after it.

    Raises:
        UsageError: No run fits, or several begin so.
    """
    if isinstance(words, datetime):
        rows = workspace.query(
            f"SELECT * FROM runs WHERE status IN {_IN_FORCE} AND as_of <= ? ORDER BY as_of DESC, number DESC LIMIT 1",
            (microseconds(words),),
        )
        return _only(rows, words.isoformat())
    if words in ("last", "previous"):
        offset = 0 if words == "last" else 1
        rows = workspace.query(
            f"SELECT * FROM runs WHERE status IN {_IN_FORCE} ORDER BY number DESC LIMIT 1 OFFSET ?", (offset,)
        )
        return _only(rows, words)
    rows = workspace.query("SELECT * FROM runs WHERE substr(id, 1, ?) = ? ORDER BY number", (len(words), words))
    return _only(rows if words else [], words)


def run_segments(workspace: Workspace, run: Run) -> list[RunSegment]:
    """What a run meant for each of its segments, by name."""
    rows = workspace.query(
        "SELECT s.name, r.id AS run_id, r.as_of, x.* FROM run_segments x JOIN segments s ON s.id = x.segment"
        " JOIN runs r ON r.number = x.run WHERE x.run = ? ORDER BY s.name",
        (run.number,),
    )
    return [run_segment(row) for row in rows]


def run_segment(row: sqlite3.Row) -> RunSegment:
    """Binds a joined row of run_segments, segments and runs."""
    return RunSegment(
        row["name"],
        row["run_id"],
        instant(row["as_of"]),
        SegmentState(row["state"]),
        row["size"],
        row["entered"],
        row["left_"],
        row["reason"],
        None if row["leaves"] is None else json.loads(row["leaves"]),
    )


def _only(rows: list[sqlite3.Row], words: str) -> Run:
    if not rows:
        raise problems.unknown_run(words)
    if len(rows) > 1:
        raise problems.ambiguous_run(words, [row["id"] for row in rows])
    return _run(rows[0])


def _run(row: sqlite3.Row) -> Run:
    return Run(
        number=row["number"],
        id=row["id"],
        status=RunStatus(row["status"]),
        as_of=instant(row["as_of"]),
        snapshot=row["snapshot"],
        started=datetime.fromisoformat(row["started"]),
        finished=datetime.fromisoformat(row["finished"]),
        tool_version=row["tool_version"],
        definitions=json.loads(row["definitions"]),
        timings=json.loads(row["timings"]),
        note=json.loads(row["note"]),
        reproducible=bool(row["reproducible"]),
        commit=row["seq"],
    )


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), sort_keys=True)
