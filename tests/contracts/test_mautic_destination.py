"""Mautic: the suite against a stand-in, rows found again in PHP's maps, and nobody who is ever mailed again by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from destination_suite import PLANTED, ROWS, SECRET, VARIABLE, HttpSuite, World, batch
from fakes.mautic import Mautic as Fake
from fakes.server import Fault, serving

from segctl.connectors.destinations import abilities, mautic
from segctl.connectors.destinations.base import BatchRefusedError, Row
from segctl.connectors.destinations.mautic import Mautic
from segctl.model.destinations import Destination
from segctl.model.errors import UsageError
from segctl.model.secrets import forget

Connecting = Callable[..., Mautic]


class TestMautic(HttpSuite):
    kind: ClassVar[str] = "mautic"
    fake: Fake

    def make_fake(self) -> Fake:
        return Fake("segctl", PLANTED)

    def options(self) -> dict[str, Any]:
        return {"base_url": f"{self.url}/api", "user": "segctl", "password": SECRET}

    def people(self, audience: str) -> set[str]:
        return {self.fake.contacts[number]["email"] for segment, number in self.fake.inside if segment == int(audience)}


class TestMauticWithTokens(TestMautic):
    asks_for_token: ClassVar[bool] = True

    def options(self) -> dict[str, Any]:
        return {"base_url": f"{self.url}/api", "client_id": SECRET, "client_secret": SECRET}

    def test_requests_are_these(self, golden: Any) -> None:
        """They are those of the other way in."""


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
    made: list[Mautic] = []

    def make(*, fields: tuple[tuple[str, str], ...] = (), **more: Any) -> Mautic:
        told = {"base_url": f"{service[1]}/api", "user": "segctl", "password": SECRET, **more}
        world = World(tmp_path)
        make.notes = world.notes  # type: ignore[attr-defined]  # for the test that looks at them
        made.append(Mautic(Destination("news", "mautic", options=told, fields=fields), world.around()))
        return made[-1]

    yield make
    for one in made:
        one.close()
    forget()


def person(email: str, key: str | None = None, **fields: Any) -> Row:
    return Row(key or email, {"email": email}, fields)


def test_contacts_go_in_bulk_and_then_into_the_segment_by_id(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake = service[0]
    there = fake.add("old@example.com", city="Ulm", lastname="O")

    rows = (person("new@example.com", city="Köln"), person("old@example.com", city=None, firstname="A"))
    sent = connect().send(batch(rows, audience="7"))

    assert [(asked.method, asked.path) for asked in fake.asked] == [
        ("POST", "/api/contacts/batch/new"),
        ("POST", "/api/segments/7/contacts/add"),
    ]
    assert fake.asked[0].json == [
        {"email": "new@example.com", "city": "Köln"},
        {"email": "old@example.com", "firstname": "A"},
    ]
    assert fake.contacts[there] == {"email": "old@example.com", "city": "Ulm", "lastname": "O", "firstname": "A"}
    assert sent.known_as == {"new@example.com": "101", "old@example.com": str(there)}
    assert fake.asked[1].json == {"ids": [101, 100]}


def test_an_error_inside_a_success_is_the_row_s_own(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake = service[0]
    fake.refused = {"b@example.com"}

    sent = connect().send(batch(tuple(map(person, ("a@example.com", "b@example.com", "c@example.com"))), audience="7"))

    assert {key: (trouble.state, trouble.code) for key, trouble in sent.troubles.items()} == {
        "b@example.com": ("invalid", "400")
    }
    assert "b@example.com" not in sent.troubles["b@example.com"].reason
    assert {fake.contacts[number]["email"] for _, number in fake.inside} == {"a@example.com", "c@example.com"}


def test_answers_in_another_order_are_matched_by_address(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake = service[0]
    fake.is_reversed = True

    sent = connect().send(batch(ROWS, audience="7"))

    assert {row.key: fake.contacts[int(sent.known_as[row.key])]["email"] for row in ROWS} == {
        row.key: row.identifiers["email"] for row in ROWS
    }


def shown(number: int, email: str) -> dict[str, Any]:
    return {"id": number, "fields": {"all": {"email": email}}}


@pytest.mark.parametrize(
    ("answer", "known", "troubled"),
    [
        ({"contacts": [{"id": 5}, {"id": 6}]}, {"a": "5", "b": "6"}, set()),
        ({"contacts": {"0": {"id": 5}}, "errors": {"1": {"code": 400, "message": "no"}}}, {"a": "5"}, {"b"}),
        ({"contacts": [], "errors": []}, {}, {"a", "b"}),
        ({}, {}, {"a", "b"}),
        (None, {}, {"a", "b"}),
        ({"contacts": [shown(5, "B@x.de"), shown(6, "q@x.de")]}, {"b": "5"}, {"a"}),
    ],
)  # fmt: skip
def test_whatever_shape_php_gives_a_map_rows_are_found_again(
    answer: Any, known: dict[str, str], troubled: set[str]
) -> None:
    found, troubles = mautic.made(answer, (person("a@x.de", "a"), person("b@x.de", "b")))

    assert (found, set(troubles)) == (known, troubled)


def test_who_was_not_put_in_is_told(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake = service[0]
    fake.outsiders = {fake.add("a@example.com")}

    sent = connect().send(batch((person("a@example.com"), person("b@example.com")), audience="7"))

    assert {key: trouble.code for key, trouble in sent.troubles.items()} == {"a@example.com": "not_added"}


def test_people_leave_one_by_one_and_only_this_segment(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake = service[0]
    one, two = fake.add("a@example.com"), fake.add("aa@example.com")
    fake.inside = {(7, one), (8, one), (7, two)}

    connect().send(batch((person("a@example.com"), person("gone@example.com")), "remove", audience="7"))

    assert fake.inside == {(8, one), (7, two)}
    assert fake.contacts.keys() == {one, two}


@pytest.mark.parametrize(("fault", "state"), [("too_many", "rejected"), ("lost_after", "unknown")])
def test_who_was_taken_out_stays_so_when_a_later_call_fails(
    connect: Connecting, service: tuple[Fake, str], fault: Fault, state: str
) -> None:
    fake = service[0]
    rows = tuple(map(person, ("a@example.com", "b@example.com", "c@example.com")))
    fake.inside = {(7, fake.add(row.identifiers["email"])) for row in rows}
    removals = iter(range(3))
    fake.can_fail = lambda asked: asked.path.endswith("/remove") and next(removals) == 1
    fake.fails_next(fault)

    sent = connect().send(batch(rows, "remove", audience="7"))

    assert {key: trouble.state for key, trouble in sent.troubles.items()} == {
        "b@example.com": state,
        "c@example.com": "rejected",
    }


def test_a_contact_that_was_merged_is_found_by_address(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake = service[0]
    stays = fake.add("a@example.com")
    fake.inside = {(7, stays)}

    connect().send(batch((replace(person("a@example.com"), known_as="5"),), "remove", audience="7"))

    assert fake.inside == set()


def test_doublets_of_an_address_all_leave(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake = service[0]
    fake.inside = {(7, fake.add("a@example.com")), (7, fake.add("a@example.com"))}

    connect().send(batch((person("a@example.com"),), "remove", audience="7"))

    assert fake.inside == set()


@pytest.mark.parametrize("field", ["doNotContact", "tags", "owner", "overwriteWithBlank"])
def test_what_decides_about_mail_cannot_be_mapped(connect: Connecting, service: tuple[Fake, str], field: str) -> None:
    with pytest.raises(UsageError) as caught:
        connect(fields=((field, "x"),))
    connect().send(batch((person("a@example.com", **{field: "x"}),), audience="7"))

    assert caught.value.code == "SEG922"
    assert service[0].asked[0].json == [{"email": "a@example.com"}]
    assert not any("dnc" in asked.path for asked in service[0].asked)


def test_who_has_no_address_is_refused_by_name(connect: Connecting) -> None:
    with pytest.raises(BatchRefusedError) as caught:
        connect().send(batch((Row("n", {"phone": "+4930123456"}), ROWS[0]), audience="7"))

    assert list(caught.value.rows) == ["n"]


def test_segments_are_found_by_name_alias_or_id_over_pages(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake, news = service[0], connect()
    fake.segments |= {n: {"name": f"s{n}", "alias": f"alias-{n}", "filters": []} for n in range(20, 27)}

    assert [news.audience("winback", name) for name in ("s26", "alias-26", "26")] == ["26"] * 3
    assert news.audience("winback", "Kunden") == "8"
    assert connect.notes == ["news: the segment `Kunden` has filters of its own there"]
    with pytest.raises(UsageError):
        connect(create_audiences=False).audience("winback", "never")
    fake.segments[99] = {"name": "s26", "alias": "s26-1", "filters": []}
    with pytest.raises(UsageError) as twins:
        news.audience("winback", "s26")
    assert twins.value.code == "SEG920"


def test_the_batch_is_as_large_as_the_installation_allows(connect: Connecting) -> None:
    assert abilities(Destination("m", "mautic", options={"batch_limit": 50})).batch_rows == 50
    assert abilities(Destination("m", "mautic", options={})).batch_rows == 200


def test_one_way_in_is_needed() -> None:
    with pytest.raises(UsageError) as caught:
        Mautic(Destination("m", "mautic", options={"base_url": "https://m.example.com/api"}), World(Path()).around())

    assert caught.value.code == "SEG932"
