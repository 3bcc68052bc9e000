"""Rows of the BigQuery export of Google Analytics 4."""

from __future__ import annotations

from typing import Any

from segctl.connectors.tracking.base import (
    Message,
    Outcome,
    Record,
    Shape,
    content_id,
    instant,
    mapping,
    no_name,
    no_time,
    records,
    snaked,
    text,
)
from segctl.connectors.tracking.shopping import completed, take_campaign
from segctl.connectors.tracking.vocabulary import kind_of

NOT_SET = frozenset({"(not set)", "(none)", "(direct)", "<Other>", ""})
_VALUES = ("string_value", "int_value", "float_value", "double_value")
_PAGE = {"page_location": "url", "page_referrer": "referrer", "page_title": "title", "search_term": "search"}


def events(record: Record) -> list[Outcome]:
    """The event of an export row."""
    name = text(record.get("event_name"))
    if name is None:
        return [no_name(record.get("event_name"))]
    time = instant(record.get("event_timestamp"))
    if time is None:
        return [no_time(record.get("event_timestamp"))]
    message = _common(record, name, time)
    properties = parameters(record.get("event_params"))
    message["properties"] = properties
    take_google_page(message, properties)
    session = text(properties.get("ga_session_id"))
    if session is not None:
        message["session_id"] = f"{message['anonymous_id']}.{session}"
    _take_purchase(message, record)
    return [completed(message)]


def profiles(record: Record) -> list[Outcome]:
    """The user properties of an export row, where it has any."""
    traits = parameters(record.get("user_properties"))
    if not traits:
        return []
    time = instant(record.get("event_timestamp"))
    if time is None:
        return []
    return [{**_common(record, "", time), "traits": traits}]


def parameters(value: object) -> dict[str, Any]:
    """Records of a key and one of four typed values as names and values, in snake case."""
    found: dict[str, Any] = {}
    for entry in records(value):
        key, of = entry.get("key"), mapping(entry.get("value"))
        if not isinstance(key, str):
            continue
        for name in _VALUES:
            typed = of.get(name)
            if typed is not None:
                found[key] = typed
                break
    return snaked(found)


def take_google_page(message: Message, properties: dict[str, Any]) -> None:
    """Page fields under the vocabulary's names."""
    for name, field in _PAGE.items():
        value = properties.pop(name, None)
        if value is not None:
            message[field] = text(value)
    if message.get("search") is not None:
        properties.setdefault("query", message["search"])
    take_campaign(message, {name: properties.get(name) for name in ("campaign", "source", "medium", "term", "content")})


def _common(record: Record, name: str, time: int) -> Message:
    geo = mapping(record.get("geo"))
    anonymous = text(record.get("user_pseudo_id"))
    return {
        "kind": kind_of(name),
        "event_name": name,
        "time": time,
        "event_id": _event_id(record, name, anonymous),
        "user_id": text(record.get("user_id")),
        "anonymous_id": anonymous,
        **{field: place(geo.get(field)) for field in ("country", "region", "city")},
        "language": text(mapping(record.get("device")).get("language")),
        "record": record,
    }


def _event_id(record: Record, name: str, anonymous: str | None) -> str:
    """The export numbers events within their bundle; older exports do not, so the content says which it was."""
    number = record.get("batch_event_index")
    bundle = record.get("event_bundle_sequence_id")
    if number is None or bundle is None:
        return content_id(record)
    page = record.get("batch_page_id")
    return f"{anonymous}/{record['event_timestamp']}/{name}/{bundle}/{page or ''}/{number}"


def place(value: object) -> str | None:
    """A place's name, None for the ways in which Google says that there is none."""
    found = text(value)
    return None if found is None or found in NOT_SET or found.startswith("not available") else found


def _take_purchase(message: Message, record: Record) -> None:
    purchase = mapping(record.get("ecommerce"))
    if message["kind"] == "order_refunded":
        message["value"] = purchase.get("refund_value")
    elif message["kind"] == "order_completed":
        message["value"] = purchase.get("purchase_revenue")
    order = text(purchase.get("transaction_id"))
    message["order_id"] = None if order in NOT_SET else order
    items = record.get("items")
    if items:
        message["products"] = [
            {name: value for name, value in item.items() if not (isinstance(value, str) and value in NOT_SET)}
            for item in records(items)
        ]


SHAPE = Shape(events, profiles)
