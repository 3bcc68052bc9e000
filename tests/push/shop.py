"""One workspace, one destination and a segment or several to push, without a project around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from fake_service import ABILITIES, Connector, Gate, Service, key_of, token

from segctl.model.consent import Use
from segctl.model.destinations import Destination, Mode
from segctl.operations.push.books import DryBooks, LedgerBooks
from segctl.operations.push.courier import Courier, Desk, World
from segctl.operations.push.moved import Lists, foresee
from segctl.operations.push.parts import Wanted, forget_settled, other_parts, part
from segctl.operations.push.patience import Patience
from segctl.operations.push.resolve import resolve
from segctl.operations.push.send import send
from segctl.operations.push.watch import Watch
from segctl.operations.push.work import Call, Part, Tally
from segctl.state.deliveries import ledger_audience, ledger_audiences
from segctl.state.deliveries_batches import Result, open_batches, remove_backlog
from segctl.state.deliveries_log import begin_part, begin_push
from segctl.state.workspace import Workspace

START = datetime(2026, 11, 22, 6, tzinfo=UTC)


class Killed(BaseException):
    """Stands for kill -9."""


class MortalBooks(LedgerBooks):
    """A ledger whose process dies at a moment: nothing is written from then on.

    Moments are before and after each write, by turns.
    """

    def __init__(self, workspace: Workspace, push: int, now: Callable[[], datetime], moments: int) -> None:
        super().__init__(workspace, push, now)
        self.left = moments

    def _moment(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed

    def _write(self, write: Callable[[], Any]) -> Any:
        self._moment()
        found = write()
        self._moment()
        return found

    def intend(self, call: Call, head: int) -> int:
        return self._write(lambda: super(MortalBooks, self).intend(call, head))

    def settle(self, result: Result) -> None:
        self._write(lambda: super(MortalBooks, self).settle(result))

    def lose(self, number: int) -> None:
        self._write(lambda: super(MortalBooks, self).lose(number))

    def keep_job(self, number: int, job: str) -> None:
        self._write(lambda: super(MortalBooks, self).keep_job(number, job))


class FakeTime:
    """A clock that moves only when somebody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    def world(self) -> World:
        return World(lambda: START + timedelta(seconds=self.seconds), lambda: self.seconds, self.sleep, lambda: 0.5)


@dataclass
class Other:
    """A further segment: what it is called at the destination, and who is in it."""

    called: str
    people: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass
class Shop:
    """A ledger, a gate, and a service that outlives every push."""

    folder: Path
    service: Service = field(default_factory=Service)
    gate: Gate = field(default_factory=Gate)
    time: FakeTime = field(default_factory=FakeTime)
    people: dict[str, dict[str, str]] = field(default_factory=dict)
    called: str = "winback"
    destination: Destination = field(default_factory=lambda: Destination("mailer", "fake"))
    abilities = ABILITIES
    patience: Patience = field(default_factory=lambda: Patience(tries=4, failures=6))
    others: dict[str, Other] = field(default_factory=dict)
    workspace: Workspace = field(init=False)
    parts: list[Part] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.workspace = Workspace.open(self.folder, create=True)
        # Power cuts are not what is tested here.
        self.workspace._db.execute("PRAGMA synchronous = OFF")

    def audience(self, segment: str = "winback") -> pl.DataFrame:
        """Who may be told now: everybody of a segment who is not denied."""
        self.gate.refresh()
        people = self.others[segment].people if segment in self.others else self.people
        rows = [
            {"subject": i, "profile_id": f"p-{email}", "key": key_of(email), "digest": key_of(f"{email} {fields}"),
             "points": [token(email)], "id:email": email, "field:name": fields.get("name")}
            for i, (email, fields) in enumerate(people.items()) if token(email) not in self.gate.denied
        ]  # fmt: skip
        schema = {"subject": pl.Int32, "profile_id": pl.String, "key": pl.String, "digest": pl.String,
                  "points": pl.List(pl.Binary), "id:email": pl.String, "field:name": pl.String}  # fmt: skip
        return pl.DataFrame(rows, schema=schema).sort("key")

    def add(self, *emails: str, name: str = "x") -> None:
        self.people |= {email: {"name": name} for email in emails}

    def there(self, name: str | None = None) -> Mapping[str, Mapping[str, object]]:
        return self.service.audiences.get(name or self.called, {})

    def push(
        self,
        connector: Connector | None = None,
        *,
        mode: Mode = "mirror",
        segment: str = "winback",
        retries: bool = False,
        change: Callable[[Part], None] = lambda part: None,
        is_dry: bool = False,
        dies_after: int | None = None,
        is_whole: bool = True,
    ) -> Part:
        """One push of the segment, and of all others where it is whole; every exception of it comes through."""
        connector = connector or Connector(self.service)
        push = begin_push(self.workspace, self.time.world().now(), {})
        world = self.time.world()
        books = (DryBooks if is_dry else LedgerBooks)(self.workspace, push.number, world.now)
        if dies_after is not None:
            books = MortalBooks(self.workspace, push.number, world.now, dies_after)
        earlier = {
            one.id: Part(one.segment, "mailer", one, mode, "newsletter", None, remote=one.remote or one.segment)
            for one in ledger_audiences(self.workspace, "mailer")
        }
        desk = Desk(connector, self.abilities, books, Watch(self.gate, []), START, world, patience=self.patience)
        courier = Courier(desk)
        try:
            if not is_dry:
                resolve(courier, open_batches(self.workspace, earlier), earlier)
            names = [segment, *(self.others if is_whole else ())]
            made = [self.made(name, mode, retries=retries, is_dry=is_dry) for name in names]
            for one in made:
                change(one)
                if one.ledger.id in earlier:
                    one.tally = _sum(earlier[one.ledger.id].tally, one.tally)
            known = [one.ledger.id for one in made]
            ended = self.ended(made) if is_whole else []
            self.parts = [*made, *other_parts(self.workspace, self.gate, self.destination, known, {}, ended=ended)]
            for one in made:
                begin_part(self.workspace, push.number, one.ledger.id)
            courier.desk.watch = Watch(self.gate, self.parts)
            for one in self.parts:
                one.name = one.name or one.ledger.name or one.segment
            lists = Lists(self.workspace, connector, self.abilities, list(self.parts), lambda _: None, is_dry=is_dry,
                          stays=retries)  # fmt: skip
            send(courier, self.parts, push=push.id, lists=lists, backlog=self.backlog)
            self.parts += [one for one in lists.more if not any(one is part for part in self.parts)]
            made[0].stopped = courier.halted
            made[0].tally.removals_failed += sum(one.tally.removals_failed for one in self.parts[1:])
            return made[0]
        finally:
            courier.close()

    def made(self, segment: str, mode: Mode, *, retries: bool, is_dry: bool) -> Part:
        """What one segment needs."""
        ledger = ledger_audience(self.workspace, "mailer", segment, purpose="newsletter", channel="email")
        use = Use("newsletter", "email", "mailer")
        rows = self.audience(segment)
        made = part(
            self.workspace,
            self.gate,
            Wanted(segment, self.destination, mode, "newsletter", use, rows, ledger, retries=retries),
        )
        made.name = self.others[segment].called if segment in self.others else segment
        made.name = self.called if segment == "winback" else made.name
        if not retries:
            foresee(self.workspace, made, self.abilities)
        if not is_dry and not retries:
            forget_settled(self.workspace, made)
        return made

    def ended(self, made: Sequence[Part]) -> list[str]:
        """Segments in the ledger that are not sent any more, and lists that were left."""
        names = {"winback", *self.others, *(one.segment for one in made)}
        return [one.segment for one in ledger_audiences(self.workspace, "mailer") if one.segment not in names]

    def backlog(self) -> str | None:
        count, oldest = remove_backlog(self.workspace, "mailer")
        if oldest is None:
            return None
        age = (self.time.world().now() - datetime.fromisoformat(oldest)).total_seconds()
        return f"{count} removals fail" if age > self.patience.backlog_s else None

    def close(self) -> None:
        self.workspace.close()


def _sum(one: Tally, other: Tally) -> Tally:
    names = Tally.__dataclass_fields__
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in names})
