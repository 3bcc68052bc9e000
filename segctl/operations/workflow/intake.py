"""Who begins a workflow: changes of segments, time as a member, events, the clock; each once, and by its rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.compile.workflow_flow import WHEN
from segctl.compile.workflow_times import occurrences
from segctl.compile.zones import shifted
from segctl.model.dataclass import dataclass
from segctl.model.workflows import CONTROL, START, TREATED, Reentry, Workflow
from segctl.operations.workflow.chance import is_control
from segctl.operations.workflow.world import Change, Someone, World
from segctl.state.workflows import ACTIVE, Books, Instance, Pending, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

_OLDEST_US = 7 * 24 * 3600 * 1_000_000
"""Sources may be late by a long weekend; what is older than that is history, and nobody waits for an answer to it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may begin.

    Attributes:
        entry: What begins it, unique by workflow and subject.
        effective: When, in microseconds since 1970.
        by_undo: A merge was undone, and nobody moved.
    """

    subject: int
    entry: str
    effective: int
    by_undo: bool = False


@dataclass(frozen=True, slots=True)
class _Held:
    """What became of those whose time as a member is counted.

    Attributes:
        begun: New ones, and those whose beginning is another now.
        dropped: Subjects that left in time, or whose time is full.
        full: Who has been a member long enough.
    """

    begun: tuple[Pending, ...] = ()
    dropped: tuple[int, ...] = ()
    full: tuple[Candidate, ...] = ()


class Intake:
    """Takes in who begins, and remembers how far it has read.

    Args:
        world: People and what happens to them.
        books: What is on record.
        workflows: By name.
        pauses: Workflow → spans in which nobody begins; segments stop too when everything does, and tell afterwards.
    """

    def __init__(
        self,
        world: World,
        books: Books,
        workflows: Mapping[str, Workflow],
        pauses: Mapping[str, Sequence[tuple[int, int]]] | None = None,
    ) -> None:
        self.world, self.books, self.workflows, self._pauses = world, books, workflows, pauses or {}
        self._again = set[str]()

    @property
    def goes_on(self) -> bool:
        """Somebody who begins now did more that may begin something afterwards."""
        return bool(self._again)

    def take_in(self, now: int) -> dict[str, int]:
        """Everybody who begins at an instant, on record; people by workflow.

        Of several events of a person the first begins a way, and the others count when that is over. So while
        `goes_on` holds, it is called again after everybody has been moved.
        """
        places, feed_end = self.books.places(), self.world.now_there()
        entered: dict[str, int] = {}
        asked, self._again = self._again or set(self.workflows), set()
        for name, workflow in self.workflows.items():
            if name not in asked:
                continue
            place = places.get(name)
            if place is None:
                # What was there before a workflow is no entry.
                place = Place(feed_end[0], feed_end[1], now, now)
                self.books.take_in((), {name: place}, versions={(name, workflow.digest): workflow.text}, at=now)
                continue
            number = self._of_workflow(workflow, place, feed_end[1], now)
            if number:
                entered[name] = number
        return entered

    def pass_over(self, now: int) -> None:
        """Reads on while nobody begins. Who begins or ceases to stay in a segment does so all the same."""
        places, feed_end = self.books.places(), self.world.now_there()
        for name, workflow in self.workflows.items():
            place = places.get(name)
            if place is None:
                continue
            held = _Held()
            if workflow.trigger.kind == "stayed":
                changes, _ = self.world.changes(place.feed, [workflow.trigger.segment or ""], now)
                wanted = [one for one in changes if workflow.trigger.edits or not one.by_edit]
                held = self._held(workflow, changes, wanted, now)
            self.books.take_in(
                (),
                {name: Place(feed_end[0], max(feed_end[1], place.snapshot), max(now, place.at), place.began)},
                versions={},
                pending=held.begun,
                dropped=[(name, subject) for subject in held.dropped],
                at=now,
            )

    def _of_workflow(self, workflow: Workflow, place: Place, snapshot: int, now: int) -> int:
        candidates, held, feed = self._candidates(workflow, place, now)
        entering = self._entering(workflow, candidates, now)
        if workflow.trigger.kind == "event" and self._did_more(entering, candidates):
            self._again.add(workflow.name)
        # Whatever ends the process, the rest is read again: who has begun with an event does not begin with it twice.
        read = Place(feed, max(snapshot, place.snapshot), max(now, place.at), place.began)
        self.books.take_in(
            entering,
            {} if workflow.name in self._again else {workflow.name: read},
            versions={(workflow.name, workflow.digest): workflow.text},
            pending=held.begun,
            dropped=[(workflow.name, subject) for subject in held.dropped],
            at=now,
        )
        return len(entering)

    def _did_more(self, entering: Sequence[Instance], candidates: Sequence[Candidate]) -> bool:
        begun = self.world.roots({one.subject for one in entering})
        entered = {begun[one.subject]: one.entered for one in entering}
        return any(one.effective > entered.get(one.subject, one.effective) for one in candidates)

    # --- What happened -------------------------------------------------------------------------------------
    def _candidates(self, workflow: Workflow, place: Place, now: int) -> tuple[list[Candidate], _Held, str]:
        trigger, nobody = workflow.trigger, _Held()
        if trigger.kind == "event":
            assert trigger.selection is not None
            first = max(place.began, now - _OLDEST_US)
            happened = [one for one in self.world.happened(trigger.selection, place, now) if one.at >= first]
            return [Candidate(one.subject, f"event:{one.at}", one.at) for one in happened], nobody, place.feed
        segment = trigger.segment
        assert segment is not None
        if trigger.kind == "every":
            due = list(occurrences(trigger, place.at, now, self.world.zone))
            members = self.world.members(segment, now) if due else []
            # Of several that were missed the last one counts, as cron does.
            return [Candidate(one, f"at:{due[-1]}", due[-1]) for one in members], nobody, place.feed
        changes, feed = self.world.changes(place.feed, [segment], now)
        wanted = [one for one in changes if trigger.edits or not one.by_edit]
        if trigger.kind == "stayed":
            held = self._held(workflow, changes, wanted, now)
            return list(held.full), held, feed
        is_entry = trigger.kind == "entered"
        moved = [one for one in wanted if one.entered == is_entry]
        return [Candidate(one.subject, one.sequence, one.effective, one.by_undo) for one in moved], nobody, feed

    def _held(self, workflow: Workflow, changes: Sequence[Change], wanted: Sequence[Change], now: int) -> _Held:
        """Whose time as a member is full, who has begun to stay, who left before."""
        length = workflow.trigger.length
        assert length is not None
        waiting = {one.subject: one for one in self.books.pending() if one.workflow == workflow.name}
        before, full = dict(waiting), list[Candidate]()
        begins = {one.sequence for one in wanted}
        for one in changes:
            here = waiting.pop(one.subject, None)
            if not one.entered and here is not None and here.due <= one.effective:
                full.append(Candidate(one.subject, here.entry, here.due))
            elif one.entered and one.sequence in begins:
                due = shifted(one.effective, length, 1, self.world.zone)
                waiting[one.subject] = Pending(workflow.name, one.subject, one.sequence, one.effective, due)
        over = [pending for pending in waiting.values() if pending.due <= now]
        # Whoever was merged meanwhile has stayed only if the person they became belongs.
        inside = set(self.world.members(workflow.trigger.segment or "", now)) if over else set()
        roots = self.world.roots({pending.subject for pending in over})
        for pending in over:
            if roots[pending.subject] in inside:
                full.append(Candidate(pending.subject, pending.entry, pending.due))
            del waiting[pending.subject]
        begun = tuple(one for subject, one in waiting.items() if before.get(subject) != one)
        return _Held(begun, tuple(subject for subject in before if subject not in waiting), tuple(full))

    # --- By its rules --------------------------------------------------------------------------------------
    def _entering(self, workflow: Workflow, candidates: Sequence[Candidate], now: int) -> list[Instance]:
        """Those who begin, one a person: there, not on the way, by the re-entry rule, and fitting."""
        pauses = self._pauses.get(workflow.name, ())
        candidates = [one for one in candidates if not any(lo <= one.effective < hi for lo, hi in pauses)]
        if not candidates:
            return []
        known = self.books.has_entry(workflow.name, [one.entry for one in candidates])
        candidates = [one for one in candidates if (one.subject, one.entry) not in known]
        people = self.world.people({one.subject for one in candidates}, now)
        before = self._before(workflow, {one.root for one in people.values()})
        first: dict[int, tuple[Candidate, Someone]] = {}
        for one in sorted(candidates, key=lambda one: (one.effective, one.subject, one.entry)):
            someone = people.get(one.subject)
            if someone is not None and someone.root not in first and self._may(workflow.reentry, before, someone, one):
                first[someone.root] = (one, someone)
        fitting = self._fitting(workflow, sorted(first), now)
        return [_instance(workflow, *first[root]) for root in sorted(first) if root in fitting]

    def _before(self, workflow: Workflow, people: Collection[int]) -> dict[int, tuple[int, bool]]:
        """Of some profiles, root → last entry of any identifier of theirs, and whether they are on the way."""
        entries = self.books.entries(workflow.name, self.world.subjects(people))
        roots = self.world.roots({subject for subject, _, _ in entries})
        found: dict[int, tuple[int, bool]] = {}
        for subject, entered, is_active in entries:
            last, was_active = found.get(roots[subject], (entered, False))
            found[roots[subject]] = (max(last, entered), was_active or is_active)
        return found

    def _may(self, rule: Reentry, before: Mapping[int, tuple[int, bool]], someone: Someone, one: Candidate) -> bool:
        last = before.get(someone.root)
        if last is None:
            return True
        entered, is_active = last
        # Nobody enters at or before their last entry: what a stream said and a run tells again is one change.
        if is_active or rule.rule == "once" or one.by_undo or one.effective <= entered:
            return False
        if rule.length is None:
            return True
        return one.effective >= shifted(entered, rule.length, 1, self.world.zone)

    def _fitting(self, workflow: Workflow, roots: Sequence[int], now: int) -> Iterable[int]:
        if workflow.when is None or not roots:
            return roots
        question = (workflow.name, workflow.digest, WHEN)
        return self.world.ask({question: workflow.when}, (), roots, now).holds.get(question, frozenset())


def _instance(workflow: Workflow, one: Candidate, someone: Someone) -> Instance:
    arm = CONTROL if is_control(workflow, someone.profile) else TREATED
    new = Instance(
        0, workflow.name, workflow.digest, one.subject, someone.profile, one.entry, one.effective, arm, ACTIVE, START,
        one.effective,
    )  # fmt: skip
    return replace(new, wake=one.effective)
