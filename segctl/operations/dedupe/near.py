"""For the report of `dedupe`: pairs near the threshold with their sums, and the profiles that changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from segctl.identity.clusters import Lasting
    from segctl.identity.explain import PairEvidence
    from segctl.identity.fuzzy import FuzzyModel
    from segctl.operations.identity_input import Known

MOST_PAIRS = 8
MOST_PROFILES = 20


@dataclass(frozen=True, slots=True)
class Near:
    """A pair that likeness nearly left, or nearly joined.

    Attributes:
        left: Id that one record was given; `right` the other.
        joined: Likeness joins the two.
        pair: What each field adds.
    """

    left: str
    right: str
    joined: bool
    pair: PairEvidence


def near(everything: Known, edges: pl.DataFrame, held: pl.DataFrame, model: FuzzyModel) -> tuple[Near, ...]:
    """The pairs whose weight is nearest to even odds, on both sides of them.

    Args:
        everything: What the workspace knows.
        edges: Links that count: ``left``, ``right``, ``key``, ``weight`` in bits.
        held: Links that do not: likewise, with the probability as ``value`` and the ``reason``.
        model: Weights of this run.
    """
    import polars as pl

    from segctl.identity.explain import explain_pairs
    from segctl.operations.dedupe.fuzzy import KEY, records_of, required_roles
    from segctl.operations.dedupe.session import ids_of

    share = pl.col("value").cast(pl.Float64, strict=False).clip(1e-6, 1 - 1e-6)
    doubtful = held.filter((pl.col("key") == KEY) & pl.col("reason").str.starts_with("likely"))
    parts = [
        edges.filter(pl.col("key") == KEY).select("left", "right", pl.col("weight").cast(pl.Float64), joined=True),
        doubtful.select("left", "right", (share / (1 - share)).log(2).alias("weight"), joined=False),
    ]
    rows = pl.concat(parts).sort(pl.col("weight").abs(), "left", "right").head(MOST_PAIRS)
    roles = required_roles(everything.project)
    pairs = rows.select("left", "right").rows()
    sums = explain_pairs(records_of(everything, roles), roles, model, pairs, record="subject")
    names = ids_of(everything.workspace, [end for pair in pairs for end in pair])
    return tuple(
        Near(names[a], names[b], joined, one) for (a, b), joined, one in zip(pairs, rows["joined"], sums, strict=True)
    )


def changed(everything: Known, clusters: Lasting) -> tuple[tuple[str, str, int, int], ...]:
    """Profiles that were merged or split, the largest first: id, event, identities before, identifiers now."""
    import polars as pl

    from segctl.operations.dedupe.session import ids_of

    rows = clusters.events.filter(pl.col("event").is_in(["merged", "split"]))
    rows = rows.sort("subjects", "owner", descending=[True, False]).head(MOST_PROFILES)
    names = ids_of(everything.workspace, rows["owner"].to_list())
    return tuple(
        (names[owner], event, before, subjects)
        for owner, event, before, subjects in rows.select(
            "owner", "event", pl.col("before").list.len(), "subjects"
        ).iter_rows()
    )
