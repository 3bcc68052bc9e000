"""From accepted requests to the records that the declaration of their source speaks of.

Both `ingest` and `stream` read requests through here, so that one request is one thing to both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from segctl.connectors.collector.lines import Envelope, read_line, source_mark
from segctl.connectors.collector.snowplow import enriched
from segctl.connectors.tracking.base import instant

Record = dict[str, Any]
_OUTER = ("sentAt", "context", "userId", "anonymousId", "integrations")
_WRONG_CLOCK_US = 60_000_000
"""Below this a difference between the clocks is a slow network."""


def records_of(lines: Iterable[bytes], source: str) -> Iterator[Record]:
    """The records that requests to one source hold, in the order they were received.

    Args:
        lines: Of a collector's files.
        source: Its name.
    """
    mark = source_mark(source)
    for line in lines:
        # A body may hold the mark as well, so the line is asked too.
        if mark in line:
            envelope = read_line(line)
            if envelope is None:
                # Nobody can say what it held; quarantine shows it instead of nobody ever hearing of it.
                yield {"type": None, "body": line.decode("utf-8", "replace").rstrip("\n")}
            elif envelope.get("source") == source:
                yield from of_envelope(envelope)


def of_envelope(envelope: Envelope) -> list[Record]:
    """The records of one request; a body that holds none gives itself, so that quarantine shows it."""
    read = _READERS.get(envelope.get("shape") or "", _plain)
    return read(envelope)


def _segment(envelope: Envelope) -> list[Record]:
    body = envelope["body"]
    if not isinstance(body, dict):
        return _unread(envelope)
    batch = body.get("batch")
    if not isinstance(batch, list):
        kind = envelope.get("kind")
        return [_message(body if kind is None else {**body, "type": kind}, envelope)]
    outer = {name: body[name] for name in _OUTER if name in body}
    return [_message({**outer, **inner} if isinstance(inner, dict) else {"type": inner}, envelope) for inner in batch]


def _message(message: Record, envelope: Envelope) -> Record:
    """A message as Segment's own service hands it on: its time by a right clock, and when it was received."""
    message = {**message, "receivedAt": envelope["received"]}
    address = envelope.get("ip")
    context = message.get("context")
    if address and (context is None or (isinstance(context, dict) and not context.get("ip"))):
        message["context"] = {**(context or {}), "ip": address}
    sent, received = instant(message.get("sentAt")), instant(envelope["received"])
    if sent is not None and received is not None and abs(received - sent) > _WRONG_CLOCK_US:
        # Without `timestamp` the shape corrects the time by the two clocks.
        timestamp = message.pop("timestamp", None)
        message.setdefault("originalTimestamp", timestamp)
    return message


def _ga4(envelope: Envelope) -> list[Record]:
    body = envelope["body"]
    if not isinstance(body, dict):
        return _unread(envelope)
    record = dict(body)
    events = body.get("events")
    inner = events if isinstance(events, list) else []
    is_timed = all(isinstance(event, dict) and event.get("timestamp_micros") for event in inner)
    if not record.get("timestamp_micros") and not (inner and is_timed):
        # Only then: an id is made of the content, and a repetition is received at another time.
        record["received_at"] = envelope["received"]
    if envelope.get("ip"):
        record.setdefault("ip_override", envelope["ip"])
    return [record]


_GTM_TIMES = ("event_time", "timestamp_micros", "event_timestamp", "timestamp", "time", "gtm.start")


def _gtm(envelope: Envelope) -> list[Record]:
    return [_placed(_timed(record, envelope, _GTM_TIMES), envelope, "ip_override") for record in _each(envelope)]


def _tealium(envelope: Envelope) -> list[Record]:
    times = ("event_time", "tealium_timestamp_epoch", "post_time", "timestamp")
    records = [record for one in _each(envelope) for record in _unbundled(one)]
    return [_placed(_timed(record, envelope, times), envelope, "client_ip") for record in records]


def _unbundled(record: Record) -> list[Record]:
    """The events of a bundle, each with what they share."""
    events, shared = record.get("events"), record.get("shared")
    if not isinstance(events, list):
        return [record]
    common = shared if isinstance(shared, dict) else {}
    return [{**common, **one} if isinstance(one, dict) else {"value": one} for one in events]


def _placed(record: Record, envelope: Envelope, name: str) -> Record:
    """With the sender's address, where it is kept and the record names none."""
    address = envelope.get("ip")
    return record if not address or record.get(name) else {**record, name: address}


def _timed(record: Record, envelope: Envelope, names: tuple[str, ...]) -> Record:
    if any(instant(record.get(name)) is not None for name in names):
        return record
    return {**record, "received_at": envelope["received"]}


def _snowplow(envelope: Envelope) -> list[Record]:
    body = envelope["body"]
    data = body.get("data") if isinstance(body, dict) and "data" in body else body
    found = data if isinstance(data, list) else [data]
    return [
        enriched(one, received=envelope["received"], address=envelope.get("ip")) if isinstance(one, dict) else
        {"event": None, "collector_tstamp": None, "body": one} for one in found
    ]  # fmt: skip


def _plain(envelope: Envelope) -> list[Record]:
    """What was sent, with the facts of the request under ``collector``."""
    facts = {name: envelope.get(name) for name in ("received", "key", "id", "kind")}
    facts = {name: of for name, of in facts.items() if of is not None}
    if envelope.get("ip"):
        facts["ip"] = envelope["ip"]
    return [{**record, "collector": facts} for record in _each(envelope)]


def _each(envelope: Envelope) -> list[Record]:
    body = envelope["body"]
    items = body if isinstance(body, list) else [body]
    return [item if isinstance(item, dict) else {"value": item} for item in items]


def _unread(envelope: Envelope) -> list[Record]:
    return [{"type": None, "body": envelope["body"]}]


_READERS: dict[str, Callable[[Envelope], list[Record]]] = {
    "segment": _segment,
    "ga4_mp": _ga4,
    "gtm": _gtm,
    "tealium": _tealium,
    "snowplow": _snowplow,
}
