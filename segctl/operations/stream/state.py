"""A running stream: what its parts share, and how a step becomes durable and is said."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from segctl.operations.causes.words import cause
from segctl.operations.live.evaluation import NEVER
from segctl.operations.stream.changes import Why, changes_of
from segctl.operations.stream.merging import Merging
from segctl.operations.stream.metrics import Metrics
from segctl.operations.stream.push import Pushing
from segctl.operations.stream.ranking import Ranking
from segctl.operations.stream.status import EVERY_S, STATUS, written
from segctl.state import stream_log
from segctl.state.stream_log import Change, Place, RawLines

if TYPE_CHECKING:
    from segctl.model.sources import Source
    from segctl.operations.ingest.subjects import Resolver
    from segctl.operations.session import Session
    from segctl.operations.stream.checkpoint import Checkpoint
    from segctl.operations.stream.clock import StreamClock
    from segctl.operations.stream.intake import Intake
    from segctl.operations.stream.members import Moved
    from segctl.operations.stream.storing import Storing
    from segctl.operations.stream.world import World
    from segctl.state.workspace import Workspace

SAID = "said"
"""Fact: the highest sequence number that was surely said."""
REACHED = "reached"
"""Fact: how far a clock that events move has come, in microseconds since 1970."""


class Listener(Protocol):
    """Who hears what a stream says."""

    def changes(self, changes: Sequence[Change]) -> None:
        """Changes that are committed, in order of their numbers."""
        ...

    def told(self, text: str, *, is_warning: bool = False) -> None:
        """Something a person should know."""
        ...

    def measured(self, metrics: Metrics, lag_s: float) -> None:
        """What happened in a step, and for how long the next timer has been overdue."""
        ...


@dataclass(frozen=True, slots=True)
class Habits:
    """How a stream goes about it; seconds.

    Attributes:
        linger_s: A batch waits so long for company.
        checkpoint_s: Lines become files and changes a run this often.
        checkpoint_lines: Or after so many lines.
        records_s: Records and consents, which are evaluated from files, wait at most so long.
        patience_s: Lines wait at most so long for files that are made beside them.
        look_s: Others are looked at this often: requests, commits of other commands.
        step_s: With a clock of events, a batch is asked anew for each such span of their time.
    """

    linger_s: float = 0.005
    checkpoint_s: float = 300.0
    checkpoint_lines: int = 1_000_000
    records_s: float = 1.0
    patience_s: float = 0.02
    look_s: float = 0.5
    step_s: float = 60.0


@dataclass(slots=True)
class Work:
    """What one step has done before it commits."""

    raw: list[RawLines] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


@dataclass(slots=True)
class StreamState:
    """What a stream is in the middle of.

    Attributes:
        session: Project with its definitions, and the open workspace.
        sources: Declared sources of the lines.
        resolver: Identifiers to subjects.
        reload: Gives the session anew, with the definitions as they are now.
        intakes: By name of the source.
        clerk: Writes files and records runs beside the stream, one thing after the other.
        storing: Lines whose files the clerk is making; None when nobody waits for files.
        checkpoint: One that is under way; likewise.
        merging: Of the small files that were made.
        ranking: Of the segments that need everybody.
        pushing: To destinations, after checkpoints.
        world: None until it has begun.
        said: Highest sequence number that was said.
        seen: Newest commit whose effect is known.
        consents: Newest row of the consent ledger whose effect is known.
        records: Subjects whose records or consents wait for files.
        records_since: Monotonic seconds when the first of them came; None when nobody waits.
        lines: Taken in since files were made.
        is_ahead: Lines were taken in, or changes said, that no run holds.
        checkpoint_at: Monotonic seconds of the last checkpoint.
        looked_at: Monotonic seconds of the last look at others.
        metrics: Since the start.
        recent: Since figures were last written for `segctl status`.
        status_at: Monotonic seconds of that.
        began: Monotonic seconds of the start.
    """

    session: Session
    sources: tuple[Source, ...]
    clock: StreamClock
    listener: Listener
    habits: Habits
    reload: Callable[[], Session]
    resolver: Resolver
    intakes: dict[str, list[Intake]] = field(default_factory=dict)
    clerk: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    storing: Storing | None = None
    checkpoint: Checkpoint | None = None
    merging: Merging = field(default_factory=Merging)
    ranking: Ranking = field(default_factory=Ranking)
    pushing: Pushing = field(default_factory=Pushing)
    world: World | None = None
    said: int = 0
    seen: int = 0
    consents: int = -1
    records: set[int] = field(default_factory=set)
    records_since: float | None = None
    lines: int = 0
    is_ahead: bool = False
    checkpoint_at: float = field(default_factory=time.monotonic)
    looked_at: float = 0.0
    metrics: Metrics = field(default_factory=Metrics)
    recent: Metrics = field(default_factory=Metrics)
    status_at: float = 0.0
    began: float = field(default_factory=time.monotonic)

    @property
    def workspace(self) -> Workspace:
        """Of the session."""
        return self.session.workspace

    @property
    def here(self) -> World:
        """The world of a stream that has begun."""
        assert self.world is not None, "a stream that has begun"
        return self.world

    @property
    def lag_s(self) -> float:
        """Seconds that the oldest timer is overdue."""
        if self.world is None or self.clock.is_virtual:
            return 0.0
        due = self.world.timers.first()
        return max(0.0, (self.clock.wall_us - due) / 1e6) if due < NEVER else 0.0

    def commit(self, work: Work, facts: Mapping[str, Any] | None = None, *, recorded: int | None = None) -> None:
        """Makes a step durable, then says it.

        Args:
            work: The step.
            facts: Named values of the same transaction.
            recorded: Number of a run that holds everything said so far.
        """
        reached = {REACHED: self.clock.now} if self.clock.is_virtual and self.clock.now is not None else {}
        self.is_ahead = recorded is None and (self.is_ahead or bool(work.raw or work.changes))
        facts = {SAID: self.said, **reached, **self._status(), **(facts or {})}
        with self.workspace.transaction() as db:
            if recorded is not None:
                stream_log.mark_recorded(db, recorded, stream_log.newest_seq(db), is_even=True)
            last = stream_log.append(db, raw=work.raw, changes=work.changes, places=work.places, facts=facts)
        if work.changes:
            first = last - len(work.changes) + 1
            self.say([replace(change, seq=first + n) for n, change in enumerate(work.changes)])

    def _status(self) -> dict[str, Any]:
        """Figures for `segctl status`, every few seconds."""
        now = time.monotonic()
        if now - self.status_at < EVERY_S:
            return {}
        passed, self.status_at = now - max(self.status_at, self.began), now
        recent, self.recent = self.recent, Metrics()
        return {STATUS: written(recent, passed, self.lag_s, self.clock.wall())}

    def count(self, step: Metrics) -> None:
        """Takes the figures of a step."""
        self.metrics.add(step)
        self.recent.add(step)
        self.listener.measured(step, self.lag_s)

    def say(self, changes: Sequence[Change]) -> None:
        """Says committed changes."""
        self.listener.changes(changes)
        self.said = changes[-1].seq
        self.metrics.changes += len(changes)
        self.pushing.note({change.segment for change in changes})

    def in_time(
        self, moved: Sequence[Moved], effective: int, kind: str = "time_passed", detail: str = ""
    ) -> list[Change]:
        """Changes that no event of theirs has made.

        Args:
            moved: Who moved.
            effective: Valid time, microseconds since 1970.
            kind: Machine word of the cause.
            detail: What stands behind it.
        """
        now = self.clock.wall_us
        why = Why(cause(kind, detail), None, now if self.clock.is_virtual else min(effective, now))
        return changes_of(moved, self.here.profiles, {}, why, effective=effective, now=now)
