"""A call to a destination: whom it tells of, what it may know of the world, and the ways in which it fails.

What requests and destinations both speak of stands here; `destinations.base` has the whole contract.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from segctl.connectors.sources.base import nothing_heard
from segctl.model.errors import UsageError


@dataclass(frozen=True, slots=True)
class Row:
    """One person, as a destination is told of them.

    Attributes:
        key: Names the row in ledger and answers, without saying who it is; the same for the same identifiers.
        identifiers: Kind → the project's normal form (e-mail trimmed and in small letters, phone E.164); a connector
            brings it into its vendor's form and hashes it where that is asked for.
        fields: Field there → value (text, number, boolean, date, None), as the destination's mapping says.
        known_as: Id that the service gave when it was told of the row before; None when it gave none.
    """

    key: str
    identifiers: Mapping[str, str]
    fields: Mapping[str, Any] = field(default_factory=dict)
    known_as: str | None = None


class BatchRefusedError(Exception):
    """The service refuses a whole call for what is in it; the engine halves it to find the rows.

    Attributes:
        reason: In words, without anybody's data.
        rows: Keys of the rows that the service named; empty when it named none.
        is_size: The call is too large; halves may pass with all their rows.
    """

    def __init__(
        self, reason: str, *, code: str | None = None, rows: Mapping[str, str] | None = None, is_size: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason, self.code, self.rows, self.is_size = reason, code, dict(rows or {}), is_size


class UnknownOutcomeError(Exception):
    """Nobody knows whether a call had its effect: it timed out after it was sent, or the answer broke off."""


class NotNowError(Exception):
    """The service takes nothing now and has taken nothing of this call: a rate limit, an outage.

    Attributes:
        wait_s: When to try again, as the service says; None lets the engine choose.
        is_daily: Not before tomorrow: the push of this destination ends here.
        is_answer: It has answered, and of no rate: others may be taken all the same.
    """

    def __init__(
        self, reason: str, *, wait_s: float | None = None, is_daily: bool = False, is_answer: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason, self.wait_s, self.is_daily, self.is_answer = reason, wait_s, is_daily, is_answer


class GoneError(UsageError):
    """The service says that it wants nothing more, ever: nothing is sent there until somebody has looked."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An effect that a dry run would have had.

    Attributes:
        what: ``POST https://…/lists/7/contacts/add`` or ``INSERT INTO …``; secrets masked.
        body: As it would be sent.
        rows: Of the batch.
        headers: Of a request, as they would be sent; credentials masked.
        pace_s: Seconds that the service's rate limit asks for between such calls, 0 without one.
    """

    what: str
    body: str
    rows: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    pace_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Around:
    """What a connector may know of the world; tests put in their own.

    Attributes:
        destination: Name, for messages.
        root: The project's folder, for relative paths.
        now: When the call began; aware.
        record: Takes effects instead of having them; None has them. A connector then answers itself with `Sent()`
            and stand-ins for ids.
        note: Told what a person may want to know.
        sleep: Waits so many seconds.
        chance: A random number in [0, 1).
    """

    destination: str
    root: Path
    now: datetime
    record: Callable[[Recorded], None] | None = None
    note: Callable[[str], None] = nothing_heard
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
