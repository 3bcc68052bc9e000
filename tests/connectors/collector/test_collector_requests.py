"""What honest senders may and may not do: pages, keys, signatures, rates, addresses, and an orderly end."""

from __future__ import annotations

import base64
import gzip
import hmac
import json
import os
import socket
import threading
import time
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from serving import EVENT, KEY, SEGMENT, request, serving, status

from segctl.connectors.collector.connection import Bounds
from segctl.connectors.collector.intake import Intake
from segctl.connectors.collector.limits import Bucket
from segctl.connectors.collector.requests import RefusedRequest, Request
from segctl.connectors.collector.seen import write_index
from segctl.connectors.collector.webhooks import Hook, checked
from segctl.model.fetching_collector import CollectorFetch

NOW = 1_614_265_330.0
SVIX = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STRIPE = Hook("stripe", ("whsec_a", "whsec_b"), 300.0)
ORIGIN = "https://shop.example"


def stripe(body: bytes, at: float = NOW, secret: str = "whsec_b") -> dict[str, str]:
    right = hmac.new(secret.encode(), f"{int(at)}.".encode() + body, "sha256").hexdigest()
    return {"stripe-signature": f"t={int(at)},v1={'0' * 64},v1={right},v0=x"}


# --- Signatures -------------------------------------------------------------------------------------------
def test_the_signature_of_svixs_own_example_is_right() -> None:
    # https://docs.svix.com/receiving/verifying-payloads/how-manual
    headers = {
        "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "svix-timestamp": "1614265330",
        "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    asked = Request("POST", "/hooks/a", headers=headers, body=b'{"test": 2432232314}')

    signed = checked(asked, Hook("standard_webhooks", (SVIX,), 300.0), NOW)

    assert (signed.at, signed.id) == (NOW, "msg_p5jXN8AQM9LWM0D4loKWxJek")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"body": b'{"a": 2}'}, "signature", id="another body"),
        pytest.param({"headers": stripe(b'{"a": 1}', secret="other")}, "signature", id="another secret"),
        pytest.param({"headers": stripe(b'{"a": 1}', NOW - 301)}, "stale", id="too old"),
        pytest.param({"headers": stripe(b'{"a": 1}', NOW + 301)}, "stale", id="from the future"),
        pytest.param({"headers": {}}, "unsigned", id="no signature"),
        pytest.param({"headers": {"stripe-signature": ""}}, "unsigned", id="an empty one"),
        pytest.param({"headers": {"stripe-signature": "t=1614265330"}}, "signature", id="only a time"),
        pytest.param({"headers": {"stripe-signature": "v1=ü,t=nan"}}, "signature", id="signs that are none"),
    ],
)
def test_a_request_that_is_not_rightly_signed_is_refused(change: dict[str, object], reason: str) -> None:
    plain = {"headers": stripe(b'{"a": 1}'), "body": b'{"a": 1}'}

    assert checked(Request("POST", "/", **plain), STRIPE, NOW).at == NOW
    with pytest.raises(RefusedRequest) as refused:
        checked(Request("POST", "/", **{**plain, **change}), STRIPE, NOW)

    assert (refused.value.answer.status, refused.value.answer.reason) == (401, reason)


def test_a_time_at_the_bound_is_not_too_old() -> None:
    for at in (NOW - 300, NOW + 300):
        assert checked(Request("POST", "/", headers=stripe(b"{}", at), body=b"{}"), STRIPE, NOW).at == at


def test_hubspot_signs_the_address_with_its_query_decoded() -> None:
    url = "https://t.shop.example/hooks/crm?to=a%40b%2Fc"
    base = "POSThttps://t.shop.example/hooks/crm?to=a@b/c" + "[]" + "1614265330000"
    right = base64.b64encode(hmac.digest(b"secret", base.encode(), "sha256")).decode()
    headers = {"x-hubspot-signature-v3": right, "x-hubspot-request-timestamp": "1614265330000"}
    asked = Request("POST", "/hooks/crm", headers=headers, body=b"[]", raw_query="to=a%40b%2Fc")

    assert checked(asked, Hook("hubspot", ("secret",), 300.0, url), NOW).at == NOW
    assert checked(asked, Hook("hubspot", ("secret",), 300.0, url.partition("?")[0]), NOW).at == NOW
    with pytest.raises(RefusedRequest):
        checked(asked, Hook("hubspot", ("secret",), 300.0, "https://other.example/hooks/crm"), NOW)


def test_a_repetition_is_answered_and_not_stored_also_after_a_restart_until_it_is_forgotten(tmp_path: Path) -> None:
    hook = Intake("pay", CollectorFetch("shopify", remember_s=100.0), Hook("shopify", ("s3cret",), 300.0))
    body = b'{"id": 1}'
    right = base64.b64encode(hmac.digest(b"s3cret", body, "sha256")).decode()
    begin = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()

    def sent(after_s: float, topic: str = "orders/create") -> tuple[int, int]:
        clock = lambda: datetime.fromtimestamp(begin + after_s, UTC)  # noqa: E731 - two words
        with serving(tmp_path, hook, remember_s=100.0, now=clock) as served:
            given = served.post("/hooks/pay", body, X_Shopify_Hmac_Sha256=right, X_Shopify_Topic=topic)
            return given, len(served.lines())

    assert sent(0) == (200, 1)
    assert sent(50) == (200, 1)
    # The topic is not signed: whoever repeats a request may write there what he likes.
    assert sent(60, "orders/updated") == (200, 1)
    assert sent(99) == (200, 1)
    assert sent(101) == (200, 2)


def test_topics_that_are_not_on_the_list_are_refused(tmp_path: Path) -> None:
    hook = Intake("pay", CollectorFetch("shopify"), Hook("shopify", ("s3cret",), 300.0, topics=("orders/create",)))
    body = b'{"id": 1}'
    right = base64.b64encode(hmac.digest(b"s3cret", body, "sha256")).decode()

    with serving(tmp_path, hook, remember_s=100.0) as served:
        given = [
            served.post("/hooks/pay", body, X_Shopify_Hmac_Sha256=right, X_Shopify_Topic=topic)
            for topic in ("customers/redact", "", "orders/create")
        ]

        assert given == [403, 403, 200]
        assert len(served.lines()) == 1


def test_an_index_is_on_disk_before_anybody_trusts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    durable: list[tuple[str, int]] = []

    def note(handle: int) -> None:
        place = Path(f"/proc/self/fd/{handle}").readlink()
        durable.append((place.name, os.fstat(handle).st_size if place.is_file() else 0))

    monkeypatch.setattr(os, "fsync", note)

    write_index(tmp_path / "a.ndjson.seen", [(1.0, "0" * 32)])

    assert durable == [(".a.ndjson.seen", 35), (tmp_path.name, 0)]


# --- Pages and keys ---------------------------------------------------------------------------------------
def test_a_page_on_the_list_may_ask_and_send_and_others_may_not(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        asked = served.send(request("OPTIONS", "/v1/track", Origin=ORIGIN, Access_Control_Request_Method="POST"))
        sent = served.send(request("POST", "/v1/track", json.dumps(EVENT).encode(), X_Write_Key=f"{KEY}/web",
                                   Origin="HTTPS://shop.example"))  # fmt: skip
        refused = served.send(request("OPTIONS", "/v1/track", Origin="https://evil.example"))

    for answer in (asked, sent):
        assert f"access-control-allow-origin: {ORIGIN}\r\n".encode() in answer
        assert b"vary: origin\r\n" in answer
    assert (status(asked), status(sent), status(refused)) == (204, 200, 403)
    assert b"access-control" not in refused
    allowed = asked.partition(b"access-control-allow-headers: ")[2].partition(b"\r\n")[0].split(b", ")
    # The last one is RudderStack's library for browsers.
    assert {b"authorization", b"content-type", b"x-write-key", b"anonymousid"} <= set(allowed)


def test_every_page_may_send_where_the_declaration_says_so_but_never_with_credentials(tmp_path: Path) -> None:
    with serving(tmp_path, Intake("web", CollectorFetch("segment", origins=("*",)))) as served:
        answer = served.send(request("POST", "/v1/track", json.dumps(EVENT).encode(), X_Write_Key=f"{KEY}/web",
                                     Origin="https://any.example"))  # fmt: skip

    assert b"access-control-allow-origin: *\r\n" in answer
    assert b"credentials" not in answer


def test_a_source_that_is_open_takes_what_has_no_key_but_nothing_with_a_wrong_one(tmp_path: Path) -> None:
    with serving(tmp_path, Intake("snow", CollectorFetch("snowplow", is_open=True)), SEGMENT) as served:
        pixel = request("GET", "/i?e=pv&p=web&tv=1&eid=e1")

        assert status(served.send(pixel)) == 200
        assert status(served.send(request("GET", "/k/wrong/i?e=pv&p=web&tv=1"))) == 401
        assert served.post("/v1/track", EVENT) == 401
        assert [line["key"] for line in served.lines()] == [None]


def test_a_key_is_good_for_its_source_alone(tmp_path: Path) -> None:
    forms = Intake("forms", CollectorFetch("json"))
    others = Intake("others", CollectorFetch("json"))
    with serving(tmp_path, forms, others) as served:
        named = {"X_Write_Key": f"{KEY}/forms"}

        assert served.post("/in/forms", {"a": 1}, **named) == 200
        assert served.post("/in/others", {"a": 1}, **named) == 401
        assert served.post("/in/nothing", {"a": 1}, **named) == 401


def test_compressed_bodies_are_read_as_libraries_compress_them(tmp_path: Path) -> None:
    body = json.dumps(EVENT).encode()
    bare = zlib.compressobj(wbits=-15)
    with serving(tmp_path) as served:
        assert served.track(gzip.compress(body), Content_Encoding="gzip") == 200
        assert served.track(zlib.compress(body), Content_Encoding="deflate") == 200
        assert served.track(bare.compress(body) + bare.flush(), Content_Encoding="deflate") == 200
        assert served.track(b"\xef\xbb\xbf" + json.dumps(EVENT, indent=2).encode()) == 200
        kept = served.lines()

    assert [line["body"] for line in kept] == [EVENT] * 4


def test_digits_and_signs_of_a_body_stay_as_they_were(tmp_path: Path) -> None:
    body = '{"event": "Grüße 🎁\\u2028", "value": 12.10000000000000000001, "n": 123456789012345678901}'
    with serving(tmp_path) as served:
        assert served.track(body.encode()) == 200

    assert body.encode() in next(tmp_path.glob("*.ndjson")).read_bytes()


# --- Rates, addresses, life -------------------------------------------------------------------------------
def test_a_bucket_holds_two_seconds_and_fills_at_its_rate() -> None:
    bucket = Bucket(10, 0.0)

    assert [bucket.take(0.0) for _ in range(21)] == [0] * 20 + [1]
    assert bucket.take(0.1) == 0
    assert bucket.take(0.1) == 1
    assert [bucket.take(50.0) for _ in range(21)] == [0] * 20 + [1]
    assert Bucket(1, 0.0).take(0.0) == 0


def test_one_key_that_sends_too_much_does_not_slow_another(tmp_path: Path) -> None:
    few = [Intake(name, CollectorFetch("json", rate=1)) for name in ("a", "b")]
    with serving(tmp_path, *few) as served:
        given = [served.post("/in/a", {}, X_Write_Key=f"{KEY}/a") for _ in range(4)]
        answer = served.send(request("POST", "/in/a", b"{}", X_Write_Key=f"{KEY}/a"))

        assert given == [200, 200, 429, 429]
        assert b"retry-after: 1\r\n" in answer
        assert served.post("/in/b", {}, X_Write_Key=f"{KEY}/b") == 200


@pytest.mark.parametrize(
    ("kept", "proxy", "header", "expected"),
    [
        ("none", True, "203.0.113.77", None),
        ("full", False, "203.0.113.77", "127.0.0.1"),
        ("full", True, "6.6.6.6, 203.0.113.77", "203.0.113.77"),
        ("short", True, "203.0.113.77", "203.0.113.0"),
        ("short", True, "2001:db8:1234:5678::9", "2001:db8:1234::"),
        ("full", True, "no address", None),
    ],
)
def test_of_an_address_only_what_is_declared_is_kept(
    tmp_path: Path, kept: str, proxy: bool, header: str, expected: str | None
) -> None:
    with serving(tmp_path, Intake("web", CollectorFetch("segment", address=kept)), trusts_proxy=proxy) as served:
        assert served.track(X_Forwarded_For=header) == 200
        assert served.lines()[0].get("ip") == expected


def test_metrics_are_read_by_prometheus_own_parser(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        served.track()
        served.post("/v1/track", EVENT)
        text = served.send(request("GET", "/metrics")).partition(b"\r\n\r\n")[2].decode()

    samples = {(one.name, *one.labels.values()): one.value
               for family in text_string_to_metric_families(text) for one in family.samples}  # fmt: skip
    assert samples["segctl_collector_accepted_requests_total", "web", "of_web"] == 1
    assert samples["segctl_collector_refused_requests_total", "401", "key"] == 1
    assert samples["segctl_collector_commit_seconds_count",] == 1


def test_health_tells_of_a_disk_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from segctl.connectors.collector import journal

    with serving(tmp_path) as served:
        assert status(served.send(request("GET", "/health"))) == 200
        monkeypatch.setattr(journal.os, "fdatasync", lambda handle: (_ for _ in ()).throw(OSError(28, "full")))
        answer = served.send(request("POST", "/v1/track", json.dumps(EVENT).encode(), X_Write_Key=f"{KEY}/web"))
        assert (status(answer), b"retry-after: 30\r\n" in answer) == (503, True)
        assert status(served.send(request("GET", "/health"))) == 503
        monkeypatch.undo()
        assert served.track() == 200
        assert status(served.send(request("GET", "/health"))) == 200


def test_requests_in_one_go_are_answered_in_order(tmp_path: Path) -> None:
    good = request("POST", "/v1/track", json.dumps(EVENT).encode(), X_Write_Key=f"{KEY}/web")
    bad = request("POST", "/v1/track", b"{", X_Write_Key=f"{KEY}/web")
    with serving(tmp_path) as served, socket.create_connection(("127.0.0.1", served.port), timeout=5) as link:
        link.sendall(good + bad + good + request("GET", "/health", Connection="close"))
        got = b""
        while piece := link.recv(65_536):
            got += piece

    assert [int(part[:3]) for part in got.split(b"HTTP/1.1 ")[1:]] == [200, 400, 200, 200]


def test_a_client_that_closes_its_half_still_hears_the_answer(tmp_path: Path) -> None:
    good = request("POST", "/v1/track", json.dumps(EVENT).encode(), X_Write_Key=f"{KEY}/web")
    with serving(tmp_path) as served:
        assert status(served.send(good, half_close=True)) == 200


def test_the_end_waits_for_a_request_that_began_and_takes_no_new_ones(tmp_path: Path) -> None:
    good = request("POST", "/v1/track", json.dumps(EVENT).encode(), X_Write_Key=f"{KEY}/web")
    with serving(tmp_path) as served:
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as link:
            link.sendall(good[:-10])
            while served.metrics.connections < 1:
                time.sleep(0.005)
            time.sleep(0.05)
            ending = threading.Thread(target=served.stop)
            ending.start()
            while not served.server.is_stopping:
                time.sleep(0.005)
            link.sendall(good[-10:])
            answer = link.recv(1000)
            ending.join(5)
        with pytest.raises(ConnectionError):
            socket.create_connection(("127.0.0.1", served.port), timeout=1)

    assert status(answer) == 200
    assert b"connection: close" in answer
    assert len(served.lines()) == 1


def test_what_is_forged_uses_up_nothing_of_the_senders_rate(tmp_path: Path) -> None:
    hook = Intake("pay", CollectorFetch("stripe", rate=1, remember_s=100.0), STRIPE)
    now = time.time()
    with serving(tmp_path, hook, remember_s=100.0) as served:
        forged = [served.post("/hooks/pay", b"{}", Stripe_Signature=f"t={int(now)},v1=00") for _ in range(20)]

        assert set(forged) == {401}
        assert served.post("/hooks/pay", b"{}", **stripe(b"{}", now)) == 200


def test_one_webhook_that_goes_to_two_sources_is_stored_for_both(tmp_path: Path) -> None:
    hooks = [Intake(name, CollectorFetch("stripe", remember_s=100.0), STRIPE) for name in ("a", "b")]
    with serving(tmp_path, *hooks, remember_s=100.0) as served:
        signed = stripe(b"{}", time.time())

        assert [served.post(f"/hooks/{name}", b"{}", **signed) for name in ("a", "b", "a", "b")] == [200] * 4
        assert [line["source"] for line in served.lines()] == ["a", "b"]


def test_a_repetition_that_comes_before_the_first_is_on_disk_is_not_said_to_be_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segctl.connectors.collector import journal

    waits, sync = threading.Event(), journal.os.fdatasync
    monkeypatch.setattr(journal.os, "fdatasync", lambda handle: (waits.wait(5), sync(handle)))
    hook = Intake("pay", CollectorFetch("stripe", remember_s=100.0), STRIPE)
    with serving(tmp_path, hook, remember_s=100.0) as served:
        signed = stripe(b"{}", time.time())
        first: list[int] = []
        sending = threading.Thread(target=lambda: first.append(served.post("/hooks/pay", b"{}", **signed)))
        sending.start()
        while not served.server.desk.pending:
            time.sleep(0.002)
        second = served.post("/hooks/pay", b"{}", **signed)
        waits.set()
        sending.join(5)

        assert (first, second) == ([200], 503)
        assert served.post("/hooks/pay", b"{}", **signed) == 200
        assert len(served.lines()) == 1


def test_bodies_take_no_more_memory_together_than_they_may(tmp_path: Path) -> None:
    bounds = Bounds(body_bytes=30_000, held_bytes=25_000)
    half = request("POST", "/v1/track", b"a" * 15_000, X_Write_Key=f"{KEY}/web", Content_Length="20000")
    half = half.replace(b"Content-Length: 15000\r\n", b"")
    with serving(tmp_path, bounds=bounds) as served:
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as link:
            link.sendall(half)
            while served.server.held_bytes < 15_000:
                time.sleep(0.002)
            assert status(served.send(half)) == 503
            assert served.track() == 200
        while served.server.held_bytes:
            time.sleep(0.002)


def test_a_key_in_the_body_is_found_and_taken_out(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        assert served.post("/v1/t", {**EVENT, "writeKey": f"{KEY}/web"}) == 200
        assert served.post("/v1/t", {**EVENT, "writeKey": 5}) == 401
        assert served.post("/v1/t", {**EVENT, "context": {"writeKey": f"{KEY}/web"}}) == 401
        assert served.post("/v1/t", b"not even JSON, but no key either") == 401
        kept = served.lines()

    assert [line["body"] for line in kept] == [EVENT]


def test_a_key_in_the_messages_of_a_batch_is_taken_out_of_each(tmp_path: Path) -> None:
    mine = f"{KEY}/web"
    batch = {"batch": [{**EVENT, "type": "track", "writeKey": mine}, 7, {**EVENT, "type": "page"}]}
    with serving(tmp_path) as served:
        assert served.post("/v1/batch", {**batch, "writeKey": mine}) == 200
        assert served.post("/v1/batch", batch, X_Write_Key=mine) == 200

        assert [line["body"]["batch"] for line in served.lines()] == [
            [{**EVENT, "type": "track"}, 7, {**EVENT, "type": "page"}]
        ] * 2
    assert all(mine.encode() not in path.read_bytes() for path in tmp_path.iterdir())


# --- What else stands in and after a head -------------------------------------------------------------------
UPGRADE = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2_Settings": "AAMAAABkAAQCAAAA"}


@pytest.mark.parametrize("size", [1, 40, 3_000])
def test_a_wish_for_another_protocol_is_passed_over_and_the_body_is_read(tmp_path: Path, size: int) -> None:
    body = json.dumps({**EVENT, "more": "ä" * size}).encode()
    wishing = request("POST", "/v1/track", body, X_Write_Key=f"{KEY}/web", **UPGRADE)
    chunks = wishing.replace(b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked")
    chunks = chunks.replace(body, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))

    with serving(tmp_path) as served:
        assert status(served.send(wishing)) == 200
        assert status(served.send(chunks)) == 200
        assert status(served.send(request("POST", "/v1/track", body, **UPGRADE))) == 401
        # What follows in the same connection is a request of its own.
        with socket.create_connection(("127.0.0.1", served.port), timeout=3) as link:
            link.sendall(wishing + wishing + request("GET", "/health", Connection="close"))
            said = b""
            while piece := link.recv(65_536):
                said += piece

        assert said.count(b"HTTP/1.1 200 OK") == 3
        assert [line["body"]["more"] for line in served.lines()] == ["ä" * size] * 4


def test_what_stands_behind_the_body_is_no_header(tmp_path: Path) -> None:
    body = json.dumps(EVENT).encode()
    head = request("POST", "/v1/track", X_Write_Key=f"{KEY}/web", Content_Length="", Transfer_Encoding="chunked")
    trailers = b"X-Forwarded-For: 6.6.6.6\r\nContent-Encoding: gzip\r\nX-Write-Key: other\r\n"

    with serving(tmp_path, Intake("web", CollectorFetch("segment", address="full")), trusts_proxy=True) as served:
        answer = served.send(head.rstrip() + b"\r\n\r\n%x\r\n%b\r\n0\r\n%b\r\n" % (len(body), body, trailers))

        assert status(answer) == 200
        assert served.lines()[0]["ip"] == "127.0.0.1"


def test_of_two_lines_of_addresses_the_last_entry_of_the_last_counts(tmp_path: Path) -> None:
    sent = request("POST", "/v1/track", json.dumps(EVENT).encode(), X_Write_Key=f"{KEY}/web",
                   X_Forwarded_For="6.6.6.6")  # fmt: skip
    twice = sent.replace(
        b"X-Forwarded-For: 6.6.6.6\r\n", b"X-Forwarded-For: 6.6.6.6\r\nx-forwarded-for: 203.0.113.7\r\n"
    )

    with serving(tmp_path, Intake("web", CollectorFetch("segment", address="full")), trusts_proxy=True) as served:
        assert status(served.send(twice)) == 200
        assert served.lines()[0]["ip"] == "203.0.113.7"
