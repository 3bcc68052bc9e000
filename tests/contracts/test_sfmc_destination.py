"""Marketing Cloud: the suite for rows and journeys, results by order, and a host name that nobody can bend."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from destination_suite import PERSONAL, PLANTED, ROWS, SECRET, VARIABLE, HttpSuite, World, batch, finished, shown
from fakes.server import Fault, Reply, serving
from fakes.sfmc import Sfmc as Fake

from segctl.connectors.destinations import abilities, kind
from segctl.connectors.destinations.base import Action, BatchRefusedError, Row, UnknownOutcomeError, place
from segctl.connectors.destinations.jobs import Job
from segctl.connectors.destinations.sfmc import outcome
from segctl.connectors.destinations.sfmc_journey import entered
from segctl.model.destinations import Destination
from segctl.model.errors import UsageError
from segctl.model.secrets import forget

Connecting = Callable[..., Any]


def options(url: str) -> dict[str, Any]:
    return {
        "subdomain": "mc56-abc",
        "client_id": SECRET,
        "client_secret": SECRET,
        "account_id": "7001",
        "base_url": url,
        "auth_url": url,
    }


class TestRows(HttpSuite):
    kind: ClassVar[str] = "sfmc"
    destination: ClassVar[dict[str, Any]] = {"audiences": (("winback", "winback"),)}
    asks_for_token: ClassVar[bool] = True
    fake: Fake

    def make_fake(self) -> Fake:
        return Fake(PLANTED)

    def options(self) -> dict[str, Any]:
        return options(self.url)

    def people(self, audience: str) -> set[str]:
        return {row["SubscriberKey"] for row in self.fake.rows[audience].values() if row["InSegment"] is True}


class TestJourney(HttpSuite):
    kind: ClassVar[str] = "sfmc"
    asks_for_token: ClassVar[bool] = True
    fake: Fake

    def make_fake(self) -> Fake:
        return Fake(PLANTED)

    def options(self) -> dict[str, Any]:
        return {**options(self.url), "entry": "journey"}

    def people(self, audience: str) -> set[str]:
        return set(self.fake.entries.get(audience, []))

    def fails(self, *faults: Fault, action: Action = "add") -> BaseException:
        """Nothing but an entry is sent, so nothing else can fail."""
        return super().fails(*faults, action="add")

    def test_a_dry_run_does_nothing_and_tells_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(VARIABLE)
        with self.connected(dry=True) as connector:
            for action in ("add", "update", "remove"):
                connector.send(batch(self.rows, action, audience="winback"))

        assert self.fake.asked == []
        assert [one.rows for one in self.world.recorded] == [len(self.rows)]

    def test_a_dry_run_writes_down_what_is_sent(self) -> None:
        for is_dry in (False, True):
            with self.connected(dry=is_dry) as connector:
                connector.send(batch(self.rows, audience="winback"))

        assert [one.body.encode() for one in self.world.recorded] == [self.fake.asked[-1].body]

    def test_requests_are_these(self, golden: Any) -> None:
        with self.connected() as connector:
            finished(connector, batch(self.rows, audience=connector.audience("winback", "winback")))

        text = "\n".join(shown(asked, self.url) for asked in self.fake.asked)

        golden.compare(text, Path(__file__).parent / "golden" / "sfmc_journey.txt")


@pytest.fixture
def service() -> Iterator[tuple[Fake, str]]:
    """A stand-in and its address."""
    fake = Fake(PLANTED)
    with serving(fake) as url:
        yield fake, url
    assert fake.wrong == []


@pytest.fixture
def connect(service: tuple[Fake, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connecting]:
    """Makes a connector with some options."""
    monkeypatch.setenv(VARIABLE, PLANTED)
    made: list[Any] = []

    def make(**more: Any) -> Any:
        declared = Destination("sf", "sfmc", options={**options(service[1]), **more}, allowed_hosts=("127.0.0.1",))
        made.append(kind("sfmc").connect(declared, World(tmp_path).around()))
        return made[-1]

    yield make
    for one in made:
        one.close()
    forget()


def test_rows_are_flat_and_who_leaves_keeps_one_with_the_flag_off(
    connect: Connecting, service: tuple[Fake, str]
) -> None:
    row = Row("k", {"external_id": "C-1", "email": "a@example.com"}, {"City": "Köln"})
    cloud = connect()
    finished(cloud, batch((row,), audience="winback"))
    finished(cloud, batch((row,), "update", audience="winback"))
    finished(cloud, batch((row,), "remove", audience="winback"))

    bodies = [asked.json for asked in service[0].asked if asked.method == "PUT"]

    known = {"SubscriberKey": "C-1", "EmailAddress": "a@example.com"}
    assert bodies == [
        {"items": [{"City": "Köln", **known, "InSegment": True}]},
        {"items": [{"City": "Köln", **known}]},
        {"items": [{**known, "InSegment": False}]},
    ]
    assert list(service[0].rows["winback"].values()) == [{"City": "Köln", **known, "InSegment": False}]


def test_segments_may_share_a_data_extension(connect: Connecting, service: tuple[Fake, str]) -> None:
    cloud = connect(segment_column="Segment", columns={"email": "EmailAddress"})
    ids = [cloud.audience(segment, "all segs") for segment in ("winback", "other")]
    finished(cloud, batch(ROWS, audience=ids[0]))
    finished(cloud, batch(ROWS[:1], audience=ids[1]))
    finished(cloud, batch(ROWS[1:], "remove", audience=ids[0]))

    assert [[dict(one.identifiers) for one in cloud.members(name)] for name in ids] == [
        [{"email": "anna@example.com"}]
    ] * 2
    assert len(service[0].rows["all segs"]) == len(ROWS) + 1
    assert [cloud.has(name) for name in (*ids, "no such|winback")] == [True, True, False]


def test_results_are_matched_by_order_over_pages_past_those_left_out(
    connect: Connecting, service: tuple[Fake, str]
) -> None:
    fake = service[0]
    fake.bad = {"C-2": "Value 'Jörg' does not fit. Rerun the transaction.", "C-4": "The value 'd@example.com' is bad"}
    rows = (Row("none", {"mobile": "x"}), *(Row(f"k{n}", {"external_id": f"C-{n}"}) for n in range(1, 6)))

    sent = finished(connect(), batch(rows, audience="winback"))

    assert {key: (trouble.state, trouble.code) for key, trouble in sent.troubles.items()} == {
        "none": ("invalid", "left_out"),
        "k2": ("rejected", "10001"),
        "k4": ("invalid", "10001"),
    }
    assert not any(word in repr(sent) for word in ("Jörg", "d@example.com"))


def test_rows_without_a_result_are_unknown(connect: Connecting, service: tuple[Fake, str]) -> None:
    service[0].forgets = 1

    sent = finished(connect(), batch(ROWS, audience="winback"))

    assert {key: trouble.state for key, trouble in sent.troubles.items()} == {ROWS[2].key: "unknown"}


def test_a_request_that_ended_badly_took_nobody(connect: Connecting, service: tuple[Fake, str]) -> None:
    service[0].ends_as = "Error"

    sent = finished(connect(), batch(ROWS, audience="winback"))

    assert {trouble.state for trouble in sent.troubles.values()} == {"rejected"}
    assert len(sent.troubles) == len(ROWS)


def test_more_results_than_rows_harm_nobody() -> None:
    good = {"status": "OK"}

    assert outcome("Complete", [good] * 5, Job((("x", 2),), {})) == {}
    assert outcome("Complete", [good, {}], Job((("x", 2),), {0: "why"})).keys() == {place(0), place(2)}


def test_a_state_that_is_not_there_yet_is_asked_again(connect: Connecting, service: tuple[Fake, str]) -> None:
    finished(connect(), batch(ROWS, audience="winback"))

    assert [asked.path for asked in service[0].asked].count("/data/v1/async/request-1/status") == 3


@pytest.mark.parametrize("subdomain", ["attacker.example/x", "a.b", "", "abc@evil", "abc#", "mc\n"])
def test_credentials_cannot_be_sent_to_a_host_of_somebodys_choice(
    connect: Connecting, service: tuple[Fake, str], subdomain: str
) -> None:
    with pytest.raises(UsageError) as caught:
        connect(subdomain=subdomain)

    assert caught.value.code == "SEG933"
    assert service[0].asked == []


def test_the_hosts_are_those_of_the_subdomain_and_the_answers_own_is_not_used(
    connect: Connecting, service: tuple[Fake, str], tmp_path: Path
) -> None:
    own = {name: value for name, value in options("").items() if value}
    made: Any = kind("sfmc").connect(Destination("sf", "sfmc", options=own), World(tmp_path).around())

    finished(connect(), batch(ROWS, audience="winback"))

    assert made.client.service.base_url == "https://mc56-abc.rest.marketingcloudapis.com"
    assert made.client.service.auth.token_url == "https://mc56-abc.auth.marketingcloudapis.com/v2/token"
    assert made.client.service.hosts == (
        "mc56-abc.rest.marketingcloudapis.com",
        "mc56-abc.auth.marketingcloudapis.com",
    )
    token = service[0].asked[0].form
    assert (token["account_id"], token["grant_type"]) == ("7001", "client_credentials")
    assert service[0].tokens == 1


def test_a_key_that_is_not_there_is_told(connect: Connecting) -> None:
    with pytest.raises(UsageError) as caught:
        connect().audience("winback", "no such/key")

    assert caught.value.code == "SEG936"


def test_a_call_of_more_than_five_megabytes_is_halved_before_it_is_sent(
    connect: Connecting, service: tuple[Fake, str]
) -> None:
    rows = tuple(Row(str(n), {"external_id": f"C-{n}"}, {"City": "x" * 2000}) for n in range(2600))

    with pytest.raises(BatchRefusedError) as caught:
        connect().send(batch(rows, audience="winback"))

    assert caught.value.is_size
    assert service[0].asked == []


def test_an_answer_without_a_request_is_an_unknown_outcome(
    connect: Connecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Fake, "_upserted", lambda *_: Reply(202, {"resultMessages": ["x"]}))

    with pytest.raises(UnknownOutcomeError):
        connect().send(batch(ROWS, audience="winback"))


def test_a_journey_is_entered_once_and_left_by_nobody(connect: Connecting, service: tuple[Fake, str]) -> None:
    journey = connect(entry="journey")
    journey.send(batch(ROWS, audience="Entry-1"))
    journey.send(batch(ROWS, "remove", audience="Entry-1"))
    journey.send(batch(ROWS, "update", audience="Entry-1"))

    asked = [asked for asked in service[0].asked if asked.path.startswith("/interaction")]
    assert [one.json["members"][0] for one in asked] == [
        {
            "contactKey": "C-1",
            "data": {
                "first_name": "Anna",
                "SubscriberKey": "C-1",
                "EmailAddress": "anna@example.com",
                "MobileNumber": "+4915112345678",
            },
        }
    ]
    can = abilities(journey.destination)
    assert (can.removal, can.modes, can.is_repeatable, can.batch_rows) == ("none", ("add",), False, 100)


def test_members_that_are_refused_are_found_by_their_key_in_any_order(
    connect: Connecting, service: tuple[Fake, str]
) -> None:
    fake = service[0]
    fake.strangers, fake.is_reversed = {"C-2"}, True

    sent = connect(entry="journey").send(batch((*ROWS, Row("none", {})), audience="Entry-1"))

    assert {key: (trouble.state, trouble.code) for key, trouble in sent.troubles.items()} == {
        ROWS[1].key: ("invalid", "121053"),
        "none": ("invalid", "left_out"),
    }
    assert [word for word in (*PERSONAL, "C-2") if word in repr(sent)] == []


def test_members_that_are_not_told_of_are_unknown(connect: Connecting, service: tuple[Fake, str]) -> None:
    service[0].forgets = 1

    sent = connect(entry="journey").send(batch(ROWS, audience="Entry-1"))

    assert {key: trouble.state for key, trouble in sent.troubles.items()} == {ROWS[2].key: "unknown"}
    assert entered(None, {"C-1": ROWS[0]})[ROWS[0].key].state == "unknown"


def test_an_entry_that_may_have_happened_is_not_repeated_by_the_connector(
    connect: Connecting, service: tuple[Fake, str]
) -> None:
    service[0].fails_next("lost_after")

    with pytest.raises(UnknownOutcomeError):
        connect(entry="journey").send(batch(ROWS, audience="Entry-1"))

    assert service[0].entries == {"Entry-1": ["C-1", "C-2", "C-3"]}


@pytest.mark.parametrize("name", ["APIEvent.1", "", "two words"])
def test_a_key_that_the_service_refuses_is_told_before(connect: Connecting, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        connect(entry="journey").audience("winback", name)

    assert caught.value.code == "SEG933"
