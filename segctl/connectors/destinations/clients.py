"""The HTTP client of a kind, made when it is used: importing a kind imports none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.model.destinations import Option

if TYPE_CHECKING:
    from segctl.connectors.destinations.base import Around
    from segctl.connectors.http.client import Client
    from segctl.model.destinations import Destination
    from segctl.model.fetching_rest import Auth
    from segctl.model.secrets import Text

CA_BUNDLE = Option("ca_bundle", "text", "file with the authorities that are trusted, relative to the project")
ALLOW_HTTP = Option("allow_http", "boolean", "speak without TLS, inside a network that is trusted", default=False)
"""For services that one runs oneself."""


def client(
    destination: Destination,
    around: Around,
    base_url: str,
    *,
    auth: Auth | None = None,
    own: tuple[str, ...] = (),
    headers: tuple[tuple[str, Text], ...] = (),
    requests: int | None = None,
    per_s: float = 1.0,
    read_s: float | None = None,
    allow_private: bool = True,
    takes_text: bool = False,
    connections: int = 4,
) -> Client:
    """A client that speaks to the destination's hosts alone.

    Args:
        destination: Its options `ca_bundle` and `allow_http` are heeded where the kind has them.
        around: What is known of the world.
        base_url: Up to what all paths have in common.
        auth: Put on every request.
        own: The vendor's hosts, ``*.example.com`` too; empty where the address is the user's. `allowed_hosts` of the
            declaration stands instead of them.
        headers: On every request.
        requests: At most so many in `per_s` seconds.
        per_s: See `requests`.
        read_s: Longest wait for the next byte of an answer.
        allow_private: Addresses of private networks may be connected.
        takes_text: A success may be no JSON.
        connections: At a time.
    """
    from dataclasses import replace

    from segctl.connectors.http.client import DEFAULT, Client, Service

    limits = replace(DEFAULT, requests=requests, per_s=per_s)
    if read_s is not None:
        limits = replace(limits, read_s=read_s, page_s=max(read_s, 1.0))
    service = Service(
        base_url,
        auth,
        headers,
        destination.allowed_hosts or own,
        limits,
        destination.options.get("ca_bundle"),
        bool(destination.options.get("allow_http", False)),
        allow_private,
        takes_text,
        connections,
    )
    return Client(around, service)
