"""Workflows over a past span on recorded events: a virtual clock, the same engine, and nobody is told anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from segctl.compile.zones import from_us, to_us
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.operations.progress import Progress, Silent
from segctl.operations.workflow.asking import instants_of
from segctl.operations.workflow.engine import Engine
from segctl.operations.workflow.gate import passed, target_of
from segctl.operations.workflow.live import LiveWorld
from segctl.operations.workflow.workflow import find_workflows
from segctl.operations.workflow.world import CONTACTS, Allowed, Change, Contact, Doing, Happened, Result, Someone
from segctl.state.workflows import Books, Effect, Instance, MemoryDatabase

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.model.conditions import EventSelection
    from segctl.model.workflows import Act, Node, Split, Workflow
    from segctl.operations.evaluation import Answers
    from segctl.operations.session import Session
    from segctl.state.workflows import Place

_MOST_TICKS = 20_000
_EVERYBODY = 1_000_000


@dataclass(frozen=True, slots=True)
class Simulated:
    """What would have happened.

    Attributes:
        ticks: Instants at which it was looked.
        instances: Everybody who would have begun, oldest first.
        effects: Everything that would have been done, or not, and why; in order.
    """

    workflows: Mapping[str, Workflow]
    begin: datetime
    end: datetime
    ticks: int
    instances: tuple[Instance, ...]
    effects: tuple[Effect, ...]

    @property
    def control(self) -> int:
        """Ways in the control group."""
        return sum(one.arm == "control" for one in self.instances)

    @property
    def held_back(self) -> int:
        """Of these the ones to which something would have been sent: the gate refuses before the group does."""
        return len({one.instance for one in self.effects if one.state == "control"})


def simulate(
    session: Session,
    names: Sequence[str] = (),
    *,
    begin: datetime,
    end: datetime,
    every: timedelta,
    now: datetime,
    progress: Progress | None = None,
) -> Simulated:
    """Runs workflows over a past span.

    Segments are evaluated as of each instant, with all that is known today; who belongs to them at the first instant
    begins nothing. Consent, suppression and caps hold as they did then, experiments deal as they would.

    Args:
        session: Open project and workspace.
        names: Workflows, drafts too; all active ones when empty.
        begin: First instant, aware.
        end: Last instant; not after `now`.
        every: Distance between instants.
        now: Wall clock.
        progress: Hears how far it is.

    Raises:
        UsageError: An unknown name, or a span that is none.
    """
    workflows = find_workflows(session, names)
    if not begin < end <= now or every <= timedelta(0) or (end - begin) / every > _MOST_TICKS:
        why = f"it goes from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} in steps of {every}"
        hint = "`--from` lies before `--until`, both in the past, and `--every` is a length such as `1 hour`"
        raise UsageError("SEG691", "this span cannot be simulated", why=why, hint=hint)
    books, world = Books(MemoryDatabase()), PastWorld(session, _segments(workflows))
    engine = Engine(world, books, workflows, lambda _name, _digest: None)
    told, ticks, at = progress or Silent(), 0, begin
    told.start("simulate", total=int((end - begin) / every) + 1, unit="instants")
    while at <= end:
        world.move(to_us(at))
        engine.handle(to_us(at))
        told.advance(1)
        ticks, at = ticks + 1, at + every
    told.finish()
    return Simulated(workflows, begin, end, ticks, tuple(books.instances()), tuple(books.effects()))


def _segments(workflows: Mapping[str, Workflow]) -> tuple[str, ...]:
    found = (one.trigger.segment for one in workflows.values())
    return tuple(dict.fromkeys(name for name in found if name is not None))


class PastWorld(LiveWorld):
    """A workspace as it was at instants that follow each other.

    Args:
        session: Open project and workspace.
        segments: Whose changes are looked for.
    """

    def __init__(self, session: Session, segments: Sequence[str]) -> None:
        super().__init__(session)
        self._segments = segments
        self._at = 0
        self._members: dict[str, pl.Series] = {}
        self._log: list[Change] = []
        self._seen = session.workspace.snapshot()

    @property
    def _snapshot(self) -> int:
        return self._seen

    def move(self, now: int) -> None:
        """Sets the clock, and looks who belongs to the segments then."""
        from segctl.operations.evaluation import evaluate

        before, self._at = self._at, now
        if not self._segments:
            return
        answers = evaluate(self.session, self._segments, as_of=from_us(now), snapshot=self._seen)
        moves = self._moves(answers.frame)
        if moves.height:
            self._note(moves, answers, before)

    def _moves(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Who came and went since the look before, as ``segment``, ``subject``, ``entered``; none at the first."""
        import polars as pl

        found = [pl.DataFrame(schema={"segment": pl.String, "subject": pl.Int32, "entered": pl.Boolean})]
        for name in self._segments:
            if name not in frame.columns:
                continue  # it cannot be decided: who belongs stays
            after = frame["subject"].filter(frame[name])
            before = self._members.get(name, after)
            self._members[name] = after
            for some, others, entered in ((before, after, False), (after, before, True)):
                moved = some.filter(~some.is_in(others.implode())).alias("subject").to_frame()
                found.append(moved.select(pl.lit(name).alias("segment"), "subject", pl.lit(entered).alias("entered")))
        return pl.concat(found)

    def _note(self, moves: pl.DataFrame, answers: Answers, before: int) -> None:
        """Moves with the instant at which they happened, as a recorded run would tell it, in the order of the feed."""
        from segctl.operations.causes.passing import moments

        at, since = from_us(self._at), from_us(before)
        told = moments(self.session, moves, answers, since=since, as_of=at, snapshot=self._seen)
        rows = moves.join(told, on=["segment", "subject"], how="left", maintain_order="left")
        for segment, subject, entered, effective in (
            rows.select("segment", "subject", "entered", rows["effective"].to_physical())
            .sort("effective", "segment", "subject")
            .iter_rows()
        ):
            name = f"past:{self._at}:{segment}:{subject}"
            at_us = self._at if effective is None else effective
            self._log.append(Change(segment, subject, entered, at_us, by_edit=False, sequence=name))

    def now_there(self) -> tuple[str, int]:
        """The end of the log; the snapshot does not move."""
        return str(len(self._log)), self._seen

    def changes(self, feed: str, segments: Collection[str], now: int) -> tuple[list[Change], str]:  # noqa: ARG002 - the log ends now
        """Changes of the log."""
        return [one for one in self._log[int(feed) :] if one.segment in segments], str(len(self._log))

    def happened(self, selection: EventSelection, place: Place, now: int) -> list[Happened]:
        """Events by their own time."""
        from segctl.operations.evaluation import event_part

        parts = [event_part(file) for file in self.session.workspace.files("events", self._seen)]
        found = instants_of(self.session, selection, parts, now=now, snapshot=self._seen, after=place.at)
        return [Happened(root, at) for root, at in sorted(found)]

    def members(self, segment: str, now: int) -> list[int]:  # noqa: ARG002 - as of the clock
        """Who belongs now."""
        found = self._members.get(segment)
        return [] if found is None else found.to_list()

    def arms(
        self,
        workflow: Workflow,  # noqa: ARG002 - dealt by the experiment
        node: Node,  # noqa: ARG002 - likewise
        split: Split,
        roots: Sequence[int],
        now: int,
    ) -> Allowed:
        """Arms as they would be dealt by weights; who is on record keeps theirs."""
        from segctl.operations.workflow.arms import arms_without_record

        assert split.experiment is not None
        return Allowed(arms_without_record(self.session, split, self.people(roots, now)))

    def allow(
        self,
        workflow: Workflow,  # noqa: ARG002 - the gate asks for the destination
        node: Node,  # noqa: ARG002 - likewise
        act: Act,
        people: Sequence[Someone],
        contacts: Sequence[Contact],
        now: int,
    ) -> Allowed:
        """The gate as it was then."""
        if act.destination is None or act.kind == "remove":
            return Allowed()
        from segctl.operations.gate import Gate

        destination = self.session.definitions.destinations.get(act.destination)
        if destination is None:
            return Allowed(held=f"`{act.destination}` is no destination")
        gate = Gate.open(self.session, now=from_us(now), is_past=True)
        roots, counts = [one.root for one in people], act.kind in CONTACTS
        found = passed(self.session, gate, destination, act.purpose, roots, contacts, now=now, counts=counts)
        return replace(found.allowed, held=None, channel=target_of(destination, act.purpose).use.channel)

    def since(self, now: int) -> int:
        """The clock stands still during a look."""
        return now

    def stopped(self, workflow: str, act: Act) -> str | None:  # noqa: ARG002 - nobody stops it
        """Nothing."""
        return None

    def is_repeatable(self, destination: str | None, action: str) -> bool:  # noqa: ARG002 - nothing is sent
        """Nothing is sent, so nothing is in doubt."""
        return True

    def at_once(self, act: Act) -> int:  # noqa: ARG002 - likewise
        """Everybody."""
        return _EVERYBODY

    def perform(
        self,
        workflow: Workflow,  # noqa: ARG002 - nobody is told anything
        node: Node,  # noqa: ARG002 - likewise
        act: Act,  # noqa: ARG002 - likewise
        doing: Sequence[Doing],
        now: int,  # noqa: ARG002 - likewise
    ) -> dict[str, Result]:
        """Would have been done."""
        return {one.key: Result("done") for one in doing}


def by_step(effects: Iterable[Effect]) -> list[tuple[str, str, str, str, int]]:
    """Workflow, step, state and reason of effects, and how many; those that were done first."""
    found: dict[tuple[str, str, str, str], int] = {}
    for one in effects:
        key = (one.workflow, one.step, one.state, one.reason or "")
        found[key] = found.get(key, 0) + 1
    order = {"done": 0, "control": 1}
    return [
        (*key, number) for key, number in sorted(found.items(), key=lambda e: (*e[0][:2], order.get(e[0][2], 2), -e[1]))
    ]
