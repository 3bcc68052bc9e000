"""Send audiences to destinations: compare with the ledger, keep within guards, ask, send, and say what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass as mutable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.compile.selection import Selection
from segctl.compile.suggest import nearest
from segctl.model.dataclass import dataclass
from segctl.model.errors import Refused, TemporaryError, UsageError
from segctl.operations.apply import NOTHING_ALLOWED, Allowed
from segctl.operations.contacted import record as record_contacts
from segctl.operations.experiment.record import write_down
from segctl.operations.plan.push import part_digest, refuse_other_push
from segctl.operations.progress import Progress, Silent
from segctl.operations.push.limits import limit
from segctl.operations.push.moved import foresee
from segctl.operations.push.place import refuse_gone, refuse_moved
from segctl.operations.push.result import Pushed, outcome, recorded_counts, status
from segctl.operations.push.stations import Station, station
from segctl.operations.push.work import Part
from segctl.operations.selection import chosen

if TYPE_CHECKING:
    from segctl.model.destinations import Destination, Mode
    from segctl.operations.plan.file import SavedPlan
    from segctl.operations.session import Session
    from segctl.state.deliveries_log import PartStatus

EVERYTHING = Selection()
_TRIES = 5
"""So often audiences are made, if others assign people to the same experiments at the same time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to push.

    Attributes:
        selection: Which segments.
        to: Only these destinations; None for all.
        mode: Instead of the destinations' own.
        retries: Only what was not accepted.
        allowed: What guards allow this once.
        is_everything: No segment was named, so destinations are looked after that no segment names any more.
        plan: That is carried out exactly, or not at all.
        same_place: Destinations that point where they did, spelled otherwise.
    """

    selection: Selection = EVERYTHING
    to: tuple[str, ...] | None = None
    mode: Mode | None = None
    retries: bool = False
    allowed: Allowed = NOTHING_ALLOWED
    is_everything: bool = True
    plan: SavedPlan | None = None
    same_place: tuple[str, ...] = ()


Agree = Callable[[Sequence[Part]], None]
"""Told what would be sent; raises when that is not wanted."""


def push(
    session: Session,
    asked: Asked,
    *,
    now: datetime,
    dry_run: bool = False,
    agree: Agree = lambda _parts: None,
    progress: Progress | None = None,
) -> Pushed:
    """Bring destinations to what their audiences are.

    Args:
        session: Open project and workspace.
        asked: What is wanted.
        now: When the push began; aware.
        dry_run: Do everything but the effect: calls are recorded, the ledger stays as it is.
        agree: Asked before anything is sent.
        progress: Hears what is going on.

    Raises:
        UsageError: Unknown names, or a destination that cannot do what is asked.
        Refused: `agree` says no, or the plan says something else.
        TemporaryError: Another push has a destination.
    """
    clock = time.perf_counter()
    if not dry_run:
        record_contacts(session.workspace)
    work = _Work(session, asked, now, progress or Silent(), dry_run)
    with work.stations() as stations:
        parts, number, name = work.agreed(stations, agree)
        busy = _busy(parts)
        for to in stations.values():
            work.send(to, [part for part in busy if part.destination == to.name], number, name or "dry-run")
        if number:
            work.look_again(stations.values(), parts, number)
            record_contacts(session.workspace)
        outcomes = [outcome(one, minimum=stations[one.destination].can.minimum) for one in parts]
        beside = [one for to in stations.values() for one in to.former if not any(one is part for part in parts)]
        outcomes += [outcome(one) for one in beside]
        return Pushed(
            id=name,
            outcomes=tuple(sorted(outcomes, key=lambda one: (one.destination, one.segment))),
            errors={to.name: to.error for to in stations.values() if to.error is not None},
            unevaluated=work.unevaluated(),
            recordings=tuple(to.recording() for to in stations.values()) if dry_run else (),
            seconds=round(time.perf_counter() - clock, 3),
            notes=(*(note for to in stations.values() for note in to.notes), *work.undeclared()),
        )


def _busy(parts: Iterable[Part]) -> list[Part]:
    """Those with which something is to be done."""
    return [one for one in parts if one.additions or one.removals or one.refused or one.stuck or one.is_renamed]


@mutable(slots=True)
class _Work:
    """One push, with what its steps share."""

    session: Session
    asked: Asked
    now: datetime
    progress: Progress
    dry_run: bool

    @contextmanager
    def stations(self) -> Iterator[dict[str, Station]]:
        """The destinations, each locked; what an earlier push left open there is settled."""
        names = self._names()
        with ExitStack() as stack:
            if not self.dry_run:
                for name in names:
                    stack.enter_context(self.session.workspace.lock(f"push to {name}"))
            found = {}
            for name in names:
                one = station(self.session, self._destination(name), now=self.now, dry_run=self.dry_run,
                              progress=self.progress)  # fmt: skip
                stack.callback(one.close)
                found[name] = one
                try:
                    refuse_moved(self.session, one.destination, is_same=name in self.asked.same_place,
                                 dry_run=self.dry_run)  # fmt: skip
                    refuse_gone(self.session, one.destination, tries_again=self.asked.retries, dry_run=self.dry_run)
                except (Refused, UsageError) as error:
                    one.courier.halt(error.message, error)
                else:
                    one.settle_open()
            yield found

    def _names(self) -> list[str]:
        known = self.session.definitions.destinations
        for name in self.asked.to or ():
            if name not in known:
                near = nearest(name, known)
                raise UsageError(
                    "SEG872", f"there is no destination `{name}`",
                    hint=f"did you mean `{near}`?" if near else "destinations are declared in `destinations/NAME.yaml`",
                )  # fmt: skip
        segments = self.session.definitions.segments
        names = {to for name in chosen(self.session.definitions, self.asked.selection) for to in segments[name].send_to}
        if self.asked.is_everything:
            names |= set(known)
        return sorted(name for name in names & set(known) if self.asked.to is None or name in self.asked.to)

    def _destination(self, name: str) -> Destination:
        found = self.session.definitions.destinations[name]
        return found if self.asked.mode is None else replace(found, mode=self.asked.mode)

    def agreed(self, stations: Mapping[str, Station], agree: Agree) -> tuple[list[Part], int, str | None]:
        """What every audience needs, agreed on and with its assignments on record; number and id of the push.

        Raises:
            TemporaryError: Others assign people to the same experiments again and again.
        """
        from segctl.state.experiments import records

        agreed: list[str] | None = None
        number, name = 0, None
        for _ in range(_TRIES):
            seen = records(self.session.workspace)
            parts = self._limited(stations)
            busy = _busy(parts)
            if self.dry_run:
                return parts, 0, None
            if busy and (agreed is None or agreed != [part_digest(part) for part in busy]):
                agree(busy)
            if busy and not number:
                number, name = self.begin()
            if write_down(self.session.workspace, parts, seen, at=self.now, push=name):
                return parts, number, name
            agreed = [part_digest(part) for part in busy]
            self.progress.note("people were assigned to an experiment by another command meanwhile: decided again")
        raise TemporaryError(
            "SEG962", "other commands assign people to the same experiments; nothing was sent",
            hint="try again when they are done",
        )  # fmt: skip

    def _limited(self, stations: Mapping[str, Station]) -> list[Part]:
        """What every audience needs, within guards, and exactly what a saved plan says."""
        parts = self.parts(stations)
        for one in parts:
            limit(self.session, one, stations[one.destination].destination, self.asked.allowed)
            if not self.asked.retries:
                foresee(self.session.workspace, one, stations[one.destination].can)
            one.stopped = stations[one.destination].courier.halted
        if self.asked.plan is not None:
            refuse_other_push(self.asked.plan.push, parts)
        return parts

    def parts(self, stations: Mapping[str, Station]) -> list[Part]:
        """What every audience needs, and who is to be taken out elsewhere at the destinations."""
        from segctl.operations.audience.audience import audiences
        from segctl.operations.gate import Gate
        from segctl.operations.push.watch import Listener

        self.progress.start("plan the push", unit="audiences")
        gate = Gate.open(self.session, now=self.now)
        found = []
        for audience in audiences(
            self.session, gate, selection=self.asked.selection, destinations=list(stations), now=self.now
        ):
            found.append(stations[audience.destination.name].part(audience, gate, retries=self.asked.retries))
            self.progress.advance(1)
        purposes = {name: segment.purpose for name, segment in self.session.definitions.segments.items()}
        heard: list[frozenset[bytes]] = []
        for one in stations.values():
            known = {part.ledger.id for part in found if part.destination == one.name}
            found += one.others(gate, known, purposes, self._ended(one.name))
            one.watch(Listener(gate, heard), [part for part in found if part.destination == one.name])
        self.progress.finish()
        return found

    def _ended(self, destination: str) -> frozenset[str]:
        """Segments with people there that are gone or not sent there any more, unless segments were named."""
        from segctl.state.deliveries import ledger_audiences

        if not self.asked.is_everything or self.asked.retries:
            return frozenset()
        segments = self.session.definitions.segments
        names = {one.segment for one in ledger_audiences(self.session.workspace, destination)}
        return frozenset(name for name in names if name not in segments or destination not in segments[name].send_to)

    def begin(self) -> tuple[int, str]:
        """The push on record."""
        from segctl.state.deliveries_log import begin_push

        allowed = self.asked.allowed
        note: dict[str, Any] = {
            "plan": self.asked.plan and self.asked.plan.id,
            "mode": self.asked.mode,
            "retries": self.asked.retries,
        }
        if allowed.limits:
            note["allowed"] = {"guards": [str(one) for one in allowed.limits], "reason": allowed.reason}
        made = begin_push(self.session.workspace, self.now, {k: v for k, v in note.items() if v})
        return made.number, made.id

    def send(self, to: Station, parts: Sequence[Part], number: int, name: str) -> None:
        """Everything of one destination, on record whatever happens."""
        from segctl.state.deliveries_log import begin_part

        workspace = self.session.workspace
        for part in parts if number else ():
            begin_part(workspace, number, part.ledger.id)
        try:
            to.send(parts, number, name, retries=self.asked.retries)
        finally:
            for part in to.former if number else ():
                begin_part(workspace, number, part.ledger.id)
            for part in (*parts, *to.former) if number else ():
                self._end(to, part, number)

    def look_again(self, stations: Iterable[Station], parts: Sequence[Part], number: int) -> None:
        """Who was denied while later destinations were told is taken out of the earlier ones too."""
        for to in stations:
            for part in to.look_again([part for part in parts if part.destination == to.name]):
                self._end(to, part, number)

    def _end(self, to: Station, part: Part, number: int) -> None:
        from segctl.state.deliveries_log import end_part

        one = outcome(part)
        word: PartStatus = status(part) if to.is_done else "interrupted"
        end_part(self.session.workspace, number, part.ledger.id, word, finished=to.world.now(),
                 counts=recorded_counts(one), reason=one.reason)  # fmt: skip

    def undeclared(self) -> tuple[str, ...]:
        """Sentences on people at destinations whose declaration is gone, so that nobody can be taken out there."""
        from segctl.state.deliveries import sizes_delivered

        known, people = self.session.definitions.destinations, dict[str, int]()
        for (name, _), count in sizes_delivered(self.session.workspace).items():
            if name not in known and count and self.asked.is_everything:
                people[name] = people.get(name, 0) + count
        return tuple(
            f"{count:,} people are still at `{name}`, which is not declared any more: "
            "nobody can be taken out there, not even who withdraws"
            for name, count in sorted(people.items())
        )

    def unevaluated(self) -> tuple[str, ...]:
        """Selected segments with destinations that no run has brought into force."""
        from segctl.state.memberships import sizes

        there, segments = sizes(self.session.workspace), self.session.definitions.segments
        names = chosen(self.session.definitions, self.asked.selection)
        return tuple(
            name for name in names
            if segments[name].send_to and segments[name].status == "active"
            and not any(one in there for one in (name, *segments[name].formerly))
        )  # fmt: skip
