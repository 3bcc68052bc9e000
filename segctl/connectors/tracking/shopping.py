"""What all shapes have in common about pages, campaigns, orders and products."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from segctl.connectors.tracking.base import Message, Outcome, mapping, records, snaked, text
from segctl.connectors.tracking.vocabulary import SINGLE

ITEM = "order_item"
"""Kind of the events that the products of a completed order become where a project declares it."""

_PRODUCT = {
    "id": "product_id", "item_id": "product_id", "item_name": "name", "item_category": "category",
    "item_brand": "brand", "item_variant": "variant", "product_name": "name", "product_category": "category",
    "title": "name",
}  # fmt: skip
_IP = frozenset({"ip", "ip_address", "ip_override", "request_ip", "user_ip", "user_ipaddress"})
_CAMPAIGN = {
    "name": "campaign", "campaign": "campaign", "source": "campaign_source", "medium": "campaign_medium",
    "term": "campaign_term", "content": "campaign_content",
}  # fmt: skip


def completed(message: Message) -> Message:
    """The message with what follows from its properties: address, campaign, order, product, IP."""
    properties = message["properties"]
    if not _IP.isdisjoint(properties):
        _take_address(message, properties)
    _take_page(message, properties)
    if message.get("value") is None:
        value = properties.get("value")
        if value is None:
            value = properties.get("total")
        message["value"] = properties.get("revenue") if value is None else value
    if message.get("order_id") is None:
        message["order_id"] = text(properties.get("order_id") or properties.get("transaction_id"))
    if message.get("currency") is None:
        message["currency"] = text(properties.get("currency"))
    _take_products(message, properties)
    return message


def _take_address(message: Message, properties: dict[str, Any]) -> None:
    for name in sorted(_IP & properties.keys()):
        found = text(properties.pop(name))
        if message.get("ip") is None:
            message["ip"] = found


def _take_page(message: Message, properties: Mapping[str, Any]) -> None:
    url = message.get("url")
    if url is None:
        url = text(properties.get("url"))
        message["url"] = url
    if message.get("path") is None:
        message["path"] = text(properties.get("path")) or (path_of(url) if url else None)
    if url is not None and "utm_" in url and message.get("campaign") is None:
        with suppress(ValueError):  # an address that is none
            pairs = parse_qsl(urlsplit(url).query)
            take_campaign(message, {name[4:]: value for name, value in pairs if name.startswith("utm_")})


def path_of(url: str) -> str | None:
    """The path in an address, without query and fragment; ``/`` for a bare host."""
    start = url.find("://")
    slash = url.find("/", start + 3 if start >= 0 else 0)
    if slash < 0:
        return "/" if start >= 0 else None
    path = url[slash:]
    return path.split("#", 1)[0].split("?", 1)[0]


def take_campaign(message: Message, campaign: Mapping[str, Any]) -> None:
    """Sets the fields of a campaign from its parts."""
    for name, field in _CAMPAIGN.items():
        value = text(campaign.get(name))
        if value is not None and value != "(not set)":
            message.setdefault(field, value)


def product(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A product under the vocabulary's names."""
    found = snaked(raw)
    for name, own in _PRODUCT.items():
        if name in found:
            value = found.pop(name)
            found.setdefault(own, value)
    return found


def _take_products(message: Message, properties: dict[str, Any]) -> None:
    raw = message.get("products")
    if raw is None:
        raw = properties.get("products") or properties.get("items")
    if not raw:
        return
    one = mapping(raw)
    found = [product(item) for item in ([one] if one else records(raw))]
    if not found:
        return
    message["products"] = found
    if message["kind"] in SINGLE:
        for name, value in found[0].items():
            properties.setdefault(name, value)


def with_items(outcome: Outcome) -> list[Outcome]:
    """An order with an event for each of its products behind it; everything else alone."""
    if not isinstance(outcome, dict) or outcome["kind"] != "order_completed" or not outcome.get("products"):
        return [outcome]
    kept = {name: outcome.get(name) for name in _OF_ORDER}
    items: list[Outcome] = []
    for number, properties in enumerate(outcome["products"]):
        own = {"kind": ITEM, "event_id": f"{outcome['event_id']}#{number}", "properties": properties}
        items.append({**kept, **own, "record": outcome["record"]})
    return [outcome, *items]


_OF_ORDER = ("time", "user_id", "anonymous_id", "session_id", "order_id", "currency", "ip", "country", "region", "city",
             "url", "path")  # fmt: skip
