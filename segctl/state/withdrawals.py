"""How long it took until people who said no were out of an audience, acknowledged by its destination."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace


def withdrawal_times(workspace: Workspace, *, since: datetime) -> dict[str, list[float]]:
    """Destination → seconds from the record of a withdrawal to the acknowledged removal, ascending.

    Args:
        workspace: Open.
        since: Removals acknowledged before do not count.
    """
    rows = workspace.query(
        "SELECT a.destination, w.withdrawn, b.settled FROM withdrawals_done w"
        " JOIN push_audiences a ON a.id = w.audience JOIN push_batches b ON b.number = w.batch WHERE b.settled >= ?",
        (since.isoformat(timespec="microseconds"),),
    )
    found: dict[str, list[float]] = {}
    for destination, withdrawn, settled in rows:
        seconds = datetime.fromisoformat(settled).timestamp() - withdrawn / 1_000_000
        found.setdefault(destination, []).append(max(0.0, seconds))
    return {destination: sorted(times) for destination, times in sorted(found.items())}
