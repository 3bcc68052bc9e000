"""What a connector of a destination is told, what it can do, and how it answers.

The push engine owns order, retries, the ledger and the gate. A connector knows one service: how its rows look, how many
go into a call, what its answers mean. It keeps no state between calls but connections and tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from segctl.connectors.calls import (
    Around,
    BatchRefusedError,
    GoneError,
    NotNowError,
    Recorded,
    Row,
    UnknownOutcomeError,
)
from segctl.connectors.sources.base import Probe
from segctl.model.destinations import Mode

__all__ = [
    "Abilities", "Action", "Around", "Batch", "BatchRefusedError", "Connector", "Findable", "GoneError", "Member",
    "Message", "NotNowError", "Recorded", "Remote", "Removal", "Row", "RowState", "Sent", "Trouble",
    "UnknownOutcomeError", "by_key", "place",
]  # fmt: skip

Action = Literal["add", "update", "remove"]
Removal = Literal["leave", "flag", "none"]
"""`leave`: out of the list, and nothing else; `flag`: a column says so; `none`: the service cannot."""
RowState = Literal["accepted", "invalid", "rejected", "unknown"]
"""`invalid` never works as it is, `rejected` may work later, of `unknown` nobody knows whether it had its effect."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a kind of destination can do; the engine keeps within it.

    Attributes:
        identifiers: Kinds it can know a person by, best first: ``email``, ``phone``, ``external_id`` …
        channel: What people are reached by, where the destination does not say.
        batch_rows: At most so many rows in a call.
        batch_bytes: At most so many bytes in a call, None without a bound; a connector splits by it itself.
        parallel: Calls at a time.
        modes: Of `push`.
        removal: What leaving means there.
        is_repeatable: A call with the same rows again changes nothing more, so an unknown outcome is simply repeated.
        reads_back: `members` works.
        minimum: Fewer people make no usable audience there.
        brings_along: A renamed audience takes its people along, see `Movable`.
        takes_messages: It delivers `Batch.message` to one person.
        recipient: Class of recipient for the gate: ``esp``, ``ads``, ``crm``, ``file``, ``webhook``, ``warehouse``.
    """

    identifiers: tuple[str, ...]
    channel: str
    batch_rows: int
    recipient: str
    batch_bytes: int | None = None
    parallel: int = 1
    modes: tuple[Mode, ...] = ("mirror", "add", "update")
    removal: Removal = "leave"
    is_repeatable: bool = True
    reads_back: bool = False
    minimum: int | None = None
    takes_messages: bool = False
    brings_along: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """What one person is written, made before it comes here; nothing in it is filled any more.

    Attributes:
        html: None for a message of text alone.
        unsubscribe_url: Of this person; None takes the destination's own.
    """

    subject: str
    text: str
    html: str | None = None
    unsubscribe_url: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one audience that go in one call.

    Attributes:
        id: The same on every try: what a service may know a repetition by.
        segment: Name of the segment.
        audience: Id of the audience at the destination, as `Connector.audience` gave it.
        at: When the push began; aware.
        purpose: What the audience is for.
        granted: Purposes, and the consent signals that the purpose asks for, for which every row's consent was found
            a moment ago; a vendor's consent fields say so.
        context: What else a service may be told: push and run ids.
        message: What the one person in `rows` is written, where a workflow sends it; None takes the destination's own.
    """

    id: str
    segment: str
    audience: str
    action: Action
    rows: tuple[Row, ...]
    at: datetime
    purpose: str | None = None
    granted: frozenset[str] = frozenset()
    context: Mapping[str, str] = field(default_factory=dict)
    message: Message | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a row was not accepted.

    Attributes:
        state: ``invalid``, ``rejected`` or ``unknown``.
        reason: In words, of the service or ours, without anybody's data.
        code: The service's own, for counting.
    """

    state: RowState
    reason: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What a service answered to a batch.

    Attributes:
        troubles: Row's key → trouble; every other row was accepted. With a job they are not final. `Connector.poll`,
            which does not see the rows, names them by their place in the batch (`place`): read it through `by_key`.
        known_as: Row's key → id there, to be kept for the next time; named as in `troubles`.
        job: Id of what goes on there; `Connector.poll` is asked until it gives none. None when all is done.
        wait_s: How long to wait before that.
        note: What a person may want to know, such as how many were matched.
        counts: What the service only counts, such as ``{"matched": 812}``.
    """

    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    known_as: Mapping[str, str] = field(default_factory=dict)
    job: str | None = None
    wait_s: float = 1.0
    note: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


def place(index: int) -> str:
    """What `Connector.poll` calls the row at an index of the batch's rows, counted from 0."""
    return f"#{index}"


def by_key(sent: Sent, keys: Sequence[str]) -> Sent:
    """An answer with places turned into keys.

    Args:
        sent: Of `Connector.send` or `Connector.poll`.
        keys: Of the batch's rows, in its order.
    """
    names = {place(index): key for index, key in enumerate(keys)}
    return replace(
        sent,
        troubles={names.get(name, name): trouble for name, trouble in sent.troubles.items()},
        known_as={names.get(name, name): known for name, known in sent.known_as.items()},
    )


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who is in an audience at the destination.

    Attributes:
        identifiers: Kind → value there, hashed where the service has nothing else; compared with `Connector.seen_as`.
        known_as: Id there.
    """

    identifiers: Mapping[str, str]
    known_as: str | None = None


@dataclass(frozen=True, slots=True)
class Remote:
    """An audience at the destination.

    Attributes:
        size: Members; None when the service does not say.
    """

    id: str
    name: str
    size: int | None = None


@runtime_checkable
class Movable(Protocol):
    """A destination whose audiences lie under their names, so that a renamed one has to be brought along."""

    def moved(self, former: str, audience: str, segment: str) -> bool:
        """The audience with the one id has the other from now on, as it may have already; False where it has not."""
        ...


@runtime_checkable
class Findable(Protocol):
    """A destination whose `Connector.audiences` leaves some out, so that it has to be asked for one of them."""

    def has(self, audience: str) -> bool | None:
        """Whether the audience with the id is there; None: exactly if `Connector.audiences` has it."""
        ...


class Connector(Protocol):
    """One destination. A module of a kind has `ABILITIES`, `OPTIONS` and `connect(destination, around)`.

    `SegctlError`s mean that nothing more can be sent there: credentials refused, wrong options, an unknown host.
    They never hold a secret or personal data. Importing the module imports no HTTP client and no engine.
    """

    def check(self) -> tuple[Probe, ...]:
        """Tries credentials, scopes and limits with one harmless call; a failure is a probe, never an exception."""
        ...

    def audience(self, segment: str, name: str) -> str:
        """Id of the audience of that name (or id) there; it is made where it is missing and can be made."""
        ...

    def send(self, batch: Batch) -> Sent:
        """One call, or as few as the service wants for one batch.

        Raises:
            BatchRefusedError: Nothing of it was taken.
            UnknownOutcomeError: It may have had its effect.
            NotNowError: Nothing of it was taken; later it may be.
        """
        ...

    def poll(self, job: str) -> Sent:
        """How far a job is; a `Sent` with the same job while it goes on."""
        ...

    def seen_as(self, row: Row) -> Mapping[str, str]:
        """The identifiers of a row as `members` shows them: in the vendor's form, hashed where it hashes."""
        ...

    def members(self, audience: str) -> Iterator[Member]:
        """Everybody in an audience; only where `Abilities.reads_back`."""
        ...

    def audiences(self) -> Iterator[Remote]:
        """Audiences there; only where `Abilities.reads_back`."""
        ...

    def close(self) -> None:
        """Lets go of connections."""
        ...
