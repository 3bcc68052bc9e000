"""Ways through workflows that are over, and their effects: which may go, and deleting them.

Each effect happens once because its row stands on record. A way that is over never acts again, so what it rests on is
who began when: nobody begins at or before their last entry. That entry stays for ever, and the first, from which
earnings count.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence

from segctl.state.workflows import Database, Effect, Instance

_UNDONE = "one.state = 'merged' AND other.state IN ('active', 'merged')"
"""A merge may be undone as long as the way that goes on is not over; then these people go on too."""


def over(db: Database, workflow: str, before: int) -> list[Instance]:
    """Ways that ended before an instant and cannot go on again, oldest first; microseconds since 1970."""
    rows = db.query(
        "SELECT one.* FROM workflow_instances one LEFT JOIN workflow_instances other ON other.id = one.merged_into"
        f" WHERE one.workflow = ? AND one.state <> 'active' AND one.ended < ? AND NOT ({_UNDONE}) ORDER BY one.id",
        (workflow, before),
    )
    return [Instance(*row) for row in rows]


def edges(db: Database, workflow: str) -> set[int]:
    """Ids of everybody's first and last way."""
    rows = db.query(
        "SELECT id FROM (SELECT id, row_number() OVER up AS first, row_number() OVER down AS last"
        " FROM workflow_instances WHERE workflow = ?"
        " WINDOW up AS (PARTITION BY subject ORDER BY entered, id),"
        " down AS (PARTITION BY subject ORDER BY entered DESC, id DESC)) WHERE first = 1 OR last = 1",
        (workflow,),
    )
    return {row[0] for row in rows}


def is_settled(effect: Effect, before: int) -> bool:
    """Whether an effect's result is known, and was before an instant."""
    known = effect.state not in ("sending", "unknown")
    return known and (effect.settled or effect.intended) < before


def uncounted(db: Database) -> set[str]:
    """Keys of contacts that are no events yet, so that caps read them here."""
    return {row[0] for row in db.query("SELECT key FROM workflow_effects WHERE is_contact = 1 AND is_event = 0")}


def old_versions(db: Database, workflow: str, *, gone: set[int], current: str | None) -> list[str]:
    """Digests of versions that no way needs once some are gone; the current one stays."""
    rows = db.query("SELECT id, version FROM workflow_instances WHERE workflow = ?", (workflow,))
    needed = {version for number, version in rows if number not in gone} | {current}
    found = db.query("SELECT digest FROM workflow_versions WHERE workflow = ? ORDER BY digest", (workflow,))
    return [row[0] for row in found if row[0] not in needed]


def deletion(
    instances: Iterable[int], effects: Iterable[str], versions: Sequence[tuple[str, str]]
) -> Callable[[sqlite3.Connection], None]:
    """What `Workspace.commit` runs as `within`."""
    numbers, keys = [(one,) for one in instances], [(one,) for one in effects]

    def delete(db: sqlite3.Connection) -> None:
        db.executemany("DELETE FROM workflow_effects WHERE key = ?", keys)
        # A number may be given anew, to somebody whom nobody was merged with.
        db.executemany("UPDATE workflow_instances SET merged_into = NULL WHERE merged_into = ?", numbers)
        db.executemany("DELETE FROM workflow_instances WHERE id = ? AND state <> 'active'", numbers)
        db.executemany("DELETE FROM workflow_versions WHERE workflow = ? AND digest = ?", versions)

    return delete
