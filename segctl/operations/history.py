"""How a segment's size moved from run to run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.errors import UsageError
from segctl.operations.causes.counts import counts_of, in_words
from segctl.operations.provenance import Origin, origin_of, recorded_as
from segctl.operations.things import unknown_thing

if TYPE_CHECKING:
    from segctl.operations.session import Session
    from segctl.state.runs import Run, RunSegment


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One run's meaning for the segment; profiles throughout.

    Attributes:
        definition: First eight digits of the digest of what was evaluated.
        changed: What differs from the row before: ``definition``, list files, ``zone data``.
        causes: Why profiles came and went, in words with their numbers; empty where nobody moved.
    """

    run: str
    as_of: datetime
    state: str
    members: int
    entered: int
    left: int
    definition: str | None
    reason: str | None
    changed: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


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
    all_runs = runs(session.workspace)
    by_id = {run.id: run for run in all_runs}
    rows = []
    before: Origin | None = None
    for part in recorded(session.workspace, recorded_as(session, segment)):
        origin = origin_of(by_id[part.run], segment, session.definitions, all_runs)
        causes = _causes(session, by_id[part.run], segment, part)
        rows.append(_row(part, origin, before, causes))
        before = origin if origin.definition is not None else before
    return tuple(rows[-limit:] if limit else rows)


def _causes(session: Session, run: Run, segment: str, part: RunSegment) -> tuple[str, ...]:
    definition = session.definitions.segments.get(segment)
    names = (segment, *(definition.formerly if definition is not None else ()))
    found = [counts_of(run.note, name, entered=part.entered, left=part.left) for name in names]
    counts = next((one for one in found if one), {})
    language = session.language()
    return tuple(
        f"{change}: {in_words(counts[change], language)}" for change in ("entered", "left") if change in counts
    )


def _row(part: RunSegment, origin: Origin, before: Origin | None, causes: tuple[str, ...]) -> HistoryRow:
    return HistoryRow(
        run=part.run,
        as_of=part.as_of,
        state=part.state.value,
        members=part.size,
        entered=part.entered,
        left=part.left,
        definition=(origin.definition or "")[:8] or None,
        reason=part.reason,
        changed=before.changes_to(origin) if before is not None else (),
        causes=causes,
    )


def _is_on_record(session: Session, segment: str) -> bool:
    """A removed definition has a history too."""
    return bool(session.workspace.query("SELECT 1 FROM segments WHERE name = ?", (segment,)))
