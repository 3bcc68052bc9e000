"""Products that go together, counted with Polars, and the lists they make for people.

Two products are alike when the same baskets hold both: the number of shared baskets, each counting the less the older
and the larger it is, over the geometric mean of how often both are bought. A person's list adds up the likeness of
every product to those that the person bought or viewed, the recent ones first. Item-to-item collaborative filtering
with the cosine: Linden, Smith and York, Amazon.com Recommendations, IEEE Internet Computing 7(1), 2003; the weights by
age and size of the basket are ours.
"""

from __future__ import annotations

import math

import polars as pl

from segctl.model.dataclass import dataclass

NEIGHBOURS = 60
MOST_IN_BASKET = 60
MOST_PRODUCTS = 20_000
PAIRS_AT_ONCE = 4_000_000
PEOPLE_AT_ONCE = 5_000
MOST_SEEDS = 100
DAMPING = 6.0
"""Added under the fraction, so that one shared basket of two rare products proves little."""
SEED_HALF_LIFE = 1.0 / 3
"""Of a person's own events, as a part of the products' half-life: what moves a person changes faster than a range."""
VIEW_WEIGHT = 0.3
_STEP = "step"


@dataclass(frozen=True, slots=True)
class Affinities:
    """What the purchases of everybody say of products.

    Attributes:
        pairs: Columns ``product``, ``other``, ``weight`` in (0, 1]: the products most like each product.
        popular: Columns ``product``, ``weight``: buyers, the recent ones counting more; the most popular first.
    """

    pairs: pl.DataFrame
    popular: pl.DataFrame


def affinities(purchases: pl.DataFrame, *, half_life_days: float) -> Affinities:
    """Which products go together, and which are popular.

    Args:
        purchases: One row per product bought: ``subject``, ``basket`` (any type, unique over people), ``product``
            String and ``age`` in days at the time that it is asked for, 0 or more.
        half_life_days: After how many days a purchase counts half.

    Returns:
        The same for the same rows in any order.
    """
    bought = purchases.group_by("subject", "product").agg(pl.col("age").min())
    popular = (
        bought.group_by("product")
        .agg(pl.len().alias("buyers"), _decayed(half_life_days).sum().round(9).alias("weight"))
        .sort(["weight", "product"], descending=[True, False])
    )
    known = popular.head(MOST_PRODUCTS).select("product").sort("product").with_row_index("number")
    rows = (
        purchases.join(known, on="product")
        .group_by("basket", "number")
        .agg(pl.col("age").min())
        .sort("basket", "age", "number")
        .with_columns(size=pl.len().over("basket"))
        .group_by("basket", maintain_order=True)
        .head(MOST_IN_BASKET)
        .with_columns(pl.col("basket").rank("dense").cast(pl.UInt32))
        # A basket with everything in it says little of any two things.
        .with_columns(weight=_decayed(half_life_days) / (1.0 + pl.col("size").log(2.0)))
        .select("basket", "number", "weight")
    )
    norms = rows.group_by("number").agg(pl.col("weight").sum().alias("norm"))
    pairs = _pairs(rows, norms)
    named = known.select("number", "product")
    return Affinities(
        pairs.join(named, on="number")
        .join(named.rename({"number": "right", "product": "other"}), on="right")
        .select("product", "other", "weight")
        .sort(["product", "weight", "other"], descending=[False, True, False]),
        popular.select("product", "weight"),
    )


def _decayed(half_life_days: float) -> pl.Expr:
    return (pl.col("age") * (-math.log(2.0) / half_life_days)).exp()


def _pairs(rows: pl.DataFrame, norms: pl.DataFrame) -> pl.DataFrame:
    """The likest products of each, block by block of products, so that memory has a bound."""
    sizes = rows.group_by("basket").len("size")
    load = (
        rows.join(sizes, on="basket")
        .group_by("number")
        .agg(pl.col("size").sum())
        .sort("number")
        .with_columns(block=(pl.col("size").cast(pl.Int64).cum_sum() - 1) // PAIRS_AT_ONCE)
    )
    right = rows.select("basket", pl.col("number").alias("right"))
    found = [pl.DataFrame(schema={"number": pl.UInt32, "right": pl.UInt32, "weight": pl.Float64})]
    for block in load["block"].unique().sort():
        left = rows.join(load.filter(pl.col("block") == block).select("number"), on="number", how="semi")
        counted = (
            left.lazy()
            .join(right.lazy(), on="basket")
            .filter(pl.col("number") != pl.col("right"))
            .group_by("number", "right")
            .agg(pl.col("weight").sum())
            .join(norms.lazy(), on="number")
            .join(norms.lazy().rename({"number": "right", "norm": "other_norm"}), on="right")
            .with_columns(
                weight=(pl.col("weight") / ((pl.col("norm") * pl.col("other_norm")).sqrt() + DAMPING)).round(9)
            )
            .select("number", "right", "weight")
            .sort(["number", "weight", "right"], descending=[False, True, False])
            .group_by("number", maintain_order=True)
            .head(NEIGHBOURS)
        )
        found.append(counted.collect())
    return pl.concat(found)


def lists(
    known: Affinities,
    people: pl.Series,
    bought: pl.DataFrame,
    viewed: pl.DataFrame,
    *,
    half_life_days: float,
    at_most: int,
    exclude_bought: bool = True,
    excluded: pl.Series | None = None,
) -> pl.DataFrame:
    """The products for each person.

    Args:
        known: What everybody's purchases say.
        people: Subjects, Int32.
        bought: Their purchases: ``subject``, ``product``, ``age`` in days.
        viewed: What they looked at, likewise.
        half_life_days: After how many days a product's purchases count half.
        at_most: Products for each.
        exclude_bought: A product that the person has is left out.
        excluded: Products that nobody gets.

    Returns:
        One row per person and product, by ``subject`` and ``rank`` from 1: ``product``, ``score``, ``reason``
        (``viewed``, ``bought_together`` or ``popular``) and ``because``, the product that says most for it; null when
        popular.
    """
    parts = [_EMPTY]
    for start in range(0, people.len(), PEOPLE_AT_ONCE):
        some = people.slice(start, PEOPLE_AT_ONCE).unique().sort()
        here = pl.col("subject").is_in(some.implode())
        own, seen = (_newest(rows.filter(here), half_life_days * SEED_HALF_LIFE) for rows in (bought, viewed))
        scored = _scored(known, own, seen)
        scored = pl.concat([scored, _popular(known, some, at_most, own, scored, excluded)])
        if exclude_bought:
            scored = scored.join(own.select("subject", "product"), on=["subject", "product"], how="anti")
        if excluded is not None:
            scored = scored.filter(~pl.col("product").is_in(excluded.implode()))
        parts.append(_ranked(scored, at_most))
    return pl.concat(parts)


_EMPTY = pl.DataFrame(
    schema={
        "subject": pl.Int32,
        "rank": pl.UInt32,
        "product": pl.String,
        "score": pl.Float64,
        "reason": pl.String,
        "because": pl.String,
    }
)


def _newest(rows: pl.DataFrame, half_life_days: float) -> pl.DataFrame:
    """A person's products with the weight of the newest event of each."""
    return (
        rows.group_by("subject", "product")
        .agg(pl.col("age").min())
        .sort("subject", "age", "product")
        .with_columns(seed=_decayed(half_life_days))
        .select("subject", "product", "seed")
    )


def _scored(known: Affinities, own: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """Products that those bought and viewed speak for, and those viewed themselves."""
    seeds = pl.concat(
        [
            own.group_by("subject", maintain_order=True).head(MOST_SEEDS).with_columns(viewed=False),
            seen.group_by("subject", maintain_order=True)
            .head(MOST_SEEDS)
            .with_columns(seed=pl.col("seed") * VIEW_WEIGHT, viewed=True),
        ]
    )
    together = (
        seeds.join(known.pairs, on="product")
        .with_columns(part=pl.col("seed") * pl.col("weight"))
        .sort(["subject", "other", "part", "product"], descending=[False, False, True, False])
        .group_by("subject", "other", maintain_order=True)
        .agg(score=pl.col("part").sum(), because=pl.col("product").first())
        .select(
            "subject",
            product="other",
            score=pl.col("score").round(9),
            step=pl.lit(1, pl.Int8),
            reason=pl.lit("bought_together"),
            because="because",
        )
    )
    looked = seen.join(own, on=["subject", "product"], how="anti").select(
        "subject",
        "product",
        score=pl.col("seed").round(9),
        step=pl.lit(0, pl.Int8),
        reason=pl.lit("viewed"),
        because=pl.col("product"),
    )
    return pl.concat([together, looked])


def _popular(
    known: Affinities,
    people: pl.Series,
    at_most: int,
    own: pl.DataFrame,
    scored: pl.DataFrame,
    excluded: pl.Series | None,
) -> pl.DataFrame:
    """What is popular, for those whose list is not full, as many as may be needed."""
    popular = known.popular if excluded is None else known.popular.filter(~pl.col("product").is_in(excluded.implode()))
    owned = own.group_by("subject").agg(owned=pl.len().cast(pl.Int64))
    full = scored.group_by("subject").agg(found=pl.len().cast(pl.Int64))
    lacking = (
        pl.DataFrame({"subject": people.cast(pl.Int32)})
        .join(owned, on="subject", how="left")
        .join(full, on="subject", how="left")
        .with_columns(pl.col("owned", "found").fill_null(0))
        # Those found may be owned, excluded, or both.
        .filter(pl.col("found") - pl.col("owned") - (0 if excluded is None else excluded.len()) < at_most)
    )
    if lacking.is_empty():
        return scored.clear()
    longest = lacking.select((pl.col("owned") + pl.col("found")).max()).item()
    most = longest + at_most
    return (
        lacking.select("subject")
        .join(popular.head(most), how="cross")
        .select(
            "subject",
            "product",
            score=pl.col("weight"),
            step=pl.lit(2, pl.Int8),
            reason=pl.lit("popular"),
            because=pl.lit(None, pl.String),
        )
    )


def _ranked(scored: pl.DataFrame, at_most: int) -> pl.DataFrame:
    ordered = scored.sort(["subject", _STEP, "score", "product"], descending=[False, False, True, False]).unique(
        ["subject", "product"], keep="first", maintain_order=True
    )
    best = ordered.group_by("subject", maintain_order=True).head(at_most)
    return best.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over("subject")).select(
        "subject", "rank", "product", "score", "reason", "because"
    )
