"""What a running stream has taken in and said, row by row in the database, until a run holds it.

A batch, the changes it makes and the places to go on from commit in one transaction. ``stream_batches`` holds raw lines
that no stored file holds yet; ``stream_changes`` holds what was said, with ``run`` null until a run records it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import zstandard

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace

LOCK = "stream"
"""Held by the one stream of an environment."""
KEPT_CHANGES = 1_000_000
"""So many changes can be said again; older ones stand in runs alone."""


@dataclass(frozen=True, slots=True)
class RawLines:
    """Lines of one input, as they came.

    Attributes:
        input: Number of the input, which rows carry as ``file_id``.
        source: Declared source that reads them.
        arrived: Microseconds since 1970.
        first_line: Number of the first of them in its input, from 1.
        lines: Without line ends.
    """

    input: int
    source: str
    arrived: int
    first_line: int
    lines: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Change:
    """A profile entered or left a segment; instants in microseconds since 1970.

    Attributes:
        subject: Of the profile.
        effective: Valid time of the change.
        event_time: Of the event that the cause names, or the newest of the profile's; None when none was taken in.
        latency: Microseconds between the arrival of what caused it and its evaluation.
        cause: As `operations.causes.words` writes them.
        run: Number of the run that holds it; None before.
        seq: Given when it is committed.
    """

    segment: str
    subject: int
    profile: str
    entered: bool
    effective: int
    event_time: int | None
    latency: int
    cause: str
    run: int | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """How far an input was taken in.

    Attributes:
        feed: Name of the input, such as a path.
        position: Where to go on, in the words of what reads it.
        input: Number of the input.
        line: Lines taken in so far.
    """

    feed: str
    position: str
    input: int
    line: int


def append(
    db: sqlite3.Connection,
    *,
    raw: Iterable[RawLines] = (),
    changes: Iterable[Change] = (),
    places: Iterable[Place] = (),
    facts: Mapping[str, Any] | None = None,
) -> int:
    """Writes one step of a stream inside a transaction.

    Returns:
        The highest sequence number of a change there is.
    """
    packed = [(one.input, one.source, one.arrived, one.first_line, len(one.lines), _packed(one.lines)) for one in raw]
    db.executemany(
        "INSERT INTO stream_batches (input, source, arrived, first_line, lines, body) VALUES (?, ?, ?, ?, ?, ?)", packed
    )
    db.executemany(
        "INSERT INTO stream_changes (segment, subject, profile, entered, effective, event_time, latency, cause, run)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (c.segment, c.subject, c.profile, c.entered, c.effective, c.event_time, c.latency, c.cause, c.run)
            for c in changes
        ],
    )
    db.executemany(
        "INSERT OR REPLACE INTO stream_positions (feed, position, input, line) VALUES (?, ?, ?, ?)",
        [(place.feed, place.position, place.input, place.line) for place in places],
    )
    set_facts(db, facts or {})
    return newest_seq(db)


def newest_seq(db: sqlite3.Connection) -> int:
    """The highest sequence number that was ever given; 0 before the first."""
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'stream_changes'").fetchone()
    return int(row[0]) if row else 0


def last_seq(workspace: Workspace) -> int:
    """`newest_seq` of a workspace."""
    rows = workspace.query("SELECT seq FROM sqlite_sequence WHERE name = 'stream_changes'")
    return int(rows[0][0]) if rows else 0


def raw_lines(workspace: Workspace) -> Iterator[RawLines]:
    """What was taken in and stands in no stored file, in order."""
    for row in workspace.stream("SELECT input, source, arrived, first_line, body FROM stream_batches ORDER BY number"):
        yield RawLines(row[0], row[1], row[2], row[3], _unpacked(row[4]))


def waiting_lines(workspace: Workspace) -> int:
    """How many lines were taken in and stand in no stored file."""
    return int(workspace.query("SELECT coalesce(sum(lines), 0) FROM stream_batches")[0][0])


def last_batch(workspace: Workspace) -> int:
    """Number of the newest batch of lines that stands in no stored file; 0 when there is none."""
    return int(workspace.query("SELECT coalesce(max(number), 0) FROM stream_batches")[0][0])


def forget_raw(db: sqlite3.Connection, until: int) -> None:
    """Deletes the raw lines up to a batch, once files hold what they gave."""
    db.execute("DELETE FROM stream_batches WHERE number <= ?", (until,))


def changes_after(workspace: Workspace, seq: int, *, pending: bool = False) -> Iterator[Change]:
    """Changes with a higher sequence number, in order; `pending` are those that no run holds."""
    where = "seq > ? AND run IS NULL" if pending else "seq > ?"
    rows = workspace.stream(
        "SELECT segment, subject, profile, entered, effective, event_time, latency, cause, run, seq"
        f" FROM stream_changes WHERE {where} ORDER BY seq",
        (seq,),
    )
    yield from map(_change, rows)


def pending_causes(workspace: Workspace, until: int) -> list[tuple[str, int, str, int]]:
    """Changes up to a sequence number that no run holds, in order: segment, subject, cause and valid time."""
    return list(
        workspace.stream(
            "SELECT segment, subject, cause, effective FROM stream_changes WHERE run IS NULL AND seq <= ? ORDER BY seq",
            (until,),
        )
    )


def pending_change(workspace: Workspace, segment: str, subjects: Sequence[int]) -> Change | None:
    """The last change of one of the subjects in a segment that no run holds."""
    marks = ", ".join("?" * len(subjects))
    rows = workspace.query(
        "SELECT segment, subject, profile, entered, effective, event_time, latency, cause, run, seq"
        f" FROM stream_changes WHERE run IS NULL AND segment = ? AND subject IN ({marks}) ORDER BY seq DESC LIMIT 1",
        (segment, *subjects),
    )
    return _change(rows[0]) if rows else None


def _change(row: Sequence[Any]) -> Change:
    return Change(row[0], row[1], row[2], bool(row[3]), *row[4:])


def is_ahead(workspace: Workspace) -> bool:
    """Whether a stream has said something that no run holds, or taken in lines that no file holds."""
    pending = workspace.query("SELECT EXISTS (SELECT 1 FROM stream_changes WHERE run IS NULL)")
    return bool(pending[0][0]) or waiting_lines(workspace) > 0


def first_kept(workspace: Workspace) -> int:
    """The lowest sequence number that can be said again; one more than the highest when none can."""
    rows = workspace.query("SELECT min(seq) FROM stream_changes")
    return int(rows[0][0]) if rows[0][0] is not None else last_seq(workspace) + 1


def mark_recorded(db: sqlite3.Connection, run: int, until: int, *, is_even: bool = False) -> None:
    """Pending changes up to a sequence number stand in a run now; the oldest beyond the limit are forgotten.

    Args:
        db: In a transaction.
        run: Number of the run.
        until: The sequence number.
        is_even: All that was said, taken together, is what the run left in force. Otherwise changes of segments that
            failed in it, or were refused, are pending still: their last membership stays in force.
    """
    but = """ AND segment NOT IN (SELECT s.name FROM run_segments x JOIN segments s ON s.id = x.segment
        WHERE x.run = ?1 AND x.state = 'failed')"""
    db.execute(
        f"UPDATE stream_changes SET run = ?1 WHERE run IS NULL AND seq <= ?2{'' if is_even else but}", (run, until)
    )
    db.execute("DELETE FROM stream_changes WHERE run IS NOT NULL AND seq <= ?", (newest_seq(db) - KEPT_CHANGES,))


def place_of(workspace: Workspace, feed: str) -> Place | None:
    """How far an input was taken in; None when it never was."""
    rows = workspace.query("SELECT * FROM stream_positions WHERE feed = ?", (feed,))
    return Place(rows[0]["feed"], rows[0]["position"], rows[0]["input"], rows[0]["line"]) if rows else None


def forget_places(workspace: Workspace) -> None:
    """All inputs are read from their start again."""
    with workspace.transaction() as db:
        db.execute("DELETE FROM stream_positions")


def set_facts(db: sqlite3.Connection, facts: Mapping[str, Any]) -> None:
    """Writes named JSON values."""
    db.executemany(
        "INSERT OR REPLACE INTO stream_facts (name, value) VALUES (?, ?)",
        [(name, json.dumps(value, sort_keys=True)) for name, value in facts.items()],
    )


def fact(workspace: Workspace, name: str) -> Any:  # noqa: ANN401 - JSON is of any type
    """A named value; None where there is none."""
    rows = workspace.query("SELECT value FROM stream_facts WHERE name = ?", (name,))
    return json.loads(rows[0][0]) if rows else None


def _packed(lines: Sequence[bytes]) -> bytes:
    packed: bytes = zstandard.ZstdCompressor(level=1).compress(b"\n".join(lines))
    return packed


def _unpacked(body: bytes) -> list[bytes]:
    text: bytes = zstandard.ZstdDecompressor().decompress(body)
    return text.split(b"\n")
