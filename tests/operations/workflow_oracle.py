"""A world of people whose lives are written down, and a slow, obvious reading of a workflow's file over it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from builders import PROJECT

from segctl.compile.bind.scope import Scope
from segctl.compile.bind.workflows import bind_workflow
from segctl.compile.bind.workflows_steps import Known as Names
from segctl.compile.digest import workflow_digest
from segctl.compile.project import bind_project_text
from segctl.compile.source import compose
from segctl.model.conditions import EventSelection, Not, SegmentCondition
from segctl.model.workflows import Workflow
from segctl.operations.workflow.world import Allowed, Change, Happened, Known, Result, Someone

MINUTE = 60_000_000
START = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)
"""Two days before clocks are set forward in Berlin."""
T0 = (START - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def bound(text: str, *, zone: str = "Europe/Berlin") -> Workflow:
    """The workflow of a YAML text; `s`, `c` and `d` are segments, `mailer` and `ads` destinations."""
    from pathlib import Path

    project, _ = bind_project_text(PROJECT.encode(), Path("/nowhere"), None)
    node, found = compose(text, "workflows/w.yaml")
    assert node is not None
    assert not found
    scope = Scope(project, segments=frozenset({"s", "c", "d"}))
    workflow = bind_workflow(node, scope, Names({"mailer": "smtp", "ads": "meta"}, {}, ("newsletter",)))
    assert workflow is not None, [one.message for one in scope.diagnostics]
    from dataclasses import replace

    return replace(workflow, digest=workflow_digest(workflow, project), text=text.encode())


@dataclass
class Life:
    """What one person does; instants are microseconds since 1970.

    Attributes:
        moves: When they enter (true) or leave the segment `s`.
        events: Kind and instant.
        truths: Segment → instants at which belonging to it changes; nobody belongs at first.
        denials: Instants at which consent changes; it is given at first.
        born: From when they are there; `gone` from when not.
    """

    moves: list[tuple[int, bool]] = field(default_factory=list)
    events: list[tuple[str, int]] = field(default_factory=list)
    truths: dict[str, list[int]] = field(default_factory=dict)
    denials: list[int] = field(default_factory=list)
    gone: int | None = None

    def holds(self, segment: str, now: int) -> bool:
        if segment == "s":
            return next((entered for at, entered in reversed(self.moves) if at <= now), False)
        return sum(at <= now for at in self.truths.get(segment, ())) % 2 == 1

    def consents(self, now: int) -> bool:
        return sum(at <= now for at in self.denials) % 2 == 0


@dataclass
class Sent:
    """One effect that reached the world outside."""

    at: int
    subject: int
    step: str
    key: str


class WrittenWorld:
    """The people, and a destination that remembers what it was told.

    Attributes:
        sent: What arrived.
        merged: Subject → the one it was merged into.
        undone: Whose merge was undone: they enter for that and nothing else.
        deleted: Workflows that are no more.
    """

    zone = "Europe/Berlin"

    def __init__(self, lives: list[Life]) -> None:
        self.lives, self.sent, self.merged = lives, list[Sent](), dict[int, int]()
        self.undone = set[int]()
        self.deleted = set[str]()
        self.repeatable = False
        self.told: dict[int, str] = {}

    def now_there(self) -> tuple[str, int]:
        return str(self.clock), 0

    clock = T0

    def changes(self, feed: str, segments: Any, now: int) -> tuple[list[Change], str]:
        found = [
            Change("s", subject, entered, at, False, f"{at}:{subject}", subject in self.undone)
            for subject, life in enumerate(self.lives)
            for at, entered in life.moves
            if int(feed) < at <= now
        ]
        return sorted(found, key=lambda one: (one.effective, one.subject)), str(now)

    def happened(self, selection: EventSelection, place: Any, now: int) -> list[Happened]:
        found = []
        for subject, life in enumerate(self.lives):
            instants = [at for kind, at in life.events if kind in selection.events and place.at < at <= now]
            if instants:
                found.append(Happened(subject, min(instants)))
        return found

    def members(self, segment: str, now: int) -> list[int]:
        return [subject for subject, life in enumerate(self.lives) if life.holds(segment, now)]

    def roots(self, subjects: Any) -> dict[int, int]:
        return {one: self.merged.get(one, one) for one in subjects}

    def subjects(self, roots: Any) -> set[int]:
        return {one for one in range(len(self.lives)) if self.merged.get(one, one) in roots}

    def people(self, subjects: Any, now: int) -> dict[int, Someone]:
        found = {}
        for one, root in self.roots(subjects).items():
            gone = self.lives[root].gone
            if gone is None or now < gone:
                found[one] = Someone(root, f"p{root}")
        return found

    def ask(self, questions: Any, zones: Any, roots: Any, now: int) -> Known:
        holds, last = {}, {}
        for name, asked in questions.items():
            if isinstance(asked, EventSelection):
                last[name] = {
                    root: max(instants) for root in roots
                    if (instants := [at for kind, at in self.lives[root].events if kind in asked.events and at <= now])
                }  # fmt: skip
            else:
                holds[name] = frozenset(root for root in roots if _true(asked, self.lives[root], now))
        return Known(holds, last)

    def arms(self, *_: Any) -> Allowed:
        return Allowed()

    def allow(self, workflow: Any, node: Any, act: Any, people: Any, contacts: Any, now: int) -> Allowed:
        self.told = {}
        refused = {one.root: "consent:withdrawn" for one in people if not self.lives[one.root].consents(now)}
        return Allowed(refused, channel="email")

    def since(self, now: int) -> int:
        return now

    def stopped(self, workflow: str, act: Any) -> None:
        return None

    def is_declared(self, workflow: str) -> bool:
        return workflow not in self.deleted

    def is_repeatable(self, destination: str | None, action: str) -> bool:
        return self.repeatable

    def at_once(self, act: Any) -> int:
        return 1

    def perform(self, workflow: Any, node: Any, act: Any, doing: Any, now: int) -> dict[str, Result]:
        for one in doing:
            self.sent.append(Sent(now, one.someone.root, node.id, one.key))
        return {one.key: Result("done") for one in doing}

    def close(self) -> None:
        pass


def _true(condition: Any, life: Life, now: int) -> bool:
    if isinstance(condition, Not):
        return not _true(condition.item, life, now)
    assert isinstance(condition, SegmentCondition)
    return life.holds(condition.segment, now)


# --- The oracle: one person at a time, a generator that is woken at each look -------------------------------
@dataclass
class Oracle:
    """Reads the parsed YAML itself: no nodes, no books, no rounds."""

    file: dict[str, Any]
    life: Life
    zone: str = "Europe/Berlin"
    done: list[tuple[int, str]] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    now: int = 0
    way: Iterator[None] | None = None
    entered: int = 0
    last_entry: int | None = None
    stop: str = ""

    def look(self, now: int, before: int) -> None:
        """Everything that is due at an instant; `before` is the look before."""
        self.now = now
        for at, entered in self.life.moves:
            if before < at <= now and entered == ("entered" in self.file["trigger"]) and self._may(at):
                self.entered = self.last_entry = at
                self.way, self.stop = self._walk(), ""
        if self.way is None:
            return
        if self._exits():
            self.way = None
            return
        try:
            next(self.way)
        except StopIteration:
            self.ended.append("done")
            self.way = None

    def _may(self, at: int) -> bool:
        if self.way is not None or (self.life.gone is not None and self.now >= self.life.gone):
            return False
        when = self.file.get("when")
        if when is not None and not self.life.holds(when["segment"], self.now):
            return False
        again = self.file.get("reentry", "once")
        if self.last_entry is None or again == "always":
            return True
        return again != "once" and at >= self.last_entry + _length(again)

    def _exits(self) -> bool:
        if self.life.gone is not None and self.now >= self.life.gone:
            self.ended.append("gone")
            return True
        for name, signal in self.file.get("exit", {}).items():
            if self._signal(signal, self.entered):
                self.ended.append(name)
                return True
        return False

    def _signal(self, signal: dict[str, Any], since: int) -> bool:
        if "event" in signal:
            return any(kind == signal["event"] and since < at <= self.now for kind, at in self.life.events)
        return self.life.holds(signal["when"]["segment"], self.now)

    def _walk(self) -> Iterator[None]:
        yield from self._steps(self.file["steps"], "", [self.entered])

    def _steps(self, steps: list[dict[str, Any]], prefix: str, reached: list[int]) -> Iterator[None]:
        """`reached` holds since when the person stands where they stand."""
        for number, step in enumerate(steps, start=1):
            name = step.get("name", f"{prefix}{number}")
            if "mail" in step:
                while _is_quiet(self.file.get("quiet"), self.now, self.zone):
                    yield
                (self.done if self.life.consents(self.now) else self.refused).append((self.now, name))
                reached[0] = self.now
            elif "stop" in step:
                self.stop = str(step["stop"])
            elif "branch" in step:
                yield from self._branch(step, name, reached)
            else:
                yield from self._wait(step, name, reached)
            if self.stop:
                return

    def _branch(self, step: dict[str, Any], name: str, reached: list[int]) -> Iterator[None]:
        for number, way in enumerate(step["branch"], start=1):
            if self.life.holds(way["when"]["segment"], self.now):
                yield from self._steps(way["then"], f"{name}.{number}.", reached)
                return
        yield from self._steps(step.get("else", []), f"{name}.else.", reached)

    def _wait(self, step: dict[str, Any], name: str, reached: list[int]) -> Iterator[None]:
        wait = step["wait"]
        if isinstance(wait, str):
            while self.now < reached[0] + _length(wait):
                yield
            reached[0] += _length(wait)
            return
        until = reached[0] + _length(wait["at_most"])
        while True:
            if self._signal(wait["for"], reached[0]):
                reached[0] = self.now
                yield from self._steps(step.get("reached", []), f"{name}.reached.", reached)
                return
            if self.now >= until:
                reached[0] = until
                yield from self._steps(step.get("timeout", []), f"{name}.timeout.", reached)
                return
            yield


def _length(text: str) -> int:
    amount, unit = text.split()
    return int(amount) * {"minutes": 1, "hours": 60, "days": 1440}[unit] * MINUTE


def _is_quiet(quiet: dict[str, Any] | None, now: int, zone: str) -> bool:
    from zoneinfo import ZoneInfo

    if quiet is None:
        return False
    wall = datetime.fromtimestamp(now / 1e6, ZoneInfo(zone))
    clock = wall.strftime("%H:%M")
    begin, end = quiet["from"], quiet["to"]
    return begin <= clock < end if begin < end else clock >= begin or clock < end
