"""Events of Tealium: what its libraries send to a collect endpoint, and what EventStream hands on."""

from __future__ import annotations

from typing import Any

from segctl.connectors.tracking.base import (
    Message,
    Outcome,
    Record,
    Shape,
    content_id,
    foreign,
    instant,
    mapping,
    no_time,
    snaked,
    text,
)
from segctl.connectors.tracking.shopping import completed
from segctl.connectors.tracking.vocabulary import kind_of

_TIMES = ("event_time", "tealium_timestamp_epoch", "post_time", "timestamp", "received_at")
_USERS = ("user_id", "customer_id", "tealium_user_id")
_VISITORS = ("tealium_visitor_id", "visitor_id", "tealium_vid")
_TRAITS = {"customer_email": "email", "customer_phone": "phone", "customer_city": "city", "customer_zip": "postal_code",
           "customer_state": "region", "customer_country": "country"}  # fmt: skip
_PAGE = {"page_url": "url", "page_path": "path", "page_title": "title", "page_referrer": "referrer",
         "search_keyword": "search"}  # fmt: skip
_DOM = {"url": "url", "pathname": "path", "title": "title", "referrer": "referrer"}
_ORDER = {"order_total": "value", "order_grand_total": "value", "order_currency": "currency",
          "order_currency_code": "currency", "order_coupon_code": "coupon"}  # fmt: skip
_PRODUCT = {"product_id": "product_id", "product_sku": "sku", "product_name": "name", "product_category": "category",
            "product_brand": "brand", "product_price": "price", "product_unit_price": "price",
            "product_quantity": "quantity"}  # fmt: skip
_OWN = ("tealium_", "cp.", "ut.", "dom.", "js_page.", "meta.", "_")


def events(record: Record) -> list[Outcome]:
    """The event of a record; variables of Tealium's own are left out of its properties."""
    data = _variables(record)
    name = text(data.get("tealium_event")) or text(data.get("event_name"))
    if name is None:
        return [foreign("`tealium_event`", record.get("tealium_event"))]
    time = _time(record, data)
    if time is None:
        return [no_time(data.get("tealium_timestamp_epoch"))]
    properties = snaked({key: of for key, of in data.items() if not key.startswith(_OWN) and key not in _NO_PROPERTIES})
    kind = {"view": "page_viewed", "page_view": "page_viewed"}.get(name, kind_of(name))
    message: Message = {
        **_who(record, data),
        "kind": kind,
        "event_name": name,
        "time": time,
        "event_id": text(record.get("eventid")) or text(data.get("tealium_event_id")) or content_id(record),
        "session_id": text(data.get("tealium_session_id")) or text(record.get("visit_id")),
        "ip": text(record.get("client_ip")),
        "properties": properties,
        "record": record,
    }
    _take_page(message, properties, mapping(mapping(record.get("data")).get("dom")))
    _take_order(message, properties)
    return [completed(message)]


def profiles(record: Record) -> list[Outcome]:
    """What the customer's variables say about the person, where the record has any."""
    data = _variables(record)
    time = _time(record, data)
    traits = {to: data[name] for name, to in _TRAITS.items() if text(data.get(name)) is not None}
    if not traits or time is None:
        return []
    about = {"time": time, "event_id": content_id(record), "traits": traits, "record": record}
    return [{**_who(record, data), **about}]


def _variables(record: Record) -> Record:
    """The variables: of EventStream those of its universal data object, else the record's own."""
    inner = mapping(mapping(record.get("data")).get("udo"))
    return {**record, **inner} if inner else record


def _who(record: Record, data: Record) -> dict[str, Any]:
    return {
        "user_id": next((found for name in _USERS if (found := text(data.get(name))) is not None), None),
        "anonymous_id": next((found for name in _VISITORS if (found := text(data.get(name))) is not None), None)
        or text(record.get("visitor_id")),
    }


def _time(record: Record, data: Record) -> int | None:
    values = (value for name in _TIMES for value in (data.get(name), record.get(name)))
    return next((time for value in values if (time := instant(value)) is not None), None)


def _take_page(message: Message, properties: dict[str, Any], dom: Any) -> None:  # noqa: ANN401 - a mapping of JSON
    for name, field in _PAGE.items():
        if name in properties:
            message[field] = text(properties.pop(name))
    for name, field in _DOM.items():
        if message.get(field) is None and dom.get(name) is not None:
            message[field] = text(dom.get(name))


def _take_order(message: Message, properties: dict[str, Any]) -> None:
    for name, own in _ORDER.items():
        if name in properties:
            properties.setdefault(own, properties[name])
    # Products come as lists side by side: all ids, all names, all prices.
    columns = {own: properties.pop(name) for name, own in _PRODUCT.items() if isinstance(properties.get(name), list)}
    if columns:
        rows = max(map(len, columns.values()))
        message["products"] = [
            {own: values[row] for own, values in columns.items() if row < len(values)} for row in range(rows)
        ]
    else:
        for name, own in _PRODUCT.items():
            if name in properties:
                properties.setdefault(own, properties[name])


_NO_PROPERTIES = frozenset({*_TIMES, *_USERS, *_VISITORS, *_TRAITS, "data", "eventid", "visit_id", "client_ip",
                            "event_name", "useragent", "enrichment"})  # fmt: skip

SHAPE = Shape(events, profiles)
