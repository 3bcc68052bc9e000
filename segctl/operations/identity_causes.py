"""Moves that come from recognising people anew: who was merged, separated, or changed by a merge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segctl.compile.plan import plan
from segctl.operations.evaluation import evaluate, load_input, lowered_segments

if TYPE_CHECKING:
    from datetime import datetime

    import polars as pl

    from segctl.operations.session import Session
    from segctl.state.runs import Run
    from segctl.state.workspace import Workspace


def identity_causes(
    session: Session, names: Sequence[str], answers: pl.DataFrame, *, as_of: datetime, snapshot: int
) -> pl.DataFrame | None:
    """Why profiles moved since the last run, as far as a merge or its undoing is the reason.

    Who was merged away or came back moved for that reason alone. A profile that others were merged into, or taken
    from, is evaluated once more as if nothing had happened to it: if then it would not have moved, that is the cause.

    Args:
        session: Open project and workspace.
        names: Segments evaluated.
        answers: ``subject`` and one Boolean column per segment.
        as_of: Valid time of the evaluation.
        snapshot: Files it read.

    Returns:
        ``segment``, ``subject``, ``cause``; None when nobody was recognised anew since the last run.
    """
    import polars as pl

    from segctl.state.identity import canonical

    last = _last_run(session)
    names = [n for n in names if n in answers.columns and last is not None and _is_same(session, last, n)]
    if last is None or not names:
        return None
    now, before = canonical(session.workspace, snapshot), canonical(session.workspace, last.snapshot)
    if now is None:
        return None
    before = before if before is not None else now.clear()
    before = before.append(pl.int_range(len(before), len(now), dtype=pl.Int32, eager=True))
    subjects = pl.int_range(len(now), dtype=pl.Int32, eager=True)
    told = _told(session, last.snapshot, snapshot, subjects, before, now)
    if not told.height:
        return None
    certain = told.filter(~pl.col("stays"))
    rows = [certain.select(pl.lit(name).alias("segment"), "subject", "cause") for name in names]
    stayed = told.filter("stays")
    if stayed.height:
        rows.append(_replayed(session, names, answers, stayed, before, last, as_of=as_of, snapshot=snapshot))
    return pl.concat(rows)


def merges_between(workspace: Workspace, earlier: Run, later: Run) -> tuple[str, ...]:
    """Ids of the runs of `dedupe` that the later of two runs knew and the earlier did not, oldest first."""
    from segctl.state.identity import identity_runs

    found = [run.id for run in identity_runs(workspace) if earlier.snapshot < run.commit <= later.snapshot]
    return tuple(reversed(found))


def moves_of_merges(moves: pl.DataFrame) -> int:
    """How many moves, with their ``cause``, come from merging or separating people."""
    import polars as pl

    return moves.filter(pl.col("cause").str.contains(r"^(merged|separated) .* \(i\d")).height


def _last_run(session: Session) -> Run | None:
    """The newest run in force."""
    from segctl.state.runs import runs

    return next((run for run in runs(session.workspace) if run.status in ("ok", "partial")), None)


def _is_same(session: Session, last: Run, name: str) -> bool:
    """A changed definition comes before identity among causes."""
    segment = session.definitions.segments.get(name)
    return segment is not None and last.definitions.get(name) == segment.digest


def _told(
    session: Session, since: int, until: int, subjects: pl.Series, before: pl.Series, now: pl.Series
) -> pl.DataFrame:
    """One row per profile that was touched: ``subject``, ``stays`` (a profile before and now), ``cause``."""
    import polars as pl

    from segctl.operations.people import with_profile_ids
    from segctl.state.identity import identity_runs

    moved = pl.DataFrame({"subject": subjects, "before": before, "after": now}).filter(before != now)
    runs = [run.id for run in identity_runs(session.workspace) if since < run.commit <= until]
    if not moved.height or not runs:
        return pl.DataFrame(schema={"subject": pl.Int32, "stays": pl.Boolean, "cause": pl.String})
    by = ", ".join(reversed(runs[:3]))
    ids = with_profile_ids(session.workspace, pl.DataFrame({"subject": pl.concat([moved["before"], moved["after"]])}))
    old, new = ids["profile_id"].head(moved.height), ids["profile_id"].tail(moved.height)
    moved = moved.with_columns(old.alias("old"), new.alias("new"))
    own = pl.col("subject")
    single = moved.filter((own == pl.col("before")) | (own == pl.col("after"))).select(
        "subject",
        stays=pl.lit(value=False),
        cause=pl.when(own == pl.col("before")).then("merged into " + pl.col("new"))
        .otherwise("separated from " + pl.col("old")),
    )  # fmt: skip
    parts = (
        (moved.select(subject="after", other="old"), "merged with "),
        (moved.select(subject="before", other="new"), "separated from "),
    )
    touched = pl.concat(
        [
            frame.unique().sort("subject", "other").group_by("subject", maintain_order=True).agg("other").select(
                "subject", stays=pl.lit(value=True),
                cause=word + pl.when(pl.col("other").list.len() == 1).then(pl.col("other").list.first())
                .otherwise(pl.format("{} profiles", pl.col("other").list.len())),
            )
            for frame, word in parts
        ]
    )  # fmt: skip
    found = pl.concat([single, touched]).unique("subject", keep="first", maintain_order=True)
    return found.with_columns(pl.col("cause") + f" ({by})")


def _replayed(
    session: Session,
    names: Sequence[str],
    answers: pl.DataFrame,
    stayed: pl.DataFrame,
    before: pl.Series,
    last: Run,
    *,
    as_of: datetime,
    snapshot: int,
) -> pl.DataFrame:
    """The touched profiles that moved and would not have moved under the old identities."""
    import polars as pl

    from segctl.state.memberships import members

    asked = plan(lowered_segments(session, names))
    data = load_input(session, asked, as_of=as_of, snapshot=snapshot, owners=before)
    only = stayed["subject"].sort().to_list()
    old = evaluate(session, names, as_of=as_of, snapshot=snapshot, only=only, data=data)
    parts = []
    for name in names:
        if name in old.failed:
            continue
        was = members(session.workspace, name, last).implode()
        then = _flags(stayed, old.frame, name)
        today = _flags(stayed, answers, name)
        said = stayed["subject"].is_in(was)
        parts.append(
            stayed.filter((today != said) & (then == said)).select(pl.lit(name).alias("segment"), "subject", "cause")
        )
    schema = {"segment": pl.String, "subject": pl.Int32, "cause": pl.String}
    return pl.concat(parts) if parts else pl.DataFrame(schema=schema)


def _flags(stayed: pl.DataFrame, frame: pl.DataFrame, name: str) -> pl.Series:
    """Membership of the touched profiles; whoever has no row is no member."""
    import polars as pl

    inside = frame.filter(pl.col(name).fill_null(value=False))["subject"]
    return stayed["subject"].is_in(inside.implode())
