"""Connectors of destinations, by kind; one file and one line each."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from segctl.connectors.destinations.base import Abilities, Around, Connector
    from segctl.model.destinations import Destination, Option

GROUP = "segctl.connectors"
PREFIX = "destination:"
"""Stands before a kind's name in the entry-point group, which sources share."""
DESTINATIONS: dict[str, str] = {
    "activecampaign": "segctl.connectors.destinations.activecampaign",
    "brevo": "segctl.connectors.destinations.brevo",
    "brevo_mail": "segctl.connectors.destinations.brevo_mail",
    "cleverreach": "segctl.connectors.destinations.cleverreach",
    "file": "segctl.connectors.destinations.file",
    "google_ads": "segctl.connectors.destinations.google_ads",
    "hubspot": "segctl.connectors.destinations.hubspot",
    "klaviyo": "segctl.connectors.destinations.klaviyo",
    "listmonk": "segctl.connectors.destinations.listmonk",
    "mailchimp": "segctl.connectors.destinations.mailchimp",
    "mautic": "segctl.connectors.destinations.mautic",
    "meta": "segctl.connectors.destinations.meta",
    "rudderstack": "segctl.connectors.destinations.rudderstack",
    "segment": "segctl.connectors.destinations.segment",
    "sendgrid": "segctl.connectors.destinations.sendgrid",
    "sendgrid_mail": "segctl.connectors.destinations.sendgrid_mail",
    "sfmc": "segctl.connectors.destinations.sfmc",
    "lake": "segctl.connectors.destinations.lake",
    "smtp": "segctl.connectors.destinations.smtp",
    "sql": "segctl.connectors.destinations.sql",
    "webhook": "segctl.connectors.destinations.webhook",
}
"""Kind → module with `ABILITIES`, `OPTIONS` and `connect`."""


class Kind(Protocol):
    """The module of a kind; with `abilities(destination)` it may also say what one destination of it can do."""

    ABILITIES: Abilities
    OPTIONS: tuple[Option, ...]

    def connect(self, destination: Destination, around: Around) -> Connector:
        """Its connector; nothing is read or asked before it is used."""
        ...


def kinds() -> tuple[str, ...]:
    """Names of all kinds, those of other packages included."""
    others = (point.name.removeprefix(PREFIX) for point in entry_points(group=GROUP) if point.name.startswith(PREFIX))
    return (*DESTINATIONS, *sorted(set(others) - DESTINATIONS.keys()))


def kind(name: str) -> Kind:
    """The module of a kind.

    Raises:
        LookupError: Nobody has registered it.
    """
    if name in DESTINATIONS:
        found: Kind = import_module(DESTINATIONS[name])
        return found
    for point in entry_points(group=GROUP):
        if point.name == PREFIX + name:
            loaded: Kind = point.load()
            return loaded
    raise LookupError(name)


def connected(destination: Destination, around: Around) -> Connector:
    """The connector of a destination, guarded against answers of any shape; nothing is read or asked before it is used.

    Raises:
        LookupError: Nobody has registered its kind.
    """
    from segctl.connectors.destinations.guarded import Guarded

    return Guarded(kind(destination.kind).connect(destination, around))


def abilities(destination: Destination) -> Abilities:
    """What a destination can do: its kind's `ABILITIES`, or what the kind's own `abilities(destination)` makes of them.

    Raises:
        LookupError: Nobody has registered its kind.
    """
    module = kind(destination.kind)
    adapted: Callable[[Destination], Abilities] | None = getattr(module, "abilities", None)
    return module.ABILITIES if adapted is None else adapted(destination)
