"""The webhook: the suite against a receiver that checks signatures as an independent one would, and what is its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from destination_suite import NOW, ROWS, SECRET, VARIABLE, HttpSuite, World, batch
from fakes.server import Asked, Fake, Reply, WrongRequestError, serving

from segctl.connectors.destinations import abilities
from segctl.connectors.destinations.base import BatchRefusedError, UnknownOutcomeError
from segctl.connectors.destinations.webhook import Webhook, signed
from segctl.model.destinations import Destination
from segctl.model.errors import Refused, UsageError
from segctl.model.secrets import Secret, forget

Connecting = Callable[..., Webhook]

KEY = b"0123456789abcdef0123456789abcdef"
WHSEC = "whsec_" + base64.b64encode(KEY).decode()


class Receiver(Fake):
    """Keeps segments as it is told, and each message once."""

    def __init__(self) -> None:
        super().__init__()
        self.members: dict[str, set[str]] = {}
        self.seen: set[str] = set()
        self.status = 200

    def answer(self, asked: Asked) -> Reply:
        """Whatever it is told, once."""
        if asked.method == "HEAD":
            return Reply(405)
        if asked.method != "POST" or asked.path != "/hook":
            raise WrongRequestError("there is nothing but POST /hook", 404)
        self.verify(asked)
        if asked.headers["webhook-id"] not in self.seen:
            self.seen.add(asked.headers["webhook-id"])
            self.take(asked.json)
        return Reply(self.status, raw=b"thank you", headers={"Content-Type": "text/plain"})

    def verify(self, asked: Asked) -> None:
        """As the standard says, with the library's own way of comparing."""
        if asked.headers.get("content-type") != "application/json":
            raise WrongRequestError("no JSON", 415)
        name, at = asked.headers["webhook-id"], asked.headers["webhook-timestamp"]
        if abs(int(at) - NOW.timestamp()) > 300:
            raise WrongRequestError("too old", 401)
        digest = hmac.digest(KEY, f"{name}.{at}.".encode() + asked.body, hashlib.sha256)
        entries = [entry.partition(",")[2] for entry in asked.headers["webhook-signature"].split(" ")]
        if not any(hmac.compare_digest(base64.b64encode(digest).decode(), entry) for entry in entries):
            raise WrongRequestError("the signature is wrong", 401)

    def take(self, message: dict[str, Any]) -> None:
        """Who entered and who left."""
        data = message["data"]
        there = self.members.setdefault(data["audience"], set())
        people = {person["identifiers"]["email"] for person in data.get("people", [data.get("person")])}
        if message["type"] == "segment.entered":
            there |= people
        elif message["type"] == "segment.left":
            there -= people
        elif message["type"] != "segment.updated":
            raise WrongRequestError(f"{message['type']} is no type")


class TestWebhook(HttpSuite):
    kind: ClassVar[str] = "webhook"
    volatile: ClassVar[tuple[str, ...]] = ("webhook-timestamp", "webhook-signature")
    fake: Receiver

    @pytest.fixture(autouse=True)
    def _secret(self, _world: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(VARIABLE, WHSEC)

    def make_fake(self) -> Receiver:
        return Receiver()

    def options(self) -> dict[str, Any]:
        return {"url": f"{self.url}/hook", "secret": SECRET, "allow_private": True}

    def people(self, audience: str) -> set[str]:
        return self.fake.members.get(audience, set())

    def takes_any_success(self) -> bool:
        return True


@pytest.fixture
def receiver() -> Iterator[tuple[Receiver, str]]:
    """A receiver and its address."""
    fake = Receiver()
    with serving(fake) as url:
        yield fake, f"{url}/hook"


@pytest.fixture
def connect(receiver: tuple[Receiver, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connecting]:
    """Makes a webhook with some options."""
    monkeypatch.setenv(VARIABLE, WHSEC)

    def made(**options: Any) -> Webhook:
        options = {"url": receiver[1], "secret": SECRET, "allow_private": True, **options}
        declared = Destination("hook", "webhook", options=options, identify=(("email", "email"),))
        return Webhook(declared, World(tmp_path).around())

    yield made
    forget()


def test_the_signature_is_that_of_the_standard() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    found = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_that_comes_again_has_the_same_id_and_the_same_bytes(
    connect: Connecting, receiver: tuple[Receiver, str]
) -> None:
    receiver[0].fails_next("lost_after")
    hook = connect()
    with pytest.raises(UnknownOutcomeError):
        hook.send(batch(ROWS, audience="winback"))
    hook.send(batch(ROWS, audience="winback"))

    first, again = receiver[0].asked

    assert (first.headers["webhook-id"], first.body) == (again.headers["webhook-id"], again.body)
    assert len(receiver[0].seen) == 1


def test_both_secrets_sign_while_they_change_over(
    connect: Connecting, receiver: tuple[Receiver, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    new = "whsec_" + base64.b64encode(b"n" * 24).decode()
    monkeypatch.setenv("NEW_SECRET", new)

    connect(secret=Secret("env", ("NEW_SECRET",)), previous_secret=SECRET).send(batch(ROWS, audience="winback"))

    assert receiver[0].members["winback"] == {row.identifiers["email"] for row in ROWS}
    assert len(receiver[0].asked[0].headers["webhook-signature"].split(" ")) == 2


def test_410_ends_it_for_good(connect: Connecting, receiver: tuple[Receiver, str]) -> None:
    receiver[0].status = 410

    with pytest.raises(UsageError) as caught:
        connect().send(batch(ROWS, audience="winback"))

    assert caught.value.code == "SEG903"


def test_one_message_for_each_person(connect: Connecting, receiver: tuple[Receiver, str]) -> None:
    hook = connect(per="person")

    hook.send(batch(ROWS[:1], audience="winback"))
    with pytest.raises(BatchRefusedError) as caught:
        hook.send(batch(ROWS, audience="winback"))

    assert caught.value.is_size
    assert receiver[0].members["winback"] == {"anna@example.com"}
    assert abilities(hook.destination).batch_rows == 1
    assert abilities(hook.destination).identifiers == ("email",)


def test_a_private_address_is_refused_before_anything_is_sent(
    connect: Connecting, receiver: tuple[Receiver, str]
) -> None:
    hook = connect(allow_private=False)

    with pytest.raises(Refused) as caught:
        hook.send(batch(ROWS, audience="winback"))

    assert caught.value.code == "SEG898"
    assert receiver[0].asked == []


def test_a_name_that_leads_to_a_private_address_is_refused_too(
    connect: Connecting, receiver: tuple[Receiver, str]
) -> None:
    hook = connect(allow_private=False, url=receiver[1].replace("127.0.0.1", "localhost"))

    with pytest.raises(Refused) as caught:
        hook.send(batch(ROWS, audience="winback"))

    assert (caught.value.code, receiver[0].asked) == ("SEG898", [])


def test_http_is_for_this_machine_alone(connect: Connecting) -> None:
    with pytest.raises(Refused) as caught:
        connect(url="http://hooks.example.com/x").send(batch(ROWS, audience="winback"))

    assert caught.value.code == "SEG898"


@pytest.mark.parametrize("written", ["whsec_c2hvcnQ=", "no base64 at all, nowhere", "whsec_" + "QUFB" * 30])
def test_what_is_no_signing_secret_is_told_without_it(
    connect: Connecting, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv(VARIABLE, written)

    probes = connect().check()

    assert [(probe.name, probe.status) for probe in probes] == [("credentials", "problem")]
    assert written not in repr(probes)


def test_a_receiver_that_redirects_is_no_good(connect: Connecting, receiver: tuple[Receiver, str]) -> None:
    receiver[0].can_fail = lambda asked: True
    receiver[0].fails_next("redirect")

    probes = connect().check()

    assert [probe.status for probe in probes] == ["problem"]


def test_who_signs_nothing_is_told_so(connect: Connecting) -> None:
    probes = connect(secret=None).check()

    assert [(probe.name, probe.status) for probe in probes] == [("reachable", "ok"), ("credentials", "note")]


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_receiver_that_knows_nothing_but_post_is_reached(
    connect: Connecting, receiver: tuple[Receiver, str], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(receiver[0], "answer", lambda asked: Reply(status))

    assert connect().check()[0].status == "ok"
