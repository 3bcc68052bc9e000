"""listmonk: the suite against a stand-in with its rules, and what must never subscribe anybody again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from destination_suite import PERSONAL, PLANTED, ROWS, SECRET, VARIABLE, HttpSuite, World, batch
from fakes.listmonk import Listmonk as Fake
from fakes.server import Fault, serving
from hypothesis import given
from hypothesis import strategies as st

from segctl.connectors.destinations import listmonk
from segctl.connectors.destinations.base import Row, UnknownOutcomeError
from segctl.connectors.destinations.listmonk import Listmonk
from segctl.model.destinations import Destination
from segctl.model.errors import UsageError
from segctl.model.secrets import forget

Connecting = Callable[..., Listmonk]


class TestListmonk(HttpSuite):
    kind: ClassVar[str] = "listmonk"
    differs_dry: ClassVar[bool] = True
    fake: Fake

    def make_fake(self) -> Fake:
        return Fake("segctl", PLANTED)

    def options(self) -> dict[str, Any]:
        return {"base_url": f"{self.url}/api", "user": "segctl", "token": SECRET}

    def people(self, audience: str) -> set[str]:
        there = {number for number, name in self.fake.subscriptions if name == int(audience)}
        return {self.fake.subscribers[number]["email"] for number in there}


@pytest.fixture
def service() -> Iterator[tuple[Fake, str]]:
    """A stand-in and its address."""
    fake = Fake("segctl", PLANTED)
    with serving(fake) as url:
        yield fake, url
    assert fake.wrong == []


@pytest.fixture
def connect(service: tuple[Fake, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connecting]:
    """Makes a connector with some options."""
    monkeypatch.setenv(VARIABLE, PLANTED)
    made: list[tuple[Listmonk, World]] = []

    def make(**more: Any) -> Listmonk:
        told = {"base_url": f"{service[1]}/api", "user": "segctl", "token": SECRET, **more}
        world = World(tmp_path)
        made.append((Listmonk(Destination("news", "listmonk", options=told), world.around()), world))
        make.notes = world.notes  # type: ignore[attr-defined]  # for the test that looks at them
        return made[-1][0]

    yield make
    for one, _ in made:
        one.close()
    forget()


def person(email: str, **fields: Any) -> Row:
    return Row(email, {"email": email}, fields)


def test_who_has_opted_out_stays_out_and_it_is_told(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake = service[0]
    gone = fake.add("gone@example.com", on={1: "unsubscribed"})
    blocked = fake.add("blocked@example.com", status="blocklisted")
    yes = fake.add("yes@example.com", on={1: "confirmed"})
    rows = tuple(map(person, ("gone@example.com", "blocked@example.com", "yes@example.com", "new@example.com")))

    sent = connect().send(batch(rows, audience="1"))

    assert {key: trouble.code for key, trouble in sent.troubles.items()} == {
        "gone@example.com": "unsubscribed",
        "blocked@example.com": "blocklisted",
    }
    assert fake.subscriptions[gone, 1] == "unsubscribed"
    assert fake.subscriptions[yes, 1] == "confirmed"
    assert (blocked, 1) not in fake.subscriptions
    assert fake.asked[-1].json == {"ids": [yes, 4], "action": "add", "target_list_ids": [1]}


def test_a_removal_takes_off_this_list_alone_and_makes_nobody(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake = service[0]
    fake.lists[2] = {"name": "other", "type": "private", "optin": "single"}
    one = fake.add("a@example.com", on={1: "confirmed", 2: "confirmed"})

    sent = connect().send(batch((person("a@example.com"), person("never@example.com")), "remove", audience="2"))

    assert fake.subscriptions == {(one, 1): "confirmed"}
    assert fake.asked[-1].json == {"ids": [one], "action": "remove", "target_list_ids": [2]}
    assert sent.troubles == {}
    assert len(fake.subscribers) == 1


def test_nobody_to_remove_is_no_call(connect: Connecting, service: tuple[Fake, str]) -> None:
    connect().send(batch((person("never@example.com"),), "remove", audience="1"))

    assert [asked.method for asked in service[0].asked] == ["GET"]


def test_a_change_keeps_what_it_is_not_about(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake = service[0]
    fake.lists[2] = {"name": "other", "type": "private", "optin": "single"}
    one = fake.add("a@example.com", on={1: "confirmed", 2: "unsubscribed"}, attribs={"city": "Ulm", "old": 1})

    connect().send(batch((person("a@example.com", name="Anna", city="Köln", old=None),), "update", audience="1"))
    again = len(fake.asked)
    connect().send(batch((person("a@example.com", name="Anna", city="Köln"),), "update", audience="1"))

    assert fake.subscribers[one] == {
        "email": "a@example.com",
        "name": "Anna",
        "status": "enabled",
        "attribs": {"city": "Köln"},
    }
    assert fake.subscriptions == {(one, 1): "confirmed", (one, 2): "unsubscribed"}
    assert [asked.method for asked in fake.asked[again:]] == ["GET"]  # nothing had changed


def test_an_update_makes_nobody(connect: Connecting, service: tuple[Fake, str]) -> None:
    sent = connect().send(batch((person("new@example.com"),), "update", audience="1"))

    assert [trouble.state for trouble in sent.troubles.values()] == ["rejected"]
    assert service[0].subscribers == {}


def test_people_are_made_only_where_it_is_allowed(connect: Connecting, service: tuple[Fake, str]) -> None:
    sent = connect(create_people=False).send(batch((person("new@example.com"),), audience="1"))

    assert [trouble.code for trouble in sent.troubles.values()] == ["unknown_person"]
    assert service[0].subscribers == {}


def test_an_address_that_is_refused_holds_up_nobody_else(connect: Connecting, service: tuple[Fake, str]) -> None:
    rows = (person("no@domain"), person("fine@example.com"), Row("none", {"phone": "+49301234567"}))

    sent = connect().send(batch(rows, audience="1"))

    assert {key: trouble.state for key, trouble in sent.troubles.items()} == {"no@domain": "invalid", "none": "invalid"}
    assert "no@domain" not in sent.troubles["no@domain"].reason
    assert len(service[0].subscriptions) == 1


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "error_after", "truncated"])
def test_whoever_was_made_before_it_broke_off_is_found_the_next_time(
    connect: Connecting, service: tuple[Fake, str], fault: Fault
) -> None:
    fake, news = service[0], connect()
    fake.can_fail = lambda asked: asked.method == "POST"  # type: ignore[method-assign]  # of this stand-in alone
    fake.fails_next(fault)

    with pytest.raises(UnknownOutcomeError):
        news.send(batch(ROWS, audience="1"))
    sent = news.send(batch(ROWS, audience="1"))

    assert sent.troubles == {}
    assert [one["email"] for one in fake.subscribers.values()] == [row.identifiers["email"] for row in ROWS]
    assert len(fake.subscriptions) == len(ROWS)


def test_a_refused_person_is_told_without_saying_who(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake = service[0]
    fake.can_fail = lambda asked: asked.method == "POST"  # type: ignore[method-assign]  # of this stand-in alone
    fake.fails_next("bad_request")

    sent = connect().send(batch(ROWS, audience="1"))

    assert list(sent.troubles) == [ROWS[0].key]
    assert [word for word in (*PERSONAL, PLANTED) if word in repr(sent)] == []


def test_somebody_made_in_between_is_found_again(
    connect: Connecting, service: tuple[Fake, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake, looked = service[0], Fake._found
    answers = iter([True])

    def found(self: Fake, asked: Any) -> Any:
        reply = looked(self, asked)
        if next(answers, False):
            self.add("new@example.com")
        return reply

    monkeypatch.setattr(Fake, "_found", found)
    sent = connect().send(batch((person("new@example.com"),), audience="1"))

    assert sent.troubles == {}
    assert fake.subscriptions == {(1, 1): "unconfirmed"}


def test_a_list_that_asks_twice_is_told(connect: Connecting, service: tuple[Fake, str]) -> None:
    assert connect().audience("winback", "Opt-in list") == "1"
    assert connect.notes == ["news: the list `Opt-in list` mails only who confirms to listmonk"]


def test_lists_are_found_by_name_before_id_and_made_private(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake, news = service[0], connect()
    fake.lists[2] = {"name": "1", "type": "private", "optin": "single"}

    assert [news.audience("winback", name) for name in ("1", "2")] == ["2", "2"]
    made = news.audience("winback", "new")
    fake.lists[9] = {"name": "new", "type": "private", "optin": "single"}

    assert fake.lists[int(made)] == {
        "name": "new",
        "type": "private",
        "optin": "single",
        "description": "segctl: winback",
    }
    with pytest.raises(UsageError) as twins:
        news.audience("winback", "new")
    with pytest.raises(UsageError) as not_made:
        connect(create_audiences=False).audience("winback", "never")
    assert (twins.value.code, not_made.value.code) == ("SEG920", "SEG921")


@given(st.lists(st.text(min_size=1, max_size=300), min_size=1, max_size=80, unique=True))
def test_whatever_people_write_stays_a_text_in_sql(emails: list[str]) -> None:
    from fakes.listmonk import _QUERY, _TEXT

    found: list[str] = []
    for part in listmonk.parts(emails):
        query = listmonk.condition(part)
        whole = _QUERY.fullmatch(query)
        assert whole is not None
        assert len(part) == 1 or len(query) <= listmonk.LONGEST_QUERY
        found += [text.replace("''", "'") for text in _TEXT.findall(whole[1])]

    assert found == emails


def test_an_address_that_tries_to_be_sql_finds_nobody(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake = service[0]
    fake.add("victim@example.com", on={1: "confirmed"})

    connect().send(batch((person("x' or 1=1 --@example.com"),), "remove", audience="1"))

    assert fake.subscriptions == {(1, 1): "confirmed"}


def test_the_requests_of_a_dry_run_name_nobody_in_their_addresses(service: tuple[Fake, str], tmp_path: Path) -> None:
    world = World(tmp_path)
    told = {"base_url": f"{service[1]}/api", "user": "segctl", "token": SECRET}
    news = Listmonk(Destination("news", "listmonk", options=told), world.around(dry=True))

    news.send(batch(ROWS, audience="1"))

    assert "subscribers.email+IN+(3+addresses)" in world.recorded[0].what.replace("%28", "(").replace("%29", ")")
    assert [one.what for one in world.recorded if "example" in one.what.partition("/api")[2]] == []
    assert service[0].asked == []


def test_a_long_batch_is_looked_up_in_parts(connect: Connecting, service: tuple[Fake, str]) -> None:
    rows = tuple(person(f"somebody.with.a.long.name.{number:04}@example.com") for number in range(200))

    sent = connect().send(batch(rows, audience="1"))

    asked = [asked for asked in service[0].asked if asked.method == "GET"]
    assert len(asked) > 1
    assert max(len(one.url) for one in asked) < 8000
    assert len(sent.known_as) == 200
    assert len(list(connect().members("1"))) == 200
