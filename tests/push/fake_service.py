"""A destination that lies in a file or in memory, and fails in every way that services fail."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from segctl.connectors.destinations.base import (
    Abilities,
    Batch,
    BatchRefusedError,
    Member,
    NotNowError,
    Remote,
    Row,
    Sent,
    Trouble,
    UnknownOutcomeError,
    place,
)
from segctl.connectors.sources.base import Probe
from segctl.model.consent import Decision, Use
from segctl.model.errors import UsageError

ABILITIES = Abilities(("email",), "email", batch_rows=10, recipient="esp", reads_back=True)
FAULTS = (
    "timeout before", "timeout after", "broken answer", "too many", "down", "half done", "busy rows", "expired",
    "twice", "job", "too large",
)  # fmt: skip
"""What can happen to a call; everything else works."""


class Service:
    """The state of the service: audience → e-mail → fields; `log` makes it last longer than the process."""

    def __init__(self, log: Path | None = None) -> None:
        self.audiences: dict[str, dict[str, dict[str, object]]] = {}
        self.jobs: dict[str, Batch] = {}
        self.ended: dict[str, Sent] = {}
        self.watch: Callable[[str, str], None] = lambda action, email: None
        self._log = None
        if log is not None:
            # The service lives in the process that is killed: a line that breaks off is a call that it never took.
            whole, _, _ = log.read_text().rpartition("\n") if log.exists() else ("", "", "")
            log.write_text(whole + "\n" if whole else "")
            for line in whole.splitlines():
                self._apply(*json.loads(line))
            self._log = log.open("a")

    def apply(self, audience: str, action: str, rows: list[tuple[str, dict[str, object]]]) -> None:
        """One write, whole or not at all."""
        for email, _ in rows:
            self.watch(action, email)
        if self._log is not None:
            self._log.write(json.dumps([audience, action, rows]) + "\n")
            self._log.flush()
        self._apply(audience, action, rows)

    def close(self) -> None:
        """Lets go of the log."""
        if self._log is not None:
            self._log.close()

    def _apply(self, audience: str, action: str, rows: list[tuple[str, dict[str, object]]]) -> None:
        there = self.audiences.setdefault(audience, {})
        for email, fields in rows:
            if action == "remove":
                there.pop(email, None)
            else:
                there[email] = fields


@dataclass
class Connector:
    """Speaks to the service; `faults` says what happens to the next calls.

    Attributes:
        poison: E-mails that the service never takes; a call with one of them is refused as a whole.
        names_rows: The refusal says which rows.
        during: Called in the middle of each call.
    """

    service: Service
    faults: list[str] = field(default_factory=list)
    poison: frozenset[str] = frozenset()
    names_rows: bool = False
    during: Callable[[], None] = lambda: None
    sent: list[Batch] = field(default_factory=list)
    polls: int = 0

    def check(self) -> tuple[Probe, ...]:
        return ()

    def audience(self, segment: str, name: str) -> str:
        self.service.audiences.setdefault(name, {})
        return name

    def send(self, batch: Batch) -> Sent:
        self.sent.append(batch)
        fault = self.faults.pop(0) if self.faults else ""
        self.during()
        match fault:
            case "timeout before":
                raise UnknownOutcomeError("timed out")
            case "too many":
                raise NotNowError("429", wait_s=3.0)
            case "down":
                raise NotNowError("503")
            case "too large" if len(batch.rows) > 1:
                raise BatchRefusedError("413", is_size=True)
            case "expired":
                raise UsageError("SEG999", "the token has expired")
            case "job":
                self.service.jobs[f"job-{batch.id}"] = batch
                return Sent(job=f"job-{batch.id}", wait_s=2.0)
            case "half done":
                self._do(replace(batch, rows=batch.rows[::2]))
                raise UnknownOutcomeError("the answer broke off")
            case "busy rows":
                busy = batch.rows[::3]
                self._do(replace(batch, rows=tuple(row for row in batch.rows if row not in busy)))
                return Sent(troubles={row.key: Trouble("rejected", "busy") for row in busy})
        poisoned = [row for row in batch.rows if row.identifiers["email"] in self.poison]
        if poisoned and batch.action != "remove":
            raise BatchRefusedError("422", rows={row.key: "no" for row in poisoned} if self.names_rows else None)
        self._do(batch)
        if fault == "twice":
            self._do(batch)
        if fault in ("timeout after", "broken answer"):
            raise UnknownOutcomeError("the answer never came")
        return Sent(known_as={row.key: f"id-{row.identifiers['email']}" for row in batch.rows})

    def _do(self, batch: Batch) -> None:
        rows = [(row.identifiers["email"], dict(row.fields)) for row in batch.rows]
        self.service.apply(batch.audience, batch.action, rows)

    def poll(self, job: str) -> Sent:
        self.polls += 1
        fault = self.faults.pop(0) if self.faults else ""
        if fault in ("timeout before", "timeout after", "broken answer", "half done"):
            raise UnknownOutcomeError("timed out")
        if fault in ("too many", "down"):
            raise NotNowError("429")
        if fault == "expired":
            raise UsageError("SEG999", "the token has expired")
        if fault == "job":
            return Sent(job=job)
        if job in self.service.ended:
            return self.service.ended[job]
        batch = self.service.jobs[job]
        bad = {i for i, row in enumerate(batch.rows) if row.identifiers["email"] in self.poison}
        bad = bad if batch.action != "remove" else set()
        self._do(replace(batch, rows=tuple(row for i, row in enumerate(batch.rows) if i not in bad)))
        self.service.ended[job] = Sent(troubles={place(i): Trouble("invalid", "no") for i in bad})
        return self.service.ended[job]

    def seen_as(self, row: Row) -> Mapping[str, str]:
        return row.identifiers

    def members(self, audience: str) -> Iterator[Member]:
        for email in self.service.audiences.get(audience, {}):
            yield Member({"email": email})

    def audiences(self) -> Iterator[Remote]:
        return (Remote(name, name, len(there)) for name, there in self.service.audiences.items())

    def close(self) -> None:
        pass


class Gate:
    """Consent by e-mail; everybody has it until `deny`."""

    def __init__(self) -> None:
        self.events: list[tuple[str, bool]] = []
        self.head = 0
        self.denied: set[bytes] = set()

    def deny(self, email: str) -> None:
        self.events.append((email, True))

    def grant(self, email: str) -> None:
        self.events.append((email, False))

    def refresh(self) -> frozenset[bytes]:
        fresh = self.events[self.head :]
        self.head = len(self.events)
        for email, is_denied in fresh:
            (self.denied.add if is_denied else self.denied.discard)(token(email))
        return frozenset(token(email) for email, _ in fresh)

    def decide(self, points: list[list[bytes | None]], use: Use) -> list[Decision]:
        return [Decision("withdrawn" if any(p in self.denied for p in row) else None, None) for row in points]


def token(email: str) -> bytes:
    return hashlib.sha256(email.encode()).digest()[:16]


def key_of(email: str) -> str:
    return hashlib.sha256(f"key {email}".encode()).hexdigest()[:32]
