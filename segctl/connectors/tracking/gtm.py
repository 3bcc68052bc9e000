"""Event data of a server-side Google Tag Manager container, logged as JSON."""

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
from segctl.connectors.tracking.ga4 import take_google_page
from segctl.connectors.tracking.shopping import completed
from segctl.connectors.tracking.vocabulary import kind_of

_TIMES = ("event_time", "timestamp_micros", "event_timestamp", "timestamp", "time", "gtm.start", "received_at")
_NO_PROPERTIES = frozenset({"event_name", "client_id", "user_id", "user_data", "user_agent", *_TIMES})
_USER_DATA = {"email_address": "email", "phone_number": "phone"}


def events(record: Record) -> list[Outcome]:
    """The event of a container's common event data; keys with ``x-ga-`` are Google's own and left out."""
    name = text(record.get("event_name"))
    if name is None:
        return [foreign("`event_name`", record.get("event_name"))]
    time = _time(record)
    if time is None:
        return [no_time(record.get("timestamp"))]
    own = {key: value for key, value in record.items() if key not in _NO_PROPERTIES and not key.startswith("x-")}
    properties = snaked(own)
    session = text(properties.get("ga_session_id"))
    message: Message = {
        **_who(record),
        "kind": kind_of(name),
        "event_name": name,
        "time": time,
        "event_id": text(record.get("event_id")) or content_id(record),
        "session_id": f"{text(record.get('client_id'))}.{session}" if session else None,
        "language": text(record.get("language")),
        "properties": properties,
        "record": record,
    }
    if message["kind"] == "order_refunded":
        message["value"] = properties.get("value")
    take_google_page(message, properties)
    message["path"] = text(properties.pop("page_path", None))
    return [completed(message)]


def profiles(record: Record) -> list[Outcome]:
    """What the event's `user_data` says about the person, where it has any."""
    data = mapping(record.get("user_data"))
    time = _time(record)
    if not data or time is None:
        return []
    traits: dict[str, Any] = {}
    for name, value in snaked(data).items():
        if name == "address":
            parts = value[0] if isinstance(value, list) and value else value
            traits |= {part: of for part, of in snaked(mapping(parts)).items() if part not in traits}
        else:
            one = value[0] if isinstance(value, list) and value else value
            traits[_USER_DATA.get(name, name)] = one
    about = {"time": time, "event_id": content_id(record), "traits": traits, "record": record}
    return [{**_who(record), **about, "ip": text(record.get("ip_override"))}]


def _who(record: Record) -> dict[str, Any]:
    return {"user_id": text(record.get("user_id")), "anonymous_id": text(record.get("client_id"))}


def _time(record: Record) -> int | None:
    return next((time for name in _TIMES if (time := instant(record.get(name))) is not None), None)


SHAPE = Shape(events, profiles)
