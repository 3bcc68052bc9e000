"""A workspace with people, members in force and a destination, made without files; and a gate that says what is told.

Everything that `audiences` reads is there: subjects, records, identity, one run in force, contacted events.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl

from segctl.compile.definitions import bind_definitions
from segctl.compile.project import bind_project_text
from segctl.compile.source import compose
from segctl.connectors.destinations import DESTINATIONS
from segctl.connectors.destinations.base import Abilities
from segctl.model.consent import Decision, Use
from segctl.model.destinations import Destination
from segctl.model.project import Definitions
from segctl.operations.lists import ProjectLists
from segctl.operations.session import Session
from segctl.state.memberships import record_run
from segctl.state.runs import NewRun
from segctl.state.subjects import Subjects
from segctl.state.workspace import Workspace

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
KIND = "fake_service"
PROJECT = """
segctl: 1
name: shop
timezone: Europe/Berlin
identifiers: {customer_id: {class: known}, login: {class: known, personal: true}}
traits:
  email: {type: text, personal: true}
  phone: {type: text, personal: true}
  first_name: {type: text, personal: true}
  points: integer
  balance: {type: money, unit: EUR}
  born: date
  tags: {type: list, of: text}
identity: {country: DE}
"""
ALLOWED = Decision(None, None)


@dataclass
class FakeGate:
    """Allows everybody but those who are named; a token is the value itself.

    Attributes:
        consent: Contact point → reason code.
        suppression: Likewise.
        asked: Uses, in order.
    """

    consent: dict[str, str] = field(default_factory=dict)
    suppression: dict[str, str] = field(default_factory=dict)
    asked: list[Use] = field(default_factory=list)
    head: int = 0

    def tokens(self, kind: str, values: Sequence[str | None]) -> list[bytes | None]:
        return [None if value is None else value.encode() for value in values]

    def decide(self, points: Sequence[Sequence[bytes | None]], use: Use) -> list[Decision]:
        self.asked.append(use)
        found = {
            name.encode(): Decision(self.consent.get(name), self.suppression.get(name))
            for name in {*self.consent, *self.suppression}
        }
        return [self._one(row, found) for row in points]

    @staticmethod
    def _one(row: Sequence[bytes | None], found: Mapping[bytes, Decision]) -> Decision:
        if not row:
            return Decision("no_point", None)
        said = [found.get(point or b"", ALLOWED) for point in row]
        return next((one for one in said if not one.is_allowed), ALLOWED)


def offer(abilities: Abilities) -> None:
    """Register the fake kind for this process."""
    module: Any = ModuleType("fake_destination")
    module.ABILITIES, module.OPTIONS = abilities, ()
    sys.modules["fake_destination"] = module
    DESTINATIONS[KIND] = "fake_destination"


def shop(
    folder: Path,
    people: Sequence[Mapping[str, Any]],
    members: Mapping[str, Iterable[int]],
    *,
    segments: Mapping[str, str] | None = None,
    project: str = "",
    destinations: Iterable[Destination] = (),
    abilities: Abilities | None = None,
    contact_points: tuple[tuple[str, tuple[str, ...]], ...] = (("email", ("email",)), ("phone", ("phone",))),
) -> Session:
    """A session; the workspace is open until its process ends.

    Args:
        folder: Of the project.
        people: Traits of each person by name, in stored form; subjects are their places.
        members: Segment → places of its members in force.
        segments: Segment → further lines of its file; those of `members` are there anyway.
        project: Further lines of the project file.
        destinations: Where audiences go; one of e-mail without further settings when there is none.
        abilities: Of the kind; knows people by e-mail when not given.
        contact_points: Of the project.
    """
    offer(abilities or Abilities(("email",), "email", 100, "esp", reads_back=True))
    bound, problems = bind_project_text(PROJECT + project, folder)
    assert not problems, problems
    given = tuple(destinations) or (Destination("mail", KIND, purposes=("newsletter",)),)
    bound = replace(bound, contact_points=contact_points, workspace=str(folder / ".segctl/dev"))
    definitions = bind_segments(bound, dict.fromkeys(members, "") | dict(segments or {}), given)
    workspace = Workspace.open(Path(bound.workspace), create=True)
    write_people(workspace, bound.identifiers, people, {t.name: t.type for t in bound.traits})
    if members:
        count = len(people)
        columns = {n: pl.Series([i in set(of) for i in range(count)], dtype=pl.Boolean) for n, of in members.items()}
        put_in_force(workspace, pl.DataFrame({"subject": pl.Series(range(count), dtype=pl.Int32), **columns}))
    return Session(definitions, workspace, ProjectLists(folder))


def bind_segments(project: Any, segments: Mapping[str, str], destinations: Iterable[Destination]) -> Definitions:
    roots = []
    to = ", ".join(one.name for one in destinations)
    for name, more in segments.items():
        lines = [f"segment: {name}", "where: {trait: points, exists: true}"]
        lines += [line for line in ("purpose: newsletter", f"send_to: [{to}]") if line.partition(":")[0] not in more]
        node, problems = compose("\n".join([*lines, more]), f"segments/{name}.yaml")
        assert node is not None, problems
        roots.append(node)
    found, problems = bind_definitions(project, roots, [])
    assert not [p for p in problems if p.severity.value == "error"], problems
    return replace(found, destinations={one.name: one for one in destinations})


def write_people(workspace: Workspace, identifiers: Any, people: Sequence[Mapping[str, Any]], types: Any) -> None:
    from segctl.engines.physical import stored_dtype
    from segctl.model.types import stored_column

    count = len(people)
    ids = pl.Series([str(one.get("customer_id", f"c{place}")) for place, one in enumerate(people)])
    resolver = Subjects(workspace, identifiers)
    resolver.resolve(pl.Series(["customer_id"] * count), ids)
    write_records(
        workspace,
        pl.DataFrame(
            [pl.Series(stored_column(name, of), [one.get(name) for one in people], stored_dtype(of), strict=False)
             for name, of in types.items() if any(name in one for one in people)]
        ).with_columns(pl.int_range(count, dtype=pl.Int32).alias("subject")),
    )  # fmt: skip


def write_records(workspace: Workspace, frame: pl.DataFrame, source: str = "crm") -> None:
    """Versions of people's records that hold from the beginning."""
    first = workspace.reserve("arrival", frame.height)
    frame = frame.with_columns(
        pl.lit(None, pl.Datetime("us", "UTC")).alias("valid_from"),
        pl.int_range(first, first + frame.height, dtype=pl.Int64).alias("arrival"),
        pl.lit(value=False).alias("gone"),
    )
    file = workspace.write(f"records/{source}", frame, {"columns": frame.columns})
    workspace.commit("ingest", add=[file])


def put_in_force(workspace: Workspace, answers: pl.DataFrame, at: datetime = NOW - timedelta(hours=1)) -> None:
    record_run(workspace, NewRun(at, workspace.snapshot(), at, at, "0"), answers)


def tell(session: Session, audience: Any, *, at: datetime, only: Iterable[str] | None = None) -> None:
    """The destination accepts an audience, or some profiles of it; contacts become events."""
    from segctl.operations.contacted import record
    from segctl.state.deliveries import ledger_audience
    from segctl.state.deliveries_batches import NewRow, Result, intend, settle
    from segctl.state.deliveries_log import begin_part, begin_push

    workspace, name = session.workspace, audience.destination.name
    wanted = None if only is None else set(only)
    rows = [
        NewRow(row["key"], row["digest"], row["profile_id"], json.dumps({"email": row["id:email"]}), b"")
        for row in audience.rows.iter_rows(named=True) if wanted is None or row["profile_id"] in wanted
    ]  # fmt: skip
    push = begin_push(workspace, at, {})
    ledger = ledger_audience(workspace, name, audience.segment, purpose=audience.purpose, channel=audience.channel)
    begin_part(workspace, push.number, ledger.id)
    number = intend(workspace, id=f"b{push.number}", push=push.number, audience=ledger.id, action="add", rows=rows,
                    head=0, attempt=1, at=at)  # fmt: skip
    settle(workspace, Result(number, ledger.id, "add", at, accepted=[row.key for row in rows]))
    record(workspace)
