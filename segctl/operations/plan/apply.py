"""Carry out a saved plan: exactly what it promises, once, or nothing."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.model.errors import TemporaryError
from segctl.operations.apply import Applied, Pinned, apply
from segctl.operations.plan.file import refuse_stale

if TYPE_CHECKING:
    from segctl.operations.plan.file import SavedPlan
    from segctl.operations.progress import Progress
    from segctl.operations.session import Session
    from segctl.state.runs import Run


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """What became of a plan.

    Attributes:
        applied: What was done; None when it had been done before.
        before: The run that had carried it out before; else None.
        is_last: That run is still the newest in force.
    """

    applied: Applied | None
    before: Run | None = None
    is_last: bool = False


def apply_plan(
    session: Session,
    plan: SavedPlan,
    *,
    started: datetime,
    dry_run: bool = False,
    full: bool = False,
    progress: Progress | None = None,
) -> CarriedOut:
    """Evaluate the plan's segments from the plan's inputs and record the run, if it gives what the plan promises.

    A plan that was carried out already changes nothing, so doing it twice, or twice at once, does it once.

    Args:
        session: Open project and workspace.
        plan: As it was read.
        started: Wall clock at the start of the call.
        dry_run: Do everything but record.
        full: Evaluate everybody, whatever is known from before.
        progress: Hears what is going on.

    Raises:
        UsageError: It is a plan for something else.
        Refused: It is stale, or gives other members than it promises.
        TemporaryError: Another run was recorded meanwhile.
    """
    from segctl.state.runs import newest_number

    done = _done(session, plan.id)
    if done is not None:
        return done
    last = newest_number(session.workspace)
    refuse_stale(session, plan)
    pinned = Pinned(plan.id, plan.segments, plan.snapshot, last, plan.members)
    try:
        applied = apply(
            session,
            as_of=plan.as_of,
            started=started,
            selection=plan.selection,
            engine=plan.engine,
            dry_run=dry_run,
            allowed=plan.allowed,
            pinned=pinned,
            full=full,
            progress=progress,
        )
    except TemporaryError:
        # Somebody else was quicker: with the same plan that is well, with another run the plan has become stale.
        done = _done(session, plan.id)
        if done is None:
            refuse_stale(session, plan)
            raise
        return done
    return CarriedOut(applied)


def _done(session: Session, plan: str) -> CarriedOut | None:
    from segctl.state.runs import runs

    recorded = [run for run in runs(session.workspace) if run.status.value in ("ok", "partial", "what_if")]
    found = next((run for run in recorded if run.note.get("plan") == plan), None)
    return None if found is None else CarriedOut(None, found, is_last=found is recorded[0])
