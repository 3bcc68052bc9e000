"""Random histories of people, consent, pushes, faults and deaths: a quiet push in the end makes all well."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from fake_service import FAULTS, Connector, token
from hypothesis import given, settings
from hypothesis import strategies as st
from shop import Killed, Other, Shop

from segctl.connectors.destinations.base import Remote
from segctl.model.errors import UsageError
from segctl.state.deliveries import delivered, failures, ledger_audiences
from segctl.state.deliveries_batches import open_batches

PEOPLE = tuple(f"p{n}@example.org" for n in range(14))
people = st.sampled_from(PEOPLE)
change = st.tuples(st.sampled_from(["join", "leave", "rename", "deny", "grant"]), people)
pushing = st.fixed_dictionaries(
    {
        "faults": st.lists(st.sampled_from(("", *FAULTS)), max_size=7),
        "during": st.lists(st.one_of(st.none(), change), max_size=6),
        "dies_after": st.one_of(st.none(), st.integers(0, 14)),
        "poison": st.frozensets(people, max_size=2),
        "mode": st.sampled_from(["mirror", "mirror", "add"]),
        "is_whole": st.sampled_from([True, True, False]),
    }
)
naming = st.tuples(st.sampled_from(["call", "call", "call vip", "end vip"]), st.sampled_from(["winback", "b", "c"]))
among_others = st.tuples(st.sampled_from(["join vip", "leave vip"]), people)
histories = st.tuples(
    st.lists(st.tuples(st.sampled_from(["join", "join vip"]), people), min_size=4, max_size=16, unique=True),
    st.lists(st.one_of(change, among_others, pushing, naming), min_size=1, max_size=12),
).map(lambda both: [*both[0], *both[1]])


class History:
    """One history against one service, checked at every addition and in the end."""

    def __init__(
        self, folder: Path, *, parallel: int = 1, batch_rows: int = 3, is_repeatable: bool = True,
        lists_all: bool = True, brings_along: bool = False,
    ) -> None:  # fmt: skip
        self.shop = Shop(folder)
        self.shop.abilities = replace(
            self.shop.abilities, parallel=parallel, batch_rows=batch_rows, is_repeatable=is_repeatable,
            brings_along=brings_along,
        )  # fmt: skip
        self.is_sequential = parallel == 1
        self.lists_all = lists_all
        self.is_polling = False
        self.shop.service.watch = self._added
        self.steps: list[object] = []

    def _added(self, action: str, email: str) -> None:
        # A job that the service took before the denial may end after it; the person is taken out then.
        if action != "remove" and self.is_sequential and not self.is_polling:
            assert token(email) not in self.shop.gate.denied, f"{email} was added after the denial was known"

    def happen(self, step: object) -> None:
        self.steps.append(step)
        if isinstance(step, dict):
            self._push(**step)
        elif step is not None:
            word, email = step
            match word:
                case "join":
                    self.shop.people.setdefault(email, {"name": "x"})
                case "leave":
                    self.shop.people.pop(email, None)
                case "rename":
                    self.shop.people = {**self.shop.people, email: {"name": f"n{len(self.steps)}"}}
                case "deny":
                    self.shop.gate.deny(email)
                case "grant":
                    self.shop.gate.grant(email)
                case "join vip":
                    self.vip.people.setdefault(email, {"name": "x"})
                case "leave vip" if "vip" in self.shop.others:
                    self.vip.people.pop(email, None)
                case "end vip":
                    self.shop.others.pop("vip", None)
                case "call" | "call vip" if self.shop.abilities.is_repeatable:
                    self._call("winback" if word == "call" else "vip", email)

    @property
    def vip(self) -> Other:
        """The second segment; it begins when somebody asks for it, under a name that is free."""
        if "vip" not in self.shop.others:
            self.shop.others["vip"] = Other(next(name for name in ("vip", "b", "c") if name != self.shop.called))
        return self.shop.others["vip"]

    def _call(self, segment: str, name: str) -> None:
        """Gives a segment's audience a name; who had that takes the other one."""
        was = self.shop.called, self.vip.called
        if name in was:
            self.shop.called, self.vip.called = (was[1], was[0]) if was[segment == "vip"] != name else was
        elif segment == "vip":
            self.vip.called = name
        else:
            self.shop.called = name

    def _push(self, *, faults: list[str], during: list[object], dies_after: int | None, poison: frozenset[str],
              mode: str, is_whole: bool) -> None:  # fmt: skip
        changes = list(during)

        def meanwhile() -> None:
            if changes:
                self.happen(changes.pop(0))

        connector = self._connector()
        connector.faults, connector.poison, connector.during = list(faults), poison, meanwhile
        with suppress(Killed):
            part = self.shop.push(connector, mode=mode, dies_after=dies_after, is_whole=is_whole)
            tallies = [one.tally for one in self.shop.parts]
            if part.stopped is None and not any(one.removals_failed or one.waiting for one in tallies):
                # People of audiences that the push did not come to are looked at by the next one.
                came = {one.ledger.id for one in self.shop.parts}
                others = [one for one in ledger_audiences(self.shop.workspace, "mailer") if one.id not in came]
                lists = {one.remote for one in self.shop.parts} - {one.remote for one in others}
                there = [email for name in lists for email in self.shop.service.audiences.get(name, {})]
                denied = [email for email in there if token(email) in self.shop.gate.denied]
                assert denied == [], "who withdrew during a push is out at its end"
        self.shop.time.seconds += 100.0

    def _connector(self) -> Polled:
        moving = Moving if self.shop.abilities.brings_along else Polled
        made = (moving if self.lists_all else Narrow)(self.shop.service)
        made.history = self
        return made

    def _wanted(self) -> dict[str, dict[str, object]]:
        """What each list holds when all is well; empty ones do not count."""
        named = {self.shop.called: self.shop.people, **{one.called: one.people for one in self.shop.others.values()}}
        allowed = {
            name: {email: fields for email, fields in of.items() if token(email) not in self.shop.gate.denied}
            for name, of in named.items()
        }
        return {name: of for name, of in allowed.items() if of}

    def end(self) -> None:
        """A quiet push, and all is as it should be."""
        # What was held as invalid or unknown is asked for; then everything else is told.
        self.shop.push(self._connector(), retries=True)
        self.shop.push(self._connector())
        self.shop.gate.refresh()
        wanted = self._wanted()
        assert {name: dict(of) for name, of in self.shop.service.audiences.items() if of} == wanted
        for segment, name in (("winback", self.shop.called), *((n, o.called) for n, o in self.shop.others.items())):
            frame = delivered(self.shop.workspace, "mailer", segment)
            assert (segment, frame.height) == (segment, len(wanted.get(name, {})))
            assert set(frame["state"]) <= {"accepted"}
        assert [one for one in failures(self.shop.workspace) if one.action == "remove"] == []
        assert open_batches(self.shop.workspace, range(1, 20)) == []
        again = self.shop.push(connector := self._connector())
        assert (connector.sent, again.tally.is_whole) == ([], True)
        self.shop.close()


class Polled(Connector):
    history: History

    def poll(self, job: str) -> object:
        self.history.is_polling = True
        try:
            return super().poll(job)
        finally:
            self.history.is_polling = False


class Narrow(Polled):
    """Of a service that tells only of what is declared today, as a table with rows for each name."""

    def audience(self, segment: str, name: str) -> str:
        if name not in self._declared():
            raise UsageError("SEG936", f"there is no `{name}`")
        return super().audience(segment, name)

    def audiences(self) -> Iterator[Remote]:
        return (one for one in super().audiences() if one.id in self._declared())

    def has(self, audience: str) -> bool:
        return audience in self.service.audiences

    def _declared(self) -> set[str]:
        shop = self.history.shop
        return {shop.called, *(one.called for one in shop.others.values())}


class Moving(Polled):
    """Of a service whose lists lie under their names, as folders do."""

    def audience(self, segment: str, name: str) -> str:
        return name

    def moved(self, former: str, audience: str, segment: str) -> bool:
        lists = self.service.audiences
        if former not in lists or audience in lists:
            return former not in lists and audience in lists
        lists[audience] = lists.pop(former)
        return True


def live(steps: list[object], **of: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder) / "ws", **of)
        for step in steps:
            history.happen(step)
        history.end()


@settings(max_examples=30)
@given(histories)
def test_after_any_history_the_destination_is_the_audience(steps: list[object]) -> None:
    live(steps)


@settings(max_examples=12)
@given(histories)
def test_a_service_that_lists_only_what_is_declared_leads_there_as_well(steps: list[object]) -> None:
    live(steps, lists_all=False)


@settings(max_examples=12)
@given(histories)
def test_lists_that_are_renamed_with_their_people_lead_there_as_well(steps: list[object]) -> None:
    live(steps, brings_along=True)


@settings(max_examples=12)
@given(histories)
def test_calls_in_parallel_lead_there_as_well(steps: list[object]) -> None:
    live(steps, parallel=3, batch_rows=2)


@settings(max_examples=12)
@given(histories)
def test_calls_that_must_not_be_repeated_lead_there_as_well(steps: list[object]) -> None:
    live(steps, is_repeatable=False)


def drawn(chance: random.Random) -> list[object]:
    """A history as the strategies make them, but cheap: Hypothesis is too slow for tens of thousands."""

    def some(words: str) -> object:
        return (chance.choice(words.split()), chance.choice(PEOPLE))

    def one_push() -> object:
        return {
            "faults": [chance.choice(("", "", *FAULTS)) for _ in range(chance.randrange(8))],
            "during": [some("deny deny deny grant leave") if chance.random() < 0.4 else None
                       for _ in range(chance.randrange(9))],
            "dies_after": chance.randrange(15) if chance.random() < 0.3 else None,
            "poison": frozenset(chance.sample(PEOPLE, chance.choice([0, 0, 1, 2]))),
            "mode": chance.choice(["mirror", "mirror", "mirror", "add"]),
            "is_whole": chance.random() < 0.7,
        }  # fmt: skip

    steps: list[object] = [("join", email) for email in PEOPLE if chance.random() < 0.8]
    is_two = chance.random() < 0.6
    steps += [("join vip", email) for email in PEOPLE if is_two and chance.random() < 0.5]
    words = "leave leave join join rename deny grant"
    for _ in range(chance.randrange(1, 6)):
        if chance.random() < 0.2:
            steps.append(("call", chance.choice(["winback", "b", "c"])))
        if is_two and chance.random() < 0.3:
            steps.append((chance.choice(["call", "call vip", "end vip"]), chance.choice(["winback", "b", "c", "vip"])))
        steps += [one_push(), *(some(words) for _ in range(chance.randrange(5)))]
        steps += [some("leave join") for _ in range(2) if not is_two]
        steps += [(f"{chance.choice(('leave', 'join'))} vip", chance.choice(PEOPLE)) for _ in range(2) if is_two]
    return steps


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100))
def test_a_hundred_long_histories(seed: int) -> None:
    for n in range(100):
        chance = random.Random(1000 * seed + n)
        parallel = chance.choice([1, 1, 3])
        live(
            drawn(chance), parallel=parallel, batch_rows=chance.choice([2, 3, 10]), is_repeatable=n % 4 != 0,
            lists_all=n % 3 != 0, brings_along=n % 10 == 1,
        )  # fmt: skip
