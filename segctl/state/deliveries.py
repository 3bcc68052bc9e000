"""What destinations accepted: one row per audience and person, the state that the next push starts from.

A row says that somebody may be in an audience at a destination. It is there before an addition is sent, and goes only
when a removal is acknowledged, so whatever happens in between, nobody is there of whom nothing is known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.workspace import Workspace

ACCEPTED = "accepted"
"""State of a row that the destination acknowledged; `adding`, `removing`, `unsure` and `unknown` are open."""
UNKNOWN = "unknown"
"""Nobody knows whether an addition had its effect, and repeating it might have the effect twice."""
_AT_ONCE = 50_000
_QUESTION = 500


@dataclass(frozen=True, slots=True)
class LedgerAudience:
    """An audience that a destination was told of.

    Attributes:
        remote: Its id there; None before the first push.
        purpose: What its people were last told for, so that consent can be looked at when the segment is gone.
        channel: Likewise.
        name: What it was called there when its id was asked for; None before.
    """

    id: int
    destination: str
    segment: str
    remote: str | None = None
    purpose: str | None = None
    channel: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A row that a destination did not accept.

    Attributes:
        key: Of the row.
        profile: Profile id; None for rows that only the ledger knows.
        action: ``add``, ``update`` or ``remove``.
        state: ``invalid`` never works as it is, ``rejected`` may work later, of ``unknown`` nobody knows.
        digest: Of what was sent; None for a removal.
        first_at: ISO instant of the first failure in a row; likewise `last_at`.
        tries: Pushes that tried.
    """

    destination: str
    segment: str
    key: str
    profile: str | None
    action: str
    state: str
    digest: str | None
    reason: str
    code: str | None
    first_at: str
    last_at: str
    tries: int


def ledger_audiences(workspace: Workspace, destination: str | None = None) -> list[LedgerAudience]:
    """Audiences that were pushed at any time, by destination and segment."""
    where, params = ("", ()) if destination is None else (" WHERE destination = ?", (destination,))
    rows = workspace.query(f"SELECT * FROM push_audiences{where} ORDER BY destination, segment", params)
    return [LedgerAudience(*row) for row in rows]


def ledger_audience(
    workspace: Workspace,
    destination: str,
    segment: str,
    *,
    formerly: Sequence[str] = (),
    purpose: str | None = None,
    channel: str | None = None,
    called: Mapping[str, str] = MappingProxyType({}),
) -> LedgerAudience:
    """The audience's row, made where it is missing; of a renamed segment the one of its former name.

    Args:
        workspace: Where it is recorded.
        destination: Its name.
        segment: Its name today.
        formerly: Former names that no other segment has now.
        purpose: What it is for today.
        channel: What people are reached by today.
        called: Segment → what it is called there, where that is another name.
    """
    with workspace.transaction() as db:
        names = [segment, *reversed(formerly)]
        found = {
            row["segment"]: row["id"]
            for row in db.execute("SELECT id, segment FROM push_audiences WHERE destination = ?", (destination,))
        }
        last = next((name for name in names if name in found), segment)
        number = found.get(last)
        if number is None:
            number = db.execute(
                "INSERT INTO push_audiences (destination, segment) VALUES (?, ?)", (destination, segment)
            ).lastrowid
        # Before names were kept an audience was called what its segment was called then.
        db.execute(
            "UPDATE push_audiences SET segment = ?, purpose = ?, channel = ?,"
            " name = CASE WHEN remote IS NULL THEN name ELSE coalesce(name, ?) END WHERE id = ?",
            (segment, purpose, channel, called.get(last, last), number),
        )
        row = db.execute("SELECT * FROM push_audiences WHERE id = ?", (number,)).fetchone()
    return LedgerAudience(*row)


def keep_remote(workspace: Workspace, audience: int, remote: str, name: str) -> None:
    """Remember the id that a destination gave an audience, and the name it was asked by."""
    with workspace.transaction() as db:
        db.execute("UPDATE push_audiences SET remote = ?, name = ? WHERE id = ?", (remote, name, audience))


def delivered(workspace: Workspace, destination: str, segment: str) -> pl.DataFrame:
    """Who may be in an audience at a destination.

    Returns:
        One row per key, sorted by key; `key`, `profile_id` (null when unknown), `state` (`ACCEPTED`, or open),
        `digest` of what was last accepted (null when nothing was), `known_as` (id there), `identifiers` (JSON object
        of what the destination was told). Empty for an audience that was never pushed.
    """
    wanted = {
        "key": "key", "profile_id": "profile", "state": "state", "digest": "digest", "known_as": "known_as",
        "identifiers": "identifiers",
    }  # fmt: skip
    return _frame(workspace, wanted, audience_number(workspace, destination, segment))


def told_profiles(workspace: Workspace, audience: int) -> pl.DataFrame:
    """Of whom each row was: one row per key, sorted by key; `key` and `profile` (id, null when unknown)."""
    return _frame(workspace, {"key": "key", "profile": "profile"}, audience)


def profiles_there(workspace: Workspace, audience: int) -> pl.Series:
    """Ids of the profiles that may be in an audience, as far as they are known, in order of key."""
    return _frame(workspace, {"profile": "profile"}, audience)["profile"].drop_nulls()


def told_points(workspace: Workspace, audience: int) -> pl.DataFrame:
    """Whose consent is asked: one row per key, sorted by key; `key` and `points` (packed tokens, see `unpacked`)."""
    return _frame(workspace, {"key": "key", "points": "points"}, audience, binary=("points",))


def told_rows(workspace: Workspace, audience: int, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Rows of some keys with all that a removal needs, by key in blocks; those that are not there are left out."""
    for start in range(0, len(keys), _QUESTION):
        block = keys[start : start + _QUESTION]
        marks = ", ".join("?" * len(block))
        sql = f"SELECT * FROM delivered WHERE audience = ? AND key IN ({marks}) ORDER BY key"
        yield from (dict(row) for row in workspace.query(sql, (audience, *block)))


def told_identifiers(workspace: Workspace, audience: int, keys: Sequence[str]) -> Iterator[str]:
    """What the destination was told people by (JSON objects), of some keys in any order."""
    if len(keys) > _AT_ONCE:
        wanted = set(keys)
        rows = workspace.stream("SELECT key, identifiers FROM delivered WHERE audience = ?", (audience,))
        yield from (text for key, text in rows if key in wanted)
    else:
        yield from (row["identifiers"] for row in told_rows(workspace, audience, keys))


def sizes_delivered(workspace: Workspace) -> dict[tuple[str, str], int]:
    """(destination, segment) → people that may be there."""
    rows = workspace.query(
        "SELECT a.destination, a.segment, count(*) FROM delivered d JOIN push_audiences a ON a.id = d.audience"
        " GROUP BY a.id"
    )
    return {(row[0], row[1]): int(row[2]) for row in rows}


def audience_size(workspace: Workspace, audience: int) -> int:
    """People that may be in an audience."""
    return int(workspace.query("SELECT count(*) FROM delivered WHERE audience = ?", (audience,))[0][0])


def failures(workspace: Workspace, destination: str | None = None, segment: str | None = None) -> list[Failure]:
    """Rows that were not accepted the last time they were sent, by destination, segment and key."""
    rows = workspace.query(
        "SELECT a.destination, a.segment, f.key, f.profile, f.action, f.state, f.digest, f.reason, f.code, f.first_at,"
        " f.last_at, f.tries FROM push_failures f JOIN push_audiences a ON a.id = f.audience"
        " WHERE coalesce(?1, a.destination) = a.destination AND coalesce(?2, a.segment) = a.segment"
        " ORDER BY a.destination, a.segment, f.key",
        (destination, segment),
    )
    return [Failure(*row) for row in rows]


def audience_number(workspace: Workspace, destination: str, segment: str) -> int:
    """Number of an audience in the ledger; 0 when it was never pushed."""
    rows = workspace.query(
        "SELECT id FROM push_audiences WHERE destination = ? AND segment = ?", (destination, segment)
    )
    return int(rows[0][0]) if rows else 0


def watermark(workspace: Workspace, destination: str, segment: str) -> int:
    """Number of the last batch of an audience; what was delivered changed only if it did. 0 before the first."""
    audience = audience_number(workspace, destination, segment)
    rows = workspace.query("SELECT coalesce(max(number), 0) FROM push_batches WHERE audience = ?", (audience,))
    return int(rows[0][0])


def packed(points: Iterable[bytes | None]) -> bytes:
    """Tokens of one row as one value; None, a malformed point, is an empty token."""
    return b"".join(bytes((len(point or b""),)) + (point or b"") for point in points)


def unpacked(value: bytes | None) -> list[bytes | None]:
    """The tokens of `packed`."""
    found: list[bytes | None] = []
    place, value = 0, value or b""
    while place < len(value):
        end = place + 1 + value[place]
        found.append(value[place + 1 : end] or None)
        place = end
    return found


def _frame(
    workspace: Workspace, wanted: Mapping[str, str], audience: int, *, binary: Sequence[str] = ()
) -> pl.DataFrame:
    import polars as pl

    columns: list[list[Any]] = [[] for _ in wanted]
    sql = f"SELECT {', '.join(wanted.values())} FROM delivered WHERE audience = ? ORDER BY key"
    for block in workspace.blocks(sql, (audience,), _AT_ONCE):
        for column, values in zip(columns, zip(*block, strict=True), strict=True):
            column.extend(values)
    types = {name: pl.Binary if name in binary else pl.String for name in wanted}
    return pl.DataFrame(
        [pl.Series(name, column, types[name]) for name, column in zip(wanted, columns, strict=True)], schema=types
    )
