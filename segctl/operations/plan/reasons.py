"""Why profiles would move, counted by kind of cause, with examples by id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.operations.causes.words import kind_of

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.session import Session
    from segctl.state.recording import Outcome

UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Reason:
    """One kind of cause in one direction of one segment.

    Attributes:
        change: ``entered`` or ``left``.
        kind: Machine word of the cause, as in `cause_words.KINDS`.
        profiles: How many.
        examples: Profile id and whole line of a few of them.
    """

    segment: str
    change: str
    kind: str
    profiles: int
    examples: tuple[tuple[str, str | None], ...] = ()


def reasons(session: Session, outcome: Outcome, why: pl.DataFrame | None, *, examples: int) -> tuple[Reason, ...]:
    """The causes of an outcome's moves, the most frequent first.

    Args:
        session: Open project and workspace.
        outcome: What would be recorded.
        why: ``segment``, ``subject``, ``cause`` of moves, as far as known.
        examples: How many profiles are named for each.
    """
    import polars as pl

    from segctl.operations.people import with_profile_ids

    moves = _explained(outcome, why)
    keys = ["segment", "change", "kind"]
    counts = moves.group_by(keys).len("profiles")
    rank = pl.int_range(pl.len()).over(keys)
    shown = moves.sort(*keys, "subject").filter(rank < examples)
    named = with_profile_ids(session.workspace, shown)
    ids: dict[tuple[object, ...], list[tuple[str, str | None]]] = {}
    for row in named.iter_rows(named=True):
        ids.setdefault(tuple(row[key] for key in keys), []).append((row["profile_id"], row["cause"]))
    ordered = counts.sort("segment", "change", "profiles", "kind", descending=[False, False, True, False])
    return tuple(
        Reason(segment, change, kind, profiles, tuple(ids.get((segment, change, kind), ())))
        for segment, change, kind, profiles in ordered.select(*keys, pl.col("profiles")).iter_rows()
    )


def named_moves(session: Session, outcome: Outcome, why: pl.DataFrame | None) -> pl.DataFrame:
    """One row per move: ``segment``, ``profile_id``, ``change``, ``cause``; sorted."""
    from segctl.operations.people import with_profile_ids

    found = with_profile_ids(session.workspace, _explained(outcome, why))
    return found.select("segment", "profile_id", "change", "cause").sort("segment", "change", "profile_id")


def _explained(outcome: Outcome, why: pl.DataFrame | None) -> pl.DataFrame:
    """``segment``, ``subject``, ``change``, ``cause``, ``kind`` of every move."""
    import polars as pl

    names = {movement.segment.id: movement.segment.name for movement in outcome.movements}
    moves = outcome.changes.select(
        pl.col("segment").replace_strict(names, return_dtype=pl.String),
        "subject",
        pl.when("entered").then(pl.lit("entered")).otherwise(pl.lit("left")).alias("change"),
        pl.col("cause").alias("own"),
    )
    if why is not None:
        given = why.select("segment", pl.col("subject").cast(pl.Int32), "cause")
        moves = moves.join(given, on=["segment", "subject"], how="left", maintain_order="left")
    else:
        moves = moves.with_columns(pl.lit(None, dtype=pl.String).alias("cause"))
    moves = moves.with_columns(pl.coalesce("cause", "own").alias("cause")).drop("own")
    lines = moves["cause"].unique().to_list()
    kinds = {line: kind_of(line) or UNEXPLAINED for line in lines if line is not None}
    kind = pl.col("cause").replace_strict(kinds, default=UNEXPLAINED, return_dtype=pl.String)
    return moves.with_columns(kind.alias("kind"))
