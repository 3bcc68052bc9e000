"""Messages of Segment's specification; RudderStack writes the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segctl.connectors.tracking.base import (
    Fault,
    LeftOut,
    Message,
    Outcome,
    Record,
    Shape,
    content_id,
    foreign,
    instant,
    mapping,
    no_name,
    no_time,
    snaked,
    text,
)
from segctl.connectors.tracking.shopping import completed, take_campaign
from segctl.connectors.tracking.vocabulary import kind_of

_KINDS = {"page": "page_viewed", "screen": "screen_viewed", "group": "group_joined"}
_ABOUT_PEOPLE = ("identify", "alias")
_TYPES = ("track", *_KINDS, *_ABOUT_PEOPLE)
_ADDRESS = {"city": "city", "country": "country", "state": "region", "postal_code": "postal_code", "street": "street"}
_OUTER = ("sentAt", "receivedAt", "context", "userId", "anonymousId", "integrations")


def events(record: Record) -> list[Outcome]:
    """`track`, `page`, `screen` and `group` as events; a `batch` gives those of its messages."""
    return [outcome for message in _unpacked(record) for outcome in _event(message)]


def profiles(record: Record) -> list[Outcome]:
    """`identify` with its traits, and `alias` as a statement that two identifiers are one person."""
    return [outcome for message in _unpacked(record) for outcome in _profile(message)]


def _unpacked(record: Record) -> list[Record]:
    batch = record.get("batch")
    if not isinstance(batch, list):
        return [record]
    outer = {name: record[name] for name in _OUTER if name in record}
    return [{**outer, **inner} if isinstance(inner, dict) else {"type": inner} for inner in batch]


def message_type(record: Record) -> str | None:
    """The message's type in small letters; without one it follows from what the record has."""
    kind = record.get("type")
    if isinstance(kind, str) and kind.strip():
        return kind if kind in _TYPES else kind.strip().lower()
    if record.get("event") is not None:
        return "track"
    return None


def time_of(record: Record) -> int | None:
    """When it happened by a right clock.

    `timestamp` is corrected already. Else the device's clock is corrected by the time the message took:
    receivedAt - (sentAt - originalTimestamp), since sentAt and originalTimestamp are of the same wrong clock.
    """
    found = instant(record.get("timestamp"))
    if found is not None:
        return found
    original, received = instant(record.get("originalTimestamp")), instant(record.get("receivedAt"))
    sent = instant(record.get("sentAt"))
    if original is not None and sent is not None and received is not None:
        return received - (sent - original)
    return next((moment for moment in (original, sent, received) if moment is not None), None)


def _event(record: Record) -> list[Outcome]:
    kind = message_type(record)
    if kind in _ABOUT_PEOPLE:
        return []
    if kind != "track" and kind not in _KINDS:
        expected = "track, identify, page, screen, group or alias as `type`"
        return [foreign(expected, record.get("type"))]
    name = _name(record.get("event" if kind == "track" else "name"))
    if kind == "track" and name is None:
        return [no_name(record.get("event"))]
    time = time_of(record)
    if time is None:
        return [no_time(record.get("timestamp") or record.get("originalTimestamp"))]
    message = _common(record, time)
    message["kind"] = kind_of(name or "") if kind == "track" else _KINDS[kind]
    message["event_name"] = name
    properties = snaked(mapping(record.get("traits" if kind == "group" else "properties")))
    message["properties"] = properties
    if kind == "group":
        message["group_id"] = text(record.get("groupId"))
    elif kind != "track" and name is not None:
        properties.setdefault("name", name)
    _take_context(message, mapping(record.get("context")), properties)
    return [completed(message)]


def _name(value: object) -> str | None:
    """The name of an event; some libraries wrap it in an object."""
    if isinstance(value, dict):
        value = value.get("name")
    return text(value)


def _common(record: Record, time: int) -> Message:
    message_id = text(record.get("messageId")) or text(record.get("message_id"))
    return {
        "time": time,
        "event_id": message_id or content_id(record),
        "user_id": text(record.get("userId")),
        "anonymous_id": text(record.get("anonymousId")),
        "session_id": text(record.get("session_id")) or text(record.get("sessionId")),
        "record": record,
    }


def _take_context(message: Message, context: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
    record = message["record"]
    message["ip"] = text(context.get("ip")) or text(record.get("request_ip")) or text(record.get("requestIP"))
    page = context.get("page")
    if isinstance(page, dict):
        for name in ("url", "path", "referrer", "title", "search"):
            value = properties.get(name) or page.get(name)
            message[name] = value if type(value) is str else text(value)
    campaign = context.get("campaign")
    if isinstance(campaign, dict):
        take_campaign(message, campaign)
    if message["session_id"] is None and ("sessionId" in context or "session_id" in context):
        message["session_id"] = text(context.get("sessionId")) or text(context.get("session_id"))
    message["language"] = text(context.get("locale"))


def _profile(record: Record) -> list[Outcome]:
    kind = message_type(record)
    if kind not in _ABOUT_PEOPLE:
        return []
    time = time_of(record)
    if time is None:
        return [no_time(record.get("timestamp") or record.get("originalTimestamp"))]
    message = _common(record, time)
    if kind == "alias":
        # What was known before stands for a visitor nobody had named yet.
        message["anonymous_id"] = text(record.get("previousId")) or message["anonymous_id"]
        message["traits"] = {}
        return [message] if message["user_id"] is not None else [_one_sided(record)]
    context = mapping(record.get("context"))
    message["ip"] = text(context.get("ip")) or text(record.get("request_ip"))
    message["traits"] = _traits(context, record)
    return [message]


def _one_sided(record: Record) -> Fault | LeftOut:
    return Fault("SEG520", "`userId` of an alias", str(record.get("userId") or ""), "the alias names no user")


def _traits(context: Mapping[str, Any], record: Record) -> dict[str, Any]:
    traits = snaked({**mapping(context.get("traits")), **mapping(record.get("traits"))})
    for ip in ("ip", "ip_address"):
        traits.pop(ip, None)
    address = traits.get("address")
    if isinstance(address, dict):
        for name, value in snaked(address).items():
            if name in _ADDRESS:
                traits.setdefault(_ADDRESS[name], value)
    return traits


SHAPE = Shape(events, profiles, marks=(b"identify", b"alias"))
