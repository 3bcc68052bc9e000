"""A small shop that is streamed: its project, lines, a clock that tests set, and what batch says of the same lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from segctl.operations.apply import apply
from segctl.operations.ingest.ingest import ingest, sources_of
from segctl.operations.session import Session, open_session
from segctl.operations.stream.metrics import Metrics
from segctl.operations.stream.open import Wish, opened
from segctl.operations.stream.state import Habits
from segctl.operations.stream.stream import Stream, said_before
from segctl.state.memberships import memberships
from segctl.state.stream_log import Change
from segctl.state.subjects import Subjects

MORNING = datetime(2026, 11, 20, 8, tzinfo=UTC)
PROJECT = """segctl: 1
name: streamed
timezone: Europe/Berlin
identifiers:
  customer_id: {class: known}
population: [known]
events:
  view: {properties: {page: text}}
  order: {properties: {value: {type: money, unit: EUR}}}
"""
SOURCE = """source: web
kind: file
path: data/*.ndjson
key: {customer_id: user}
max_bad_rows: 50 %
events:
  - event: {column: event}
    time: ts
    id: id
    properties: {page: page, value: value}
"""
SEGMENTS = {
    "viewers": "where: {event: view, within_last: 1 hour, count: {at_least: 2}}",
    "quiet": "where:\n  all:\n    - {event: view, within_last: 2 hours, count: 0}\n"
    "    - {event: view, count: {at_least: 1}}",
    "buyers": "where: {event: order, within_last: 3 hours, sum: {of: value, at_least: 50 EUR}}",
    "gone": "where:\n  sequence:\n    - {event: view, between: [1 day ago, 1 hour ago]}\n"
    "    - then_not: {event: order}",
    "both": "where:\n  all:\n    - {segment: viewers}\n    - {segment: buyers}",
    "best": "where: {event: order, count: {at_least: 1}}\nkeep: {top: 2, by: spend}",
}
Members = dict[str, set[str]]


def write_project(folder: Path, segments: dict[str, str] = SEGMENTS, *, source: str = SOURCE) -> Path:
    """A project with one source and some segments."""
    for name in ("segments", "sources", "data", "traits"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "segctl.yaml").write_text(PROJECT, "utf-8")
    (folder / "sources" / "web.yaml").write_text(source, "utf-8")
    (folder / "traits" / "spend.yaml").write_text("traits:\n  spend: {unit: EUR, event: order, sum: {of: value}}\n")
    for name, text in segments.items():
        (folder / "segments" / f"{name}.yaml").write_text(f"segment: {name}\n{text}\n", "utf-8")
    return folder


def line(number: int | str, user: str | None, minutes: float, kind: str = "view", value: str = "30") -> bytes:
    """One event, so many minutes after `MORNING`."""
    about = {"page": "/"} if kind == "view" else {"value": value}
    ts = (MORNING + timedelta(minutes=minutes)).isoformat()
    return json.dumps({"id": f"e{number}", "user": user, "event": kind, "ts": ts, **about}).encode()


@dataclass
class Heard:
    """What a stream said, in the order it was said."""

    changes: list[Change] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def take(self, changes: Sequence[Change]) -> None:
        """Changes with their numbers."""
        self.changes += changes

    def told(self, text: str, *, is_warning: bool = False) -> None:
        """A sentence."""
        self.texts.append(text)

    def measured(self, metrics: Metrics, lag_s: float) -> None:
        """Figures are for people."""

    @property
    def distinct(self) -> list[Change]:
        """Each change once, by number; one that was said again was said in the same words."""
        found: dict[int, Change] = {}
        for change in self.changes:
            same = replace(change, run=None)
            assert found.setdefault(change.seq, same) == same
        return [found[seq] for seq in sorted(found)]

    def members(self) -> Members:
        """Who belongs where, after everybody who entered and left."""
        found: Members = {}
        for change in self.distinct:
            among = found.setdefault(change.segment, set())
            assert (change.profile in among) is not change.entered, f"{change} is no change"
            (among.add if change.entered else among.remove)(change.profile)
        return {segment: who for segment, who in found.items() if who}


class Listening:
    """What a stream tells."""

    def __init__(self, heard: Heard) -> None:
        self.changes = heard.take
        self.told = heard.told
        self.measured = heard.measured


@dataclass
class Shop:
    """A project whose stream follows a file; `now` is its wall clock."""

    folder: Path
    heard: Heard = field(default_factory=Heard)
    now: datetime = MORNING
    habits: Habits = field(
        default_factory=lambda: Habits(linger_s=0, checkpoint_s=1e9, records_s=0, patience_s=10, look_s=0)
    )

    @property
    def path(self) -> Path:
        """The file that grows."""
        return self.folder / "data" / "live.ndjson"

    def write(self, *lines: bytes) -> None:
        """Lines that have come."""
        with self.path.open("ab") as file:
            file.write(b"".join(one + b"\n" for one in lines))

    def at(self, minutes: float) -> None:
        """Sets the clock, so many minutes after `MORNING`."""
        self.now = MORNING + timedelta(minutes=minutes)

    @contextmanager
    def stream(self, wish: Wish | None = None, *, source: str = "web") -> Iterator[Stream]:
        """A stream of the file, from where the last one ended."""
        wish = replace(wish or Wish(place=str(self.path)), sources=(source,), habits=self.habits)
        self.path.touch()
        with open_session(self.folder, create=True) as session:

            def again() -> Session:
                from segctl.operations.session import bound_definitions

                return replace(session, definitions=bound_definitions(self.folder)[0])

            def missed() -> None:
                self.heard.take(list(said_before(session, None)))

            with opened(
                session, wish, wall=lambda: self.now, listener=Listening(self.heard), reload=again, before=missed
            ) as stream:
                yield stream

    def members(self) -> Members:
        """Who belongs where by the runs in force."""
        return members_of(self.folder)


def members_of(folder: Path) -> Members:
    """Who belongs where by the runs in force of a project."""
    with open_session(folder) as session:
        profiles = Subjects(session.workspace).table().collect()["profile_id"]
        frame = memberships(session.workspace)
        names = [name for name in frame.columns if name != "subject"]
        found = {name: set(profiles.gather(frame.filter(name)["subject"]).to_list()) for name in names}
    return {name: who for name, who in found.items() if who}


def by_batch(folder: Path, lines: Sequence[bytes], at: datetime, segments: dict[str, str] = SEGMENTS) -> Members:
    """What ingest and apply say of the same lines in a project of their own."""
    write_project(folder, segments)
    (folder / "data" / "all.ndjson").write_bytes(b"".join(one + b"\n" for one in lines))
    with open_session(folder, create=True) as session:
        ingest(session.project, session.workspace, sources_of(session.project).values(), now=at)
        apply(session, as_of=at, started=at)
    return members_of(folder)
