"""Lines of a stream become files: beside the stream, up to the commit that gives them their place."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segctl.operations.ingest.events import EVENTS
from segctl.operations.stream.intake import Files, Gathered, Intake, has_sessions
from segctl.state import stream_log

if TYPE_CHECKING:
    import sqlite3

    from segctl.operations.stream.state import StreamState

_HEAD = "SELECT coalesce(max(seq), 0) FROM consent_events"


@dataclass(frozen=True, slots=True)
class Stored:
    """Whom files that were just made concern, besides by events that came.

    Attributes:
        touched: Subjects whose records or consents changed, or who have or had a row of a table that did.
        former: Subjects of all versions of the events that were corrected.
    """

    touched: AbstractSet[int] = frozenset()
    former: AbstractSet[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Storing:
    """Lines whose files are being made.

    Attributes:
        parts: What each intake had gathered.
        until: Number of the last batch of lines among them.
        events: How many events of each kind evaluation had taken by then.
        touched: Subjects whose records or consents wait for these files.
        made: The files.
    """

    parts: tuple[tuple[Intake, Gathered], ...]
    until: int
    events: Mapping[str, int]
    touched: AbstractSet[int]
    made: Future[list[Files]]


def store(state: StreamState) -> Stored:
    """Makes files of the lines since the last, and waits for them; nobody is asked."""
    first = settle(state, wait=True) or Stored()
    if any(intake.rewrites for some in state.intakes.values() for intake in some):
        # Two cannot replace the same files.
        state.merging.close()
    begin_storing(state)
    then = settle(state, wait=True) or Stored()
    return Stored(first.touched | then.touched, first.former | then.former)


def goes_beside(state: StreamState) -> bool:
    """Whether files can be made while lines go on: sessions are made of files, and those who wait for them too."""
    return not state.clock.is_virtual and not any(map(has_sessions, state.sources))


def begin_storing(state: StreamState) -> None:
    """Begins to make files of what was gathered; one such storing at a time."""
    until = stream_log.last_batch(state.workspace)
    group = [intake for some in state.intakes.values() for intake in some]
    parts = tuple((intake, some) for intake in group if (some := intake.gathered()) is not None)
    made = state.clerk.submit(lambda: [intake.files(some) for intake, some in parts])
    events = state.world.events_taken() if state.world is not None else {}
    state.storing = Storing(parts, until, events, frozenset(state.records), made)
    state.lines = 0
    state.records, state.records_since = set(), None


def settle(state: StreamState, *, wait: bool = False) -> Stored | None:
    """Commits files that are made; None when there are none."""
    storing = state.storing
    if storing is None or not (wait or storing.made.done()):
        return None
    parts = storing.made.result()
    state.storing = None
    seq = _commit(state, storing, parts) if parts or storing.until else None
    if state.checkpoint is not None and state.checkpoint.snapshot is None:
        # The first files after its beginning are those that it waits for.
        state.checkpoint.snapshot = state.checkpoint.seen if seq is None else seq
    for intake, some in storing.parts:
        intake.settled(some, state.clock.wall())
    touched = frozenset(storing.touched).union(*(part.owners for part in parts))
    stored = Stored(touched, frozenset[int]().union(*(part.former for part in parts)))
    if state.world is not None:
        paths = [str(file.path) for part in parts for file in part.add if file.dataset == EVENTS]
        is_rewritten = any(part.is_rewritten for part in parts)
        if not is_rewritten:
            state.world.stored(storing.events, paths)
        state.world.sees(sorted(stored.touched | stored.former), events_written=is_rewritten)
        state.merging.stored += 1
    return stored


def _commit(state: StreamState, storing: Storing, parts: list[Files]) -> int:
    """Gives the files their place; the number of the commit."""
    add = [file for part in parts for file in part.add]
    remove = [number for part in parts for number in part.remove]
    consents = state.consents

    def within(db: sqlite3.Connection) -> None:
        nonlocal consents
        stream_log.forget_raw(db, storing.until)
        before = int(db.execute(_HEAD).fetchone()[0])
        for part in parts:
            for finish in part.within:
                finish(db)
        if before == consents:
            consents = int(db.execute(_HEAD).fetchone()[0])

    seq = state.workspace.commit("stream", add, remove, within=within, note=_note(state, parts))
    state.consents = consents
    return seq


def consent_head(state: StreamState) -> int:
    """Newest row of the consent ledger."""
    return int(state.workspace.query(_HEAD)[0][0])


def _note(state: StreamState, parts: list[Files]) -> dict[str, Any]:
    return {
        "source": ", ".join(source.name for source in state.sources),
        "rows": sum(part.read for part in parts),
        "bad": sum(part.bad for part in parts),
    }
