"""Workflows on record: how far each has read, who is where in it, and every effect with its intent and its result.

An effect is written as *intent* before anything is sent, and gets its result afterwards, in the transaction that moves
the person on. Its key is made of workflow, person, entry and step, so there is one row for each, whatever happens.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import blake2b
from typing import Any, Literal, Protocol

from segctl.model.dataclass import dataclass
from segctl.state.workflows_tables import FACTS, MERGED, TABLES, TROUBLES

EffectState = Literal["sending", "done", "refused", "invalid", "unknown", "control", "failed"]
"""``sending``: intent without result; ``refused``: the gate or a cap said no; ``invalid``: the destination will never
take it; ``unknown``: nobody knows whether it happened; ``control``: of somebody who gets nothing; ``failed``: a
program of one's own ended badly."""
ACTIVE = "active"
_AT_ONCE = 500


class Database(Protocol):
    """What is asked of a workspace, or of a database in memory."""

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Rows of a reading statement."""
        ...

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """One writing transaction."""
        ...


class MemoryDatabase:
    """The same tables in memory: for simulations and tests, which record nothing."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        for statement in (*TABLES, *TROUBLES, *MERGED, *FACTS):
            self._db.execute(statement)

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Rows of a reading statement."""
        return self._db.execute(sql, params).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One writing transaction."""
        self._db.execute("BEGIN")
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise


@dataclass(frozen=True, slots=True)
class Place:
    """How far a workflow has read.

    Attributes:
        feed: Position in the feed of membership changes.
        snapshot: Commit up to which new events were seen.
        at: Instant up to which the clock was seen; microseconds since 1970, as all instants here.
        began: When it was first handled; nothing before is made up for.
    """

    feed: str
    snapshot: int
    at: int
    began: int


@dataclass(frozen=True, slots=True)
class Instance:
    """One way of one person through a workflow.

    Attributes:
        id: 0 before it is recorded.
        version: Digest of the workflow's version.
        subject: Of the profile when it began.
        profile: Its id then; effects are known by it whatever is merged later.
        entry: What began it, unique by workflow and subject.
        entered: When; later `reached`, `wake` and `ended`.
        state: ``active``, ``done``, ``exited``, ``merged``, ``gone``.
        step: Where they are, ``start`` before the first step.
        merged_into: Id of the older way of the person that this one turned out to be, where the state is ``merged``.
    """

    id: int
    workflow: str
    version: str
    subject: int
    profile: str
    entry: str
    entered: int
    arm: str
    state: str
    step: str
    reached: int
    wake: int | None = None
    ended: int | None = None
    reason: str | None = None
    merged_into: int | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """Somebody who has been a member for less than a trigger wants."""

    workflow: str
    subject: int
    entry: str
    effective: int
    due: int


@dataclass(frozen=True, slots=True)
class Effect:
    """Something done, or about to be done, to one person at one step.

    Attributes:
        key: Of `effect_key`.
        audience: Name of the audience there, of a template, a trait, or a program.
        reason: Why not, or what the destination said.
        tries: How often it was sent; more than once only where repeating changes nothing.
        is_contact: Counts for caps.
    """

    key: str
    instance: int
    workflow: str
    version: str
    subject: int
    profile: str
    entry: str
    step: str
    action: str
    destination: str | None
    audience: str | None
    purpose: str | None
    channel: str | None
    state: EffectState
    reason: str | None
    intended: int
    settled: int | None
    tries: int = 1
    is_contact: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """The result of an effect; ``not_now`` takes the intent back, since nothing happened."""

    key: str
    state: EffectState | Literal["not_now"]
    at: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Troubled:
    """An effect that was tried in vain, for a reason of this person alone; it is tried again.

    Attributes:
        since: The first try in vain; `last` the newest.
        tries: All of them.
    """

    key: str
    since: int
    last: int
    tries: int
    reason: str | None = None


def effect_key(workflow: str, profile: str, entry: str, step: str) -> str:
    """What an effect is known by, here and at destinations: the same however often it is tried."""
    parts = (part.encode() for part in (workflow, profile, entry, step))
    text = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return blake2b(text, digest_size=16).hexdigest()


class Books:
    """Everything on record of workflows, in a workspace or in memory."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # --- Reading -------------------------------------------------------------------------------------------
    def places(self) -> dict[str, Place]:
        """How far each workflow has read."""
        rows = self._db.query("SELECT workflow, feed, snapshot, at, began FROM workflow_places")
        return {row[0]: Place(*row[1:]) for row in rows}

    def version(self, workflow: str, digest: str) -> bytes | None:
        """The text of a version."""
        rows = self._db.query(
            "SELECT text FROM workflow_versions WHERE workflow = ? AND digest = ?", (workflow, digest)
        )
        return rows[0][0] if rows else None

    def active(self, workflows: Iterable[str] | None = None) -> list[Instance]:
        """Who is on the way, in the order in which they entered."""
        return self.instances(workflows, " AND state = 'active'")

    def instances(self, workflows: Iterable[str] | None = None, where: str = "") -> list[Instance]:
        """Instances of some workflows, oldest first."""
        names = None if workflows is None else list(workflows)
        marks = "" if names is None else f" AND workflow IN ({','.join('?' * len(names))})"
        rows = self._db.query(f"SELECT * FROM workflow_instances WHERE 1{marks}{where} ORDER BY id", names or ())
        return [Instance(*row) for row in rows]

    def entries(self, workflow: str, subjects: Iterable[int]) -> list[tuple[int, int, bool]]:
        """Of some subjects those that ever entered: subject, last entry, and whether they are on the way."""
        rows = self._of(
            "SELECT subject, max(entered), max(state = 'active') FROM workflow_instances WHERE workflow = ?"
            " AND subject IN ({}) GROUP BY subject",
            sorted(subjects),
            workflow,
        )
        return [(row[0], row[1], bool(row[2])) for row in rows]

    def has_entry(self, workflow: str, entries: Iterable[str]) -> set[tuple[int, str]]:
        """Of some entries those that are on record: subject and entry."""
        asked = "SELECT subject, entry FROM workflow_instances WHERE workflow = ? AND entry IN ({})"
        return {(row[0], row[1]) for row in self._of(asked, sorted(set(entries)), workflow)}

    def _of(self, sql: str, wanted: Sequence[Any], *first: Any) -> Iterator[sqlite3.Row]:  # noqa: ANN401 - values of SQL
        """Rows of a statement that names many values, some at a time."""
        for at in range(0, len(wanted), _AT_ONCE):
            part = wanted[at : at + _AT_ONCE]
            yield from self._db.query(sql.format(",".join("?" * len(part))), (*first, *part))

    def pending(self) -> list[Pending]:
        """Who waits to have been a member long enough."""
        rows = self._db.query("SELECT * FROM workflow_pending ORDER BY due, workflow, subject")
        return [Pending(*row) for row in rows]

    def effects(self, where: str = "1", params: Sequence[Any] = ()) -> list[Effect]:
        """Effects in the order in which they were intended."""
        columns = ", ".join(_EFFECT)
        rows = self._db.query(
            f"SELECT {columns} FROM workflow_effects WHERE {where} ORDER BY intended, instance, key", params
        )
        return [Effect(**{**dict(row), "is_contact": bool(row["is_contact"])}) for row in rows]

    def settled(self, keys: Iterable[str]) -> set[str]:
        """Of some keys those of effects that have a result."""
        asked = "SELECT key FROM workflow_effects WHERE state <> 'sending' AND key IN ({})"
        return {row[0] for row in self._of(asked, list(keys))}

    def troubles(self, keys: Iterable[str]) -> dict[str, Troubled]:
        """Of some keys those of effects that were tried in vain."""
        asked = "SELECT key, since, last, tries, reason FROM workflow_troubles WHERE key IN ({})"
        return {row[0]: Troubled(*row) for row in self._of(asked, list(keys))}

    def counts(self) -> list[tuple[str, str, str, int]]:
        """Workflow, step, state of effects, and how many."""
        rows = self._db.query(
            "SELECT workflow, step, state, count(*) FROM workflow_effects GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        return [tuple(row) for row in rows]

    def states(self) -> list[tuple[str, str, str, str, int]]:
        """Workflow, arm, state and step of instances, and how many."""
        rows = self._db.query(
            "SELECT workflow, arm, state, CASE state WHEN 'active' THEN step ELSE '' END, count(*)"
            " FROM workflow_instances GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
        )
        return [tuple(row) for row in rows]

    # --- Writing -------------------------------------------------------------------------------------------
    def take_in(
        self,
        entered: Iterable[Instance],
        places: Mapping[str, Place],
        *,
        versions: Mapping[tuple[str, str], bytes],
        pending: Iterable[Pending] = (),
        dropped: Iterable[tuple[str, int]] = (),
        at: int = 0,
    ) -> None:
        """Who begins, who waits to begin, and how far has been read, in one transaction."""
        with self._db.transaction() as db:
            db.executemany(
                "INSERT OR IGNORE INTO workflow_versions VALUES (?, ?, ?, ?)",
                [(workflow, digest, text, at) for (workflow, digest), text in versions.items()],
            )
            db.executemany("DELETE FROM workflow_pending WHERE workflow = ? AND subject = ?", list(dropped))
            db.executemany(
                "INSERT OR REPLACE INTO workflow_pending VALUES (?, ?, ?, ?, ?)",
                [(one.workflow, one.subject, one.entry, one.effective, one.due) for one in pending],
            )
            db.executemany(
                "INSERT OR IGNORE INTO workflow_instances (workflow, version, subject, profile, entry, entered, arm,"
                " state, step, reached, wake) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        one.workflow, one.version, one.subject, one.profile, one.entry, one.entered, one.arm, one.state,
                        one.step, one.reached, one.wake,
                    )
                    for one in entered
                ],
            )  # fmt: skip
            db.executemany(
                "INSERT OR REPLACE INTO workflow_places VALUES (?, ?, ?, ?, ?)",
                [(name, one.feed, one.snapshot, one.at, one.began) for name, one in places.items()],
            )

    def write(
        self,
        *,
        settled: Sequence[Settled] = (),
        moved: Iterable[Instance] = (),
        intended: Iterable[Effect] = (),
        troubled: Iterable[Troubled] = (),
    ) -> None:
        """Results, the moves that follow from them, and the next intents, in one transaction."""
        with self._db.transaction() as db:
            write(db, settled=settled, moved=moved, intended=intended)
            db.executemany(
                "INSERT OR REPLACE INTO workflow_troubles VALUES (?, ?, ?, ?, ?)",
                [(one.key, one.since, one.last, one.tries, one.reason) for one in troubled],
            )


def write(
    db: sqlite3.Connection,
    *,
    settled: Sequence[Settled] = (),
    moved: Iterable[Instance] = (),
    intended: Iterable[Effect] = (),
) -> None:
    """`Books.write` within a transaction of somebody else."""
    db.executemany(
        "UPDATE workflow_effects SET state = ?, reason = ?, settled = ? WHERE key = ?",
        [(one.state, one.reason, one.at, one.key) for one in settled if one.state != "not_now"],
    )
    db.executemany(
        "DELETE FROM workflow_troubles WHERE key = ?", [(one.key,) for one in settled if one.state != "not_now"]
    )
    db.executemany(
        "DELETE FROM workflow_effects WHERE key = ? AND state = 'sending' AND tries = 1",
        [(one.key,) for one in settled if one.state == "not_now"],
    )
    db.executemany(
        "UPDATE workflow_instances SET version = ?, state = ?, step = ?, reached = ?, wake = ?, ended = ?, reason = ?,"
        " merged_into = ? WHERE id = ?",
        [
            (
                one.version,
                one.state,
                one.step,
                one.reached,
                one.wake,
                one.ended,
                one.reason,
                one.merged_into,
                one.id,
            )
            for one in moved
        ],
    )
    marks = ", ".join("?" * len(_EFFECT))
    db.executemany(
        f"INSERT INTO workflow_effects ({', '.join(_EFFECT)}) VALUES ({marks})"
        " ON CONFLICT (key) DO UPDATE SET state = excluded.state, reason = excluded.reason,"
        " tries = tries + excluded.tries, settled = excluded.settled WHERE state = 'sending'",
        [tuple(getattr(one, name) for name in _EFFECT) for one in intended],
    )


_EFFECT = (
    "key", "instance", "workflow", "version", "subject", "profile", "entry", "step", "action", "destination",
    "audience", "purpose", "channel", "state", "reason", "intended", "settled", "tries", "is_contact",
)  # fmt: skip
