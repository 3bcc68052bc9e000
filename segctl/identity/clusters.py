"""Identities that last: which id a cluster keeps, and what a run did to the identities before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

EVENTS = ("merged", "split", "new", "unchanged")


@dataclass(frozen=True, slots=True)
class Lasting:
    """Clusters under ids that last.

    Attributes:
        owners: Subject whose profile id stands for each subject, Int32, position = subject.
        events: One row per identity after the run: ``owner`` Int32, ``event`` (`merged`, `split`, `new` or
            `unchanged`), ``before`` (owners of the identities it was made of), ``subjects`` (how many).
    """

    owners: pl.Series
    events: pl.DataFrame


def lasting(labels: NDArray[np.int64], previous: pl.Series, facts: pl.LazyFrame) -> Lasting:
    """The subject that stands for each cluster.

    A cluster keeps the id of the previous identity that has a known identifier, else of the one that was there
    before newcomers, else of the one that holds most of its records, else of the older one. An id goes with the
    identifier it was minted from: a cluster that was split off from it stands under the best of its own.

    Args:
        labels: Any number of each subject's cluster, position = subject.
        previous: Owner of each subject before, Int32; shorter than `labels` when subjects are new.
        facts: One row per subject, row number = subject: ``known`` Boolean, ``records`` integer, ``seen`` (any
            order, null last), ``rank`` of its kind of identifier, ``name`` (its own id, for what is left of ties).
    """
    size = len(labels)
    before = pl.concat([previous.cast(pl.Int32), pl.int_range(len(previous), size, dtype=pl.Int32, eager=True)])
    members = pl.DataFrame({"subject": pl.int_range(size, dtype=pl.Int32, eager=True), "cluster": labels}).with_columns(
        before=before.alias("before")
    )
    # Most subjects are alone, were so before, and need no thought.
    alone = members.select(
        (pl.len().over("cluster") == 1) & (pl.len().over("before") == 1) & (pl.col("before") == pl.col("subject"))
    ).to_series()
    rest = members.filter(~alone)
    chosen = _chosen(rest, facts, len(previous))
    owners = (
        rest.join(chosen.select("cluster", "owner"), on="cluster", how="left", maintain_order="left")["owner"]
        if rest.height
        else rest["subject"]
    )
    result = members["subject"].scatter(rest["subject"].cast(pl.UInt32), owners.cast(pl.Int32))
    return Lasting(result.alias("canonical"), _events(members, result, len(previous)))


def _chosen(members: pl.DataFrame, facts: pl.LazyFrame, known: int) -> pl.DataFrame:
    """One row per cluster: ``cluster``, ``owner``."""
    wanted = members["subject"]
    own = facts.select("known", "records", "seen", "rank", "name").with_row_index("subject")
    own = own.filter(pl.col("subject").is_in(wanted.cast(pl.UInt32).implode())).with_columns(
        pl.col("subject").cast(pl.Int32)
    )
    rows = members.join(own.collect(), on="subject", how="left")
    # The identity before, in one cluster: its owner when it came along, else its best identifier.
    part = ["cluster", "before"]
    rows = rows.with_columns(
        is_owner=pl.col("subject") == pl.col("before"),
        has_known=pl.col("known").any().over(part),
        was_there=(pl.col("subject") < known).any().over(part),
        all_records=pl.col("records").sum().over(part),
    )
    order = ["cluster", "has_known", "was_there", "all_records", "is_owner", "known", "records", "rank", "seen", "name"]
    falling = [False, True, True, True, True, True, True, False, False, False]
    best = rows.sort(order, descending=falling, nulls_last=True).unique("cluster", keep="first", maintain_order=True)
    return best.select("cluster", owner="subject")


def _events(members: pl.DataFrame, owners: pl.Series, known: int) -> pl.DataFrame:
    frame = members.with_columns(owner=owners, was=pl.when(pl.col("subject") < known).then("before"))
    # An identity that lost somebody is split in all its parts.
    parts = frame.drop_nulls("was").group_by("was").agg(pl.col("owner").n_unique().alias("parts"))
    found = frame.join(parts, on="was", how="left").group_by("owner").agg(
        pl.col("was").drop_nulls().unique().sort().alias("before"),
        pl.col("parts").max(),
        pl.len().alias("subjects"),
    )  # fmt: skip
    event = (
        pl.when(pl.col("before").list.len() > 1).then(pl.lit("merged"))
        .when(pl.col("parts") > 1).then(pl.lit("split"))
        .when(pl.col("before").list.len() == 0).then(pl.lit("new"))
        .otherwise(pl.lit("unchanged"))
    )  # fmt: skip
    return found.select("owner", event.alias("event"), "before", "subjects").sort("owner")
