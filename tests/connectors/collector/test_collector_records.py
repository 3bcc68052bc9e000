"""From an accepted request to the records that a declaration speaks of."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from segctl.connectors.collector.lines import head_of, line_of, read_line
from segctl.connectors.collector.records import records_of
from segctl.connectors.tracking import shape_of
from segctl.connectors.tracking.base import instant

RECEIVED = "2026-11-22T12:00:00.000Z"


def records(shape: str, body: Any, kind: str | None = None, **told: str | None) -> list[dict[str, Any]]:
    named = {"kind": kind, "id": None, **told}
    line = line_of(head_of("web", "shop", shape), RECEIVED, json.dumps(body).encode(), **named)
    return list(records_of([line], "web"))


def times(shape: str, found: list[dict[str, Any]]) -> list[int]:
    return [outcome["time"] for record in found for outcome in shape_of(shape).events(record)]


def test_a_path_says_the_type_and_a_batch_is_taken_apart() -> None:
    assert records("segment", {"event": "A"}, "track")[0]["type"] == "track"
    assert records("segment", {"type": "lie", "event": "A"}, "page")[0]["type"] == "page"

    found = records("segment", {"batch": [{"type": "track", "event": "A"}, {"type": "page"}], "context": {"a": 1}})

    assert [(one["type"], one["context"]) for one in found] == [("track", {"a": 1}), ("page", {"a": 1})]


@pytest.mark.parametrize(
    ("sent_at", "timestamp", "expected"),
    [
        pytest.param("2026-11-22T11:59:59Z", "2026-11-22T11:00:00Z", "2026-11-22T11:00:00Z", id="a right clock"),
        pytest.param(None, "2026-11-22T11:00:00Z", "2026-11-22T11:00:00Z", id="no clock told"),
        # Segment: receivedAt - (sentAt - originalTimestamp) = 12:00 - (14:00 - 13:00).
        pytest.param("2026-11-22T14:00:00Z", "2026-11-22T13:00:00Z", "2026-11-22T11:00:00Z", id="two hours fast"),
        pytest.param("2026-11-22T09:00:00Z", "2026-11-22T08:30:00Z", "2026-11-22T11:30:00Z", id="three hours slow"),
        pytest.param(None, None, RECEIVED, id="no time at all"),
        pytest.param("2026-11-22T11:59:58Z", None, "2026-11-22T11:59:58Z", id="only when it was sent"),
    ],
)
def test_the_time_of_a_message_is_corrected_where_the_clock_is_wrong(
    sent_at: str | None, timestamp: str | None, expected: str
) -> None:
    body = {"event": "A", "sentAt": sent_at, "timestamp": timestamp}

    assert times("segment", records("segment", body, "track")) == [instant(expected)]


def test_an_address_is_given_to_the_shape_only_where_the_body_has_none() -> None:
    assert records("segment", {"event": "A"}, "track", ip="203.0.113.0")[0]["context"] == {"ip": "203.0.113.0"}
    own = {"event": "A", "context": {"ip": "198.51.100.1"}}
    assert records("segment", own, "track", ip="203.0.113.0")[0]["context"]["ip"] == "198.51.100.1"
    assert "context" not in records("segment", {"event": "A"}, "track")[0]


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("ga4_mp", {"client_id": "c", "events": [{"name": "a"}]}),
        ("gtm", {"event_name": "a", "client_id": "c"}),
        ("tealium", {"tealium_event": "a"}),
        ("snowplow", {"e": "pv"}),
    ],
)
def test_every_shape_reads_the_address_that_is_kept(shape: str, body: dict[str, Any]) -> None:
    (record,) = records(shape, body, ip="203.0.113.0")
    (outcome,) = shape_of(shape).events(record)

    assert isinstance(outcome, dict)
    assert outcome["ip"] == "203.0.113.0"


def test_events_of_the_measurement_protocol_have_ids_that_a_repetition_keeps() -> None:
    timed = {"client_id": "c", "timestamp_micros": 1795348800000000, "events": [{"name": "a"}, {"name": "a"}]}
    untimed = {"client_id": "c", "events": [{"name": "a"}]}

    def ids(body: Any, received: str) -> list[str]:
        line = line_of(head_of("web", "k", "ga4_mp"), received, json.dumps(body).encode(), kind=None, id=None)
        shape = shape_of("ga4_mp")
        return [one["event_id"] for record in records_of([line], "web") for one in shape.events(record)]

    assert ids(timed, RECEIVED) == ids(timed, "2026-11-22T12:00:05.000Z")
    assert len(set(ids(timed, RECEIVED))) == 2
    assert times("ga4_mp", records("ga4_mp", untimed)) == [instant(RECEIVED)]


def test_a_payload_of_a_snowplow_tracker_is_an_enriched_event() -> None:
    inner = {"schema": "iglu:com.shop/signed_up/jsonschema/1-0-0", "data": {"form": "Über"}}
    event = {"schema": "iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0", "data": inner}
    encoded = base64.urlsafe_b64encode(json.dumps(event).encode()).decode().rstrip("=")
    payload = {"e": "ue", "ue_px": encoded, "eid": "e1", "uid": "u1", "duid": "d1", "dtm": "1795345200000",
               "stm": "1795345201000", "url": "https://shop.example/a/b?utm_source=mail&utm_campaign=x", "p": "web",
               "tv": "js"}  # fmt: skip

    (record,) = records("snowplow", {"schema": "iglu:x", "data": [payload]}, ip="203.0.113.0")
    (outcome,) = shape_of("snowplow").events(record)

    assert isinstance(outcome, dict)
    assert (outcome["kind"], outcome["event_id"], outcome["user_id"]) == ("signed_up", "e1", "u1")
    assert outcome["properties"]["form"] == "Über"
    assert (outcome["path"], outcome["campaign_source"], outcome["campaign"]) == ("/a/b", "mail", "x")
    # received 12:00:00, sent one second after it happened
    assert outcome["time"] == instant("2026-11-22T11:59:59Z")
    assert outcome["ip"] == "203.0.113.0"


@pytest.mark.parametrize(
    "payload",
    [{}, {"e": "ue", "ue_px": "%%%"}, {"e": "pv", "url": "http://[", "dtm": "never"}, {"e": 5, "eid": []}, {"e": "tr"}],
)
def test_a_payload_that_is_none_ends_in_an_outcome_and_never_in_a_failure(payload: dict[str, Any]) -> None:
    for record in records("snowplow", {"data": [payload]}):
        assert shape_of("snowplow").events(record)


def test_a_bundle_of_tealiums_is_taken_apart_and_an_event_of_its_stream_is_read() -> None:
    bundle = {"shared": {"tealium_visitor_id": "v1"}, "events": [{"tealium_event": "a"}, {"tealium_event": "b"}]}
    streamed = {"eventid": "x1", "post_time": 1795348800000, "visitor_id": "v9", "data": {
        "udo": {"tealium_event": "purchase", "customer_id": "u1", "order_id": "o1", "order_total": "9.50",
                "product_id": ["p1", "p2"], "product_price": ["4.50", "5.00"]},
        "dom": {"url": "https://shop.example/thanks?x=1", "title": "Thanks"},
    }}  # fmt: skip

    found = records("tealium", bundle)
    (outcome,) = shape_of("tealium").events(records("tealium", streamed)[0])

    assert [(one["tealium_visitor_id"], one["tealium_event"]) for one in found] == [("v1", "a"), ("v1", "b")]
    assert times("tealium", found) == [instant(RECEIVED)] * 2
    assert isinstance(outcome, dict)
    assert (outcome["kind"], outcome["event_id"], outcome["user_id"], outcome["anonymous_id"]) == (
        "order_completed", "x1", "u1", "v9",
    )  # fmt: skip
    assert outcome["value"] == "9.50"
    assert outcome["products"] == [{"product_id": "p1", "price": "4.50"}, {"product_id": "p2", "price": "5.00"}]
    assert (outcome["path"], outcome["title"]) == ("/thanks", "Thanks")


def test_a_record_of_tealiums_without_an_event_is_of_another_shape() -> None:
    (outcome,) = shape_of("tealium").events({"tealium_account": "a"})

    assert getattr(outcome, "code", "") == "SEG520"


def test_other_json_keeps_its_form_beside_the_facts_of_its_request() -> None:
    found = records("stripe", {"id": "evt_1", "amount": 12.10}, "charge.succeeded", id="evt_1")

    assert found == [
        {"id": "evt_1", "amount": 12.1,
         "collector": {"received": RECEIVED, "key": "shop", "id": "evt_1", "kind": "charge.succeeded"}}
    ]  # fmt: skip
    assert [one["a"] for one in records("hubspot", [{"a": 1}, {"a": 2}])] == [1, 2]
    assert records("json", [1, {"a": 1}])[0]["value"] == 1


def test_requests_of_other_sources_are_passed_over_even_when_a_body_names_the_source() -> None:
    other = line_of(head_of("app", "k", "json"), RECEIVED, b'{"x": {"source":"web","key":"k"}}', kind=None, id=None)

    assert list(records_of([other, b"\n"], "web")) == []


def test_a_line_that_cannot_be_read_is_shown_by_the_quarantine_of_its_source() -> None:
    broken = b'{"received":"x","source":"web","key":null,\n'

    assert list(records_of([broken], "web")) == [{"type": None, "body": broken.decode().rstrip()}]
    assert list(records_of([broken], "app")) == []


@pytest.mark.parametrize("number", ["1e99999999999999999999", "-1e-99999999999999999999", "0e99999999999999999999"])
def test_a_number_beyond_all_numbers_stays_a_text(number: str) -> None:
    line = line_of(head_of("web", None, "json"), RECEIVED, f'{{"n":{number}}}'.encode(), kind=None, id=None)

    (found,) = records_of([line], "web")

    assert found["n"] == number


def test_what_is_written_is_read_as_it_was() -> None:
    line = line_of(head_of('a"b', None, "json"), RECEIVED, b'{\r\n "a": "\\n"}', kind="\ud800", id='"\n')
    found = read_line(line)

    assert line.count(b"\n") == 1
    assert found is not None
    assert (found["source"], found["key"], found["id"], found["body"]) == ('a"b', None, '"\n', {"a": "\n"})
    assert read_line(b'{"received":"x","body":{"n":0.1234567890123456789}}')["body"]["n"] == "0.1234567890123456789"


def test_one_message_that_is_none_keeps_the_others_of_its_batch_in() -> None:
    from segctl.connectors.collector.contents import check_shape
    from segctl.connectors.collector.requests import RefusedRequest
    from segctl.connectors.collector.routes import ROUTES

    body = {"batch": [{"type": "track", "event": "A", "userId": "u", "timestamp": RECEIVED}, "nonsense", 7]}
    check_shape(ROUTES["/v1/batch"], body, 10)
    found = records("segment", body)

    assert [one["type"] for one in found] == ["track", "nonsense", 7]
    outcomes = [list(shape_of("segment").events(one)) for one in found]
    assert [isinstance(one, dict) for (one,) in outcomes] == [True, False, False]
    with pytest.raises(RefusedRequest):
        check_shape(ROUTES["/mp/collect"], {"client_id": "c", "events": [{"name": "a"}, 1]}, 10)
