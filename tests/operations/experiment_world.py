"""A shop with experiments and stand-in services that keep every request: who was ever told anything, and when."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
from audience_shop import NOW, put_in_force, shop

from segctl.compile.selection import Selection
from segctl.connectors.destinations import DESTINATIONS
from segctl.connectors.destinations.base import Abilities, Batch, Recorded, Remote, Sent
from segctl.model.conditions.events import Count, EventSelection
from segctl.model.destinations import Destination
from segctl.model.experiments import ARM, Arm, Experiment, Metric
from segctl.model.times import Duration
from segctl.operations.apply import Allowed
from segctl.operations.audience.audience import Audience, audiences
from segctl.operations.experiment.run import start
from segctl.operations.gate import Gate
from segctl.operations.push.push import Asked, Pushed, push
from segctl.operations.session import Session
from segctl.state.identity import write_canonical

KIND = "stand_in_service"
ABILITIES = Abilities(("email",), "email", 4, "esp", reads_back=True)
PURPOSES = "purposes: {service: {title: Service, basis: contract, channels: [email]}}\n"
BOUGHT = Metric("bought", "conversion", EventSelection(("contacted",)), Count(), role="primary")


def experiment(name: str = "mail_test", **changes: Any) -> Experiment:
    """Half of the members of `winback` get a mail."""
    arms = (Arm("control", Decimal(1), is_sent=False), Arm("mail", Decimal(1)))
    made = Experiment(name, "winback", arms, "control", (BOUGHT,), Duration(14, "days"))
    return replace(made, **changes)


@dataclass(frozen=True)
class Told:
    """One row of one request."""

    at: datetime
    destination: str
    audience: str
    action: str
    email: str
    fields: Mapping[str, Any]


@dataclass
class Services:
    """What reached any destination."""

    requests: list[Told] = field(default_factory=list)
    there: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def connect(self, destination: Destination, around: Any) -> Any:
        return _Connector(self, destination.name, around)

    def people(self, destination: str = "mail", segment: str = "winback") -> set[str]:
        return {email.partition("@")[0] for email in self.there.get((destination, segment), {})}

    def added(self) -> set[str]:
        """Everybody who was ever told about, by the part before the @."""
        return {one.email.partition("@")[0] for one in self.requests if one.action != "remove"}


class _Connector:
    def __init__(self, services: Services, name: str, around: Any) -> None:
        self.services, self.name, self.around = services, name, around

    def audience(self, segment: str, name: str) -> str:
        return self.services.ids.get(name, name)

    def send(self, batch: Batch) -> Sent:
        if self.around.record is not None:
            self.around.record(Recorded("POST https://service.example", "", len(batch.rows)))
            return Sent()
        there = self.services.there.setdefault((self.name, batch.audience), {})
        for row in batch.rows:
            email = row.identifiers["email"]
            self.services.requests.append(
                Told(self.around.now, self.name, batch.audience, batch.action, email, dict(row.fields))
            )
            if batch.action == "remove":
                there.pop(email, None)
            else:
                there[email] = dict(row.fields)
        return Sent()

    def audiences(self) -> Iterator[Remote]:
        there = self.services.there.items()
        return (Remote(name, name, len(people)) for (to, name), people in there if to == self.name)

    def close(self) -> None: ...


@dataclass
class World:
    """Everything of one shop; `session` is made anew where the project changes."""

    session: Session
    services: Services
    count: int
    now: datetime = NOW

    def declare(self, *experiments: Experiment) -> None:
        declared = {one.name: one for one in experiments}
        self.session = replace(self.session, definitions=replace(self.session.definitions, experiments=declared))

    def universal(self, *holdouts: Any) -> None:
        definitions = self.session.definitions
        project = replace(definitions.project, universal_holdouts=holdouts)
        self.session = replace(self.session, definitions=replace(definitions, project=project))

    def start(self, *names: str) -> None:
        for name in names or self.session.definitions.experiments:
            start(self.session, name, now=self.now)

    def push(self, *, to: tuple[str, ...] | None = None, dry_run: bool = False, **more: Any) -> Pushed:
        asked = Asked(to=to, allowed=Allowed(), **more)
        found = push(self.session, asked, now=self.now, dry_run=dry_run)
        self.now += timedelta(hours=1)
        return found

    def audiences(self, *segments: str) -> dict[tuple[str, str], Audience]:
        found = audiences(self.session, Gate.open(self.session, now=self.now), selection=Selection(segments),
                          now=self.now)  # fmt: skip
        return {(one.segment, one.destination.name): one for one in found}

    def members(self, **members: Iterable[int]) -> None:
        columns = {name: pl.Series([i in set(of) for i in range(self.count)]) for name, of in members.items()}
        frame = pl.DataFrame({"subject": pl.Series(range(self.count), dtype=pl.Int32), **columns})
        self.now += timedelta(minutes=1)
        put_in_force(self.session.workspace, frame, self.now - timedelta(seconds=30))

    def merge(self, *groups: tuple[int, ...]) -> None:
        owner = {subject: group[0] for group in groups for subject in group}
        array = pl.Series("canonical", [owner.get(i, i) for i in range(self.count)], dtype=pl.Int32)
        file, gone = write_canonical(self.session.workspace, array)
        self.session.workspace.commit("identity", add=[file], remove=gone)

    def record(self, name: str = "mail_test") -> pl.DataFrame:
        from segctl.state.experiments import assignments

        return assignments(self.session.workspace, name)

    def arms(self, name: str = "mail_test") -> dict[str, str]:
        return dict(self.record(name).select("profile_id", "arm").iter_rows())


def world(
    folder: Path,
    count: int = 40,
    *,
    members: Mapping[str, Iterable[int]] | None = None,
    people: list[dict[str, Any]] | None = None,
    destinations: tuple[Destination, ...] | None = None,
    unsent: Iterable[str] = (),
    project: str = "",
) -> World:
    """A shop of people c0, c1 … with the addresses c0@post.example …, all of them members of `winback`."""
    services = Services()
    module: Any = ModuleType("stand_in_destination")
    module.ABILITIES, module.OPTIONS, module.connect = ABILITIES, (), services.connect
    sys.modules["stand_in_destination"] = module
    DESTINATIONS[KIND] = "stand_in_destination"
    given = people or [{"email": f"c{i}@post.example"} for i in range(count)]
    to = destinations or (Destination("mail", KIND, purposes=("service",), fields=(("variant", ARM),)),)
    of = members or {"winback": range(len(given))}
    lines = dict.fromkeys(of, "purpose: service")
    session = shop(folder, given, of, segments=lines, project=PURPOSES + project, destinations=to)
    declared = session.definitions.segments
    declared |= {name: replace(declared[name], send_to=()) for name in unsent}
    session.workspace._db.execute("PRAGMA synchronous = OFF")  # power cuts are not what is tested here
    return World(session, services, len(given))
