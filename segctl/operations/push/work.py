"""What a push moves about: people, calls, and one audience with what it needs and what became of it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.model.destinations import Mode

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.destinations.base import Action, Row
    from segctl.model.audience import Step
    from segctl.model.consent import Use
    from segctl.operations.audience.experiments import Decided
    from segctl.operations.push.delta import Delta
    from segctl.state.deliveries import LedgerAudience
    from segctl.state.deliveries_batches import NewRow

_SLICE = 20_000
"""Rows that are taken out of a frame at a time, so that a large audience is never a million Python objects."""


@dataclass(frozen=True, slots=True)
class Person:
    """One row of a call.

    Attributes:
        row: As the connector is told of it.
        kept: As the ledger keeps it.
        points: Tokens that the gate is asked for.
    """

    row: Row
    kept: NewRow
    points: tuple[bytes | None, ...]

    @property
    def key(self) -> str:
        """Of the row."""
        return self.kept.key


@dataclasses.dataclass(slots=True)
class Tally:
    """What became of an audience's rows so far.

    Attributes:
        denied: Were to be told, and were denied before their call.
        overtaken: Were told in this push and denied while it ran; a removal was sent at once.
        withdrawn: Told by earlier pushes, denied since, and taken out.
        waiting: Not sent, since the destination takes nothing more or the call was ended.
        held: Not sent, since they never work as they are, or their last outcome is unknown.
    """

    added: int = 0
    updated: int = 0
    removed: int = 0
    invalid: int = 0
    rejected: int = 0
    unknown: int = 0
    denied: int = 0
    overtaken: int = 0
    withdrawn: int = 0
    waiting: int = 0
    held: int = 0
    calls: int = 0
    seconds: float = 0.0
    removals_failed: int = 0

    @property
    def is_whole(self) -> bool:
        """Everything that was to be told was accepted."""
        return not (self.invalid or self.rejected or self.unknown or self.waiting or self.removals_failed)


@dataclasses.dataclass(slots=True)
class Part:
    """One audience in a push.

    Attributes:
        use: What the gate is asked; None for an audience that nobody knows the purpose of any more.
        delta: What the audience needs; None where only withdrawals are looked at.
        leavers: Keys that are taken out because they are no longer in the audience.
        withdrawals: Keys that are taken out because they are denied.
        watched: `key` and `points` (packed) of people who stay there without being in the audience.
        repeated: Calls of an earlier push whose answer never came and that need the same rows still: idempotency key,
            action, indexes of the delta's rows in their order.
        refused: Why only removals of the denied are sent: a guard.
        paused: Likewise, since somebody pressed the stop button; leavers go too.
        stopped: Why the destination took nothing more.
        remote: Id of the audience there.
        stuck: People who should be taken out, which the destination cannot do.
        reasons: Reason → rows, of those that were not accepted.
        decided: Assignments to experiments that are to be written before anybody is told.
        again: Keys of people who are told again, since a removal of somebody else may take them out.
        name: What the destination calls the audience, or will; empty: as before.
        is_over: No audience of today: a list that was left, or of a segment that is not sent there any more.
    """

    segment: str
    destination: str
    ledger: LedgerAudience
    mode: Mode
    purpose: str | None
    use: Use | None
    delta: Delta | None = None
    leavers: Sequence[str] = ()
    withdrawals: Sequence[str] = ()
    watched: pl.DataFrame | None = None
    waterfall: tuple[Step, ...] = ()
    repeated: Sequence[tuple[str, Action, pl.Series]] = ()
    refused: str | None = None
    paused: str | None = None
    stopped: str | None = None
    remote: str = ""
    stuck: int = 0
    tally: Tally = dataclasses.field(default_factory=Tally)
    reasons: dict[str, int] = dataclasses.field(default_factory=dict)
    decided: Sequence[Decided] = ()
    again: Sequence[str] = ()
    name: str = ""
    is_over: bool = False

    @property
    def is_renamed(self) -> bool:
        """The destination knows it by another name until now."""
        then = self.ledger
        return bool(self.name) and then.remote is not None and then.name not in (None, self.name)

    @property
    def tells(self) -> bool:
        """Additions and updates may be sent."""
        return self.delta is not None and self.refused is None and self.paused is None

    @property
    def additions(self) -> int:
        """Rows that are to be told."""
        return len(self.delta.adds) + len(self.delta.updates) if self.delta is not None and self.tells else 0

    @property
    def removals(self) -> int:
        """People who are to be taken out."""
        return len(self.leavers) + len(self.withdrawals)


@dataclasses.dataclass(slots=True)
class Call:
    """One call about to be made, in the air, or to be tried again.

    Attributes:
        id: Idempotency key.
        tries: Made so far.
        number: Of the batch in the ledger, once intended.
        job: Id at the service that is followed.
        began: Seconds of the clock when the job began.
        is_compensation: A removal of people who were told in this push.
        sent_keys: Of all rows as they were sent, where some have left the ledger since: a job names rows by place.
    """

    part: Part
    action: Action
    people: Sequence[Person]
    id: str
    tries: int = 0
    number: int = 0
    job: str | None = None
    job_wait_s: float = 1.0
    began: float = 0.0
    is_compensation: bool = False
    sent_keys: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Of its rows, in their order."""
        return tuple(person.key for person in self.people)


def people_of(rows: pl.DataFrame, indexes: pl.Series) -> Iterator[Person]:
    """Rows of an audience frame as people, in the order of the indexes; a slice at a time is in memory."""
    for start in range(0, len(indexes), _SLICE):
        yield from _people(rows[indexes.slice(start, _SLICE)])


def _people(rows: pl.DataFrame) -> Iterator[Person]:
    from segctl.connectors.destinations.base import Row
    from segctl.state.deliveries import packed
    from segctl.state.deliveries_batches import NewRow

    kinds = [(name, name.removeprefix("id:")) for name in rows.columns if name.startswith("id:")]
    fields = [(name, name.removeprefix("field:")) for name in rows.columns if name.startswith("field:")]
    ids = _objects(rows, kinds, keep_empty=False)
    values = _objects(rows, fields, keep_empty=True)
    points = rows["points"].to_list() if "points" in rows.columns else [[]] * rows.height
    profiles = rows["profile_id"].to_list() if "profile_id" in rows.columns else [None] * rows.height
    keys, digests = rows["key"].to_list(), rows["digest"].to_list()
    for key, digest, profile, point, known, told in zip(keys, digests, profiles, points, ids, values, strict=True):
        tokens = tuple(point or ())
        yield Person(Row(key, known, told), NewRow(key, digest, profile, _json(known), packed(tokens)), tokens)


def _objects(rows: pl.DataFrame, names: Sequence[tuple[str, str]], *, keep_empty: bool) -> list[dict[str, Any]]:
    """One mapping per row; without `keep_empty` only of what is there."""
    if not names:
        return [{} for _ in range(rows.height)]
    words = [word for _, word in names]
    cells = zip(*(rows[name].to_list() for name, _ in names), strict=True)
    if keep_empty:
        return [dict(zip(words, row, strict=True)) for row in cells]
    return [{word: cell for word, cell in zip(words, row, strict=True) if cell is not None} for row in cells]


def leaving(rows: Iterable[Mapping[str, Any]]) -> Iterator[Person]:
    """Rows of the ledger as people to be taken out, or whose last call is followed."""
    from segctl.connectors.destinations.base import Row
    from segctl.state.deliveries_batches import NewRow

    for row in rows:
        kept = NewRow(row["key"], row["sent"], row["profile"], row["identifiers"], row["points"] or b"")
        yield Person(Row(row["key"], json.loads(row["identifiers"]), {}, row["known_as"]), kept, ())


def _json(known: Mapping[str, str]) -> str:
    return json.dumps(known, sort_keys=True, ensure_ascii=False)
