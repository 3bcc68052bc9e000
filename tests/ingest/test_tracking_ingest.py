"""Tracking records from a file to stored events and profiles: nothing is lost, and no address of a machine stays."""

from __future__ import annotations

import json
import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest.conftest import NOW, Shop
from ingest.mmdb_writer import write_mmdb

from segctl.compile.project import load_project
from segctl.compile.sources import load_sources
from segctl.connectors.tracking.snowplow import ATOMIC
from segctl.model.errors import UsageError
from segctl.operations.ingest.ingest import SourceResult, chosen_sources, ingest
from segctl.operations.ingest.propose import propose
from segctl.operations.ingest.save import save_proposal
from segctl.state.compaction import compact
from segctl.state.workspace import Workspace

PROJECT = """
segctl: 1
name: web
identifiers:
  user_id: {class: known}
  anonymous_id: {class: anonymous}
traits: {plan: text, points: integer, city: text}
events:
  page_viewed: {properties: {url: text, path: text, country: text, city: text, properties: text}}
  product_viewed: {properties: {product_id: text, price: money}}
  order_completed: {properties: {order_id: text, value: money, country: text}}
  order_item: {properties: {order_id: text, product_id: text, quantity: integer, properties: text}}
  session: {properties: {duration: integer, pages: integer, events: integer, entry_page: text, exit_page: text}}
"""
BODY = "path: web.ndjson\ntracking: segment\nmax_bad_rows: 100 %\n"
IP = "203.0.113.77"


@pytest.fixture
def web(tmp_path: Path) -> Shop:
    """An empty project for tracking records."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "segctl.yaml").write_text(PROJECT, encoding="utf-8")
    return Shop(tmp_path)


def parts(shop: Shop, **options: Any) -> dict[str, SourceResult]:
    """Ingests the source `web` with all its parts."""
    project, _ = load_project(shop.root)
    sources, findings = load_sources(project)
    assert not findings
    shop.calls += 1
    with Workspace.open(Path(project.workspace), create=True) as workspace:
        now = NOW + timedelta(hours=shop.calls)
        found = ingest(project, workspace, chosen_sources(sources, ["web"]), now=now, **options)
    assert not [source.error for source in found.sources if source.error]
    return {source.source: source for source in found.sources}


def lines(*records: Any) -> str:
    return "".join((each if isinstance(each, str) else json.dumps(each)) + "\n" for each in records)


def page(minute: float, who: str = "a", path: str = "/", **more: Any) -> dict[str, Any]:
    time = datetime(2026, 11, 1, 10, tzinfo=UTC) + timedelta(minutes=minute)
    number = f"{who}{minute}{path}"
    return {"type": "page", "anonymousId": who, "messageId": number, "timestamp": time.isoformat(),
            "properties": {"path": path}, **more}  # fmt: skip


def sessions(shop: Shop) -> pl.DataFrame:
    rows = shop.rows("events")
    return rows.filter(pl.col("kind") == "session").sort("who", "ts")


def test_one_declaration_gives_events_and_profiles(web: Shop) -> None:
    web.source("web", BODY)
    order = {"type": "Track", "event": "Purchase", "userId": "u", "anonymousId": "a", "messageId": "o",
             "timestamp": "2026-11-01T10:01:00Z", "properties": {"total": 19.999, "orderId": "A1", "products": [
                 {"product_id": "p1", "quantity": 2}, {"sku": "p2"}]}}  # fmt: skip
    about = {"type": "identify", "userId": "u", "messageId": "i", "timestamp": "2026-11-01T10:02:00Z",
             "traits": {"plan": "pro", "points": 5}}  # fmt: skip
    later = {**about, "messageId": "j", "timestamp": "2026-11-01T10:03:00Z", "traits": {"points": 6}}
    web.file("web.ndjson", lines(page(0), order, about, later, {**order, "event": "Spin", "messageId": "s"}))

    found = parts(web)

    assert found["web"].by_kind == {"order_completed": 1, "order_item": 2, "page_viewed": 1}
    assert (found["web"].skipped, found["web"].kinds_skipped) == (1, {"spin": 1})
    stored = web.rows("events").filter(pl.col("kind") == "order_completed").row(0, named=True)
    assert (stored["who"], stored["value:n2"], stored["order_id:t"], stored["line"]) == ("u", 2000, "A1", 2)
    records = web.rows("records/web/identify").sort("valid_from")
    # A statement about points leaves the plan as it was.
    assert records["plan:t"].to_list() == ["pro", "pro"]
    assert records["points:i"].to_list() == [5, 6]


def test_own_names_and_paths(web: Shop) -> None:
    web.source("web", BODY + "events: {Spin Result: product_viewed}\n"
               "properties: {product_id: wheel, price: record.context.price, path: {column: record.context.screen}}\n"
               "profiles: none\n")  # fmt: skip
    spin = {"type": "track", "event": "Spin Result", "anonymousId": "a", "timestamp": "2026-11-01",
            "properties": {"wheel": "w7"}, "context": {"price": "3.5"}}  # fmt: skip
    web.file("web.ndjson", lines(spin))

    found = parts(web)

    assert list(found) == ["web"]
    row = web.rows("events").filter(pl.col("kind") == "product_viewed").row(0, named=True)
    assert (row["product_id:t"], row["price:n2"]) == ("w7", 350)


def test_quarantine_has_the_whole_record_without_the_address(web: Shop) -> None:
    web.source("web", BODY)
    bad = {"type": "track", "event": "Order Completed", "anonymousId": "a", "timestamp": "2026-11-01", "own": 1,
           "context": {"ip": IP}, "properties": {"value": f"from {IP}"}}  # fmt: skip
    web.file("web.ndjson", lines(bad, {**bad, "timestamp": "?"}, f'{{"type": "page", "ip": "{IP}"'))

    found = parts(web)["web"]

    rows = web.rows("quarantine/web").sort("line")
    assert (found.read, found.bad) == (3, 3)
    assert json.loads(rows["raw"][0])["own"] == 1
    assert [reason["reason"] for row in rows["reasons"] for reason in row][:2] == [
        "`value`: it does not fit", "the event says no time that can be read",
    ]  # fmt: skip
    assert IP not in str(rows["raw"].to_list()) + str(rows["reasons"].to_list())


@pytest.mark.parametrize("geo", [True, False])
def test_an_address_becomes_a_region_and_stays_nowhere(web: Shop, geo: bool) -> None:
    place = {"country": {"iso_code": "DE"}, "city": {"names": {"en": "Ulm", "de": "Ulm"}}}
    write_mmdb(web.root / "cities.mmdb", {"203.0.113.0/24": place, "2001:db8::/32": {"country": {"iso_code": "AT"}}})
    web.source("web", BODY + ("geo: {mmdb: cities.mmdb}\nprofiles: {city: city, plan: plan}\n" if geo else ""))
    context = {"context": {"ip": IP, "page": {"url": "https://x.de/"}}}
    six = page(1, context={"ip": "2001:db8::7"})
    six["properties"] |= {"deep": {"client_ip": IP, "seen": f"by {IP}"}, "ip": IP}
    about = {"type": "identify", "userId": "u", "timestamp": "2026-11-01", "request_ip": IP, "traits": {"plan": "p"}}
    web.file("web.ndjson", lines({**page(0), **context}, six, {**about, **context}, {**page(0), "timestamp": "x",
             **context}))  # fmt: skip

    parts(web)

    rows = web.rows("events").filter(pl.col("kind") == "page_viewed").sort("ts")
    assert rows["country:t"].to_list() == (["DE", "AT"] if geo else [None, None])
    assert rows["city:t"].to_list() == (["Ulm", None] if geo else [None, None])
    assert web.rows("records/web/identify")["city:t"].to_list() == (["Ulm"] if geo else [None])
    kept = [file for file in web.root.glob(".segctl/**/*") if file.is_file()]
    tables = [str(pl.read_parquet(file).to_dicts()) for file in kept if file.suffix == ".parquet"]
    assert tables
    for content in (*tables, *(file.read_bytes().decode("latin-1") for file in kept)):
        assert IP not in content
        assert "2001:db8::7" not in content


def test_an_address_that_is_mapped_by_name_is_kept(web: Shop) -> None:
    (web.root / "segctl.yaml").write_text(PROJECT.replace("{url: text,", "{ip: text, url: text,"), encoding="utf-8")
    record = {**page(0), "context": {"ip": IP}}
    web.file("web.ndjson", lines(record))
    web.source("web", BODY)
    parts(web)
    assert "ip:t" not in web.rows("events").columns

    web.source("web", BODY + "properties: {ip: ip}\n")
    parts(web)

    assert IP in web.rows("events")["ip:t"].to_list()


def test_a_missing_file_of_regions_is_named(web: Shop) -> None:
    web.source("web", BODY + "geo: {mmdb: nowhere.mmdb}\n")
    web.file("web.ndjson", lines(page(0)))

    error = web.ingest("web").error

    assert error is not None
    assert error.code == "SEG396"


def test_sessions_end_with_a_pause_and_follow_a_device_through_its_login(web: Shop) -> None:
    web.source("web", BODY)
    login = {"userId": "u"}
    web.file("web.ndjson", lines(page(0, path="/in"), page(10, path="/b", **login), page(39, path="/out"),
                                 page(70, path="/again"), page(0, who="b")))  # fmt: skip

    assert parts(web)["web"].sessions == 3

    rows = sessions(web).select("who", "duration:i", "pages:i", "events:i", "entry_page:t", "exit_page:t").rows()
    assert rows == [("a", 0, 1, 1, "/again", "/again"), ("b", 0, 1, 1, "/", "/"), ("u", 2340, 3, 3, "/in", "/out")]


def test_late_events_prolong_join_and_move_sessions(web: Shop) -> None:
    web.source("web", BODY.replace("web.ndjson", "web*.ndjson"))
    web.file("web1.ndjson", lines(page(0, path="/a"), page(60, path="/c"), page(500)))
    assert parts(web)["web"].sessions == 3
    before = sessions(web)["event_id"].to_list()

    web.file("web2.ndjson", lines(page(30, path="/b")))
    assert parts(web)["web"].sessions == 1
    joined = sessions(web)
    web.file("web3.ndjson", lines(page(-5, path="/first")))
    parts(web)

    assert joined["duration:i"].to_list() == [3600, 0]
    # The session that begins with the same event keeps its id; the one that was swallowed is gone.
    assert joined["event_id"].to_list() == [before[0], before[2]]
    moved = sessions(web)
    assert moved["entry_page:t"].to_list() == ["/first", "/"]
    assert moved["duration:i"].to_list() == [3900, 0]


def test_the_same_file_again_changes_no_session(web: Shop) -> None:
    web.source("web", BODY.replace("web.ndjson", "web*.ndjson"))
    web.file("web1.ndjson", lines(page(0), page(5)))
    parts(web)
    before = sessions(web)

    web.file("web2.ndjson", lines(page(5), page(0)))
    found = parts(web)["web"]

    assert (found.new, found.duplicates, found.sessions) == (0, 2, 0)
    assert sessions(web).equals(before)


def test_another_gap_computes_all_sessions_anew(web: Shop) -> None:
    web.source("web", BODY)
    web.file("web.ndjson", lines(page(0), page(20), page(40)))
    parts(web)

    web.source("web", BODY + "sessions: 15 minutes\n")
    parts(web)

    assert sessions(web)["duration:i"].to_list() == [0, 0, 0]


def by_hand(minutes: list[tuple[str, int]], gap: int) -> list[tuple[str, int, int, int]]:
    """(visitor, first minute, seconds, events) of each session, by a plain loop."""
    found: list[list[Any]] = []
    for who, minute in sorted(minutes):
        if found and found[-1][0] == who and minute - found[-1][2] <= gap:
            found[-1][2] = minute
            found[-1][3] += 1
        else:
            found.append([who, minute, minute, 1])
    return [(who, first, (last - first) * 60, events) for who, first, last, events in found]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 300)), min_size=1, max_size=25, unique=True),
       st.integers(0, 2**31))  # fmt: skip
def test_any_order_of_files_gives_the_sessions_of_all_events(tmp_path_factory, events, seed) -> None:
    root = tmp_path_factory.mktemp("web")
    (root / "sources").mkdir()
    (root / "segctl.yaml").write_text(PROJECT, encoding="utf-8")
    web = Shop(root)
    web.source("web", BODY.replace("web.ndjson", "web*.ndjson"))
    shuffled = random.Random(seed).sample(events, len(events))
    for number, at in enumerate(range(0, len(shuffled), 9)):
        part = shuffled[at : at + 9]
        web.file(f"web{number}.ndjson", lines(*(page(minute, who) for who, minute in part)))
        parts(web)

    start = datetime(2026, 11, 1, 10, tzinfo=UTC)
    rows = sessions(web).select("who", "ts", "duration:i", "events:i").rows()
    found = [(who, (ts - start) // timedelta(minutes=1), seconds, count) for who, ts, seconds, count in rows]
    assert found == by_hand(events, 30)


TIMES = st.sampled_from(["2026-11-01T10:00:00Z", 1793527200, "NOW", None, ""])
IDS = st.sampled_from(["u1", "u2", "", None, 7])
RECORDS = st.one_of(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["track", "Track", "page", "screen", "identify", "alias", "group", "x", None])},
        optional={
            "event": st.sampled_from(["Purchase", "Product Viewed", "Other", "", None, {"name": "Page"}]),
            "userId": IDS, "anonymousId": IDS, "previousId": IDS, "timestamp": TIMES, "sentAt": TIMES,
            "messageId": st.sampled_from(["m1", "m2", "m3", None]),
            "properties": st.sampled_from([{}, {"price": "12,x"}, {"value": 5}, [], "x", {"products": [{"id": 1}]}]),
            "traits": st.sampled_from([{}, {"points": "many"}, {"plan": "pro"}, []]),
        },
    ),
    st.sampled_from(['{"broken', "[]", "5", '{"a": 1, "a": 2}']),
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(RECORDS, max_size=30), st.sampled_from([1, 7, 500]))
def test_no_record_is_lost(tmp_path_factory, records, batch_rows) -> None:
    """Every line ends in exactly one part, and there in exactly one number."""
    root = tmp_path_factory.mktemp("web")
    (root / "sources").mkdir()
    (root / "segctl.yaml").write_text(re.sub(r"  order_item.*\n", "", PROJECT), encoding="utf-8")
    web = Shop(root)
    web.source("web", BODY)
    web.file("web.ndjson", lines(*records))

    found = parts(web, batch_rows=batch_rows)

    ends = ("new", "duplicates", "conflicts", "bad", "unclaimed", "skipped")
    for source in found.values():
        assert source.read == sum(getattr(source, name) for name in ends)
    assert sum(source.read for source in found.values()) == len(records)
    stored = web.rows("events")
    events = 0 if stored.is_empty() else stored.filter(pl.col("kind") != "session").height
    assert events == found["web"].new
    for name, source in found.items():
        assert web.rows(f"quarantine/{name}").height == source.bad


def test_a_proposal_declares_what_the_records_hold(web: Shop) -> None:
    (web.root / "segctl.yaml").write_text("segctl: 1\nname: web\n", encoding="utf-8")
    spin = {"type": "track", "event": "Spin Result", "anonymousId": "a", "timestamp": "2026-11-01T10:00:00Z",
            "properties": {"winAmount": 5, "wheel_id": "7", "source": "x"}}  # fmt: skip
    about = {"type": "identify", "userId": "u", "timestamp": "2026-11-01T10:00:00Z", "traits": {"email": "a@x.de"}}
    web.file("web.ndjson", lines(page(0), spin, about))
    project, _ = load_project(web.root)

    proposal = propose(project, "web.ndjson", "tracking")

    assert proposal.yaml == "source: web\npath: web.ndjson\ntracking: segment\nmax_bad_rows: 1 %\n"
    assert proposal.events == {
        "page_viewed": {"path": "text"},
        "spin_result": {"win_amount": "integer", "wheel_id": "text"},
        "session": {"duration": "integer", "pages": "integer", "events": "integer", "entry_page": "text"},
    }
    assert proposal.traits == {"email": "text"}
    said, is_complete = save_proposal(project, proposal)
    assert is_complete, said
    found = parts(web)
    assert (found["web"].new, found["web"].skipped, found["web/identify"].new) == (2, 0, 1)


def test_files_without_a_known_shape_get_no_proposal(web: Shop) -> None:
    web.file("web.ndjson", lines({"a": 1}))
    project, _ = load_project(web.root)

    with pytest.raises(UsageError, match="no tracking records"):
        propose(project, "web.ndjson", "tracking")


def test_the_tsv_of_the_snowplow_pipeline(web: Shop) -> None:
    schema = "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0"
    action = {"schema": "iglu:com.snowplowanalytics.snowplow.ecommerce/snowplow_ecommerce_action/jsonschema/1-0-1",
              "data": {"type": "product_view", "name": 'a "quoted" name'}}  # fmt: skip
    values = {"event": "unstruct", "event_name": "snowplow_ecommerce_action", "event_id": "e1", "domain_userid": "d",
              "collector_tstamp": "2026-11-01 10:00:00.000", "user_ipaddress": IP, "page_urlpath": "/a",
              "unstruct_event": json.dumps({"schema": schema, "data": action})}  # fmt: skip
    second = {**values, "event_id": "e2", "event": "page_view", "unstruct_event": ""}
    rows = ["\t".join(str(row.get(name, "")) for name in ATOMIC) for row in (values, second)]
    web.file("enriched.tsv", "\n".join(rows) + "\n")
    web.source("web", "path: enriched.tsv\ntracking: snowplow\ncsv: {header: false}\n")
    project, _ = load_project(web.root)

    found = parts(web)["web"]

    assert found.by_kind == {"page_viewed": 1, "product_viewed": 1}
    assert "csv: {header: false}" in propose(project, "enriched.tsv", "tracking").yaml


def test_a_login_an_identify_and_an_alias_link_a_device_to_its_user(web: Shop) -> None:
    web.source("web", BODY)
    time = {"timestamp": "2026-11-01T10:00:00Z"}
    about = {"type": "identify", "userId": "u2", "anonymousId": "d2", "traits": {}, **time}
    alias = {"type": "alias", "userId": "u3", "previousId": "d3", **time}
    web.file("web.ndjson", lines(page(0, who="d1", userId="u1"), about, alias))

    parts(web)

    subjects = web.rows("subjects")
    name = dict(zip(subjects["subject"], subjects["value"], strict=True))
    links = web.rows("links").select("subject_a", "subject_b").rows()
    assert {frozenset((name[a], name[b])) for a, b in links} == {
        frozenset(("u1", "d1")), frozenset(("u2", "d2")), frozenset(("u3", "d3")),
    }  # fmt: skip


def test_a_contract_judges_the_messages(web: Shop) -> None:
    contract = "contract: {properties: {price: {type: number, minimum: 0}}}\n"
    web.source("web", BODY + contract)
    viewed = {"type": "track", "event": "Product Viewed", "anonymousId": "a", "timestamp": "2026-11-01T10:00:00Z",
              "context": {"ip": IP}}  # fmt: skip
    about = {"type": "identify", "userId": "u", "timestamp": "2026-11-01T10:00:00Z", "traits": {"plan": "p"}}
    web.file(
        "web.ndjson", lines({**viewed, "properties": {"price": -1}}, {**viewed, "properties": {"price": 1}}, about)
    )

    found = parts(web)

    assert (found["web"].new, found["web"].bad, found["web/identify"].new) == (1, 1, 1)
    raw = web.rows("quarantine/web")["raw"].to_list()
    assert json.loads(raw[0])["event"] == "Product Viewed"
    assert IP not in str(raw)


def test_sessions_go_on_after_compaction(web: Shop) -> None:
    web.source("web", BODY.replace("web.ndjson", "web*.ndjson"))
    web.file("web1.ndjson", lines(page(0, path="/a"), page(60), page(500), {"type": "track", "event": "Purchase",
             "anonymousId": "a", "timestamp": "2026-11-01T10:01:00Z"}))  # fmt: skip
    parts(web)
    project, _ = load_project(web.root)
    with Workspace.open(Path(project.workspace)) as workspace:
        compact(workspace)

    web.file("web2.ndjson", lines(page(30)))
    found = parts(web)["web"]

    assert found.sessions == 1
    # A compacted file says its one kind beside its rows.
    stored = web.rows("events").filter(pl.col("event_id").str.starts_with("session/")).sort("ts")
    rows = stored.select("duration:i", "events:i", "entry_page:t").rows()
    assert rows == [(3600, 4, "/a"), (0, 1, "/")]


@pytest.mark.parametrize("name", ["web.json", "list.json", "web.ndjson"])
def test_a_payload_is_one_record_in_any_kind_of_json(web: Shop, name: str) -> None:
    events = [{"name": "page_view", "params": {"page_location": "https://x.de/a"}}, {"name": "purchase", "params": {}}]
    payload = {"client_id": "c", "timestamp_micros": 1793527200000000, "events": events}
    content = json.dumps([payload] if name == "list.json" else payload, indent=None if name == "web.ndjson" else 2)
    web.file(name, content + "\n")
    web.source("web", f"path: {name}\ntracking: ga4_mp\n")
    project, _ = load_project(web.root)

    assert "tracking: ga4_mp" in propose(project, name, "tracking").yaml
    assert parts(web)["web"].by_kind == {"order_completed": 1, "page_viewed": 1}


def test_a_corrected_time_moves_the_session(web: Shop) -> None:
    web.source("web", BODY.replace("web.ndjson", "web*.ndjson") + "corrections: replace\n")
    web.file("web1.ndjson", lines(page(0, path="/a"), page(10, path="/b"), page(0, who="b")))
    parts(web)

    web.file("web2.ndjson", lines({**page(100, path="/b"), "messageId": "a10/b"}))
    found = parts(web)["web"]

    assert (found.new, found.replaced) == (0, 1)
    assert sessions(web).select("who", "entry_page:t", "events:i").rows() == [
        ("a", "/a", 1), ("a", "/b", 1), ("b", "/", 1),
    ]  # fmt: skip
