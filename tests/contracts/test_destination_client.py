"""The client of destinations: its hosts, its pace, its tries, and credentials that change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from destination_suite import World
from fakes.server import RETRY_AFTER_S, Asked, Fake, Reply, serving

from segctl.connectors.destinations.base import NotNowError, Row, UnknownOutcomeError
from segctl.connectors.http.client import DEFAULT, Client, Service
from segctl.connectors.http.hosts import is_among, is_private
from segctl.connectors.http.reasons import without_people, words_of
from segctl.model.errors import Refused, UsageError
from segctl.model.fetching_rest import Bearer, ClientCredentials, Limits
from segctl.model.secrets import Secret, forget

Making = Callable[..., Client]


class Any200(Fake):
    """Says yes to everything, and fails when it is told to, even for calls that only read."""

    def __init__(self) -> None:
        super().__init__()
        self.reply = Reply(200, {"ok": True})

    def can_fail(self, asked: Asked) -> bool:
        return True

    def answer(self, asked: Asked) -> Reply:
        return self.reply


@pytest.fixture
def fake() -> Any200:
    return Any200()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def make(fake: Any200, world: World) -> Iterator[Making]:
    """Makes clients of the stand-in."""
    made: list[Client] = []
    with serving(fake) as url:

        def client(**options: Any) -> Client:
            made.append(Client(world.around(), Service(**{"base_url": url, **options})))
            return made[-1]

        yield client
        for one in made:
            one.close()
    forget()


def test_a_call_that_reads_is_tried_again(make: Making, fake: Any200, world: World) -> None:
    fake.fails_next("broken", "too_many")

    answer = make().request("GET", "/lists")

    assert answer.value == {"ok": True}
    assert len(fake.asked) == 3
    assert world.slept == [0.25, RETRY_AFTER_S]


def test_reading_ends_after_a_few_tries(make: Making, fake: Any200) -> None:
    fake.fails_next(*["lost_before"] * 9)

    with pytest.raises(NotNowError):
        make().request("GET", "/lists")

    assert len(fake.asked) == 1 + DEFAULT.retries


def test_a_call_with_an_effect_is_sent_once(make: Making, fake: Any200, world: World) -> None:
    fake.fails_next("broken")

    with pytest.raises(UnknownOutcomeError):
        make().request("POST", "/lists", json={})

    assert (len(fake.asked), world.slept) == (1, [])


def test_a_limit_for_the_day_ends_it(make: Making, fake: Any200) -> None:
    fake.reply = Reply(429, {"policyName": "DAILY"})

    with pytest.raises(NotNowError) as caught:
        make().request("GET", "/lists")

    assert caught.value.is_daily
    assert len(fake.asked) == 1


def test_the_pace_is_kept_over_threads(make: Making, world: World, fake: Any200) -> None:
    client = make(limits=Limits(requests=10, per_s=1.0))
    threads = [threading.Thread(target=client.request, args=("POST", "/x")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(fake.asked) == 8
    # Seven waits of up to a tenth each, less what has passed by itself.
    assert 0 < max(world.slept) <= 0.7
    assert len(world.slept) <= 7


def test_an_empty_allowance_is_waited_for(make: Making, world: World, fake: Any200) -> None:
    fake.reply = Reply(200, {}, {"RateLimit-Remaining": "0", "RateLimit-Reset": "9"})
    client = make()
    client.request("POST", "/x")

    client.request("POST", "/x")

    assert world.slept == [pytest.approx(9, abs=0.5)]


def test_a_pause_that_is_too_long_is_told_instead(make: Making, world: World, fake: Any200) -> None:
    fake.reply = Reply(200, {}, {"RateLimit-Remaining": "0", "RateLimit-Reset": "900"})
    client = make()
    client.request("POST", "/x")

    with pytest.raises(NotNowError) as caught:
        client.request("POST", "/x")

    assert caught.value.wait_s == pytest.approx(900, abs=1)
    assert (len(fake.asked), world.slept) == (1, [])


def test_a_key_that_was_replaced_meanwhile_is_read_again(make: Making, fake: Any200, world: World) -> None:
    (world.root / "key").write_text("old-key-000", "utf-8")
    client = make(auth=Bearer(Secret("file", ("key",))))
    client.request("POST", "/x")
    (world.root / "key").write_text("new-key-111", "utf-8")
    fake.fails_next("expired")

    client.request("POST", "/x")

    assert [asked.headers["authorization"] for asked in fake.asked] == [
        "Bearer old-key-000", "Bearer old-key-000", "Bearer new-key-111",
    ]  # fmt: skip


def test_a_key_that_is_still_the_same_is_not_tried_again(make: Making, fake: Any200, world: World) -> None:
    (world.root / "key").write_text("old-key-000", "utf-8")
    fake.fails_next("expired", "expired")

    with pytest.raises(UsageError) as caught:
        make(auth=Bearer(Secret("file", ("key",)))).request("POST", "/x")

    assert (caught.value.code, len(fake.asked)) == ("SEG900", 1)


def test_a_token_is_renewed_once_and_no_more(make: Making, fake: Any200, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIENT_SECRET", "client-secret-000")
    fake.reply = Reply(200, {"access_token": "token-of-the-service", "expires_in": 3600})
    fake.can_fail = lambda asked: asked.path != "/token"  # type: ignore[method-assign]  # of this test alone
    client = make()
    secret = Secret("env", ("CLIENT_SECRET",))
    client = make(auth=ClientCredentials(f"{client.service.base_url}/token", "me", secret))
    fake.fails_next("expired")
    client.request("POST", "/x")
    fake.fails_next("expired", "expired", "expired")

    with pytest.raises(UsageError) as caught:
        client.request("POST", "/x")

    assert caught.value.code == "SEG900"
    assert [asked.path for asked in fake.asked] == ["/token", "/x", "/token", "/x", "/x", "/token", "/x"]


@pytest.mark.parametrize("path", ["https://elsewhere.example.com/x", "http://127.0.0.2/x", "https://[::1/x"])
def test_no_other_host_is_spoken_to(make: Making, fake: Any200, path: str) -> None:
    with pytest.raises(Refused) as caught:
        make().request("GET", path)

    assert (caught.value.code, fake.asked) == ("SEG897", [])


def test_what_is_no_json_is_no_answer(make: Making, fake: Any200) -> None:
    fake.reply = Reply(200, raw=b"<html>log in</html>", headers={"Content-Type": "text/html"})

    with pytest.raises(UnknownOutcomeError):
        make().request("POST", "/x")

    assert make(takes_text=True).request("POST", "/x").value == "<html>log in</html>"


@pytest.mark.parametrize(
    ("host", "patterns", "expected"),
    [
        ("a.klaviyo.com", ("a.klaviyo.com",), True),
        ("x.auth.example.com", ("*.example.com",), True),
        ("example.com", ("*.example.com",), False),
        ("evil-example.com", ("*.example.com",), False),
        ("a.klaviyo.com.evil.example", ("a.klaviyo.com",), False),
        ("", ("a",), False),
    ],
)
def test_hosts_are_known_by_name_or_pattern(host: str, patterns: tuple[str, ...], expected: bool) -> None:
    assert is_among(host, patterns) is expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True), ("10.1.2.3", True), ("192.168.0.1", True), ("169.254.169.254", True), ("0.0.0.0", True),
        ("100.64.0.1", True), ("::1", True), ("fe80::1%eth0", True), ("fd00::1", True), ("::ffff:10.0.0.1", True),
        ("224.0.0.1", True), ("8.8.8.8", False), ("2606:4700::1111", False), ("::ffff:8.8.8.8", False),
    ],
)  # fmt: skip
def test_private_addresses_are_known(address: str, expected: bool) -> None:
    assert is_private(address) is expected


def test_people_are_taken_out_of_a_services_words() -> None:
    row = Row("k", {"email": "anna@example.com", "external_id": "C-4711"}, {"name": "Anna Muster"}, known_as="hs-77")
    text = "Contact ANNA MUSTER (anna@example.com, +49 151 12345678, C-4711) exists as hs-77; see bob%40example.com"

    found = without_people(f"{text}; code 409, list 12345, {'a1' * 32}", (row,))

    assert found == "Contact … (…, …, …) exists as …; see …; code 409, list 12345, …"
    assert words_of({"message": f"{'x' * 190} anna@example.com"}, (row,)).startswith("x" * 190 + " …")
    assert words_of(None) == "no reason given"
