"""Hit rates of product recommendations on `online_retail`, beside what is merely popular.

    python tests/benchmarks/recommendations.py [FOLDER OF DATA SETS]

Two questions, both answered from earlier purchases alone. *Next basket*: at the begin of September, October and
November 2011, which of the products that a customer had never bought are in the customer's next basket? *Leave one
out*: of each customer's last basket with anything new in it, one new product (the first by its code) is to be found,
from all that everybody bought before the day on which the month of that basket begins, and all that this customer
bought before the basket. A hit is a list of k that holds one of the products asked for. Popular products are those with
the most buyers; of two makings of that baseline (all time, and the recent ones counting more) the better one counts.
"""

from __future__ import annotations

import resource
import sys
import time
from datetime import datetime
from pathlib import Path

import polars as pl

from segctl.engines.recommendations import Affinities, affinities, lists

HALF_LIFE_DAYS = 180
# The shop's own clock, whose zone the data set does not tell.
CUTS = tuple(datetime(2011, month, 1) for month in (9, 10, 11))  # noqa: DTZ001 - as the data
LENGTHS = (4, 10)


def purchases(folder: Path) -> pl.DataFrame:
    """Purchases of known customers: subject, basket, product, t; without cancellations and postage."""
    rows = pl.read_parquet(folder / "online_retail" / "online_retail.parquet")
    kept = rows.filter(
        pl.col("CustomerID").is_not_null()
        & ~pl.col("InvoiceNo").str.starts_with("C")
        & (pl.col("Quantity") > 0)
        & (pl.col("UnitPrice") > 0)
        & pl.col("StockCode").str.contains(r"^\d{5}")
    )
    return kept.select(
        subject="CustomerID", basket="InvoiceNo", product="StockCode", t=pl.col("InvoiceDate").cast(pl.Datetime("us"))
    ).unique()


def aged(rows: pl.DataFrame, at: datetime) -> pl.DataFrame:
    """The rows before a time, with their age in days."""
    return rows.filter(pl.col("t") < at).with_columns(age=(pl.lit(at) - pl.col("t")).dt.total_seconds() / 86_400)


def asked(rows: pl.DataFrame, cut: datetime, *, one: bool) -> pl.DataFrame:
    """Subject, product and time of what is to be found in the baskets of the month after the cut."""
    after = rows.filter((pl.col("t") >= cut) & (pl.col("t") < cut.replace(month=cut.month + 1)))
    before = rows.filter(pl.col("t") < cut)
    known = after.join(before.select("subject").unique(), on="subject", how="semi")
    new = known.join(before, on=["subject", "product"], how="anti")
    baskets = (new if one else known).sort("t", "basket").group_by("subject", maintain_order=True)
    chosen = (baskets.last() if one else baskets.first()).select("subject", "basket")
    wanted = new.join(chosen, on=["subject", "basket"])
    return wanted.sort("product").group_by("subject", maintain_order=True).head(1) if one else wanted


def hits(known: Affinities, own: pl.DataFrame, wanted: pl.DataFrame) -> dict[int, int]:
    """Length of the list → people with a hit."""
    people = wanted["subject"].unique().sort()
    found = lists(
        known, people, own, own.clear(), half_life_days=HALF_LIFE_DAYS, at_most=max(LENGTHS), exclude_bought=True
    )
    right = found.join(wanted.select("subject", "product").unique(), on=["subject", "product"])
    return {length: right.filter(pl.col("rank") <= length)["subject"].n_unique() for length in LENGTHS}


def popular(rows: pl.DataFrame) -> pl.DataFrame:
    """Products by how many ever bought them."""
    buyers = rows.group_by("product").agg(weight=pl.col("subject").n_unique().cast(pl.Float64))
    return buyers.sort(["weight", "product"], descending=[True, False])


def measure(rows: pl.DataFrame, *, one: bool) -> dict[str, object]:
    """Hit rates over all cuts, and the time of one making and one list."""
    totals: dict[tuple[str, int], int] = {}
    people, making, listing = 0, 0.0, 0.0
    for cut in CUTS:
        before, wanted = aged(rows, cut), asked(rows, cut, one=one)
        own = before.select("subject", "product", "age")
        begin = time.perf_counter()
        known = affinities(before, half_life_days=HALF_LIFE_DAYS)
        made = time.perf_counter()
        found = {"recommended": hits(known, own, wanted)}
        done = time.perf_counter()
        bare = known.pairs.clear()
        for name, weights in (("popular ever", popular(before)), ("popular lately", known.popular)):
            found[name] = hits(Affinities(bare, weights), own, wanted)
        for name, by_length in found.items():
            for length, number in by_length.items():
                totals[name, length] = totals.get((name, length), 0) + number
        people += wanted["subject"].n_unique()
        making, listing = making + made - begin, listing + done - made
    rates = {f"{name} @{length}": round(number / people, 4) for (name, length), number in totals.items()}
    for length in LENGTHS:
        baseline = max(totals["popular ever", length], totals["popular lately", length])
        rates[f"times the baseline @{length}"] = round(totals["recommended", length] / baseline, 3)
    return {
        "people": people, **rates, "making_s": round(making / len(CUTS), 2),
        "list_ms_per_person": round(1000 * listing / people, 3),
    }  # fmt: skip


def main() -> None:
    """Print both measurements."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[3] / "shared" / "datasets")
    rows = purchases(folder)
    for name, one in (("next basket", False), ("leave one out", True)):
        print(name, measure(rows, one=one))  # noqa: T201 - the report
    print("peak memory, MB:", round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))  # noqa: T201 - likewise


if __name__ == "__main__":
    main()
