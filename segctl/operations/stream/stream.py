"""Segments continuously: events come in, the profiles they touch are asked, and who entered or left is said.

One step takes what has come, asks, and commits lines, places and changes in one transaction; only then is anything
said. A checkpoint makes files of the lines and a run of the changes.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from segctl.model.errors import UsageError
from segctl.operations.causes.words import cause
from segctl.operations.live.evaluation import NEVER
from segctl.operations.stream.changes import Why, changes_of, whys_of
from segctl.operations.stream.checkpoint import begin, checkpoint, go_through, look, recover, take_ranking, take_records
from segctl.operations.stream.frames import largest_subject, newest, oldest, spans, subjects_of
from segctl.operations.stream.metrics import Metrics
from segctl.operations.stream.state import SAID, StreamState, Work
from segctl.state import stream_log
from segctl.state.subjects import subject_count

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.streams.base import Chunk, Feed
    from segctl.model.sources import Source
    from segctl.operations.session import Session
    from segctl.operations.stream.inputs import Inputs
    from segctl.operations.stream.intake import Taken
    from segctl.state.stream_log import Change

MOST_LINES = 5_000
"""Of one step: with more the first of them would wait for the last."""
BEHIND_S = 0.5
"""When the first of so many has waited this long, all of them wait, and fewer and larger steps catch up sooner."""
MOST_BEHIND = 15_000
"""So many more lines make one step then."""
MOST_TRIED = 25
"""With so many events of a step it is tried which of several decided; with more the newest is named."""
_SECOND_US = 1_000_000


class Stream:
    """A stream over its feeds: `start`, then `run` or single `step`s, then `finish`."""

    def __init__(self, state: StreamState, feeds: Sequence[tuple[str, Feed]], inputs: Inputs) -> None:
        self.state = state
        self._feeds = tuple(feeds)
        self._inputs = inputs

    def start(self) -> None:
        """Takes up where an earlier one ended; a clock that only events move waits for the first of them."""
        recover(self.state, self._inputs)
        if not self.state.clock.is_virtual or self.state.clock.now is not None:
            begin(self.state)
        if self.state.world is not None and not self.state.clock.is_virtual:
            self._catch_up()

    def _catch_up(self) -> None:
        """Asks whose time came while the beginning took its time, before any line has to wait for that."""
        changes = self._timers(self.state.clock.tick())
        if changes:
            self.state.commit(Work(changes=changes))

    def run(self, is_stopped: Callable[[], bool]) -> None:
        """Goes on until every feed has ended, or somebody stops it."""
        # What is there now stays; looking through it for garbage would hold up a batch every so often.
        gc.collect()
        gc.freeze()
        try:
            while not is_stopped() and not all(feed.has_ended for _, feed in self._feeds):
                self.turn(self._patience())
        finally:
            gc.unfreeze()

    def turn(self, patience_s: float = 0.0) -> None:
        """One step with what is there, waiting at most so long for it, and what is due beside it."""
        self.step(self._gathered(patience_s))
        look(self.state)

    def finish(self) -> None:
        """Makes a last checkpoint, after everything was said; the run before holds all that an idle stream said."""
        if self.state.world is not None:
            go_through(self.state)
            take_ranking(self.state, wait=True)
            if self.state.is_ahead:
                checkpoint(self.state, is_last=True)
            self.state.pushing.take(self.state.listener.told, wait=True)
        self.state.commit(Work())

    def release(self) -> None:
        """Lets go; what was committed stays."""
        self.state.clerk.shutdown()
        self.state.merging.close()
        self.state.ranking.close()
        self.state.pushing.close()
        for group in self.state.intakes.values():
            for intake in group:
                intake.discard()
        if self.state.world is not None:
            self.state.world.close()

    def _patience(self) -> float:
        """Seconds to wait for lines: until the next timer, at most until the next look around."""
        longest, world = self.state.habits.look_s, self.state.world
        due = NEVER if world is None or self.state.clock.is_virtual else world.timers.first()
        return longest if due == NEVER else max(0.0, min(longest, (due - self.state.clock.wall_us) / 1e6))

    def _gathered(self, patience_s: float) -> list[tuple[str, Chunk]]:
        """What has come; the first of it waits a moment for company."""
        share = patience_s / len(self._feeds)
        found = [(source, chunk) for source, feed in self._feeds for chunk in feed.read(share, MOST_LINES)]
        lines = sum(len(chunk.lines) for _, chunk in found)
        # What came while the step before was at work has waited already.
        came = min((chunk.came for _, chunk in found), default=0.0)
        left = came + self.state.habits.linger_s - time.monotonic()
        if lines >= MOST_LINES and left < -BEHIND_S:
            for source, feed in self._feeds:
                found += [(source, chunk) for chunk in feed.read(0.0, MOST_BEHIND // len(self._feeds))]
        if found and lines < MOST_LINES and left > 0:
            time.sleep(left)
            for source, feed in self._feeds:
                found += [(source, chunk) for chunk in feed.read(0.0, MOST_LINES - lines)]
        return found

    def step(self, chunks: Sequence[tuple[str, Chunk]]) -> None:
        """Takes lines in, asks whom they touch and whose time has come, commits, and says what moved."""
        state, began = self.state, time.monotonic()
        arrived = state.clock.wall_us
        work, taken = self._taken(chunks, arrived)
        events = [frame for part in taken for frame in part.events]
        if state.world is None and not self._begun(work, events):
            return
        since = arrived - int(1e6 * (began - min((chunk.came for _, chunk in chunks), default=began)))
        former: AbstractSet[int] | None = None
        if any(part.replaces for part in taken):
            # What a correction replaces is gone with the files that hold it, so these come first.
            state.commit(work)
            former = take_records(state)
            work = Work()
        for part in spans(events, state.habits.step_s) if state.clock.is_virtual else [events]:
            work.changes += self._asked(part, since, former)
            former = None if former is None else frozenset()
        if chunks or work.changes:
            state.commit(work)
        self._measure(chunks, taken, began)

    def _begun(self, work: Work, events: Sequence[pl.DataFrame]) -> bool:
        """Begins with the first event that comes; lines without one are kept until then."""
        if not events:
            self.state.commit(work)
            return False
        self.state.clock.now = min(map(oldest, events))
        begin(self.state)
        return True

    def _taken(self, chunks: Sequence[tuple[str, Chunk]], arrived: int) -> tuple[Work, list[Taken]]:
        state, work, taken = self.state, Work(), []
        for source, chunk in chunks:
            raw, place = self._inputs.taken(source, chunk, arrived)
            work.raw.append(raw)
            work.places.append(place)
            taken += [intake.take(raw, chunk.feed) for intake in state.intakes[source]]
            state.lines += len(chunk.lines)
        for part in taken:
            state.records |= part.subjects
        if state.records_since is None and any(part.needs_files for part in taken):
            state.records_since = time.monotonic()
        return work, taken

    def _asked(
        self, events: Sequence[pl.DataFrame], since: int, former: AbstractSet[int] | None = None
    ) -> list[Change]:
        """Who moved because of these events, and because time has passed up to them.

        Args:
            events: New ones.
            since: When they came, microseconds since 1970.
            former: Subjects that had an event which was corrected; None when no file holds the new ones yet.
        """
        state, world = self.state, self.state.here
        at = state.clock.tick(max(map(newest, events), default=None))
        known = len(world.profiles)
        if max(map(largest_subject, events), default=-1) >= known:
            world.sees(range(known, subject_count(state.workspace)))
        if former is None:
            world.add(events)
        changes = self._timers(at)
        asked = world.profile_subjects([*subjects_of(events), *(former or ())])
        moved = world.ask(asked, at, by_events=former is None)
        # What files hold already cannot be left out to try; and a stream that is behind has no time for that.
        is_tried = former is None and sum(frame.height for frame in events) <= MOST_TRIED
        whys = whys_of(moved, events, world, since=since, tried_at=at if is_tried else None)
        world.wait_for(events, at)
        now = state.clock.wall_us
        otherwise = Why(cause("event_replaced" if former else "time_passed"), None, now)
        return changes + changes_of(moved, world.profiles, whys, otherwise, effective=at, now=now)

    def _timers(self, at: int) -> list[Change]:
        """Asks those whose time has come, each at its second; a clock of events asks once for each of its steps."""
        state, world = self.state, self.state.here
        step = int(state.habits.step_s * _SECOND_US) if state.clock.is_virtual else _SECOND_US
        found: list[Change] = []
        # One instant after the other: evaluation goes forward only, and answers may set timers in between.
        while (first := world.timers.first()) <= at:
            instant = min(-(-first // step) * step, at)
            profiles = world.timers.take(instant)
            state.metrics.timers += len(profiles)
            found += state.in_time(world.ask(profiles, instant), instant)
        return found

    def _measure(self, chunks: Sequence[tuple[str, Chunk]], taken: Sequence[Taken], began: float) -> None:
        now = time.monotonic()
        step = Metrics(
            lines=sum(len(chunk.lines) for _, chunk in chunks),
            events=sum(frame.height for part in taken for frame in part.events),
            known=sum(part.known for part in taken),
            bad=sum(part.bad for part in taken),
            batches=1,
            busy_s=now - began,
        )
        for _, chunk in chunks:
            step.latencies.add((now - chunk.came) * 1000, len(chunk.lines))
        self.state.count(step)


@contextmanager
def locked(session: Session, sources: Sequence[Source]) -> Iterator[None]:
    """Nobody else streams in this environment or ingests these sources inside the block.

    Raises:
        TemporaryError: Somebody does.
    """
    with ExitStack() as stack:
        # Whoever asks whether a stream is running holds it for a moment.
        stack.enter_context(session.workspace.lock(stream_log.LOCK, at_least_s=0.3))
        for source in sources:
            for part in source.parts:
                stack.enter_context(session.workspace.lock(f"ingest/{part.name}"))
        yield


def said_before(session: Session, after: int | None) -> Iterator[Change]:
    """Changes that are committed and were perhaps not said; with a number, all behind it.

    Raises:
        UsageError: Some of those asked for are not kept any more.
    """
    workspace = session.workspace
    start = (stream_log.fact(workspace, SAID) or 0) if after is None else after
    first = stream_log.first_kept(workspace)
    if after is not None and after + 1 < first:
        raise UsageError(
            "SEG724", f"changes before {first:,} are not kept any more, so `--after {after}` cannot be answered",
            hint="take the members from `segctl show segment:NAME -f ids`, and go on without `--after`",
        )  # fmt: skip
    return stream_log.changes_after(workspace, start)
