"""How a source of tracking records is read: its shape, what of it is wanted, and what becomes of IP addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SHAPES = ("segment", "ga4", "ga4_mp", "ga360", "snowplow", "gtm", "tealium")
"""Names under `tracking`; the code that reads each stands in the table of `connectors.tracking`."""

WITH_PROFILES = ("segment", "ga4", "ga4_mp", "snowplow", "gtm", "tealium")
"""Shapes whose records say something about people."""

CONSENT_PATHS: dict[str, tuple[tuple[str, str], ...]] = {
    "segment": (("account", "userId"), ("device", "anonymousId"), ("email", "context.traits.email")),
    "gtm": (("gcs", "x-ga-gcs"), ("gcd", "x-ga-gcd"), ("device", "client_id"), ("account", "user_id")),
    "ga4": (
        ("ad_storage", "privacy_info.ads_storage"), ("analytics_storage", "privacy_info.analytics_storage"),
        ("device", "user_pseudo_id"), ("account", "user_id"),
    ),
    "ga4_mp": (
        ("ad_user_data", "consent.ad_user_data"), ("ad_personalization", "consent.ad_personalization"),
        ("device", "client_id"), ("account", "user_id"),
    ),
}  # fmt: skip
"""Where the records of a shape say what about consent: column of the ledger's files, path into the record."""

FIELDS = (
    "kind", "time", "event_id", "event_name", "user_id", "anonymous_id", "session_id", "group_id", "url", "path",
    "referrer", "title", "search", "campaign", "campaign_source", "campaign_medium", "campaign_term",
    "campaign_content", "value", "currency", "order_id", "products", "properties", "language", "country", "region",
    "city",
)  # fmt: skip
"""Columns every event has, whatever its shape; all else it knows is a property of its own name."""

IP = "ip"
"""The field with the address; only an explicit mapping reads it."""
ADDRESSES = frozenset({
    "ip", "ip_address", "ipaddress", "ip_override", "request_ip", "requestip", "user_ip", "user_ipaddress",
    "client_ip", "remote_addr", "x_forwarded_for",
})  # fmt: skip
"""Names, in small letters, under which tools write the address of a visitor's machine."""

DEVICE = "session.device"
PAGE = "session.page"
END = "session.end"
HIDDEN = (DEVICE, PAGE)
"""Stored beside the declared properties, so that sessions can be computed from stored events alone."""

SESSION_PROPERTIES = ("duration", "pages", "events", "entry_page", "exit_page", "started_at", "ended_at")

Part = Literal["events", "profiles"]


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions as events of their own.

    Attributes:
        kind: The declared event they become.
        gap_us: A pause longer than this, in microseconds, ends a session.
    """

    kind: str
    gap_us: int


@dataclass(frozen=True, slots=True)
class Tracking:
    """The tracking side of a source declaration.

    Attributes:
        shape: One of `SHAPES`.
        part: Which half of the records this source takes: what people did, or what they are.
        names: The sender's event name → declared kind, beside the vocabulary.
        items: The products of an order become events of their own.
        sessions: None when there are none.
        mmdb: Path of the file that turns an IP address into a region; relative to the project.
        keeps_ip: The address itself is mapped by name, so it is kept.
    """

    shape: str
    part: Part = "events"
    names: tuple[tuple[str, str], ...] = ()
    items: bool = False
    sessions: Sessions | None = None
    mmdb: str | None = None
    keeps_ip: bool = False
