"""Payloads of Google's Measurement Protocol for GA4: one visitor and up to 25 events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segctl.connectors.tracking.base import (
    LeftOut,
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
from segctl.connectors.tracking.ga4 import take_google_page
from segctl.connectors.tracking.shopping import completed
from segctl.connectors.tracking.vocabulary import kind_of


def events(record: Record) -> list[Outcome]:
    """The events of a payload."""
    inside = record.get("events")
    if not isinstance(inside, list):
        return [foreign("a list of `events`", inside)]
    if not inside:
        return [LeftOut("payload without events")]
    return [_event(record, mapping(event), number) for number, event in enumerate(inside)]


def profiles(record: Record) -> list[Outcome]:
    """The user properties of a payload, where it has any."""
    properties = mapping(record.get("user_properties"))
    time = _time(record, {})
    if not properties or time is None:
        return []
    traits = {name: mapping(of).get("value") if isinstance(of, dict) else of for name, of in properties.items()}
    return [{**_who(record), "time": time, "event_id": content_id(record), "traits": snaked(traits), "record": record}]


def _event(record: Record, event: Mapping[str, Any], number: int) -> Outcome:
    name = text(event.get("name"))
    if name is None:
        return no_name(event.get("name"))
    time = _time(record, event)
    if time is None:
        return no_time(record.get("timestamp_micros"))
    properties = snaked(mapping(event.get("params")))
    session = text(properties.get("session_id") or properties.get("ga_session_id"))
    message = {
        **_who(record),
        "kind": kind_of(name),
        "event_name": name,
        "time": time,
        "event_id": content_id({**_envelope(record), "event": event}, _repetition(record, event, number)),
        "session_id": f"{text(record.get('client_id'))}.{session}" if session else None,
        "ip": text(record.get("ip_override")),
        "properties": properties,
        "record": record,
    }
    take_google_page(message, properties)
    return completed(message)


def _who(record: Record) -> dict[str, Any]:
    return {
        "user_id": text(record.get("user_id")),
        "anonymous_id": text(record.get("client_id")) or text(record.get("app_instance_id")),
    }


def _envelope(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "events"}


def _repetition(record: Record, event: Mapping[str, Any], number: int) -> int:
    """How often the payload held the same event before, so that two clicks on one thing are two events."""
    return sum(1 for earlier in record["events"][:number] if earlier == event)


def _time(record: Record, event: Mapping[str, Any]) -> int | None:
    """The event's own time, the payload's, or when a collector wrote it down."""
    for value in (event.get("timestamp_micros"), record.get("timestamp_micros"), record.get("received_at")):
        found = instant(value)
        if found is not None:
            return found
    return None


SHAPE = Shape(events, profiles)
