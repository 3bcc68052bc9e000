"""Visits of the BigQuery export of Google Analytics 360 (Universal Analytics), and their hits as a flat table."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from segctl.connectors.tracking.base import (
    LeftOut,
    Message,
    Outcome,
    Record,
    Shape,
    content_id,
    foreign,
    instant,
    mapping,
    no_time,
    records,
    snake,
    text,
)
from segctl.connectors.tracking.ga4 import NOT_SET, place
from segctl.connectors.tracking.shopping import completed, take_campaign

_ACTIONS = {
    "1": "product_clicked", "2": "product_viewed", "3": "product_added", "4": "product_removed",
    "5": "checkout_step_completed", "6": "order_completed", "7": "order_refunded",
}  # fmt: skip
_ORDERS = ("order_completed", "order_refunded")
_KINDS = {"PAGE": "page_viewed", "APPVIEW": "screen_viewed", "TRANSACTION": "order_completed", "ITEM": "order_item"}
_PRODUCT = {"productSKU": "product_id", "v2ProductName": "name", "v2ProductCategory": "category",
            "productVariant": "variant", "productBrand": "brand", "productQuantity": "quantity"}  # fmt: skip
_FLAT = {
    "ecommerce_action_type": "action", "transaction_id": "transaction", "transaction_revenue_micros": "revenue",
}  # fmt: skip


def events(record: Record) -> list[Outcome]:
    """A page view or event for every hit, and what it says about products and orders.

    A hit that shows a page and holds an e-commerce action gives both. A transaction that repeats over several
    hits keeps one id, so it counts once.
    """
    if "hit_type" in record:
        return _of_flat(record)
    start = instant(record.get("visitStartTime"))
    if start is None:
        return [no_time(record.get("visitStartTime"))]
    hits = record.get("hits")
    if hits is None and "totals" not in record:
        return [foreign("a visit with `hits`", None)]
    visit = _visit(record)
    found = [outcome for hit in records(hits) for outcome in _of_hit(visit, hit, start)]
    return _each_order_once(found) or [LeftOut("visit without hits")]


def _each_order_once(outcomes: list[Outcome]) -> list[Outcome]:
    """Of the hits that repeat a transaction the one that knows its revenue."""
    best: dict[str, Message] = {}
    for outcome in outcomes:
        if isinstance(outcome, dict) and outcome["kind"] in _ORDERS:
            known = best.get(outcome["event_id"])
            if known is None or (known["value"] is None and outcome["value"] is not None):
                best[outcome["event_id"]] = outcome
    return [
        LeftOut("repeated transaction")
        if isinstance(outcome, dict) and outcome["kind"] in _ORDERS and best[outcome["event_id"]] is not outcome
        else outcome
        for outcome in outcomes
    ]


def _visit(record: Record) -> Message:
    who = text(record.get("fullVisitorId")) or text(record.get("clientId"))
    geo = mapping(record.get("geoNetwork"))
    message: Message = {
        "anonymous_id": who,
        "user_id": text(record.get("userId")),
        "session_id": f"{who}-{text(record.get('visitId'))}",
        **{field: place(geo.get(field)) for field in ("country", "region", "city")},
        "record": record,
    }
    traffic = mapping(record.get("trafficSource"))
    take_campaign(message, {name: place(traffic.get(name)) for name in ("campaign", "source", "medium")})
    return message


def _of_hit(visit: Message, hit: Record, start: int) -> list[Outcome]:
    offset = hit.get("time")
    base: Message = {**visit, "time": start + int(offset or 0) * 1000}
    base["event_id"] = f"{visit['session_id']}-{hit.get('hitNumber')}"
    page = mapping(hit.get("page"))
    host, path = text(page.get("hostname")), text(page.get("pagePath"))
    base |= {"url": f"https://{host}{path}" if host and path else None, "path": path and path.split("?", 1)[0]}
    base |= {"title": text(page.get("pageTitle")), "referrer": text(hit.get("referer"))}
    base["search"] = text(page.get("searchKeyword"))
    info = mapping(hit.get("eventInfo"))
    labels = {name: text(info.get(f"event{name.title()}")) for name in ("category", "action", "label")}
    action = mapping(hit.get("eCommerceAction"))
    transaction = mapping(hit.get("transaction"))
    products = [_product(item) for item in records(hit.get("product")) if not item.get("isImpression")]
    about = {
        "action": text(action.get("action_type")),
        "step": action.get("step"),
        "transaction": text(transaction.get("transactionId")),
        "revenue": transaction.get("transactionRevenue"),
        "currency": text(transaction.get("currencyCode")),
        "products": products or None,
    }
    return _events(base, text(hit.get("type")) or "PAGE", labels, about)


def _of_flat(record: Record) -> list[Outcome]:
    """A row of hits flattened by SQL: `full_visitor_id, session_id, hit_number, ts, hit_type, page_path` and more."""
    time = instant(record.get("ts"))
    if time is None:
        return [no_time(record.get("ts"))]
    host, path = text(record.get("hostname")), text(record.get("page_path"))
    base: Message = {
        "time": time,
        "event_id": f"{record.get('session_id')}-{record.get('hit_number')}",
        "anonymous_id": text(record.get("full_visitor_id")),
        "session_id": text(record.get("session_id")),
        "url": f"https://{host}{path}" if host and path else None,
        "path": path and path.split("?", 1)[0],
        "title": text(record.get("page_title")),
        "referrer": text(record.get("referer")),
        "search": text(record.get("search_keyword")),
        "record": record,
    }
    if record.get("session_id") is None or record.get("hit_number") is None:
        base["event_id"] = content_id(record)
    labels = {name: text(record.get(f"event_{name}")) for name in ("category", "action", "label")}
    about = {own: record.get(name) for name, own in _FLAT.items()}
    about |= {"step": record.get("ecommerce_step"), "currency": text(record.get("currency"))}
    found = _events(base, text(record.get("hit_type")) or "PAGE", labels, about)
    # Single rows do not see each other: of a transaction's rows the ones with its revenue count.
    return [LeftOut("repeated transaction") if _lacks_revenue(outcome) else outcome for outcome in found]


def _lacks_revenue(outcome: Outcome) -> bool:
    return isinstance(outcome, dict) and outcome["kind"] in _ORDERS and outcome["value"] is None


def _events(base: Message, kind: str, labels: Mapping[str, str | None], about: Mapping[str, Any]) -> list[Outcome]:
    found: list[Outcome] = []
    own = _ACTIONS.get(text(about["action"]) or "")
    if kind != "EVENT" or own is None:
        found.append(_hit_event(base, kind, labels))
    if own is not None:
        found.append(_action_event(base, own, about))
    return found


def _hit_event(base: Message, kind: str, labels: Mapping[str, str | None]) -> Outcome:
    properties = {name: value for name, value in labels.items() if value is not None}
    name = labels["action"] if kind == "EVENT" else None
    own = _KINDS.get(kind) or snake(name or kind)
    if own == "page_viewed" and base["search"] is not None:
        properties["query"] = base["search"]
    return completed({**base, "kind": own, "event_name": name or kind, "properties": properties})


def _action_event(base: Message, kind: str, about: Mapping[str, Any]) -> Outcome:
    message: Message = {**base, "kind": kind, "event_name": kind, "properties": {}, "products": about.get("products")}
    message["event_id"] = f"{base['event_id']}-{kind}"
    if about["transaction"] is not None and kind in _ORDERS:
        message["event_id"] = f"{base['anonymous_id']}-{kind}-{about['transaction']}"
        message["order_id"] = about["transaction"]
        message["currency"] = about["currency"]
        message["value"] = _units(about["revenue"])
    if kind == "checkout_step_completed":
        message["properties"]["step"] = about["step"]
    return completed(message)


def _product(item: Record) -> dict[str, Any]:
    found = {own: item.get(name) for name, own in _PRODUCT.items()}
    found["price"] = _units(item.get("productPrice"))
    return {name: value for name, value in found.items() if value is not None and value not in NOT_SET}


def _units(micros: object) -> str | None:
    """An amount in micros as an exact decimal text in units."""
    written = text(micros)
    if written is None or not written.lstrip("-").isdigit():
        return None
    return format(Decimal(written).scaleb(-6).normalize(), "f")


SHAPE = Shape(events)
