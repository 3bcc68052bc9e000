"""Tests of workflows: the engine on a virtual clock over given people, and what it did against what was expected."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.compile.testing import Case
from segctl.compile.testing_workflows import DONE, REFUSED, WorkflowCase, load_workflow_tests
from segctl.compile.zones import MICROSECOND, SECOND, from_us, to_us
from segctl.model.conditions import Condition, Count, EventCondition, EventSelection, SegmentCondition, ValueTest
from segctl.model.conditions.segments import SegmentDefinition
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Location, has_errors
from segctl.model.errors import UsageError
from segctl.model.times import Between, Instant
from segctl.operations.lists import ProjectLists
from segctl.operations.session import bound_definitions
from segctl.operations.testing.answers import evaluate_cases
from segctl.operations.testing.segments import Segments
from segctl.operations.workflow.engine import Engine
from segctl.operations.workflow.gate import target_of
from segctl.operations.workflow.world import Allowed, Change, Contact, Doing, Happened, Known, Question, Result, Someone
from segctl.state.workflows import Books, Effect, MemoryDatabase

if TYPE_CHECKING:
    from segctl.compile.testing import GivenProfile
    from segctl.model.project import Definitions
    from segctl.model.workflows import Act, Node, Split, Workflow
    from segctl.state.workflows import Place


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is not as expected.

    Attributes:
        profile: Whom it concerns.
        expected: In words, as `found`.
    """

    case: WorkflowCase
    profile: str
    expected: str
    found: str
    location: Location


@dataclass(frozen=True, slots=True)
class Suite:
    """The cases of a project, and what is wrong with none of them."""

    definitions: Definitions
    cases: tuple[WorkflowCase, ...]
    warnings: tuple[Diagnostic, ...]


def load_suite(
    start: Path, names: Collection[str] = (), keyword: str | None = None, *, env: str | None = None
) -> Suite:  # fmt: skip
    """The cases of some workflows, all when none is named.

    Raises:
        UsageError: Findings in definitions or cases, or a name that the project does not have.
    """
    from segctl.operations.workflow.workflow import unknown_workflow

    definitions, warnings = bound_definitions(start, env=env)
    for name in names:
        if name not in definitions.workflows:
            raise unknown_workflow(name, definitions.workflows)
    cases, found = load_workflow_tests(definitions)
    if has_errors(found):
        message = "the test files of workflows have errors; nothing was tested"
        raise UsageError("SEG690", message, hint="`segctl help workflows` shows the form", diagnostics=tuple(found))
    chosen = [
        one for one in cases
        if (not names or one.workflow in names) and (keyword is None or keyword.lower() in one.id.lower())
    ]  # fmt: skip
    return Suite(definitions, tuple(chosen), tuple(warnings))


def run_cases(suite: Suite) -> list[tuple[WorkflowCase, list[Wrong]]]:
    """Every case with what is wrong in it."""
    lists = ProjectLists(Path(suite.definitions.project.root))
    return [(case, list(_run(case, suite.definitions, lists))) for case in suite.cases]


def _run(case: WorkflowCase, definitions: Definitions, lists: ProjectLists) -> Iterator[Wrong]:
    from decimal import Decimal

    # Whom chance puts into the control group is no matter of a test.
    workflow = replace(definitions.workflows[case.workflow], control=Decimal(0))
    world, books = GivenWorld(case, workflow, definitions, lists), Books(MemoryDatabase())
    engine = Engine(world, books, {workflow.name: workflow}, lambda _name, _digest: None)
    at, end = to_us(case.begin), to_us(case.end)
    while at <= end:
        world.move(at)
        engine.handle(at)
        at = world.first_move(at, _next(case, books, at))
    yield from _compared(case, books, definitions)


def _next(case: WorkflowCase, books: Books, at: int) -> int:
    """The next look: on the grid, at an event, or when somebody's wait is over."""
    step, begin = case.every // MICROSECOND, to_us(case.begin)
    nexts = [begin + ((at - begin) // step + 1) * step]
    nexts += [event.at for one in case.profiles for event in one.events if event.at > at]
    nexts += [one.wake for one in books.active() if one.wake is not None and one.wake > at]
    nexts += [one.due for one in books.pending() if one.due > at]
    return min(nexts)


# --- The world of a case ------------------------------------------------------------------------------------
class GivenWorld:
    """The people of a case; a profile's subject is its position.

    Args:
        case: What is given.
        workflow: That is tested.
        definitions: Of the project.
        lists: Values of list files.
    """

    def __init__(self, case: WorkflowCase, workflow: Workflow, definitions: Definitions, lists: ProjectLists) -> None:
        self.case, self.zone, self._definitions = case, definitions.project.timezone, definitions
        self._lists, self._segment = lists, workflow.trigger.segment
        self._at, self._log = 0, list[Change]()
        self._inside: frozenset[int] | None = None

    def move(self, now: int) -> None:
        """Sets the clock, and looks who belongs to the trigger's segment."""
        self._at = now
        if self._segment is None:
            return
        inside = self._members_at(now)
        if self._inside is not None:
            for subject in sorted(self._inside ^ inside):
                entered, name = subject in inside, f"{now}:{subject}"
                self._log.append(Change(self._segment, subject, entered, now, by_edit=False, sequence=name))
        self._inside = inside

    def first_move(self, at: int, until: int) -> int:
        """The instant (to the second) at which somebody comes or goes after one instant; another if nobody does."""
        if self._segment is None or self._members_at(until) == self._inside:
            return until
        low, high = at, until
        while high - low > SECOND:
            middle = low + (high - low) // SECOND // 2 * SECOND if high - low > 2 * SECOND else low + SECOND
            if self._members_at(middle) == self._inside:
                low = middle
            else:
                high = middle
        return high

    def _members_at(self, now: int) -> frozenset[int]:
        assert self._segment is not None
        return self._true([SegmentCondition(self._segment)], now)[0]

    def _true(self, conditions: Sequence[Condition], now: int) -> list[frozenset[int]]:
        """For each condition the people for whom it holds."""
        names = [f"workflow {number}" for number in range(len(conditions))]
        variants = {name: SegmentDefinition(name, one) for name, one in zip(names, conditions, strict=True)}
        segments = Segments(self._definitions, self._lists, variants)
        stubs = self.case.stubs
        case = Case(self.case.file, self.case.name, from_us(now), self.case.profiles, (), stubs, self.case.location)
        found = evaluate_cases(segments, [case], {0: names})
        return [frozenset(n for n, is_in in enumerate(found[0, name].members) if is_in) for name in names]

    def now_there(self) -> tuple[str, int]:
        """The end of the log."""
        return str(len(self._log)), 0

    def changes(self, feed: str, segments: Collection[str], now: int) -> tuple[list[Change], str]:  # noqa: ARG002 - of one segment, until now
        """Changes of the log."""
        return self._log[int(feed) :], str(len(self._log))

    def happened(self, selection: EventSelection, place: Place, now: int) -> list[Happened]:
        """Events by their own time."""
        found = self._instants(selection, now, after=place.at)
        return [Happened(subject, at) for subject, instants in sorted(found.items()) for at in instants]

    def _instants(self, selection: EventSelection, now: int, after: int = -(2**62)) -> dict[int, list[int]]:
        """Person → instants of selected events."""
        every = selection.events == ("*",)
        wanted = [
            (subject, event.at)
            for subject, one in enumerate(self.case.profiles)
            for event in one.events
            if (every or event.kind in selection.events) and after < event.at <= now
        ]
        instants = sorted({at for _, at in wanted})
        if not instants:
            return {}
        tests = [
            EventCondition(
                replace(selection, window=Between(Instant(from_us(at)), Instant(from_us(at)))), Count(),
                ValueTest("at_least", (1,)),
            )
            for at in instants
        ]  # fmt: skip
        holds = dict(zip(instants, self._true(tests, now), strict=True))
        found: dict[int, list[int]] = {}
        for subject, at in wanted:
            if subject in holds[at]:
                found.setdefault(subject, []).append(at)
        return found

    def members(self, segment: str, now: int) -> list[int]:  # noqa: ARG002 - of one segment, now
        """Who belongs."""
        return sorted(self._inside or ())

    def people(self, subjects: Iterable[int], now: int) -> dict[int, Someone]:  # noqa: ARG002 - they are all there
        """Everybody who is given."""
        return {one: Someone(one, self.case.profiles[one].name) for one in subjects}

    def roots(self, subjects: Iterable[int]) -> dict[int, int]:
        """Nobody is merged."""
        return {one: one for one in subjects}

    def subjects(self, roots: Collection[int]) -> Collection[int]:
        """Nobody is merged."""
        return roots

    def ask(
        self,
        questions: Mapping[Question, Condition | EventSelection],
        zones: Collection[str],
        roots: Sequence[int],
        now: int,
    ) -> Known:
        """Answers of the engine that evaluates segments."""
        conditions = {one: asked for one, asked in questions.items() if not isinstance(asked, EventSelection)}
        holds = dict(zip(conditions, self._true(list(conditions.values()), now), strict=True)) if conditions else {}
        last = {
            one: {subject: max(instants) for subject, instants in self._instants(asked, now).items()}
            for one, asked in questions.items()
            if isinstance(asked, EventSelection)
        }
        told = {
            zone: {root: str(value) for root in roots if (value := self._profile(root).traits.get(zone)) is not None}
            for zone in zones
        }
        return Known(holds, last, told)

    def _profile(self, root: int) -> GivenProfile:
        return self.case.profiles[root]

    def arms(self, workflow: Workflow, node: Node, split: Split, roots: Sequence[int], now: int) -> Allowed:  # noqa: ARG002 - as given
        """As given under `arms`."""
        given = self.case.arms.get(node.id, {})
        return Allowed({root: arm for root in roots if (arm := given.get(self._profile(root).name)) is not None})

    def allow(
        self,
        workflow: Workflow,  # noqa: ARG002 - likewise
        node: Node,  # noqa: ARG002 - likewise
        act: Act,
        people: Sequence[Someone],
        contacts: Sequence[Contact],  # noqa: ARG002 - caps of the project are no matter of a case
        now: int,
    ) -> Allowed:
        """Given consents; who is given none at all may be told everything."""
        if act.destination is None or act.kind == "remove":
            return Allowed()
        destination = self._definitions.destinations.get(act.destination)
        channel = None if destination is None else target_of(destination, act.purpose).use.channel
        refused = {one.root: why for one in people if (why := self._refusal(one.root, act, channel, now)) is not None}
        return Allowed(refused, channel=channel)

    def _refusal(self, root: int, act: Act, channel: str | None, now: int) -> str | None:
        from segctl.compile.consents import status_trait
        from segctl.compile.testing_consents import consent_values

        profile = self._profile(root)
        if not profile.consents or act.purpose is None or channel is None:
            return None
        name = status_trait(act.purpose, channel).name
        status = consent_values(profile, [(act.purpose, channel)], now)[name]
        return None if status == "confirmed" else f"consent:{status}"

    def since(self, now: int) -> int:
        """The clock stands still during a look."""
        return now

    def stopped(self, workflow: str, act: Act) -> str | None:  # noqa: ARG002 - nobody stops it
        """Nothing."""
        return None

    def is_declared(self, workflow: str) -> bool:
        """In the project."""
        return workflow in self._definitions.workflows

    def is_repeatable(self, destination: str | None, action: str) -> bool:  # noqa: ARG002 - nothing is sent
        """Nothing is in doubt."""
        return True

    def at_once(self, act: Act) -> int:  # noqa: ARG002 - likewise
        """Everybody."""
        return max(1, len(self.case.profiles))

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

    def close(self) -> None:
        """Nothing is open."""


# --- Comparing ----------------------------------------------------------------------------------------------
def _compared(case: WorkflowCase, books: Books, definitions: Definitions) -> Iterator[Wrong]:
    zone, effects = definitions.project.timezone, books.effects()
    endings = {one.profile: one.reason if one.state == "exited" else one.state for one in books.instances()}
    for person in case.people:
        mine = [one for one in effects if one.profile == person.name]
        wanted_refusals = any(one.state == REFUSED for one in person.steps)
        found = [one for one in mine if one.state == DONE or (wanted_refusals and one.state == REFUSED)]
        if not _fits(person.steps, found):
            expected = ", ".join(_said(one.step, one.state, one.at, zone) for one in person.steps) or "nothing"
            had = ", ".join(_said(one.step, one.state, one.settled, zone) for one in mine) or "nothing"
            yield Wrong(case, person.name, expected, had, person.location)
        ending = endings.get(person.name, "never begun")
        ending = "waiting" if ending == "active" else ending
        if person.ends is not None and person.ends != ending:
            yield Wrong(case, person.name, f"ends: {person.ends}", f"ends: {ending}", person.location)


def _fits(expected: Sequence[object], found: Sequence[Effect]) -> bool:
    from segctl.compile.testing_workflows import ExpectedStep

    if len(expected) != len(found):
        return False
    return all(
        isinstance(one, ExpectedStep)
        and (one.step, one.state) == (had.step, had.state)
        and (one.at is None or one.at == had.settled)
        for one, had in zip(expected, found, strict=True)
    )


def _said(step: str, state: str, at: int | None, zone: str) -> str:
    from segctl.compile.zones import wall_clock

    when = "" if at is None else f" at {wall_clock(at, zone):%Y-%m-%d %H:%M:%S}"
    return f"{step}{'' if state == DONE else f' {state}'}{when}"
