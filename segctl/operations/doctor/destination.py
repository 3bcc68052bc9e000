"""Try a destination: is it there, does it accept who asks, and does it allow calls? Nobody is told of anything."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.model.errors import SegctlError
from segctl.model.secrets import masked
from segctl.operations.destinations import connector_of, find_destination
from segctl.operations.doctor.doctor import Check

if TYPE_CHECKING:
    from segctl.model.project import Definitions


def try_destination(definitions: Definitions, name: str, *, now: datetime) -> list[Check]:
    """One harmless call, and what it showed.

    Args:
        definitions: With destinations bound.
        name: Of the destination.
        now: Present time, aware.

    Raises:
        UsageError: No such destination.
    """
    from segctl.connectors.destinations.base import Around

    destination = find_destination(definitions, name)
    around = Around(name, Path(definitions.project.root), now)
    try:
        with closing(connector_of(destination, around)) as connector:
            probes = connector.check()
    except SegctlError as error:
        detail = error.message if error.why is None else f"{error.message}: {error.why}"
        return [Check("settings", "problem", masked(detail), None if error.hint is None else masked(error.hint))]
    checks = [Check(p.name, p.status, masked(p.detail), None if p.hint is None else masked(p.hint)) for p in probes]
    if not destination.purposes:
        hint = "write `purposes: [newsletter]`; without one nobody may be sent there"
        checks.append(Check("purposes", "problem", "it is bound to no purpose", hint))
    if not any(name in segment.send_to for segment in definitions.segments.values()):
        checks.append(Check("segments", "note", "no segment is sent there", f"write `send_to: [{name}]` in a segment"))
    return checks
