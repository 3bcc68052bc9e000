"""RudderStack: as Segment, at a data plane of one's own, with traits where its examples have them.

A message has the same id on every try; whether a repetition is dropped by it is set up in the data plane.
"""

from __future__ import annotations

from segctl.connectors.destinations import segment
from segctl.connectors.destinations.base import Around
from segctl.connectors.destinations.clients import ALLOW_HTTP, CA_BUNDLE
from segctl.model.destinations import Destination, Option

ABILITIES = segment.ABILITIES
OPTIONS = (
    segment.WRITE_KEY,
    Option("data_plane", "url", "address of the data plane, `https://hosted.example.com`", required=True),
    segment.DELIVER,
    segment.USER_ID,
    CA_BUNDLE,
    ALLOW_HTTP,
)
abilities = segment.abilities


def connect(destination: Destination, around: Around) -> segment.Tracking:
    """Its connector."""
    address = destination.options["data_plane"].rstrip("/").removesuffix("/v1")
    return segment.Tracking(destination, around, address, in_context=True)
