"""Weighed pairs as tables by record id."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from segctl.identity.evidence import Scored
from segctl.identity.fields import Records
from segctl.identity.scoring import probability


def pair_frame(records: Records, pairs: Scored, why: NDArray[np.str_] | None = None) -> pl.DataFrame:
    """One row per pair, sorted: `left`, `right` (record ids), `bits`, `probability`, and `why` where it is said."""
    columns: dict[str, pl.Series] = {
        "left": records.ids.gather(pairs.left),
        "right": records.ids.gather(pairs.right),
        "bits": pl.Series(pairs.bits),
        "probability": pl.Series(probability(pairs.bits)),
    }
    if why is not None:
        columns["why"] = pl.Series(why.tolist(), dtype=pl.String)
    return pl.DataFrame(columns).sort("left", "right")


def strongest(pairs: pl.DataFrame, clusters: pl.DataFrame) -> pl.DataFrame:
    """The strongest pair of each two clusters."""
    of = clusters.select(pl.col("record"), pl.col("cluster"))
    both = pairs.join(of.rename({"record": "left", "cluster": "a"}), on="left").join(
        of.rename({"record": "right", "cluster": "b"}), on="right"
    )
    both = both.with_columns(low=pl.min_horizontal("a", "b"), high=pl.max_horizontal("a", "b"))
    both = both.sort("bits", "left", "right", descending=[True, False, False]).unique(["low", "high"], keep="first")
    return both.select(pairs.columns).sort("left", "right")
