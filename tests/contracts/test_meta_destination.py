"""Meta custom audiences: the suite against a strict stand-in, and the traps of the Graph API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import pytest
from destination_suite import PLANTED, ROWS, SECRET, VARIABLE, HttpSuite, World, batch
from fakes.meta import Meta as Fake
from fakes.server import serving

from segctl.connectors.destinations.audience_hashes import sha256
from segctl.connectors.destinations.base import BatchRefusedError, NotNowError, Row, UnknownOutcomeError
from segctl.connectors.destinations.meta import Meta
from segctl.model.destinations import Destination
from segctl.model.errors import UsageError
from segctl.model.secrets import Secret, forget

JOHN = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"
"""Of john_smith@gmail.com, from Meta's documentation."""
Connecting = Callable[..., Meta]


class TestMeta(HttpSuite):
    kind: ClassVar[str] = "meta"
    fake: Fake

    def make_fake(self) -> Fake:
        return Fake(PLANTED)

    def options(self) -> dict[str, Any]:
        return {"ad_account_id": "123456", "access_token": SECRET, "base_url": self.url}

    def people(self, audience: str) -> set[str]:
        return {one["EMAIL"] for one in self.fake.people[audience]}


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
    made: list[Meta] = []

    def make(*, fields: tuple[tuple[str, str], ...] = (), dry: bool = False, **more: Any) -> Meta:
        told = {"ad_account_id": "act_123456", "access_token": SECRET, "base_url": service[1], **more}
        declared = Destination("ads", "meta", options=told, fields=fields, allowed_hosts=("127.0.0.1",))
        world = World(tmp_path)
        made.append(Meta(declared, world.around(dry=dry)))
        make.world = world  # type: ignore[attr-defined]  # for the test that looks at it
        return made[-1]

    yield make
    for one in made:
        one.close()
    forget()


def test_an_addition_is_exactly_this(connect: Connecting, service: tuple[Fake, str]) -> None:
    row = Row("k", {"email": " John_Smith@gmail.com ", "phone": "+16505551212", "external_id": "C-1"})
    meta = connect()
    audience = meta.audience("winback", "winback")

    sent = meta.send(batch((row,), audience=audience))

    asked = service[0].asked[-1]
    assert (asked.method, asked.path, asked.query) == ("POST", f"/v25.0/{audience}/users", {})
    session = asked.json["session"]
    assert asked.json == {
        "payload": {
            "schema": ["EMAIL", "EXTERN_ID", "PHONE"],
            "data": [[JOHN, "C-1", "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"]],
        },
        "session": {**session, "batch_seq": 1, "last_batch_flag": True, "estimated_num_total": 1},
    }
    assert sent.counts == {"received": 1, "invalid": 0}


def test_a_deletion_carries_the_same_keys_in_its_body(connect: Connecting, service: tuple[Fake, str]) -> None:
    meta = connect(customer_consent=True)
    audience = meta.audience("winback", "winback")
    meta.send(batch(ROWS, audience=audience))
    meta.send(batch(ROWS, "remove", audience=audience))

    added, deleted = service[0].asked[-2:]

    assert (added.method, deleted.method) == ("POST", "DELETE")
    assert added.json["payload"] == deleted.json["payload"]
    assert (added.json.get("customer_consent"), deleted.json.get("customer_consent")) == (True, None)
    assert service[0].people[audience] == []


def test_consent_is_said_only_where_it_was_found_and_the_option_asks_for_it(
    connect: Connecting, service: tuple[Fake, str]
) -> None:
    told = batch(ROWS, audience="77")
    connect().send(told)
    connect(customer_consent=True).send(replace(told, granted=frozenset()))
    connect(customer_consent=True).send(replace(told, granted=frozenset(), purpose=None))
    connect(customer_consent=True).send(told)

    assert [asked.json.get("customer_consent") for asked in service[0].asked] == [None, None, None, True]


def test_a_missing_value_is_an_empty_text(connect: Connecting, service: tuple[Fake, str]) -> None:
    fields = (("FN", "first"), ("DOB", "born"), ("ZIP", "zip"))
    rows = (
        Row("a", {"email": "a@example.com"}, {"FN": "Mary", "DOB": date(1980, 2, 9), "ZIP": "94103-1234"}),
        Row("b", {"phone": "+4915112345678"}, {"FN": None, "ZIP": ""}),
    )

    connect(fields=fields, country="us").send(batch(rows, audience="77"))

    payload = service[0].asked[-1].json["payload"]
    first, second = (dict(zip(payload["schema"], row, strict=True)) for row in payload["data"])
    assert first == {
        "EMAIL": sha256("a@example.com"),
        "FN": "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec",
        "COUNTRY": sha256("us"),
        "DOBY": sha256("1980"),
        "DOBM": sha256("02"),
        "DOBD": sha256("09"),
        "ZIP": sha256("94103"),
        "PHONE": "",
    }
    assert second == {**dict.fromkeys(first, ""), "PHONE": sha256("4915112345678"), "COUNTRY": sha256("us")}


def test_who_has_nothing_to_be_found_by_is_left_out(connect: Connecting, service: tuple[Fake, str]) -> None:
    rows = (Row("a", {"email": "nobody"}, {"FN": "Mary"}), Row("b", {"mobile_ad_id": "AEBE52E7-03EE"}))

    sent = connect(fields=(("FN", "x"),)).send(batch(rows, audience="77"))

    assert {key: trouble.state for key, trouble in sent.troubles.items()} == {"a": "invalid"}
    assert service[0].people["77"] == [{"MADID": "aebe52e7-03ee"}]


@pytest.mark.parametrize("shows", [True, False])
def test_samples_tell_who_was_not_read_and_counts_alone_blame_nobody(
    connect: Connecting, service: tuple[Fake, str], shows: bool
) -> None:
    fake, meta = service[0], connect()
    fake.bad, fake.shows_samples = {meta.seen_as(ROWS[1])["email"]}, shows

    sent = meta.send(batch(ROWS, audience="77"))

    assert list(sent.troubles) == ([ROWS[1].key] if shows else [])
    assert sent.note == (None if shows else "1 rows could not be read, Meta does not say which")
    assert sent.counts == {"received": 3, "invalid": 1}


def test_all_rows_unread_are_all_invalid(connect: Connecting, service: tuple[Fake, str]) -> None:
    fake, meta = service[0], connect()
    fake.bad, fake.shows_samples = {meta.seen_as(row)["email"] for row in ROWS}, False

    sent = meta.send(batch(ROWS, audience="77"))

    assert {trouble.state for trouble in sent.troubles.values()} == {"invalid"}
    assert len(sent.troubles) == len(ROWS)


@pytest.mark.parametrize(("count", "state"), [(0, "rejected"), (2, None)])
def test_fewer_received_than_sent_is_told(
    connect: Connecting, monkeypatch: pytest.MonkeyPatch, count: int, state: str | None
) -> None:
    answers(monkeypatch, {"num_received": count, "num_invalid_entries": 0})

    sent = connect().send(batch(ROWS, audience="77"))

    assert {trouble.state for trouble in sent.troubles.values()} == ({state} if state else set())
    assert sent.note == (None if state else "Meta counts 2 of 3 rows")


def test_a_success_that_counts_nothing_is_an_unknown_outcome(
    connect: Connecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, {"success": True})

    with pytest.raises(UnknownOutcomeError):
        connect().send(batch(ROWS, audience="77"))


def answers(monkeypatch: pytest.MonkeyPatch, body: Any) -> None:
    from fakes.server import Reply

    monkeypatch.setattr(Fake, "_taken", lambda *_: Reply(200, body))


USAGE = {"X-Business-Use-Case-Usage": '{"1": [{"type": "ads_management", "estimated_time_to_regain_access": 5}]}'}


@pytest.mark.parametrize(
    ("status", "error", "headers", "raised", "detail"),
    [
        (400, {"code": 190, "message": "expired"}, {}, UsageError, "SEG900"),
        (400, {"code": 294}, {}, UsageError, "SEG900"),
        (403, {"code": 200}, {}, UsageError, "SEG900"),
        (400, {"code": 17}, {}, NotNowError, None),
        (400, {"code": 613}, USAGE, NotNowError, 300.0),
        (400, {"code": 80_003}, {"X-Business-Use-Case-Usage": "broken"}, NotNowError, None),
        (400, {"code": 2, "is_transient": True}, {}, NotNowError, None),
        (500, {"code": 2, "is_transient": True}, {}, UnknownOutcomeError, None),
        (400, {"code": 100, "error_subcode": 1_713_230}, {}, UsageError, "SEG937"),
        (400, {"code": 1_487_366}, {}, UsageError, "SEG937"),
        (400, {"code": 100, "message": "Invalid parameter"}, {}, BatchRefusedError, None),
        (400, {"code": 2650}, {}, BatchRefusedError, None),
    ],
)
def test_codes_tell_errors_apart_where_the_status_does_not(
    connect: Connecting,
    service: tuple[Fake, str],
    status: int,
    error: dict[str, Any],
    headers: dict[str, str],
    raised: type[BaseException],
    detail: Any,
) -> None:
    service[0].error = (status, error, headers)

    with pytest.raises(raised) as caught:
        connect().send(batch(ROWS, audience="77"))

    if isinstance(caught.value, UsageError):
        assert caught.value.code == detail
    if isinstance(caught.value, NotNowError):
        assert caught.value.wait_s == detail


def test_a_flagged_audience_is_not_used(connect: Connecting, service: tuple[Fake, str]) -> None:
    service[0].audiences["88"] = {
        "id": "88",
        "name": "bad",
        "operation_status": {"code": 471, "description": "flagged"},
    }

    with pytest.raises(UsageError) as caught:
        connect().audience("winback", "bad")

    assert caught.value.code == "SEG937"


def test_a_lookalike_of_the_name_is_not_taken_for_the_audience(connect: Connecting, service: tuple[Fake, str]) -> None:
    meta = connect()

    made = meta.audience("winback", "lookalike")

    assert made != "77"
    assert service[0].audiences[made]["subtype"] == "CUSTOM"
    assert meta.audience("winback", "lookalike") == made


def test_audiences_are_found_over_pages_without_following_their_links(
    connect: Connecting, service: tuple[Fake, str]
) -> None:
    fake, meta = service[0], connect()
    for number in range(5):
        fake.audiences[str(200 + number)] = {"id": str(200 + number), "name": f"n{number}"}

    ids = [meta.audience("winback", name) for name in ("n4", "204", "new", "new")]

    assert ids[:2] == ["204", "204"]
    assert ids[2] == ids[3]
    assert [asked.path for asked in fake.asked if asked.method == "POST"] == ["/v25.0/act_123456/customaudiences"]
    assert not any("access_token" in asked.url for asked in fake.asked)
    with pytest.raises(UsageError) as caught:
        meta.audience("winback", "999")
    assert caught.value.code == "SEG936"


def test_calls_are_proved_by_the_apps_secret_and_the_proof_is_not_shown(
    connect: Connecting, service: tuple[Fake, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_SECRET", "s3cret-of-the-app")
    service[0].proof_of = "s3cret-of-the-app"
    proof = {"app_secret": Secret("env", ("APP_SECRET",))}

    meta = connect(**proof)
    meta.send(batch(ROWS, audience=meta.audience("winback", "new")))
    dry = connect(dry=True, **proof)
    dry.send(batch(ROWS, audience="1"))

    assert [probe.status for probe in meta.check()] == ["ok", "ok"]
    assert '"appsecret_proof":"***"' in connect.world.recorded[0].body


def test_a_session_is_the_same_on_every_try(connect: Connecting, service: tuple[Fake, str]) -> None:
    meta = connect()
    for told in (batch(ROWS, audience="77"), batch(ROWS, audience="77"), batch(ROWS, audience="77", id="other")):
        meta.send(told)

    first, again, other = (asked.json["session"]["session_id"] for asked in service[0].asked)

    assert first == again != other


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"ad_account_id": "12/34"}, "SEG933"),
        ({"api_version": "v25.0/../x"}, "SEG933"),
        ({"fields": (("first_name", "first_name"),)}, "SEG935"),
    ],
)
def test_options_that_cannot_be_meant_are_told(connect: Connecting, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        connect(**wrong)

    assert caught.value.code == code
