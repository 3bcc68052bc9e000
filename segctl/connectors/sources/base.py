"""What a connector of a source that is no file is told, and what it delivers."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

Json = Any
"""A value that JSON can hold."""


def nothing_heard(text: str) -> None:
    """A listener for notes that forgets them."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a connector may know of the world; tests put in their own.

    Attributes:
        source: Name of the source, for messages.
        root: The project's folder, for relative paths.
        now: When the call began; aware.
        note: Told what a person may want to know, such as a wait for a rate limit.
        sleep: Waits so many seconds.
        chance: A random number in [0, 1).
        zone: IANA zone in which a day without an offset is meant.
        workspace: Folder of the workspace, where a collector keeps what was sent; None where there is none.
    """

    source: str
    root: Path
    now: datetime
    note: Callable[[str], None] = nothing_heard
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    zone: str = "UTC"
    workspace: Path | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """Where a fetch begins.

    Attributes:
        position: `Page.position` of the last durable page of an interrupted fetch; None begins at the start.
        cursor: With a position: `Page.cursor` of that page. Without: the cursor of the last finished fetch, from
            which only what is new is asked for; None asks for everything.
        since: As the user wrote it in `--since`: begin here, whatever `cursor` says.
        limit: As many records are wanted; a smaller last page may be asked for. None wants all.
    """

    position: Json = None
    cursor: Json = None
    since: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, and where to go on after them.

    Attributes:
        lines: The records as NDJSON, each line ended; see `ndjson`.
        count: How many.
        position: JSON value from which `pages` can go on after these; None when nothing follows.
        cursor: JSON value of the incremental cursor after these records; None when there is none yet. Kept for the
            next fetch only when this one has come to its end.
        total: How many records there are in all, when the source says so.
        columns: All that every record has, where the source has columns; None otherwise.
    """

    lines: bytes
    count: int
    position: Json = None
    cursor: Json = None
    total: int | None = None
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that was tried.

    Attributes:
        name: ``reachable``, ``credentials``, ``shape`` or the like.
        status: ``problem`` gets in the way, ``note`` may, ``ok`` does not.
        detail: What was found.
        hint: What to do about it.
    """

    name: str
    status: Literal["ok", "note", "problem"]
    detail: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What a try of a source showed.

    Attributes:
        probes: In the order they were tried.
        records: Some of the first page.
    """

    probes: tuple[Probe, ...]
    records: tuple[Mapping[str, Json], ...] = field(default=())


class PositionLostError(Exception):
    """The service no longer knows the position of an interrupted fetch; raised before the first page."""


class Connector(Protocol):
    """One kind of source. It raises `SegctlError`s only, and never one with a secret in its words."""

    def pages(self, start: Start) -> Iterator[Page]:
        """The records from `start` on, page by page; it ends when nothing follows.

        Each page is made durable before the next is asked for. What is read twice, because a fetch was interrupted
        or because the cursor overlaps, counts once later: by the record's key or the event's id.

        Raises:
            PositionLostError: `start.position` leads nowhere any more; the fetch begins again.
        """
        ...

    def check(self, limit: int) -> Trial:
        """Tries to reach the source and reads at most `limit` records; a failure is a probe, never an exception."""
        ...


def ndjson(records: Iterable[Mapping[str, Json]]) -> bytes:
    """Records as lines of JSON; numbers beyond JSON's must be texts already."""
    encode = _ENCODER.encode
    return "".join(f"{encode(record)}\n" for record in records).encode("utf-8", "surrogatepass")


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False)
