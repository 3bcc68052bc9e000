"""Why profiles moved between two states of knowledge: the last run's, and the one just evaluated.

`causes` is called with an `Outcome` (from `state.memberships.preview_run`, nothing recorded) and the `Answers` it came
from; `apply` stores what it gives, `plan` shows it:

    outcome = preview_run(workspace, new_run, members, active=…, renames=…, failed=…)
    frame = causes(session, outcome, answers, as_of=as_of, snapshot=snapshot)   # segment, subject, cause, effective

Only profiles that entered or left are asked about again, and of them only those of whom something is new: whoever
moved although nothing is known that was not known before moved because time passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from segctl.operations.causes.counts import NOTE, counted
from segctl.operations.causes.details import lines
from segctl.operations.causes.words import cause
from segctl.operations.expiry import expired, expired_at

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.operations.evaluation import Answers
    from segctl.operations.session import Session
    from segctl.state.recording import Outcome
    from segctl.state.runs import Run

_DEEPEST = 10


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
        ``segment`` String, ``subject`` Int32, ``cause`` String (see `cause_words`; null where it stays open),
        ``effective`` Datetime(us, UTC): one row per change; None when there is none.
    """
    import polars as pl

    from segctl.state.runs import runs

    moves = moves_of(outcome)
    if not moves.height:
        return None
    by_number = {run.number: run for run in runs(session.workspace)}
    numbers = _in_force(session, outcome)
    found, moves = _ended(session, moves, {n: by_number.get(k or 0) for n, k in numbers.items()}, as_of)
    groups: dict[int | None, list[str]] = {}
    for name, number in numbers.items():
        groups.setdefault(number, []).append(name)
    for number, names in groups.items():
        part = moves.filter(pl.col("segment").is_in(names))
        if part.height and number is None:
            kind = "first_run" if groups.keys() == {None} else "definition_new"
            found.append(lines(part, cause(kind), as_of))
        elif part.height and number is not None:
            from segctl.operations.causes.moves import Explaining

            found.append(Explaining(session, by_number[number], answers, as_of, snapshot).causes(part))
    return _with_referred_instants(pl.concat(found))


def _ended(
    session: Session, moves: pl.DataFrame, in_force: Mapping[str, Run | None], as_of: datetime
) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """Causes of those whose segment has ended, or goes on after its end was put off; and the other moves."""
    import polars as pl

    segments, zone = session.definitions.segments, session.project.timezone
    names = [name for name in moves["segment"].unique().sort() if name in segments]
    over = set(expired(segments, names, as_of, zone))
    again = {n for n in names if n not in over and (run := in_force.get(n)) and n in run.note.get("expired", ())}
    found = [lines(moves.filter(segment=name), cause("expired"), expired_at(segments[name], zone) or as_of)
             for name in sorted(over)]  # fmt: skip
    found += [
        lines(moves.filter(segment=name), cause("definition_changed", "expires"), as_of) for name in sorted(again)
    ]
    return found, moves.filter(~pl.col("segment").is_in(sorted(over | again)))


def _with_referred_instants(causes: pl.DataFrame) -> pl.DataFrame:
    """What a segment moved that is referred to moved when that one did."""
    import polars as pl

    beginning = cause("segment_changed") + " "
    own = causes.select("subject", other="segment", at="effective")
    # As deep as segments refer to one another; two levels are the rule.
    for _ in range(_DEEPEST):
        other = pl.when(pl.col("cause").str.starts_with(beginning)).then(pl.col("cause").str.strip_prefix(beginning))
        found = causes.with_columns(other.alias("other")).join(
            own, on=["subject", "other"], how="left", maintain_order="left"
        )
        later = found.select(pl.coalesce("at", "effective").alias("effective"))["effective"]
        if (later == causes["effective"]).all():
            break
        causes = causes.with_columns(later)
        own = causes.select("subject", other="segment", at="effective")
    return causes


def cause_note(outcome: Outcome, causes: pl.DataFrame | None) -> dict[str, Any]:
    """What a run notes of its causes: how many of each kind; empty when nobody moved."""
    import polars as pl

    names = {movement.segment.id: movement.segment.name for movement in outcome.movements}
    name = pl.col("segment").replace_strict(names, return_dtype=pl.String)
    moves = outcome.changes.select(name, "subject", "entered", pl.col("cause").alias("said"))
    if not moves.height:
        return {}
    given = pl.DataFrame(schema={"segment": pl.String, "subject": pl.Int32, "cause": pl.String})
    given = given if causes is None else causes.select("segment", "subject", "cause")
    moves = moves.join(given, on=["segment", "subject"], how="left")
    return {NOTE: counted(moves.with_columns(pl.coalesce("said", "cause").alias("cause")))}


def moves_of(outcome: Outcome) -> pl.DataFrame:
    """Changes of an outcome by name: ``segment`` String, ``subject`` Int32, ``entered`` Boolean."""
    import polars as pl

    names = {movement.segment.id: movement.segment.name for movement in outcome.movements}
    name = pl.col("segment").replace_strict(names, return_dtype=pl.String)
    return outcome.changes.filter(pl.col("cause").is_null()).select(name, "subject", "entered")


def _in_force(session: Session, outcome: Outcome) -> dict[str, int | None]:
    """Number of the run in force by segment."""
    rows = session.workspace.query("SELECT id, in_force FROM segments")
    numbers = {row["id"]: row["in_force"] for row in rows}
    return {m.segment.name: numbers.get(m.segment.id) for m in outcome.movements}
