"""A shop over forty weeks, made without files of data: people, orders, reactions, contacts, and runs on record.

Members are planted run by run, so that what is wrong with a segment is known exactly; rules stand in files, so that
proposals can change them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segctl.model.types import TEXT, Kind, ValueType, stored_column
from segctl.operations.ingest.events import write_events
from segctl.operations.lists import ProjectLists
from segctl.operations.session import Session, bound_definitions
from segctl.state.memberships import record_run
from segctl.state.runs import NewRun
from segctl.state.subjects import Subjects
from segctl.state.workspace import Workspace

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
PROJECT = """segctl: 1
name: shop
timezone: Europe/Berlin
identifiers: {customer_id: {class: known}}
traits: {country: text}
events:
  order_completed: {properties: {value: {type: money, unit: EUR}}}
  email_opened: {}
purposes:
  newsletter: {basis: consent, channels: [email]}
  survey: {basis: consent, channels: [email]}
"""
REPORTS = """reports:
  conversion: {event: order_completed}
  revenue: {event: order_completed, sum: {of: value}}
  engagement: {events: [email_opened]}
"""
MAIL = "destination: mail\nkind: file\nfolder: out\nchannel: email\npurposes: [newsletter, survey]\n"
MAIL += "identify: {customer_id: customer_id}\n"
RULE = "where:\n  all:\n    - {event: order_completed, within_last: 60 days}\n    - {trait: country, equals: DE}\n"
SENT = "purpose: newsletter\nsend_to: [mail]\n"
Members = NDArray[np.bool_]


@dataclass
class Planted:
    """One segment.

    Attributes:
        members: Weeks before the newest run → by person.
        until: No run has evaluated it later than so many weeks ago.
        head: Further lines of its file.
    """

    members: Callable[[int], Members]
    until: int = 0
    head: str = SENT
    rule: str = RULE


@dataclass
class World:
    """What is planted; orders of each person come at their own pace.

    Attributes:
        pace: Orders a day of each person.
        buys: By person and day before NOW (0 is the newest): whether the person orders.
        opens: By person: whether the person reacts in the newest window.
        told: Segment → persons who were told in the newest window.
        told_ago: How long before NOW they were told.
        never: Segments that no run has evaluated.
    """

    people: int = 3000
    seed: int = 1
    days: int = 280
    project: str = REPORTS
    segments: dict[str, Planted] = field(default_factory=dict)
    opens: Members | None = None
    told: dict[str, Members] = field(default_factory=dict)
    told_ago: timedelta = timedelta(days=6, hours=5)
    weeks: int = 12
    never: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.pace = self.rng.gamma(2.0, 0.008, self.people)
        self.buys = self.rng.random((self.people, self.days)) < self.pace[:, None]

    def some(self, share: float) -> Members:
        """People at random."""
        found: Members = self.rng.random(self.people) < share
        return found

    def steady(self, members: Members, *, sent: bool = True, head: str | None = None) -> Planted:
        """A segment that hardly moves: a few come and go each week."""
        moves = {week: self.rng.random(self.people) < 0.01 for week in range(self.weeks)}
        return Planted(lambda week: members ^ moves[week], head=head if head is not None else SENT if sent else "")

    def session(self, folder: Path) -> Session:
        """Everything written and recorded; the workspace is open until its process ends."""
        files = {"segctl.yaml": PROJECT + self.project, "destinations/mail.yaml": MAIL}
        files |= {f"segments/{name}.yaml": f"segment: {name}\n{of.head}{of.rule}" for name, of in self.segments.items()}
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        definitions, _ = bound_definitions(folder)
        workspace = Workspace.open(Path(definitions.project.workspace), create=True)
        self._write_people(workspace, definitions.project.identifiers)
        workspace.commit("ingest", add=[write_events(workspace, frame) for frame in self._events() if frame.height])
        digests = {name: segment.digest for name, segment in definitions.segments.items()}
        for week in range(self.weeks - 1, -1, -1):
            self._run(workspace, week, digests)
        return Session(definitions, workspace, ProjectLists(folder))

    def _run(self, workspace: Workspace, week: int, digests: Mapping[str, str]) -> None:
        at = NOW - timedelta(weeks=week)
        evaluated = {
            name: of for name, of in self.segments.items() if name not in self.never and week >= of.until
        }  # fmt: skip
        columns = {name: pl.Series(of.members(week), dtype=pl.Boolean) for name, of in evaluated.items()}
        answers = pl.DataFrame({"subject": pl.Series(range(self.people), dtype=pl.Int32), **columns})
        run = NewRun(at, workspace.snapshot(), at, at, "0", definitions=digests, note={"profiles": self.people})
        record_run(workspace, run, answers)

    def _write_people(self, workspace: Workspace, identifiers: object) -> None:
        names = pl.Series([f"c{place}" for place in range(self.people)])
        Subjects(workspace, identifiers).resolve(pl.Series(["customer_id"] * self.people), names)  # type: ignore[arg-type]  # as the project has them
        frame = pl.DataFrame({stored_column("country", TEXT): ["DE", "AT"] * (self.people // 2)}).with_columns(
            subject=pl.int_range(self.people, dtype=pl.Int32),
            valid_from=pl.lit(None, pl.Datetime("us", "UTC")),
            arrival=pl.int_range(self.people, dtype=pl.Int64),
            gone=pl.lit(value=False),
        )
        workspace.reserve("arrival", frame.height)
        workspace.commit("ingest", add=[workspace.write("records/crm", frame, {"columns": frame.columns})])

    def _events(self) -> list[pl.DataFrame]:
        person, day = np.nonzero(self.buys)
        value = self.rng.integers(500, 15_000, len(person))
        money = stored_column("value", ValueType(Kind.MONEY, scale=2, unit="EUR"))
        orders = _events("order_completed", person, NOW - timedelta(hours=2), day).with_columns(pl.Series(money, value))
        opens = np.flatnonzero(self.some(0.3) if self.opens is None else self.opens)
        read = _events("email_opened", opens, NOW - timedelta(hours=3), np.full(len(opens), 2))
        parts = []
        for name, told in self.told.items():
            persons = np.flatnonzero(told)
            frame = _events("contacted", persons, NOW - self.told_ago, np.zeros(len(persons), dtype=np.int64))
            texts = {"destination": "mail", "segment": name, "purpose": "newsletter", "channel": "email", "push": "p1"}
            parts.append(
                frame.with_columns(pl.lit(text).alias(stored_column(key, TEXT)) for key, text in texts.items())
            )
        return [orders, read, *parts]


def _events(kind: str, person: NDArray[np.int64], newest: datetime, days: NDArray[np.int64]) -> pl.DataFrame:
    at = pl.lit(newest).cast(pl.Datetime("us", "UTC")) - pl.duration(days=pl.col("days"))
    return pl.DataFrame({"subject": pl.Series(person, dtype=pl.Int32), "days": days}).select(
        "subject", at.alias("ts"), pl.lit("web").alias("source"),
        pl.concat_str(pl.lit(kind), pl.int_range(pl.len()), separator=".").alias("event_id"),
        pl.lit(kind).alias("kind"), pl.lit(None, pl.Int32).alias("file_id"), pl.lit(None, pl.Int64).alias("line"),
    )  # fmt: skip
