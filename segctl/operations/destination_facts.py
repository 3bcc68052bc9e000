"""What destinations declare, who is sent there, and what they were told so far."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.operations.destinations import abilities_of, channel_of, find_destination, recipient_of

if TYPE_CHECKING:
    from segctl.model.destinations import Destination
    from segctl.model.project import Definitions
    from segctl.operations.session import Session

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DestinationFacts:
    """One destination.

    Attributes:
        facts: What it declares and can, for showing; secrets stay references.
        audiences: One row per segment that is or was sent there: segment, audience, members, told.
    """

    facts: dict[str, Any]
    audiences: list[tuple[Any, ...]]


def destinations(definitions: Definitions) -> list[Row]:
    """One row per destination: name, title, kind, purposes, channel, mode, segments, people told of."""
    told = _told(definitions)
    rows = []
    for name, one in definitions.destinations.items():
        known = {segment: size for (there, segment), size in told.items() if there == name}
        rows.append(
            {
                "destination": name,
                "title": one.title,
                "kind": one.kind,
                "purposes": list(one.purposes),
                "channel": channel_of(one),
                "mode": one.mode,
                "segments": _sent_there(definitions, name),
                "people": sum(known.values()) if known else None,
                "owner": one.owner,
                "file": one.location.file if one.location is not None else None,
            }
        )
    return rows


def destination_facts(session: Session, name: str) -> DestinationFacts:
    """The declaration of a destination, and its audiences.

    Raises:
        UsageError: No such destination.
    """
    from segctl.state.memberships import sizes

    one = find_destination(session.definitions, name)
    told = {segment: size for (there, segment), size in _told(session.definitions).items() if there == name}
    members, names = sizes(session.workspace), dict(one.audiences)
    segments = sorted({*_sent_there(session.definitions, name), *told})
    rows = [(segment, names.get(segment, segment), members.get(segment), told.get(segment)) for segment in segments]
    return DestinationFacts(_facts(one), rows)


def _facts(one: Destination) -> dict[str, Any]:
    able = abilities_of(one)
    guards = {key: str(value) for key in one.guards.__slots__ if (value := getattr(one.guards, key)) is not None}
    return {
        "destination": one.name,
        "title": one.title,
        "description": one.description,
        "owner": one.owner,
        "kind": one.kind,
        "purposes": list(one.purposes),
        "channel": channel_of(one),
        "mode": one.mode,
        "recipient": [f"{key}: {value}" for key, value in recipient_of(one).items()],
        "identify": [f"{there}: {here}" for there, here in one.identify] or list(able.identifiers),
        "fields": [f"{there}: {here}" for there, here in one.fields],
        "guards": [f"{key}: {value}" for key, value in guards.items()],
        "settings": [f"{key}: {_shown(value)}" for key, value in sorted(one.options.items())],
        "allowed_hosts": list(one.allowed_hosts),
        "people_in_a_call": able.batch_rows,
        "smallest_audience": able.minimum,
        "can_be_read_back": able.reads_back,
        "declared_in": one.location.file if one.location is not None else None,
    }


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_shown(inner)}" for key, inner in value.items()) + "}"
    return f"[{', '.join(map(_shown, value))}]" if isinstance(value, tuple | list) else str(value)


def _sent_there(definitions: Definitions, name: str) -> list[str]:
    return [segment.name for segment in definitions.segments.values() if name in segment.send_to]


def _told(definitions: Definitions) -> Mapping[tuple[str, str], int]:
    """Destination and segment → people that it was told of; nothing without a workspace."""
    from segctl.state.deliveries import sizes_delivered
    from segctl.state.workspace import DATABASE, Workspace

    folder = Path(definitions.project.workspace)
    if not (folder / DATABASE).is_file():
        return {}
    with Workspace.open(folder) as workspace:
        return sizes_delivered(workspace)
