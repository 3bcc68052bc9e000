"""What is inside of a body: whether it is of its protocol, what tells a repetition, and what is not kept of it."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

from segctl.connectors.collector.lines import encoded
from segctl.connectors.collector.requests import refuse
from segctl.connectors.collector.routes import Route
from segctl.connectors.http.json_paths import present
from segctl.model.fetching_collector import CollectorFetch

_LONGEST_ID = 256


def kept_address(given: str, kept: str) -> str | None:
    """An address as far as it is kept: ``full``, or ``short`` without its last part; None for what is none."""
    try:
        address = ip_address(given)
    except ValueError:
        return None
    if kept == "full":
        return str(address)
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False).network_address)


def without_key(route: Route, value: Any, text: bytes) -> tuple[Any, bytes]:  # noqa: ANN401 - a JSON value
    """Without the key that a browser writes into the body, and into each message: no secret is kept on disk."""
    if route.protocol != "segment" or not isinstance(value, dict):
        return value, text
    kept = _keyless(value)
    inner = kept.get("batch")
    if isinstance(inner, list) and any(_KEY in one for one in inner if isinstance(one, dict)):
        kept = {**kept, "batch": [_keyless(one) if isinstance(one, dict) else one for one in inner]}
    return (value, text) if kept is value else (kept, encoded(kept))


_KEY = "writeKey"


def _keyless(message: dict[str, Any]) -> dict[str, Any]:
    return {name: of for name, of in message.items() if name != _KEY} if _KEY in message else message


def check_shape(route: Route, value: Any, most: int) -> None:  # noqa: ANN401 - a JSON value
    """Does nothing for what the protocol's records can be made of, and not too many of.

    One message of a batch that is none keeps the others out of nothing, as at Segment's own service: the batch is
    taken, and `ingest` sets the one aside. What holds no message at all is refused.

    Raises:
        RefusedRequest: Otherwise.
    """
    inner = _messages(route, value)
    if inner is None or (inner and not any(isinstance(one, dict) for one in inner[: most + 1])):
        raise refuse(400, "shape")
    if route.protocol == "ga4_mp" and not all(isinstance(one, dict) for one in inner[: most + 1]):
        raise refuse(400, "shape")
    if len(inner) > most:
        raise refuse(413, "batch")


def _messages(route: Route, value: Any) -> list[Any] | None:  # noqa: ANN401 - a JSON value
    """The messages in a body; None when it is not of the protocol."""
    name = _LISTS.get(route.protocol)
    if isinstance(value, list):
        return value if route.protocol not in ("segment", "ga4_mp") else None
    if not isinstance(value, dict):
        return None
    if name is None or (name not in value and not _needs_list(route)):
        return [value]
    found = value.get(name)
    return found if isinstance(found, list) else None


_LISTS = {"segment": "batch", "ga4_mp": "events", "snowplow": "data", "tealium": "events"}


def _needs_list(route: Route) -> bool:
    if route.protocol == "segment":
        return route.kind is None
    return route.protocol == "ga4_mp" or (route.protocol == "snowplow" and "POST" in route.methods)


def id_of(route: Route, value: Any, fetch: CollectorFetch) -> str | None:  # noqa: ANN401 - a JSON value
    """What tells a repetition of a request with one message."""
    if not isinstance(value, dict):
        return None
    if route.protocol == "segment":
        return short_text(value.get("messageId"))
    if route.protocol == "snowplow":
        return short_text(value.get("eid"))
    if fetch.id is not None:
        return short_text(present(value, fetch.id))
    return None


def short_text(value: object) -> str | None:
    """A text or whole number as an id, None for all else."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)[:_LONGEST_ID] or None
    return None
