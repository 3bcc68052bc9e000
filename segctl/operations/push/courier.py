"""Sends the calls of one destination: within its limits, intent before and result after, trying again with patience.

One thread writes the ledger, asks the gate and waits; calls are made in others. Every try of an addition asks the gate
again, also one that waited a minute for a rate limit.
"""

from __future__ import annotations

import heapq
import itertools
import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from segctl.connectors.destinations.base import Batch, BatchRefusedError, NotNowError, Sent, UnknownOutcomeError
from segctl.model.errors import SegctlError
from segctl.operations.push.outcomes import Outcomes
from segctl.operations.push.patience import Patience
from segctl.operations.push.work import Call, Part

if TYPE_CHECKING:
    from segctl.connectors.destinations.base import Abilities, Connector
    from segctl.operations.push.books import Books
    from segctl.operations.push.calls import CallSource
    from segctl.operations.push.watch import Watch

_OPEN_JOBS = 8
"""Jobs that go on at a service at a time."""


@dataclass(slots=True)
class World:
    """The clock, chance and waiting; tests put in their own.

    Attributes:
        now: Wall clock, aware.
        clock: Seconds that only go on.
        sleep: Waits so many seconds; a signal ends it.
        chance: A random number in [0, 1).
    """

    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


def world_from(began: datetime) -> World:
    """The real world, in which the call began just now."""
    start = time.monotonic()
    return World(lambda: began + timedelta(seconds=time.monotonic() - start))


@dataclass(slots=True)
class Desk:
    """What a courier works with.

    Attributes:
        at: When the push began.
        context: Push and run ids, for services that take them.
        told: Hears of rows that are done with.
        signals: Purpose → consent signals that the gate asks for with it.
    """

    connector: Connector
    abilities: Abilities
    books: Books
    watch: Watch
    at: datetime
    world: World
    context: dict[str, str] = field(default_factory=dict)
    patience: Patience = field(default_factory=Patience)
    told: Callable[[int], None] = lambda _rows: None
    signals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Courier:
    """Delivers calls until none is left, or the destination takes nothing more."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.outcomes = Outcomes(self)
        self.size = desk.abilities.batch_rows
        self.halted: str | None = None
        self.error: SegctlError | None = None
        self._ready: deque[Call] = deque()
        self._later: list[tuple[float, int, Call]] = []
        self._order = itertools.count()
        self._flying: dict[Future[Sent], Call] = {}
        self._landed: deque[tuple[Call, Future[Sent]]] = deque()
        self._jobs: list[Call] = []
        self._intending: Call | None = None
        self._quiet_until = 0.0
        self._is_exhausted = False
        self._pool = ThreadPoolExecutor(max(1, desk.abilities.parallel), thread_name_prefix="push")

    def deliver(self, calls: CallSource) -> None:
        """Makes all calls, those that their outcomes lead to included.

        Raises:
            BaseException: A signal, or a fault of a connector; what was in the air is on record then.
        """
        self._is_exhausted = False
        try:
            while self._launch(calls) or not self._is_done:
                self._await()
        except BaseException:
            self._bring_home(calls)
            raise
        self._leave(calls)

    @property
    def _is_done(self) -> bool:
        if self._flying:
            return False
        return self.halted is not None or (self._is_exhausted and not self._ready and not self._later)

    def close(self) -> None:
        """Lets go of the threads."""
        self._pool.shutdown(wait=True)

    def first(self, call: Call) -> None:
        """To be made before all that wait."""
        self._ready.appendleft(call)

    def next(self, call: Call) -> None:
        """To be made before what has not begun."""
        self._ready.append(call)

    def later(self, call: Call, seconds: float) -> None:
        """To be made in so many seconds."""
        heapq.heappush(self._later, (self.desk.world.clock() + seconds, next(self._order), call))

    def quiet(self, seconds: float) -> None:
        """Nothing at all is sent for so many seconds."""
        self._quiet_until = max(self._quiet_until, self.desk.world.clock() + seconds)

    def job_began(self, call: Call) -> None:
        """The service works on a call."""
        self._jobs.append(call)

    def job_ended(self, call: Call) -> None:
        """It is done with it."""
        self._jobs = [one for one in self._jobs if one is not call]

    def in_the_air(self, part: Part) -> set[str]:
        """Keys of an audience that are being told: nobody can be taken out before that has come to its end."""
        landed = (call for call, _ in list(self._landed)[1:])  # the first is being recorded
        calls = (*self._flying.values(), *landed, *self._jobs)
        return {key for call in calls if call.part is part and call.action != "remove" for key in call.keys}

    def halt(self, why: str, error: SegctlError | None = None) -> None:
        """Nothing more is sent to this destination; what is in the air comes home."""
        if self.halted is None:
            self.halted, self.error = why, error

    # --- Setting out ------------------------------------------------------------------------------------------
    def _launch(self, calls: CallSource) -> bool:
        """Makes calls as long as there is room; true when any is in the air."""
        # After a failure one call alone tries whether the service is back.
        while len(self._flying) < (1 if self.outcomes.failures else self.desk.abilities.parallel):
            # Who is denied by now is taken out before anything else, and not sent.
            self.outcomes.look(self.desk.watch.refresh())
            call = self._next(calls)
            if call is None:
                break
            if call.job is not None:
                self._flying[self._pool.submit(self.desk.connector.poll, call.job)] = call
            elif self._prepared(call):
                self._intending = call
                call.number = self.desk.books.intend(call, self.desk.watch.gate.head)
                self._flying[self._pool.submit(self.desk.connector.send, self._batch(call))] = call
                self._intending = None
        return bool(self._flying)

    def _next(self, calls: CallSource) -> Call | None:
        if self.halted is not None or self.desk.world.clock() < self._quiet_until:
            return None
        if self._ready:
            return self._ready.popleft()
        if self._later and self._later[0][0] <= self.desk.world.clock():
            return heapq.heappop(self._later)[2]
        if len(self._jobs) >= _OPEN_JOBS:
            return None
        call = calls.next(self.size)
        self._is_exhausted = call is None
        return call

    def _prepared(self, call: Call) -> bool:
        """Leaves out who is denied by now; true when somebody is left to be told."""
        if call.action != "remove":
            allowed = self.desk.watch.without_denied(call.part, call.people)
            if len(allowed) < len(call.people):
                left = {person.key for person in allowed}
                dropped = [key for key in call.keys if key not in left]
                call.people, call.id = allowed, f"{call.id}.{len(allowed)}"
                self.outcomes.dropped(call, dropped)
        call.tries += 1
        return bool(call.people)

    def _batch(self, call: Call) -> Batch:
        part = call.part
        granted: frozenset[str] = frozenset()
        if part.purpose and call.action != "remove":
            granted = frozenset({part.purpose, *self.desk.signals.get(part.purpose, ())})
        rows = tuple(person.row for person in call.people)
        # An audience that needs nothing is not asked for, and somebody in it may withdraw all the same.
        remote = part.remote or part.ledger.remote or ""
        return Batch(call.id, part.segment, remote, call.action, rows, self.desk.at, part.purpose, granted,
                     self.desk.context)  # fmt: skip

    # --- Coming home ------------------------------------------------------------------------------------------
    def _await(self) -> None:
        world = self.desk.world
        is_waiting = self._ready or not (self._is_exhausted or len(self._jobs) >= _OPEN_JOBS)
        at = self._quiet_until if is_waiting or not self._later else max(self._quiet_until, self._later[0][0])
        pause = max(0.0, at - world.clock())
        if not self._flying:
            world.sleep(pause)
            return
        is_free = len(self._flying) < self.desk.abilities.parallel and (self._later or self._ready)
        done, _ = wait(self._flying, timeout=pause if is_free else None, return_when=FIRST_COMPLETED)
        self._land(done)

    def _land(self, done: set[Future[Sent]]) -> None:
        # Taken out of the air only once it stands in line to be recorded, whatever signal comes between.
        for future in sorted(done, key=lambda one: self._flying[one].number):
            self._landed.append((self._flying[future], future))
            del self._flying[future]
        while self._landed:
            call, future = self._landed[0]
            self._record(call, future)
            self._landed.popleft()

    def _record(self, call: Call, future: Future[Sent]) -> None:
        outcomes = self.outcomes
        try:
            sent = future.result()
        except BatchRefusedError as error:
            outcomes.refused(call, error)
        except UnknownOutcomeError as error:
            outcomes.unsure(call, error)
        except NotNowError as error:
            outcomes.not_now(call, error)
        except SegctlError as error:
            outcomes.over(call, error)
        except Exception:
            outcomes.broken(call)
            raise
        else:
            outcomes.answered(call, sent)

    def _bring_home(self, calls: CallSource) -> None:
        """After a signal or a fault: what is in the air is waited for and recorded, nothing new is sent."""
        self.halt("the call was ended")
        if self._intending is not None and self._intending.number:
            self.outcomes.not_sent(self._intending)
        self._land(set())
        while self._flying:
            self._land(wait(self._flying, return_when=FIRST_COMPLETED)[0])
        self._leave(calls)

    def _leave(self, calls: CallSource) -> None:
        """Counts what a halted destination was not told."""
        if self.halted is None:
            return
        for call in (*self._ready, *(entry[2] for entry in self._later)):
            if call.job is None:
                call.part.tally.waiting += len(call.people)
        for part, rows in calls.left():
            part.tally.waiting += rows
        self._ready.clear()
        self._later.clear()
