"""Moves that come from recognising people anew: who was merged, separated, or changed by a merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.session import Session
    from segctl.state.runs import Run
    from segctl.state.workspace import Workspace


def merges_between(workspace: Workspace, earlier: Run, later: Run) -> tuple[str, ...]:
    """Ids of the runs of `dedupe` that the later of two runs knew and the earlier did not, oldest first."""
    from segctl.state.identity import identity_runs

    found = [run.id for run in identity_runs(workspace) if earlier.snapshot < run.commit <= later.snapshot]
    return tuple(reversed(found))


def moves_of_merges(moves: pl.DataFrame) -> int:
    """How many moves, with their ``cause``, come from merging or separating people."""
    import polars as pl

    return moves.filter(pl.col("cause").str.contains(r"^(merged|separated) .* \(i\d")).height


def as_long(owners: pl.Series | None, length: int) -> pl.Series:
    """Subject → subject of its profile, for so many subjects; those beyond the array stand for themselves."""
    import polars as pl

    known = pl.Series([], dtype=pl.Int32) if owners is None else owners
    return pl.concat([known, pl.int_range(len(known), length, dtype=pl.Int32, eager=True)])


def people_moved(
    session: Session, since: int, until: int, before: pl.Series | None, now: pl.Series | None
) -> pl.DataFrame:
    """Who was recognised anew between two snapshots.

    Args:
        session: Open project and workspace.
        since: The earlier snapshot.
        until: The later snapshot.
        before: Subject → subject of its profile at the earlier one; None when each was its own.
        now: At the later one.

    Returns:
        One row per profile that was touched: ``subject``, ``stays`` (a profile before and now), ``cause``.
    """
    import polars as pl

    from segctl.operations.people import with_profile_ids
    from segctl.state.identity import identity_runs

    nobody = pl.DataFrame(schema={"subject": pl.Int32, "stays": pl.Boolean, "cause": pl.String})
    if now is None:
        return nobody
    before = as_long(before, len(now))
    subjects = pl.int_range(len(now), dtype=pl.Int32, eager=True)
    moved = pl.DataFrame({"subject": subjects, "before": before, "after": now}).filter(before != now)
    if not moved.height:
        return nobody
    runs = [run.id for run in identity_runs(session.workspace) if since < run.commit <= until]
    by = f" ({', '.join(reversed(runs[:3]))})" if runs else ""
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
    return found.with_columns(pl.col("cause") + by)
