"""Recording runs: log, checkpoint and what is in force, in one commit."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segctl.state import problems
from segctl.state.changes import CHANGES, CHECKPOINTS, grown, newest_checkpoint, standing
from segctl.state.recording import Outcome, Refuse, Renames, judge, known_segments, upsert_segments
from segctl.state.runs import NewRun, Run, RunStatus, find_run, insert_run, microseconds, newest_number, run_id

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.files import NewFile
    from segctl.state.workspace import Workspace

LOCK = "memberships"
_CHECKPOINT_RUNS = 16
_CHECKPOINT_ROWS = 1_000_000
"""A question reads one checkpoint and what came after it: at most so many runs or rows."""


def preview_run(
    workspace: Workspace,
    run: NewRun,
    answers: pl.DataFrame,
    *,
    active: Iterable[str] | None = None,
    renames: Renames | None = None,
    failed: Mapping[str, str] | None = None,
    refuse: Refuse | None = None,
) -> Outcome:
    """What `record_run` would record for the same arguments; writes nothing."""
    return judge(workspace, run, answers, active=active, renames=renames or {}, failed=failed or {}, refuse=refuse)


def record_run(
    workspace: Workspace,
    run: NewRun,
    answers: pl.DataFrame,
    *,
    active: Iterable[str] | None = None,
    renames: Renames | None = None,
    failed: Mapping[str, str] | None = None,
    leaf_counts: Mapping[str, Any] | None = None,
    causes: pl.DataFrame | None = None,
    refuse: Refuse | None = None,
    last: int | None = None,
    outcome: Outcome | None = None,
    also: Callable[[sqlite3.Connection, int], None] | None = None,
) -> Run:
    """Records one evaluation and brings into force what may come into force.

    Args:
        workspace: Where it is recorded.
        run: What was evaluated, and from what.
        answers: One row per profile: ``subject`` (unique) and one Boolean column per evaluated segment. A
            profile without a row is in none of them.
        active: Names of all defined segments, evaluated or not; everybody leaves a known segment that is not
            among them. None: nothing is removed.
        renames: New name → former name or names; membership and history go along.
        failed: Segment → reason; these keep their last membership.
        leaf_counts: Segment → JSON value kept with the run.
        causes: ``segment`` String, ``subject``, ``cause``: why a profile moved, where known; and perhaps
            ``effective``: when, if not at the run's as_of.
        refuse: Which of the movements do not come into force.
        last: Number of the newest run there may be, 0 for none; None where any will do.
        outcome: What `preview_run` gave for the same arguments; it holds unless another run came since.
        also: Further statements of the same transaction; gets the number of the run.

    Raises:
        TemporaryError: Another run was recorded meanwhile.
    """
    active = None if active is None else frozenset(active)
    with workspace.moment(LOCK):
        if last is not None and newest_number(workspace) != last:
            raise problems.run_meanwhile()
        if outcome is None or outcome.number != newest_number(workspace) + 1:
            outcome = judge(
                workspace, run, answers, active=active, renames=renames or {}, failed=failed or {}, refuse=refuse
            )
        known = outcome if causes is None else _with_causes(outcome, causes)

        def rows(db: sqlite3.Connection) -> None:
            insert_run(db, known.number, run, known.status)
            upsert_segments(db, known, microseconds(run.as_of))
            _insert_run_segments(db, known, leaf_counts or {})
            if also is not None:
                also(db, known.number)

        name = run_id(known.number, run)
        workspace.commit("run", add=_files(workspace, known), within=rows, note={"run": name})
    return find_run(workspace, name)


def record_failed_run(workspace: Workspace, run: NewRun, reason: str) -> Run:
    """Records a run that came to nothing; what was in force stays so."""
    run = replace(run, note={**run.note, "reason": reason})
    with workspace.moment(LOCK):
        number = newest_number(workspace) + 1
        workspace.commit("run", within=lambda db: insert_run(db, number, run, RunStatus.FAILED))
    return find_run(workspace, run_id(number, run))


def _files(workspace: Workspace, outcome: Outcome) -> list[NewFile]:
    made = []
    if outcome.changes.height:
        made.append(workspace.write(CHANGES, outcome.changes, {"runs": [outcome.number, outcome.number]}))
    if outcome.what_if:
        made.append(_checkpoint(workspace, outcome.what_if, outcome.number, what_if=True))
    if outcome.in_force and _is_checkpoint_due(workspace, outcome.changes.height):
        columns = dict(outcome.in_force)
        alive = {segment.id for segment in known_segments(workspace).values() if segment.alive}
        others = sorted(alive - set(columns))
        unchanged = standing(workspace, outcome.number - 1, others)
        columns |= {segment: unchanged.flags(segment) for segment in others}
        made.append(_checkpoint(workspace, columns, outcome.number, what_if=False))
    return made


def _checkpoint(workspace: Workspace, columns: dict[int, pl.Series], number: int, *, what_if: bool) -> NewFile:
    import polars as pl

    length = max(column.len() for column in columns.values())
    frame = pl.DataFrame({str(segment): grown(column, length) for segment, column in sorted(columns.items())})
    return workspace.write(CHECKPOINTS, frame, {"run": number, "what_if": what_if, "segments": sorted(columns)})


def _is_checkpoint_due(workspace: Workspace, new_rows: int) -> bool:
    newest = newest_checkpoint(workspace, newest_number(workspace))
    if newest is None:
        return True
    since = [file for file in workspace.files(CHANGES) if file.meta["runs"][1] > newest.meta["run"]]
    return len(since) >= _CHECKPOINT_RUNS or sum(file.rows for file in since) + new_rows > _CHECKPOINT_ROWS


def _insert_run_segments(db: sqlite3.Connection, outcome: Outcome, leaf_counts: Mapping[str, Any]) -> None:
    for m in outcome.movements:
        leaves = leaf_counts.get(m.segment.name)
        db.execute(
            "INSERT INTO run_segments (segment, run, state, size, entered, left_, reason, leaves)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                m.segment.id,
                outcome.number,
                m.state.value,
                m.after,
                m.entered,
                m.left,
                m.reason,
                None if leaves is None else json.dumps(leaves, sort_keys=True),
            ),
        )


def _with_causes(outcome: Outcome, causes: pl.DataFrame) -> Outcome:
    import polars as pl

    ids = {m.segment.name: m.segment.id for m in outcome.movements}
    at = pl.col("effective") if "effective" in causes.columns else pl.lit(None, pl.Datetime("us", "UTC"))
    given = causes.filter(pl.col("segment").is_in(list(ids))).select(
        pl.col("segment").replace_strict(ids, return_dtype=pl.Int32),
        pl.col("subject").cast(pl.Int32),
        pl.col("cause").alias("given"),
        at.alias("at"),
    )
    joined = outcome.changes.join(given, on=["segment", "subject"], how="left", maintain_order="left")
    return replace(
        outcome,
        changes=joined.with_columns(pl.coalesce("cause", "given"), pl.coalesce("at", "effective").alias("effective"))
        .drop("given", "at"),
    )  # fmt: skip
