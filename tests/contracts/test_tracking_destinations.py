"""Segment and RudderStack: the suite for traits, events and both, and what a repetition must not do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from destination_suite import NOW, PLANTED, ROWS, SECRET, VARIABLE, HttpSuite, World, batch
from fakes.server import serving
from fakes.tracking import Tracking as Fake

from segctl.connectors.destinations import abilities, kind
from segctl.connectors.destinations.base import BatchRefusedError, Row, UnknownOutcomeError
from segctl.connectors.destinations.segment import Tracking
from segctl.model.destinations import Destination
from segctl.model.secrets import forget

Connecting = Callable[..., Tracking]


class TestSegment(HttpSuite):
    kind: ClassVar[str] = "segment"
    deliver: ClassVar[str] = "traits"
    fake: Fake

    def make_fake(self) -> Fake:
        return Fake(PLANTED, in_context=self.kind == "rudderstack")

    def options(self) -> dict[str, Any]:
        return {"write_key": SECRET, "region": "eu", "base_url": self.url, "deliver": self.deliver}

    def people(self, audience: str) -> set[str]:
        return {name for name, traits in self.fake.traits.items() if traits.get(audience) is True}

    def takes_any_answer(self) -> bool:
        return False


class TestSegmentWithBoth(TestSegment):
    deliver: ClassVar[str] = "both"

    def people(self, audience: str) -> set[str]:
        inside = super().people(audience)
        assert self.fake.entered[audience] == inside
        return inside

    def test_requests_are_these(self, golden: Any) -> None:
        """They are written down once, with RudderStack's events."""


class TestRudderStack(TestSegment):
    kind: ClassVar[str] = "rudderstack"
    deliver: ClassVar[str] = "events"

    def options(self) -> dict[str, Any]:
        return {"write_key": SECRET, "data_plane": f"{self.url}/v1/", "deliver": self.deliver}

    def people(self, audience: str) -> set[str]:
        return self.fake.entered[audience]

    def takes_any_success(self) -> bool:
        return True

    def test_a_dry_run_does_nothing_and_tells_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().test_a_dry_run_does_nothing_and_tells_all(monkeypatch)
        assert len(self.world.recorded) == 2  # an update is no event


@pytest.fixture
def service() -> Iterator[tuple[Fake, str]]:
    """A stand-in and its address."""
    fake = Fake(PLANTED, in_context=False)
    with serving(fake) as url:
        yield fake, url
    assert fake.wrong == []


@pytest.fixture
def connect(service: tuple[Fake, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connecting]:
    """Makes a connector with some options."""
    monkeypatch.setenv(VARIABLE, PLANTED)
    made: list[Any] = []

    def make(**more: Any) -> Any:
        told = {"write_key": SECRET, "region": "us", "base_url": service[1], **more}
        made.append(kind("segment").connect(Destination("cdp", "segment", options=told), World(tmp_path).around()))
        return made[-1]

    yield make
    for one in made:
        one.close()
    forget()


def test_messages_are_exactly_these(connect: Connecting, service: tuple[Fake, str]) -> None:
    row = Row("k", {"external_id": "C-1", "anonymous_id": "a-1", "email": "a@example.com"}, {"city": "Köln"})
    cdp = connect(deliver="both")
    cdp.send(batch((row,), audience="in_winback"))
    cdp.send(batch((row,), "remove", audience="in_winback"))

    (identify, track), (left, exited) = (asked.json["batch"] for asked in service[0].asked)

    common = {"userId": "C-1", "anonymousId": "a-1", "timestamp": "2026-11-22T06:00:00+00:00",
              "context": {"library": {"name": "segctl"}}}  # fmt: skip
    assert identify == {
        "type": "identify",
        "messageId": identify["messageId"],
        **common,
        "traits": {"city": "Köln", "in_winback": True},
    }
    assert track == {
        "type": "track",
        "messageId": track["messageId"],
        **common,
        "event": "Audience Entered",
        "properties": {"audience": "in_winback", "segment": "winback"},
    }
    assert (left["traits"], exited["event"]) == ({"in_winback": False}, "Audience Exited")
    assert len({one["messageId"] for one in (identify, track, left, exited)}) == 4


def test_a_message_has_the_same_id_on_every_try_also_in_a_later_push(
    connect: Connecting, service: tuple[Fake, str]
) -> None:
    fake, cdp = service[0], connect(deliver="events")
    told = batch(ROWS, audience="x")
    cdp.send(told)
    cdp.send(replace(told, at=NOW + timedelta(hours=1)))  # the next push goes on with what the last one left open
    cdp.send(replace(told, id="another batch"))

    assert len(fake.events) == 2 * len(ROWS)
    assert max(len(name) for name in fake.seen) < 100


def test_an_unknown_outcome_repeated_is_one_event(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake, cdp = service[0], connect(deliver="events")
    fake.fails_next("lost_after")

    with pytest.raises(UnknownOutcomeError):
        cdp.send(batch(ROWS, audience="x"))
    cdp.send(batch(ROWS, audience="x"))

    assert len(fake.events) == len(ROWS)


def test_nobody_without_an_id_and_nothing_too_large_is_sent(connect: Connecting, service: tuple[Fake, str]) -> None:
    rows = (
        Row("mail", {"email": "a@example.com"}),
        Row("large", {"external_id": "C-1"}, {"text": "x" * 32_000}),
        Row("anonymous", {"anonymous_id": "a-1"}),
    )
    cdp = connect()

    sent = cdp.send(batch(rows, audience="x"))
    nothing = cdp.send(batch(rows[:2], audience="x"))

    assert {key: trouble.state for key, trouble in sent.troubles.items()} == {"mail": "invalid", "large": "invalid"}
    assert nothing.troubles.keys() == {"mail", "large"}
    assert service[0].traits == {"a-1": {"x": True}}
    assert len(service[0].asked) == 1


def test_an_address_is_an_id_only_where_that_is_wanted(connect: Connecting, service: tuple[Fake, str]) -> None:
    declared = Destination("cdp", "segment", options={"user_id": "email"})

    connect(user_id="email").send(batch(ROWS, audience="x"))

    assert set(service[0].traits) == {row.identifiers["email"] for row in ROWS}
    assert abilities(declared).identifiers == ("email", "anonymous_id")
    assert abilities(replace(declared, options={})).identifiers == ("external_id", "anonymous_id")


def test_a_batch_above_the_limit_is_halved_before_it_is_sent(connect: Connecting, service: tuple[Fake, str]) -> None:
    rows = tuple(Row(str(n), {"external_id": f"C-{n}"}, {"text": "x" * 1000}) for n in range(600))

    with pytest.raises(BatchRefusedError) as caught:
        connect().send(batch(rows, audience="x"))

    assert caught.value.is_size
    assert service[0].asked == []


def test_an_update_tells_fields_and_no_audience(connect: Connecting, service: tuple[Fake, str]) -> None:
    connect(deliver="both").send(batch(ROWS, "update", audience="x"))
    connect(deliver="events").send(batch(ROWS, "update", audience="x"))

    assert service[0].traits["C-1"] == {"first_name": "Anna"}
    assert service[0].events == []
    assert len(service[0].asked) == 1


@pytest.mark.parametrize(
    ("region", "address"), [("us", "https://api.segment.io"), ("eu", "https://events.eu1.segmentapis.com")]
)
def test_the_region_chooses_the_host(tmp_path: Path, region: str, address: str) -> None:
    declared = Destination("s", "segment", options={"write_key": SECRET, "region": region})
    connector: Any = kind("segment").connect(declared, World(tmp_path).around())

    assert connector.client.service.base_url == address
    assert [option.required for option in kind("segment").OPTIONS if option.name == "region"] == [True]


def test_what_a_check_cannot_know_is_said(connect: Connecting) -> None:
    assert [(probe.name, probe.status) for probe in connect().check()] == [
        ("reachable", "ok"),
        ("credentials", "note"),
    ]
