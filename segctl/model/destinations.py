"""A destination as declared in `destinations/NAME.yaml`: which service, what for, and how people are named there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from segctl.model.conditions.segments import Guards
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location

Mode = Literal["mirror", "add", "update"]
"""`mirror`: the audience is the membership; `add`: nobody is taken out; `update`: nobody is put in either."""
Channel = str
"""email, sms, phone, push, postal, ads, web …: what a person is reached by."""
OptionType = Literal["text", "secret", "integer", "number", "boolean", "url", "choice", "list", "mapping"]


@dataclass(frozen=True, slots=True)
class Option:
    """A setting that one kind of destination takes.

    Attributes:
        type: A `secret` is given by reference only: ``{env: …}``, ``{file: …}``, ``{command: […]}``.
        choices: Of a `choice`.
    """

    name: str
    type: OptionType
    help: str
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Destination:
    """Where audiences go.

    Attributes:
        kind: Of connector, as in `segctl.connectors.destinations`.
        purposes: What it may be used for; a segment with another purpose is refused.
        channel: What people are reached by there; None takes the connector's own.
        identify: Identifier of the connector (``email``) → trait or identifier of the project; those that are left
            out are taken from the project's `contact_points`.
        fields: Field there → trait; nothing else leaves the house.
        audiences: Segment → name or id there, where it is not the segment's name.
        options: The connector's own settings by name, checked against its `OPTIONS`; secrets stay references.
        allowed_hosts: Hosts that may be spoken to; empty allows the connector's own alone.
        recipient: Class of recipient, country and transfer basis, for the gate: ``{class: ads, country: US, …}``.
    """

    name: str
    kind: str
    purposes: tuple[str, ...] = ()
    channel: Channel | None = None
    mode: Mode = "mirror"
    identify: tuple[tuple[str, str], ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    audiences: tuple[tuple[str, str], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    allowed_hosts: tuple[str, ...] = ()
    recipient: tuple[tuple[str, str], ...] = ()
    guards: Guards = Guards()
    title: str | None = None
    description: str | None = None
    owner: str | None = None
    location: Location | None = field(default=None, compare=False)
