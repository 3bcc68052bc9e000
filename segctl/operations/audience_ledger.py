"""Where the ledger keeps an audience, also after its segment was renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.operations.session import Session


def ledger_number(session: Session, destination: str, segment: str) -> int:
    """Number of an audience in the ledger; of a renamed segment that of its last name there. 0 when never pushed."""
    from segctl.state.deliveries import audience_number

    segments = session.definitions.segments
    former = segments[segment].formerly if segment in segments else ()
    names = (segment, *(name for name in reversed(former) if name not in segments))
    return next((found for name in names if (found := audience_number(session.workspace, destination, name))), 0)
