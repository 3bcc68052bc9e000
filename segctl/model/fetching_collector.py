"""The declaration of a source that others send to: `segctl listen` takes what comes, and ingest reads it."""

from __future__ import annotations

from segctl.model.dataclass import dataclass
from segctl.model.secrets import Secret

TRACKING = ("segment", "ga4_mp", "snowplow", "gtm", "tealium")
"""Protocols whose records have the tracking shape of the same name."""
HOOKS = ("hubspot", "shopify", "stripe", "standard_webhooks")
"""Protocols that sign what they send."""
PROTOCOLS = (*TRACKING, "json", *HOOKS)

DAYS_90_S = 7_776_000.0
"""Shopify signs no time, so only a long memory keeps a request of long ago from being taken anew."""

ADDRESSES = ("none", "short", "full")
"""What is kept of the address a request came from: nothing, its network (/24 or /48), or all of it."""


@dataclass(frozen=True, slots=True)
class CollectorFetch:
    """What of the world may send to a source, and how much.

    Attributes:
        accepts: One of `PROTOCOLS`.
        keys: Name of a write key → where it stands; others are kept, hashed, in the workspace.
        secrets: Of webhooks: what they are signed with; several while one is exchanged.
        is_open: Anybody may send without a key.
        origins: Origins of web pages that may send, ``*`` for all; empty: no page may.
        rate: Requests a second that each key may send in the long run.
        most_bytes: Largest body, inflated.
        most_messages: Most messages of a batch.
        tolerance_s: How far the time of a signed request may be from now.
        remember_s: For how long a signed request is known again.
        address: One of `ADDRESSES`.
        url: Of HubSpot: the address as it is entered there, since it is signed.
        topics: Of Shopify: those that are taken; empty for all.
        id: Of JSON: path to what tells a repetition; None when nothing does.
    """

    accepts: str
    keys: tuple[tuple[str, Secret], ...] = ()
    secrets: tuple[Secret, ...] = ()
    is_open: bool = False
    origins: tuple[str, ...] = ()
    rate: int = 1000
    most_bytes: int = 500_000
    most_messages: int = 1000
    tolerance_s: float = 300.0
    remember_s: float = 172_800.0
    address: str = "none"
    url: str | None = None
    topics: tuple[str, ...] = ()
    id: str | None = None

    @property
    def kind(self) -> str:
        """`collector`."""
        return "collector"

    @property
    def place(self) -> str:
        """The protocol alone: with another one the same bodies mean something else."""
        return self.accepts

    @property
    def is_incremental(self) -> bool:
        """What was read is never read again."""
        return True
