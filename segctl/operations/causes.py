"""Why profiles moved between two states of knowledge: the last run's, and the one just evaluated.

`causes` is called with an `Outcome` (from `state.memberships.preview_run`, nothing recorded) and the `Answers` it came
from; `apply` stores what it gives, `plan` shows it:

    outcome = preview_run(workspace, new_run, members, active=…, renames=…, failed=…)
    frame = causes(session, outcome, answers, as_of=as_of, snapshot=snapshot)   # segment, subject, cause, effective
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.operations.evaluation import Answers
    from segctl.operations.session import Session
    from segctl.state.recording import Outcome


def causes(
    session: Session, outcome: Outcome, answers: Answers, *, as_of: datetime, snapshot: int
) -> pl.DataFrame | None:
    """The cause of every change of an outcome.

    Args:
        session: Open project and workspace.
        outcome: What a run changes, recorded or not.
        answers: The evaluation it came from, made with `details`.
        as_of: Valid time of the evaluation.
        snapshot: Files it read.

    Returns:
        ``segment`` String, ``subject`` Int32, ``cause`` String (see `cause_words`), ``effective`` Datetime(us, UTC):
        one row per change with a known cause; None when there is none.
    """
    from segctl.operations.identity_causes import identity_causes

    names = [movement.segment.name for movement in outcome.movements]
    return identity_causes(session, names, answers.frame, as_of=as_of, snapshot=snapshot)
