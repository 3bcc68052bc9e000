"""One destination of a push: its connector, what it can do, its audiences in the ledger, and what it was told."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.connectors.destinations import abilities, connected
from segctl.connectors.destinations.base import Around, GoneError, Recorded
from segctl.model.consent import Decision
from segctl.model.errors import SegctlError, UsageError
from segctl.operations.audience.ledger import called
from segctl.operations.push.books import DryBooks, LedgerBooks
from segctl.operations.push.courier import Courier, Desk, World, world_from
from segctl.operations.push.moved import Lists
from segctl.operations.push.needed import needed
from segctl.operations.push.parts import forget_settled, other_parts, without_removals
from segctl.operations.push.resolve import resolve
from segctl.operations.push.result import Recording
from segctl.operations.push.send import look_again, send
from segctl.operations.push.watch import Watch
from segctl.operations.push.work import Part

if TYPE_CHECKING:
    from segctl.connectors.destinations.base import Abilities
    from segctl.model.consent import Use
    from segctl.model.destinations import Destination
    from segctl.operations.audience.audience import Audience
    from segctl.operations.gate import Gate
    from segctl.operations.progress import Progress
    from segctl.operations.push.watch import Gatekeeper
    from segctl.operations.session import Session
    from segctl.state.deliveries import LedgerAudience

EXAMPLES = 20
"""Requests of a dry run that are kept as they would be sent; all are counted."""


class Recorder:
    """Counts what a dry run would do, and keeps the first of it."""

    def __init__(self) -> None:
        self.calls = self.rows = 0
        self.examples: list[Recorded] = []
        self._writing = threading.Lock()

    def __call__(self, recorded: Recorded) -> None:
        """One effect that was not had."""
        with self._writing:
            self.calls += 1
            self.rows += recorded.rows
            if len(self.examples) < EXAMPLES:
                self.examples.append(recorded)


@dataclass(slots=True)
class Station:
    """One destination in a push.

    Attributes:
        can: What it can do.
        error: What ended it.
        notes: What its connector told.
        recorder: Of a dry run.
        is_done: All was sent that could be; false when the call was ended before.
        former: Audiences that the push came to beside those it was told of: lists that others have left.
    """

    session: Session
    destination: Destination
    can: Abilities
    courier: Courier
    books: LedgerBooks
    now: datetime
    progress: Progress
    notes: list[str]
    recorder: Recorder | None
    is_done: bool = False
    former: list[Part] = field(default_factory=list)
    _earlier: dict[int, Part] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the destination."""
        return self.destination.name

    @property
    def world(self) -> World:
        """The clock."""
        return self.courier.desk.world

    @property
    def error(self) -> SegctlError | None:
        """What ended it."""
        return self.courier.error

    @property
    def use_recipient(self) -> tuple[tuple[str, str], ...]:
        """Class of recipient and what the destination declares of it, as the gate is told."""
        return tuple(sorted({"class": self.can.recipient, **dict(self.destination.recipient)}.items()))

    def settle_open(self) -> None:
        """Settles what an earlier push left without a result."""
        from segctl.state.deliveries import ledger_audiences
        from segctl.state.deliveries_batches import open_batches

        if self.recorder is not None:
            return
        for audience in ledger_audiences(self.session.workspace, self.name):
            self._earlier[audience.id] = Part(
                audience.segment, self.name, audience, self.destination.mode, audience.purpose, None,
                remote=audience.remote or "",
            )  # fmt: skip
        batches = open_batches(self.session.workspace, self._earlier)
        if batches:
            self.progress.note(f"{self.name}: {len(batches)} calls of an earlier push have no result on record")
            resolve(self.courier, batches, self._earlier)

    def part(self, audience: Audience, gate: Gate, *, retries: bool) -> Part:
        """What one audience needs."""
        if self.destination.mode not in self.can.modes:
            raise UsageError(
                "SEG873", f"`{self.name}` cannot be pushed to in the mode `{self.destination.mode}`",
                hint=f"its kind `{self.destination.kind}` can {', '.join(self.can.modes)}",
            )  # fmt: skip
        made = needed(self.session, gate, audience, self.destination, self._ledger(audience), self.can, retries=retries)
        if self.recorder is None and not retries:
            forget_settled(self.session.workspace, made)
        return self._with_earlier(made)

    def others(
        self, gate: Gatekeeper, known: Collection[int], purposes: Mapping[str, str | None], ended: Collection[str]
    ) -> list[Part]:
        """Audiences there that the push is not about, as far as somebody must be taken out."""
        found = other_parts(
            self.session.workspace, gate, self.destination, known, purposes, recipient=self.use_recipient, ended=ended
        )
        found = [without_removals(one) for one in found] if self.can.removal == "none" else found
        return [self._with_earlier(one) for one in found]

    def watch(self, gate: Gatekeeper, parts: Sequence[Part]) -> None:
        """From now on consent is looked at for these."""
        self.courier.desk.watch = Watch(gate, parts)

    def send(self, parts: Sequence[Part], push: int, name: str, *, retries: bool = False) -> None:
        """Tells the destination all that its audiences need; with `retries` none goes to another list."""
        from segctl.state.deliveries_batches import keep_in_doubt
        from segctl.state.deliveries_places import keep_gone

        desk = self.courier.desk
        for one in parts:
            one.name = one.name or one.ledger.name or called(self.destination, one.segment)
        self.books.push = push
        desk.context = {"push": name}
        if self.recorder is None:
            for one in parts:
                keep_in_doubt(self.session.workspace, one.ledger.id, one.again)
        total = sum(one.additions + one.removals for one in parts)
        if total:
            self.progress.start(f"push to {self.name}", total=total, unit="people")
        lists = Lists(self.session.workspace, desk.connector, self.can, list(desk.watch.parts), self.progress.note,
                      is_dry=self.recorder is not None, stays=retries)  # fmt: skip
        clock = time.perf_counter()
        try:
            send(self.courier, parts, push=name, lists=lists, backlog=self._backlog)
            self.is_done = True
        finally:
            self.former = [one for one in lists.more if not any(one is part for part in parts)]
            self._count([*parts, *self.former], time.perf_counter() - clock)
            if isinstance(self.error, GoneError) and self.recorder is None:
                keep_gone(self.session.workspace, self.name, self.world.now())
            if total:
                self.progress.finish()

    def look_again(self, parts: Sequence[Part]) -> list[Part]:
        """Takes out who was denied since this destination was told, while others were; the parts concerned."""
        if not self.is_done or self.courier.halted is not None:
            return []
        before = [(part, part.tally.overtaken + part.tally.withdrawn) for part in (*parts, *self.former)]
        look_again(self.courier)
        return [part for part, count in before if part.tally.overtaken + part.tally.withdrawn > count]

    def recording(self) -> Recording:
        """What a dry run would have sent here."""
        recorder = self.recorder or Recorder()
        return Recording(self.name, recorder.calls, recorder.rows, tuple(recorder.examples), self._minutes(recorder))

    def close(self) -> None:
        """Lets go of threads and connections."""
        self.courier.close()
        self.courier.desk.connector.close()

    def _ledger(self, audience: Audience) -> LedgerAudience:
        from segctl.operations.audience.ledger import former_names, ledger_row
        from segctl.state.deliveries import ledger_audience

        if self.recorder is not None:
            found = ledger_row(self.session, self.destination, audience.segment)
            return replace(found, purpose=audience.purpose, channel=audience.channel)
        return ledger_audience(
            self.session.workspace, self.name, audience.segment, formerly=former_names(self.session, audience.segment),
            purpose=audience.purpose, channel=audience.channel, called=dict(self.destination.audiences),
        )  # fmt: skip

    def _with_earlier(self, made: Part) -> Part:
        """The part with what became of its calls before."""
        earlier = self._earlier.get(made.ledger.id)
        if earlier is not None:
            earlier.tally.held = made.tally.held
            made.tally, made.reasons = earlier.tally, earlier.reasons
        return made

    def _backlog(self) -> str | None:
        from segctl.state.deliveries_batches import remove_backlog

        count, oldest = remove_backlog(self.session.workspace, self.name)
        if oldest is None:
            return None
        age_s = (self.world.now() - datetime.fromisoformat(oldest)).total_seconds()
        if age_s <= self.courier.desk.patience.backlog_s:
            return None
        return f"{count:,} removals fail at `{self.name}`, the oldest since {oldest[:16]}Z, so nobody is added"

    def _count(self, parts: Sequence[Part], seconds: float) -> None:
        calls = sum(one.tally.calls for one in parts)
        for one in parts:
            one.tally.seconds = seconds * one.tally.calls / calls if calls else 0.0
            if self.courier.halted is not None and (one.tally.waiting or not self.is_done):
                one.stopped = self.courier.halted

    def _minutes(self, recorder: Recorder) -> float | None:
        """Minutes by the speed of the last pushes there."""
        from segctl.state.deliveries_log import pushes

        counts = [p.counts for one in pushes(self.session.workspace, limit=20) for p in one.parts
                  if p.destination == self.name]  # fmt: skip
        calls = sum(int(one.get("calls", 0)) for one in counts)
        seconds = sum(float(one.get("seconds", 0.0)) for one in counts)
        return round(recorder.calls * seconds / calls / 60, 2) if calls else None


def station(
    session: Session, destination: Destination, *, now: datetime, dry_run: bool, progress: Progress
) -> Station:  # fmt: skip
    """A destination ready to be told.

    Raises:
        UsageError: Nobody has registered its kind.
    """
    recorder, notes = Recorder() if dry_run else None, list[str]()
    try:
        can = abilities(destination)
    except LookupError as error:
        raise UsageError(
            "SEG880", f"`{destination.name}` is of the kind `{destination.kind}`, which is not installed",
            hint="install the package that brings it, or correct `kind`", location=destination.location,
        ) from error  # fmt: skip
    around = Around(destination.name, session.root, now, record=recorder, note=notes.append)
    world = world_from(now)
    if dry_run:
        # Nothing answers slowly in a dry run, and one call at a time records them in their order.
        can = replace(can, parallel=1)
    books = (DryBooks if dry_run else LedgerBooks)(session.workspace, 0, world.now)
    signals = {purpose.name: purpose.signals for purpose in session.project.purposes}
    desk = Desk(connected(destination, around), can, books, Watch(_NobodyAsked(), ()), now, world,
                told=progress.advance, signals=signals)  # fmt: skip
    return Station(session, destination, can, Courier(desk), books, now, progress, notes, recorder)


class _NobodyAsked:
    """Stands for the gate until there is one: what is settled before needs none."""

    head = 0

    def refresh(self) -> frozenset[bytes]:
        """Nothing new."""
        return frozenset()

    def decide(self, points: Sequence[Sequence[bytes | None]], use: Use) -> list[Decision]:
        """Nobody may be told."""
        return [Decision("no_purpose", None) for _ in points if use]
