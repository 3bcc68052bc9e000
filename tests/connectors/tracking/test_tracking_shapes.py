"""What each shape makes of single records: names, times, identifiers, money, products."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segctl.connectors.tracking import SHAPES, Fault, LeftOut, shape_of
from segctl.connectors.tracking.base import instant, snake
from segctl.connectors.tracking.shopping import path_of
from segctl.connectors.tracking.snowplow import ATOMIC
from segctl.connectors.tracking.vocabulary import kind_of
from segctl.model import tracking as declared


def one(shape: str, record: dict[str, Any]) -> dict[str, Any]:
    (message,) = shape_of(shape).events(record)
    assert isinstance(message, dict), message
    return message


def at(message: dict[str, Any]) -> str:
    return datetime.fromtimestamp(message["time"] / 1e6, UTC).isoformat()


TRACK = {"type": "track", "event": "Order Completed", "userId": "u1", "timestamp": "2026-11-01T10:00:00.000Z"}


def test_the_shapes_of_the_model_are_those_of_the_table() -> None:
    assert tuple(SHAPES) == declared.SHAPES
    assert tuple(name for name in SHAPES if shape_of(name).profiles) == declared.WITH_PROFILES


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Order Completed", "order_completed"), ("product added", "product_added"), ("Purchase", "order_completed"),
        ("purchase", "order_completed"), ("transaction", "order_completed"), ("view_item", "product_viewed"),
        ("add_to_Cart", "product_added"), ("OrDeR complete", "order_completed"), ("orderCompleted", "order_completed"),
        ("Spin Result", "spin_result"), ("GA4Event", "ga4_event"), ("begin_checkout", "checkout_started"),
        ("Products Searched", "products_searched"), ("refund", "order_refunded"),
    ],
)  # fmt: skip
def test_one_vocabulary(name: str, kind: str) -> None:
    assert kind_of(name) == kind


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-01T10:00:00Z", "2026-11-01T10:00:00+00:00"),
        ("2026-11-01T10:00:00.123456+05:30", "2026-11-01T04:30:00.123456+00:00"),
        ("2026-11-01 10:00:00.5 UTC", "2026-11-01T10:00:00.500000+00:00"),
        ("2026-11-01", "2026-11-01T00:00:00+00:00"),
        ("Sun, 01 Nov 2026 10:00:00 GMT", "2026-11-01T10:00:00+00:00"),
        (1793527200, "2026-11-01T10:00:00+00:00"),
        (1793527200.25, "2026-11-01T10:00:00.250000+00:00"),
        ("1793527200123", "2026-11-01T10:00:00.123000+00:00"),
        (1793527200123456, "2026-11-01T10:00:00.123456+00:00"),
        (1793527200123456789, "2026-11-01T10:00:00.123456+00:00"),
    ],
)
def test_times_of_all_forms(value: object, expected: str) -> None:
    assert at({"time": instant(value)}) == expected


@pytest.mark.parametrize(
    "value", ["", "NOW", None, True, 0, -5, [], {}, "20260101", float("nan"), float("inf"), 10**30]
)
def test_what_is_no_time(value: object) -> None:
    assert instant(value) is None or value == "20260101"


def test_a_wrong_clock_is_corrected_by_how_long_the_message_took() -> None:
    record = {**TRACK, "originalTimestamp": "2020-01-01T00:00:00Z", "sentAt": "2020-01-01T00:00:07Z",
              "receivedAt": "2026-11-01T10:00:10Z"}  # fmt: skip

    assert at(one("segment", record)) == "2026-11-01T10:00:00+00:00"
    del record["timestamp"]
    assert at(one("segment", record)) == "2026-11-01T10:00:03+00:00"
    del record["receivedAt"]
    assert at(one("segment", record)) == "2020-01-01T00:00:00+00:00"


def test_types_in_any_case_and_ids_that_are_numbers() -> None:
    message = one("segment", {**TRACK, "type": "Track", "userId": 12, "anonymousId": " a "})

    assert (message["user_id"], message["anonymous_id"]) == ("12", "a")


@pytest.mark.parametrize(
    ("change", "code"),
    [({"type": "delete"}, "SEG520"), ({"event": ""}, "SEG522"), ({"event": None}, "SEG522"),
     ({"timestamp": "NOW"}, "SEG521"), ({"type": None, "event": None}, "SEG520")],
)  # fmt: skip
def test_what_cannot_be_mapped_says_why(change: dict[str, Any], code: str) -> None:
    (fault,) = shape_of("segment").events({**TRACK, **change})

    assert isinstance(fault, Fault)
    assert fault.code == code


def test_a_batch_is_its_messages() -> None:
    record = {"batch": [{"type": "page", "name": "Home"}, {"type": "identify", "userId": "u"}, 5],
              "sentAt": "2026-11-01T10:00:00Z", "context": {"ip": "1.2.3.4"}}  # fmt: skip

    page, fault = shape_of("segment").events(record)
    (about,) = shape_of("segment").profiles(record)

    assert isinstance(page, dict)
    assert (page["kind"], page["properties"]["name"], page["ip"]) == ("page_viewed", "Home", "1.2.3.4")
    assert isinstance(fault, Fault)
    assert about["user_id"] == "u"


def test_identify_takes_traits_from_both_places_and_opens_the_address() -> None:
    record = {"type": "identify", "userId": "u", "timestamp": "2026-11-01T10:00:00Z",
              "context": {"traits": {"firstName": "A", "plan": "old", "ip": "1.2.3.4"}},
              "traits": {"plan": "pro", "address": {"city": "Ulm", "postalCode": "89073"}}}  # fmt: skip

    (about,) = shape_of("segment").profiles(record)

    assert {name: about["traits"][name] for name in ("first_name", "plan", "city", "postal_code")} == {
        "first_name": "A", "plan": "pro", "city": "Ulm", "postal_code": "89073",
    }  # fmt: skip
    assert "ip" not in about["traits"]


def test_alias_links_what_was_known_before() -> None:
    record = {"type": "alias", "userId": "u", "previousId": "anon", "timestamp": "2026-11-01T10:00:00Z"}

    (about,) = shape_of("segment").profiles(record)
    (fault,) = shape_of("segment").profiles({**record, "userId": None})

    assert (about["user_id"], about["anonymous_id"]) == ("u", "anon")
    assert isinstance(fault, Fault)


def test_the_value_of_an_order_and_its_products() -> None:
    properties = {"orderId": 7, "Revenue": 10, "total": 12.5, "currency": "EUR",
                  "products": [{"id": "p1", "price": 5}, {"item_id": "p2", "item_name": "Hut"}]}  # fmt: skip

    message = one("segment", {**TRACK, "properties": properties})

    assert (message["value"], message["order_id"], message["currency"]) == (12.5, "7", "EUR")
    assert message["products"] == [{"price": 5, "product_id": "p1"}, {"product_id": "p2", "name": "Hut"}]


def test_campaigns_come_from_the_context_or_the_address() -> None:
    context = {"campaign": {"name": "spring", "source": "mail"}, "page": {"url": "https://x.de/a?utm_source=ads"}}

    said = one("segment", {**TRACK, "context": context})
    read = one("segment", {**TRACK, "context": {"page": {"url": "https://x.de/a?utm_source=ads&utm_campaign=c#f"}}})

    assert (said["campaign"], said["campaign_source"]) == ("spring", "mail")
    assert (read["campaign"], read["campaign_source"], read["path"]) == ("c", "ads", "/a")


def test_without_an_id_the_content_is_the_id() -> None:
    first, again = one("segment", TRACK), one("segment", dict(reversed(TRACK.items())))

    assert first["event_id"] == again["event_id"]
    assert one("segment", {**TRACK, "userId": "u2"})["event_id"] != first["event_id"]


def test_measurement_protocol_payload() -> None:
    purchase = {"name": "purchase", "params": {"transaction_id": "T1", "value": 9.99, "currency": "EUR",
                "items": [{"item_id": "s1", "item_name": "Hut", "price": 9.99, "quantity": 1}]}}  # fmt: skip
    click = {"name": "click", "params": {"page_location": "https://x.de/a"}}
    record = {"client_id": "123.456", "user_id": "u", "timestamp_micros": "1793527200000001",
              "user_properties": {"tier": {"value": "gold"}}, "events": [purchase, click, click]}  # fmt: skip

    bought, first, second = shape_of("ga4_mp").events(record)
    (about,) = shape_of("ga4_mp").profiles(record)

    assert (bought["kind"], bought["order_id"], bought["value"]) == ("order_completed", "T1", 9.99)
    assert bought["products"][0]["product_id"] == "s1"
    assert (first["path"], first["time"]) == ("/a", 1793527200000001)
    assert first["event_id"] != second["event_id"]
    assert about["traits"] == {"tier": "gold"}
    assert isinstance(shape_of("ga4_mp").events({"client_id": "1", "events": []})[0], LeftOut)


def test_server_side_tag_manager() -> None:
    record = {"event_name": "purchase", "client_id": "c.1", "event_time": 1793527200, "value": 5, "currency": "EUR",
              "transaction_id": "T9", "ip_override": "9.8.7.6", "page_location": "https://x.de/done?x=1",
              "x-ga-protocol_version": "2", "items": [{"item_id": "a"}],
              "user_data": {"email_address": "a@x.de", "address": [{"city": "Ulm"}]}}  # fmt: skip

    message = one("gtm", record)
    (about,) = shape_of("gtm").profiles(record)

    assert (message["kind"], message["order_id"], message["ip"], message["path"]) == (
        "order_completed", "T9", "9.8.7.6", "/done",
    )  # fmt: skip
    assert not [name for name in message["properties"] if name.startswith("x_ga")]
    assert about["traits"] == {"email": "a@x.de", "city": "Ulm"}


def test_snowplow_envelopes_and_a_users_own_schema_of_the_same_name() -> None:
    vendor = "iglu:com.snowplowanalytics.snowplow.ecommerce"
    action = {"schema": f"{vendor}/snowplow_ecommerce_action/jsonschema/1-0-2", "data": {"type": "transaction"}}
    contexts = [
        {"schema": f"{vendor}/transaction/jsonschema/1-0-0", "data": {"transaction_id": "T", "revenue": 1.5}},
        {"schema": "iglu:com.acme/user/jsonschema/1-0-0", "data": {"id": "not-a-user"}},
    ]
    values = {"event": "unstruct", "event_name": "snowplow_ecommerce_action", "event_id": "e", "domain_userid": "d",
              "collector_tstamp": "2026-11-01 10:00:00", "contexts": {"data": contexts},
              "unstruct_event": {"data": action}}  # fmt: skip

    message = one("snowplow", values)

    assert (message["kind"], message["order_id"], message["value"]) == ("order_completed", "T", 1.5)
    assert message["user_id"] is None
    assert len(ATOMIC) == len(set(ATOMIC)) == 131


def test_of_hits_that_repeat_a_transaction_the_one_with_the_revenue_counts() -> None:
    bare = {"hitNumber": 1, "time": 0, "type": "PAGE", "eCommerceAction": {"action_type": "6"},
            "transaction": {"transactionId": "T"}}  # fmt: skip
    full = {**bare, "hitNumber": 2, "transaction": {"transactionId": "T", "transactionRevenue": 12_345_678}}
    visit = {"fullVisitorId": "007", "visitId": 1, "visitStartTime": 1793527200, "hits": [bare, full]}

    outcomes = shape_of("ga360").events(visit)

    orders = [each for each in outcomes if isinstance(each, dict) and each["kind"] == "order_completed"]
    assert [(each["value"], each["anonymous_id"]) for each in orders] == [("12.345678", "007")]
    assert outcomes.count(LeftOut("repeated transaction")) == 1


@pytest.mark.parametrize(
    ("url", "path"),
    [("https://x.de", "/"), ("https://x.de/a/b?c#d", "/a/b"), ("/a?b", "/a"), ("x", None), ("https://x.de/#/a", "/")],
)
def test_paths(url: str, path: str | None) -> None:
    assert path_of(url) == path


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from([
    "type", "event", "userId", "anonymousId", "timestamp", "context", "properties", "traits", "batch", "events",
    "event_name", "event_timestamp", "event_params", "user_properties", "items", "ecommerce", "hits", "totals",
    "visitStartTime", "collector_tstamp", "event_id", "contexts", "unstruct_event", "user_data", "client_id",
    "timestamp_micros", "hit_type", "ts", "name", "previousId", "geo", "contexts_com_acme_thing_1_0_0",
])  # fmt: skip
ODD = st.dictionaries(NAMES, JSON | st.sampled_from(["track", "Identify", "1793527200", "alias", "page"]), max_size=8)
BROKEN = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(list(SHAPES)), ODD)
def test_any_record_has_an_end(shape: str, record: dict[str, Any]) -> None:
    """Messages, faults or nothing; what breaks a shape is one of the errors that reading turns into a fault."""
    found = shape_of(shape)
    for read in (found.events, found.profiles):
        try:
            outcomes = [] if read is None else read(record)
        except BROKEN:
            continue
        for outcome in outcomes:
            assert isinstance(outcome, Fault | LeftOut) or isinstance(outcome["time"], int)


@settings(deadline=None)
@given(st.text())
def test_snake_case_stays_when_repeated(name: str) -> None:
    assert snake(snake(name)) == snake(name)
