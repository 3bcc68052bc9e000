"""The consent ledger: rows are added, never changed nor deleted; SQLite's triggers refuse both.

A row knows its contact point by keyed tokens alone. ``seq`` orders rows by arrival: whoever remembers the newest one
that it has seen reads what came since. Times are whole microseconds since 1970 in UTC.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from segctl.model.consent import DENYING, GIVEN, SOFT_OPT_IN_FACTS, ConsentEvent
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    import sqlite3

    from segctl.state.workspace import Workspace

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOST_VARIABLES = 500
COMMIT = "consent"
"""Kind of the commits by which new rows become part of a snapshot."""

COLUMNS = (
    "event_id", "at", "kind", "exact", "wide", "key_id", "action", "purpose", "channel", "brand", "recipient_class",
    "legal_basis", "notice_id", "notice_version", "notice_hash", "language", "jurisdiction", "origin", "source",
    "capture_method", "proof_ref", "proof_hash", "actor", "is_own", "is_confirmed", "expires_at", "supersedes",
    "reason", "facts",
)  # fmt: skip

_DENYING = ", ".join(f"'{action}'" for action in DENYING)
_GIVEN = ", ".join(f"'{action}'" for action in GIVEN)
_WORDS_OF_REASON = "'soft', 'tcf_malformed', 'tcf_denied'"
"""Reasons that mean something to a decision; others are whatever somebody wrote."""


def _fact(name: str) -> str:
    """A fact as far as decisions look at it: there, or not. An order's number would make a shape for each person."""
    value = f"json_extract(facts, '$.{name}')"
    # Blanks around it, or a word for no, are left to whoever judges.
    is_plain = f"{value} GLOB '[A-Za-z0-9]*' AND substr({value}, -1) GLOB '[A-Za-z0-9]'"
    return f"CASE WHEN {is_plain} AND lower({value}) NOT IN ('false', 'no', 'nein', '0') THEN 'yes' ELSE {value} END"


_FACTS = f"""CASE WHEN {" OR ".join(f"instr(facts, '{name}')" for name in SOFT_OPT_IN_FACTS)} THEN
    json_replace(facts, {", ".join(f"'$.{name}', {_fact(name)}" for name in SOFT_OPT_IN_FACTS)}) ELSE facts END"""
_SHAPE = (
    "action", "purpose", "channel", "brand", "recipient_class", "legal_basis", "notice_version",
    "proof_ref IS NOT NULL OR proof_hash IS NOT NULL", "is_own", "is_confirmed", "origin",
    f"CASE WHEN reason IN ({_WORDS_OF_REASON}) THEN reason END", _FACTS,
)  # fmt: skip
_SEPARATOR = "\x1f"
"""Between the parts of a shape: read as one text, a million rows cost a third of what thirteen columns do."""
# What takes something away counts from when it was heard of, should its own time lie later.
STATE = f"""SELECT seq, CASE WHEN at > recorded AND action IN ({_DENYING}) THEN recorded ELSE at END AS at,
    expires_at, exact, wide, printf('{_SEPARATOR.join(["%s"] * len(_SHAPE))}', {", ".join(_SHAPE)}) AS shape
    FROM consent_events"""


@dataclass(frozen=True, slots=True)
class StoredConsent:
    """A row of the ledger.

    Attributes:
        seq: Its number, in order of arrival.
        recorded: When it was written, UTC.
        event: What it says.
    """

    seq: int
    recorded: datetime
    event: ConsentEvent


def append(workspace: Workspace, events: Iterable[ConsentEvent], *, recorded: datetime) -> list[int]:
    """Add rows in one transaction: all of them, or none.

    Args:
        workspace: Open.
        events: In order; one whose id is on record already is left out.
        recorded: The instant of the call.

    Returns:
        For each event its number, 0 for those that were there already.
    """
    with workspace.transaction() as db:
        return insert(db, events, recorded=recorded)


def insert(db: sqlite3.Connection, events: Iterable[ConsentEvent], *, recorded: datetime) -> list[int]:
    """`append` inside a transaction that somebody else has begun, such as `within` of a commit.

    New rows make a commit of their own: a snapshot says what was known, and that includes consent.
    """
    marks = ", ".join("?" * (len(COLUMNS) + 1))
    statement = f"INSERT INTO consent_events ({', '.join(COLUMNS)}, recorded) VALUES ({marks})"
    # Rows that were written while the clock was ahead do not make what is heard of later older than them.
    newest = db.execute("SELECT recorded FROM consent_events ORDER BY seq DESC LIMIT 1").fetchone()
    now, numbers = max(micros(recorded), newest[0] if newest else 0), []
    for event in events:
        values = _values(event)
        if event.action in DENYING and event.at >= recorded:
            values = tuple(now if name == "at" else value for name, value in zip(COLUMNS, values, strict=True))
        done = db.execute(statement, (*values, now))
        numbers.append(int(done.lastrowid or 0) if done.rowcount == 1 else 0)
    if any(numbers):
        db.execute("INSERT INTO commits (kind, note) VALUES (?, ?)", (COMMIT, json.dumps({"head": max(numbers)})))
    return numbers


def known_events(workspace: Workspace, ids: Sequence[str]) -> set[str]:
    """Those of the event ids that are on record."""
    found: set[str] = set()
    for start in range(0, len(ids), _MOST_VARIABLES):
        part = ids[start : start + _MOST_VARIABLES]
        marks = ", ".join("?" * len(part))
        rows = workspace.query(f"SELECT event_id FROM consent_events WHERE event_id IN ({marks})", part)
        found |= {row[0] for row in rows}
    return found


def stored_events(workspace: Workspace, ids: Sequence[str]) -> dict[str, ConsentEvent]:
    """Whole rows by the ids of their events; those that are not on record are left out."""
    found: dict[str, ConsentEvent] = {}
    for start in range(0, len(ids), _MOST_VARIABLES):
        part = ids[start : start + _MOST_VARIABLES]
        marks = ", ".join("?" * len(part))
        rows = workspace.query(f"SELECT * FROM consent_events WHERE event_id IN ({marks})", part)
        found |= {row["event_id"]: _stored(row).event for row in rows}
    return found


def head(workspace: Workspace) -> int:
    """Number of the newest row; 0 of an empty ledger."""
    return int(workspace.query("SELECT coalesce(max(seq), 0) FROM consent_events")[0][0])


def newest_arrival(workspace: Workspace, *, until: int | None = None) -> int:
    """When the newest row was written, in microseconds; 0 of an empty ledger."""
    asked = (2**62 if until is None else until,)
    rows = workspace.query("SELECT recorded FROM consent_events WHERE seq <= ? ORDER BY seq DESC LIMIT 1", asked)
    return int(rows[0][0]) if rows else 0


def head_at(workspace: Workspace, snapshot: int) -> int:
    """Number of the newest row that a snapshot knows; 0 of an empty ledger."""
    found = workspace.query(
        "SELECT note FROM commits WHERE kind = ? AND seq <= ? ORDER BY seq DESC LIMIT 1", (COMMIT, snapshot)
    )
    return int(json.loads(found[0][0])["head"]) if found else 0


def outside(workspace: Workspace, *, until: int) -> set[bytes]:
    """Wide tokens with an objection to profiling, a restriction or an erasure among the rows up to a number."""
    rows = workspace.query(
        """SELECT DISTINCT wide FROM consent_events INDEXED BY consent_outside
            WHERE action IN ('object_profiling', 'restrict', 'erase') AND seq <= ?""",
        (until,),
    )
    return {row[0] for row in rows}


def concerned(workspace: Workspace, since: int, until: int) -> set[bytes]:
    """Wide tokens of the rows after one number, up to another."""
    rows = workspace.query("SELECT DISTINCT wide FROM consent_events WHERE seq > ? AND seq <= ?", (since, until))
    return {row[0] for row in rows}


def states(
    workspace: Workspace, seq: int = 0, *, until: int | None = None, wides: Collection[bytes] | None = None
) -> Iterator[tuple[Any, ...]]:
    """What decisions are made of: the rows after `seq`, by number.

    Args:
        workspace: Open.
        seq: Rows up to this one are left out.
        until: Rows after this one are left out as well.
        wides: Only rows of these wide tokens, for questions about a few people.

    Yields:
        seq, effective time, expiry, exact token, wide token, and everything else as the text of a
        `consent.shapes.Shape`.
    """
    where, values = "WHERE seq > ? AND seq <= ?", [seq, 2**62 if until is None else until]
    if wides is None:
        yield from workspace.stream(f"{STATE} {where} ORDER BY seq", values)
        return
    found: list[tuple[Any, ...]] = []
    asked = sorted(wides)
    for start in range(0, len(asked), _MOST_VARIABLES):
        part = asked[start : start + _MOST_VARIABLES]
        marks = ", ".join("?" * len(part))
        found += workspace.stream(f"{STATE} {where} AND wide IN ({marks})", (*values, *part))
    yield from sorted(found)


def taken_back(workspace: Workspace, *, until: int | None = None, before: datetime | None = None) -> set[int]:
    """Numbers of the rows that a correction takes back; only what gives consent can be, never what denies it."""
    # Corrections are few: without a hint every row up to `until` would be looked at, at each batch of a push.
    rows = workspace.query(
        f"""SELECT old.seq FROM consent_events AS new INDEXED BY consent_corrections
              CROSS JOIN consent_events AS old ON old.event_id = new.supersedes
            WHERE new.supersedes IS NOT NULL AND new.action = 'correct' AND old.action IN ({_GIVEN})
              AND old.wide = new.wide AND new.seq <= ? AND new.at <= ?""",
        (2**62 if until is None else until, 2**62 if before is None else micros(before)),
    )
    return {int(row[0]) for row in rows}


def rows_of(workspace: Workspace, wides: Collection[bytes]) -> list[StoredConsent]:
    """Whole rows of contact points by their wide tokens, oldest first."""
    marks = ", ".join("?" * len(wides))
    found = workspace.query(
        f"SELECT * FROM consent_events WHERE wide IN ({marks}) ORDER BY at, seq", tuple(sorted(wides))
    )
    return [_stored(row) for row in found]


def suppression_rows(workspace: Workspace, actions: Sequence[str]) -> list[StoredConsent]:
    """Whole rows of some actions, and all that lift anything, oldest first."""
    marks = ", ".join("?" * len(actions))
    found = workspace.query(
        f"SELECT * FROM consent_events WHERE action IN ({marks}, 'lift') ORDER BY at, seq", tuple(actions)
    )
    return [_stored(row) for row in found]


def key_ids(workspace: Workspace) -> list[str]:
    """The keys that rows were written with, in order of their first use."""
    return [row[0] for row in workspace.query("SELECT id FROM consent_keys ORDER BY at, rowid")]


def record_key(workspace: Workspace, key: str, *, at: datetime) -> None:
    """Remember that rows are written with a key."""
    with workspace.transaction() as db:
        db.execute("INSERT OR IGNORE INTO consent_keys (id, at) VALUES (?, ?)", (key, micros(at)))


def micros(at: datetime) -> int:
    """Whole microseconds since 1970 of an aware instant."""
    return (at - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """The instant of such a number, UTC."""
    return _EPOCH + timedelta(microseconds=value)


def _values(event: ConsentEvent) -> tuple[Any, ...]:
    facts = json.dumps(dict(event.facts), sort_keys=True, ensure_ascii=False) if event.facts else None
    special: dict[str, Any] = {
        "at": micros(event.at), "expires_at": None if event.expires_at is None else micros(event.expires_at),
        "is_own": int(event.is_own), "is_confirmed": int(event.is_confirmed), "facts": facts,
    }  # fmt: skip
    for name in (*_SHAPE[1:7], "reason"):
        text = getattr(event, name)
        if text is not None and _SEPARATOR in text:
            special[name] = text.replace(_SEPARATOR, " ")
    return tuple(special[name] if name in special else getattr(event, name) for name in COLUMNS)


def _stored(row: sqlite3.Row) -> StoredConsent:
    found: dict[str, Any] = {name: row[name] for name in COLUMNS}
    found["at"] = instant(found["at"])
    found["expires_at"] = None if found["expires_at"] is None else instant(found["expires_at"])
    found["is_own"], found["is_confirmed"] = bool(found["is_own"]), bool(found["is_confirmed"])
    found["facts"] = json.loads(found["facts"]) if found["facts"] else {}
    return StoredConsent(int(row["seq"]), instant(row["recorded"]), ConsentEvent(**found))
