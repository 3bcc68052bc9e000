"""`segctl listen` and what `segctl ingest` makes of it, with every protocol in one collector."""

from __future__ import annotations

import base64
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from listening import (
    KEYS,
    SOURCES,
    Collector,
    collecting,
    environment,
    ingested,
    lines,
    run,
    stored,
    write_project,
)

from segctl.connectors.collector.files import collector_folder
from segctl.connectors.collector.lines import head_of, line_of
from segctl.connectors.collector.seen import write_index
from segctl.model.errors import UsageError
from segctl.operations import listen as listen_module
from segctl.operations.ingest.ingest import open_for_ingest, sources_of
from segctl.operations.listen import parse_bind
from segctl.operations.listen_files import forget_collected

TRACK = {"userId": "u1", "event": "Product Viewed", "messageId": "m1", "timestamp": "2026-11-22T12:00:00.000Z",
         "properties": {"product_id": "p1", "price": 12.5}}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("live") / "p")


@pytest.fixture(scope="module")
def collector(root: Path) -> Iterator[Collector]:
    with collecting(root) as running:
        yield running


def basic(key: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{KEYS[key]}:".encode()).decode()}


def test_messages_of_every_type_of_segments_are_taken_by_their_own_paths(collector: Collector) -> None:
    who = {"userId": "s1", "timestamp": "2026-11-22T10:00:00Z"}
    for kind, more in {
        "track": {"event": "Product Viewed", "properties": {"product_id": "p9", "price": 1}},
        "page": {"name": "Home", "properties": {"path": "/"}},
        "screen": {"name": "Start"},
        "group": {"groupId": "g1", "traits": {"name": "Acme"}},
        "identify": {"traits": {"email": "s1@example.com", "plan": "pro"}},
        "alias": {"previousId": "before"},
    }.items():
        body = {**who, **more, "messageId": f"s1-{kind}"}
        assert collector.post(f"/v1/{kind}", body, **basic("SHOP_KEY")) == 200
    assert collector.post("/v1/p", {**who, "messageId": "s1-p", "writeKey": KEYS["SHOP_KEY"]}) == 200
    assert collector.post("/v1/batch", {"batch": [TRACK]}, X_Write_Key=KEYS["SHOP_KEY"]) == 200
    assert collector.post(f"/k/{KEYS['SHOP_KEY']}/v1/track", TRACK) == 200


def test_a_secret_in_a_body_is_not_kept(collector: Collector, root: Path) -> None:
    body = {**TRACK, "messageId": "m-browser", "writeKey": KEYS["SHOP_KEY"]}

    assert collector.post("/v1/t", body, Origin="https://shop.example") == 200

    assert KEYS["SHOP_KEY"] not in (root / ".segctl").rglob("collector/*.ndjson").__next__().read_text("utf-8")


def test_measurement_protocol_snowplow_gtm_and_tealium_are_taken(collector: Collector) -> None:
    ga4 = {"client_id": "c1", "timestamp_micros": "1795348800000000",
           "events": [{"name": "purchase", "params": {"transaction_id": "t1", "value": 9.5}}]}  # fmt: skip
    assert collector.post(f"/mp/collect?measurement_id=G-1&api_secret={KEYS['GA_SECRET']}", ga4) == 204
    event = {"schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0",
             "data": {"schema": "iglu:com.shop/signed_up/jsonschema/1-0-0", "data": {"form": "x"}}}  # fmt: skip
    payload = {"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": [
        {"e": "pv", "url": "https://shop.example/a?utm_source=mail", "page": "A", "p": "web", "tv": "js-4", "eid": "e1",
         "duid": "d1", "dtm": "1795348800000", "stm": "1795348800500"},
        {"e": "ue", "ue_pr": json.dumps(event), "p": "web", "tv": "js-4", "eid": "e2", "uid": "u2",
         "dtm": "1795348800000"},
    ]}  # fmt: skip
    place = f"/k/{KEYS['SNOW_KEY']}"
    assert collector.post(f"{place}/com.snowplowanalytics.snowplow/tp2", payload) == 200
    pixel = collector.ask("GET", f"{place}/i?e=pv&url=https%3A%2F%2Fshop.example%2Fb&p=web&tv=js-4&eid=e3&duid=d2")
    assert (pixel.status, pixel.headers["content-type"]) == (200, "image/gif")
    gtm = {"event_name": "page_view", "client_id": "c2", "page_location": "https://shop.example/gtm"}
    assert collector.post("/gtm", gtm, Authorization=f"Bearer {KEYS['GTM_KEY']}") == 200
    tealium = {"tealium_event": "purchase", "tealium_visitor_id": "v1", "customer_id": "u3", "order_id": "T9",
               "order_total": "20.50", "customer_email": "t@example.com", "product_id": ["a", "b"],
               "tealium_timestamp_epoch": 1795348800}  # fmt: skip
    assert collector.post(f"/k/{KEYS['TEALIUM_KEY']}/event", tealium) == 204
    bundle = {
        "shared": {"tealium_visitor_id": "v2"},
        "events": [{"tealium_event": "view", "page_url": "https://a.b/c"}],
    }
    assert collector.post(f"/k/{KEYS['TEALIUM_KEY']}/bulk-event", bundle) == 204


def test_any_json_is_mapped_as_declared_and_slowed_down_at_its_rate(collector: Collector) -> None:
    body = [{"submission": 7, "form": "newsletter", "person": {"id": "f1"}}]

    given = [collector.post("/in/forms", body, Authorization=f"Bearer {KEYS['FORM_KEY']}") for _ in range(8)]

    # Three a second, and twice that at once.
    assert given[:6] == [200] * 6
    assert 429 in given


def test_signed_webhooks_are_taken_once_and_forged_ones_never(collector: Collector) -> None:
    def sent(path: str, body: bytes, **headers: str) -> list[int]:
        return [collector.post(path, body, **headers), collector.post(path, body, **headers),
                collector.post(path, body + b" ", **headers)]  # fmt: skip

    now = int(time.time())
    stripe = json.dumps({"id": "evt_1", "type": "charge.succeeded", "created": now,
                         "data": {"object": {"customer": "u1", "amount": 500}}}).encode()  # fmt: skip
    right = hmac.new(KEYS["STRIPE_SECRET"].encode(), f"{now}.".encode() + stripe, sha256).hexdigest()
    assert sent("/hooks/payments", stripe, Stripe_Signature=f"t={now},v1={right}") == [200, 200, 401]

    shopify = json.dumps({"id": 5, "created_at": "2026-11-22T10:00:00Z", "total_price": "7.00",
                          "customer": {"id": 9}}).encode()  # fmt: skip
    right = base64.b64encode(hmac.digest(KEYS["SHOPIFY_SECRET"].encode(), shopify, "sha256")).decode()
    named = {"X_Shopify_Hmac_Sha256": right, "X_Shopify_Topic": "orders/create"}
    assert sent("/hooks/shopify", shopify, **named) == [200, 200, 401]

    hubspot = json.dumps([{"eventId": 1, "objectId": 3, "occurredAt": now * 1000, "subscriptionType": "x"}]).encode()
    base = b"POSThttps://t.shop.example/hooks/crm" + hubspot + str(now * 1000).encode()
    right = base64.b64encode(hmac.digest(KEYS["HUBSPOT_SECRET"].encode(), base, "sha256")).decode()
    named = {"X_HubSpot_Signature_v3": right, "X_HubSpot_Request_Timestamp": str(now * 1000)}
    assert sent("/hooks/crm", hubspot, **named) == [200, 200, 401]

    svix = json.dumps({"type": "user.created", "timestamp": "2026-11-22T10:00:00Z", "data": {"user": "u7"}}).encode()
    key = base64.b64decode(KEYS["SVIX_SECRET"].removeprefix("whsec_"))
    right = base64.b64encode(hmac.digest(key, f"msg_1.{now}.".encode() + svix, "sha256")).decode()
    named = {"Webhook_Id": "msg_1", "Webhook_Timestamp": str(now), "Webhook_Signature": f"v2,no v1,{right}"}
    assert sent("/hooks/svix", svix, **named) == [200, 200, 401]


def test_all_of_it_becomes_events_and_profiles_once(collector: Collector, root: Path) -> None:
    before = len(lines(root))
    # The same message again, as a library does that has heard no answer.
    for _ in range(3):
        assert collector.post("/v1/track", TRACK, **basic("SHOP_KEY")) == 200

    found = ingested(root)

    assert found == ingested(root)
    assert found == {
        "page_viewed": 6, "screen_viewed": 1, "group_joined": 1, "product_viewed": 3, "order_completed": 3,
        "signed_up": 4, "payment": 1,
    }  # fmt: skip
    assert len(lines(root)) == before + 3
    assert "s1@example.com" in run(root, "profile", "s1", "--show-personal").stdout
    payment = run(root, "profile", "u1", "--json", "--show-personal").stdout
    assert "charge.succeeded" in payment


def test_a_key_that_is_made_and_removed_is_learned_by_a_running_collector(collector: Collector, root: Path) -> None:
    made = json.loads(run(root, "listen", "keys", "add", "app_two", "--source", "web", "--json").stdout)["data"][0]

    def becomes(wanted: int) -> bool:
        until = time.monotonic() + 8
        while time.monotonic() < until:
            if collector.post("/v1/track", TRACK, X_Write_Key=made["key"]) == wanted:
                return True
            time.sleep(0.1)
        return False

    assert becomes(200)
    database = (root / ".segctl").rglob("state.db*")
    assert all(made["key"].encode() not in path.read_bytes() for path in database)
    assert run(root, "listen", "keys", "rm", "app_two").returncode == 0
    assert becomes(401)


def test_a_second_collector_in_the_same_workspace_is_refused(collector: Collector, root: Path) -> None:
    second = run(root, "listen", "--bind", "127.0.0.1:0")

    assert (second.returncode, "SEG604" in second.stderr) == (75, True)


def test_its_end_is_orderly_and_counted(collector: Collector, root: Path) -> None:
    metrics = collector.ask("GET", "/metrics").text.decode()
    said = collector.stop()

    assert 'segctl_collector_accepted_requests_total{source="payments",key="signed"} 1' in metrics
    assert sum(row["requests"] for row in said["data"]) == len(lines(root))
    assert said["facts"]["repeated"] == 4
    assert {row["reason"] for row in said["sections"]["refused"]} >= {"signature", "rate", "key"}


def test_after_a_kill_a_signed_request_is_still_known(collector: Collector, root: Path) -> None:
    now = int(time.time())
    body = json.dumps({"id": "evt_1", "type": "a", "created": now, "data": {"object": {"customer": "u1"}}}).encode()
    right = hmac.new(KEYS["STRIPE_SECRET"].encode(), f"{now}.".encode() + body, sha256).hexdigest()
    named = {"Stripe_Signature": f"t={now},v1={right}"}
    with collecting(root) as first:
        assert first.post("/hooks/payments", body, **named) == 200
        first.kill()
    before = len(lines(root))

    with collecting(root) as second:
        assert second.post("/hooks/payments", body, **named) == 200
        assert second.stop()["facts"]["repeated"] == 1

    assert len(lines(root)) == before


def test_files_go_when_they_are_old_and_read(collector: Collector, root: Path) -> None:
    ingested(root)
    later = datetime.now(UTC) + timedelta(days=40)
    files = sorted((root / ".segctl").rglob("collector/*.ndjson"))
    os.environ.update(KEYS)
    with open_for_ingest(root) as (project, workspace):
        sources = sources_of(project)
        # A stream has read as far as an ingest; a source that nobody has read keeps everything.
        with workspace.transaction() as db:
            cursor = db.execute("SELECT cursor FROM bookmarks WHERE source = 'web'").fetchone()[0]
            db.execute("DELETE FROM bookmarks WHERE source = 'web'")
        assert forget_collected(project, workspace, sources, now=later) == 0
        with workspace.transaction() as db:
            db.execute("INSERT INTO stream_positions VALUES ('collector:web', ?, NULL, 0)", (cursor,))
        assert forget_collected(project, workspace, sources, now=datetime.now(UTC)) == 0
        gone = forget_collected(project, workspace, sources, now=later)

    assert gone == len(files) - 1
    assert [path.exists() for path in files] == [*([False] * gone), True]
    # The same payment was signed anew and sent again.
    assert stored(root)["payment"] == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8087", ("127.0.0.1", 8087)), (":9", ("127.0.0.1", 9)), ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::1]:80", ("::1", 80)), ("localhost:1", ("localhost", 1)),
    ],
)  # fmt: skip
def test_an_address_is_read(text: str, expected: tuple[str, int]) -> None:
    found = parse_bind(text)

    assert (found.host, found.port) == expected
    assert found.is_near


@pytest.mark.parametrize("text", ["", "a", "a:b", "a:70000", "::1:80", "1.2.3.4:80:1", "a:-1", "a:٣"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        parse_bind(text)


def test_an_address_of_the_network_is_not_near() -> None:
    assert not any(parse_bind(text).is_near for text in ("0.0.0.0:1", "[::]:1", "203.0.113.9:1", "example.com:1"))


def test_without_the_package_of_the_server_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httptools", None)

    with pytest.raises(UsageError) as refused:
        listen_module._need_server()

    assert (refused.value.code, refused.value.hint) == ("SEG640", "pip install 'segctl[live]'")


def test_help_and_keys_load_no_server(root: Path) -> None:
    program = (
        "import sys; from segctl.cli.main import main; main();"
        "sys.stderr.write(str({'httptools', 'uvloop', 'asyncio'} & set(sys.modules)))"
    )
    for words in (["--help"], ["keys", "ls"]):
        command = [sys.executable, "-c", program, "listen", *words]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, env=environment(), check=False)

        assert done.stderr == "set()"


def test_a_key_that_stands_for_two_sources_is_refused(tmp_path: Path) -> None:
    twice = write_project(tmp_path / "p", ("web", "forms"))
    (twice / "sources" / "forms.yaml").write_text("source: forms\n" + SOURCES["forms"].replace("FORM_KEY", "SHOP_KEY"))

    done = run(twice, "listen")

    assert (done.returncode, "SEG644" in done.stderr) == (2, True)
    assert KEYS["SHOP_KEY"] not in done.stderr


def test_without_a_source_there_is_nothing_to_listen_for(tmp_path: Path) -> None:
    done = run(write_project(tmp_path / "p", ()), "listen")

    assert (done.returncode, "SEG641" in done.stderr) == (2, True)


def test_a_time_limit_ends_it_in_order(tmp_path: Path) -> None:
    done = run(write_project(tmp_path / "p", ("web",)), "listen", "--bind", "127.0.0.1:0", "--timeout", "3s")

    assert (done.returncode, "SEG110" in done.stderr) == (75, True)
    assert "listening at" in done.stderr


@pytest.mark.parametrize("name", ["svix", "payments"])
def test_a_secret_that_is_only_its_beginning_is_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(KEYS, "SVIX_SECRET", "whsec_")
    monkeypatch.setitem(KEYS, "STRIPE_SECRET", "whsec_")

    done = run(write_project(tmp_path / "p", (name,)), "listen", "--timeout", "60s")

    assert (done.returncode, "SEG371" in done.stderr) == (2, True)


def test_an_index_of_signed_requests_stays_as_long_as_they_are_remembered(tmp_path: Path) -> None:
    root = write_project(tmp_path / "p", ("shopify",))
    now = datetime.now(UTC)
    with open_for_ingest(root) as (project, workspace):
        folder = collector_folder(Path(project.workspace))
        folder.mkdir(parents=True)
        (folder / "2026-11-22T12-000001.ndjson").write_bytes(b"")
        index = folder / "2026-10-01T12-000001.ndjson.seen"
        write_index(index, [])
        for days, stays in ((89, True), (91, False)):
            forget_collected(project, workspace, sources_of(project), now=now + timedelta(days=days))
            assert index.exists() is stays


def test_one_sender_of_nonsense_keeps_nobody_else_out(tmp_path: Path) -> None:
    root = write_project(tmp_path / "p", ("web",))
    written = [line_of(head_of("web", "shop", "segment"), "2026-11-22T12:00:00.000Z", json.dumps(body).encode(),
                       kind="track", id=None) for body in (TRACK, {"event": []})]  # fmt: skip
    with open_for_ingest(root) as (project, _):
        folder = collector_folder(Path(project.workspace))
    folder.mkdir(parents=True)
    (folder / "2026-11-22T12-000001.ndjson").write_bytes(b"".join(written) + b'{"source":"web","key":null,\n')

    assert ingested(root) == {"product_viewed": 1}
    assert json.loads(run(root, "quarantine", "ls", "--json").stdout)["data"][0]["rows"] == 2

    declared = root / "sources" / "web.yaml"
    declared.write_text(declared.read_text("utf-8") + "max_bad_rows: 1 %\n", encoding="utf-8")
    assert run(root, "ingest", "web", "--full").returncode == 3
