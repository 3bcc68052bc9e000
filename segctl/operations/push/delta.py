"""What a push has to tell a destination: the audience against what the destination accepted, not the last attempt."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.model.destinations import Mode

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Delta:
    """What one audience needs.

    Attributes:
        rows: The audience with one row per key, sorted by key; of profiles with the same identifiers the first.
        adds: Indexes of rows (UInt32, ascending) that the destination was not told of, or may not know.
        updates: Likewise of those it knows with other fields, and in the mode `update` of all that are sent.
        gone: Keys (String, ascending) that it may hold and that are not in the audience. What becomes of them is
            for the mode and the gate to say.
        same: Likewise of those that it accepted as they are.
        held: Rows that are not sent: found invalid as they are, or sent with an unknown outcome.
        doubled: Rows left out because another profile has the same identifiers.
        before: People that it may hold.
    """

    rows: pl.DataFrame
    adds: pl.Series
    updates: pl.Series
    gone: pl.Series
    same: pl.Series
    held: int
    doubled: int
    before: int

    @property
    def unchanged(self) -> int:
        """Rows that it accepted as they are."""
        return len(self.same)


def delta(
    audience: pl.DataFrame,
    told: pl.DataFrame,
    mode: Mode,
    *,
    held: pl.DataFrame | None = None,
    repeats_unknown: bool = False,
    places: pl.Series | None = None,
) -> Delta:
    """Compares an audience with the ledger.

    Args:
        audience: One row per profile with `key` and `digest`, and whatever a row needs to be sent.
        told: The ledger: `key`, `state`, `digest`, `sent`; one row per key, sorted by key.
        mode: In `update` nobody is put in, so all that is told is an update.
        held: `key` and `digest` of rows that never work as they are; None for none.
        repeats_unknown: Send again what went out with an unknown outcome.
        places: Where each row of the audience stands in `told`, null for who does not; found out when not given.
    """
    import polars as pl

    rows = one_per_key(audience)
    if places is None or rows is not audience:
        before = told.select("key", pl.int_range(pl.len(), dtype=pl.UInt32).alias("place"))
        places = rows.select("key").join(before, on="key", how="left", maintain_order="left")["place"]
    accepted = told.select(pl.col("state", "sent").gather(places), pl.col("digest").gather(places).alias("accepted"))
    joined = rows.select("key", "digest").with_row_index("row").hstack(accepted)
    is_settled = pl.col("state").eq_missing(pl.lit("accepted"))
    is_same = is_settled & pl.col("accepted").eq_missing(pl.col("digest"))
    # Repeating an addition of unknown outcome could have the effect twice; with other fields it is another one.
    is_unknown = pl.col("state").eq_missing(pl.lit("unknown")) & pl.col("sent").eq_missing(pl.col("digest"))
    word = (
        pl.when(is_same).then(pl.lit("same"))
        .when(is_unknown if not repeats_unknown else pl.lit(value=False)).then(pl.lit("held"))
        .when(is_settled & pl.col("accepted").is_not_null()).then(pl.lit("update"))
        .otherwise(pl.lit("update" if mode == "update" else "add"))
    )  # fmt: skip
    named = joined.select("row", "key", "digest", word.alias("word"))
    asked = named.filter(pl.col("word").is_in(["add", "update"]))
    sent = asked if held is None or held.is_empty() else asked.join(held, on=["key", "digest"], how="anti").sort("row")
    return Delta(
        rows=rows,
        adds=sent.filter(pl.col("word") == "add")["row"],
        updates=sent.filter(pl.col("word") == "update")["row"],
        gone=told["key"].filter(_unmatched(places, told.height)),
        same=named.filter(pl.col("word") == "same")["row"],
        held=int((named["word"] == "held").sum()) + asked.height - sent.height,
        doubled=audience.height - rows.height,
        before=told.height,
    )


def _unmatched(places: pl.Series, length: int) -> pl.Series:
    """Which of so many rows stand at none of the places, Boolean."""
    import polars as pl

    return pl.repeat(True, length, dtype=pl.Boolean, eager=True).scatter(places.drop_nulls(), values=False)


def one_per_key(audience: pl.DataFrame) -> pl.DataFrame:
    """The rows sorted by key, the first of each; sorted rows make the ledger's writes quick."""
    import polars as pl

    rows = audience if audience["key"].is_sorted() else audience.sort("key", maintain_order=True)
    is_first = rows["key"].ne_missing(rows["key"].shift(1))
    return rows if is_first.all() else rows.filter(pl.Series(is_first))


def audience_digest(audience: pl.DataFrame) -> str:
    """SHA-256 (hex) of who is told what: keys and digests, in their order."""
    rows = one_per_key(audience)
    made = hashlib.sha256()
    for part in rows.select("key", "digest").iter_slices(100_000):
        made.update("".join((part["key"] + part["digest"]).to_list()).encode())
    return made.hexdigest()
