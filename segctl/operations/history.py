"""How a segment's size moved from run to run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.errors import UsageError
from segctl.operations.dictionary import unknown_thing

if TYPE_CHECKING:
    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One run's meaning for the segment; profiles throughout.

    Attributes:
        definition: First eight digits of the digest of what was evaluated.
    """

    run: str
    as_of: datetime
    state: str
    members: int
    entered: int
    left: int
    definition: str | None
    reason: str | None


def history(session: Session, segment: str, *, limit: int | None = None) -> tuple[HistoryRow, ...]:
    """Every run that evaluated the segment, oldest first.

    Raises:
        UsageError: No run has evaluated it.
    """
    from segctl.state.memberships import history as recorded
    from segctl.state.runs import runs

    segments = session.definitions.segments
    renamed = next((name for name, definition in segments.items() if segment in definition.formerly), None)
    if renamed is not None and segment not in segments:
        raise UsageError("SEG510", f"`{segment}` is called `{renamed}` now", hint=f"`segctl history {renamed}`")
    if segment not in segments and not _is_on_record(session, segment):
        raise unknown_thing("segment", segment, list(segments))
    digests = {run.id: run.definitions.get(segment) for run in runs(session.workspace)}
    rows = tuple(
        HistoryRow(
            run=r.run,
            as_of=r.as_of,
            state=r.state.value,
            members=r.size,
            entered=r.entered,
            left=r.left,
            definition=(digests.get(r.run) or "")[:8] or None,
            reason=r.reason,
        )
        for r in recorded(session.workspace, segment)
    )
    return rows[-limit:] if limit else rows


def _is_on_record(session: Session, segment: str) -> bool:
    """A removed definition has a history too."""
    return bool(session.workspace.query("SELECT 1 FROM segments WHERE name = ?", (segment,)))
