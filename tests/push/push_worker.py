"""A process that pushes many people to a service in a file, until it is done or killed.

    python push_worker.py FOLDER PEOPLE ROUND

In each round another tenth of the people is missing and another tenth has new fields.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
from fake_service import Connector, Service
from shop import Shop


def audience(people: int, number: int) -> pl.DataFrame:
    """Who is told in a round; sorted by key."""
    row = pl.col("n") % 10
    name = pl.when(row == number % 10).then(pl.lit(f"n{number}")).otherwise(pl.lit("n"))
    return (
        pl.DataFrame({"n": pl.int_range(people, eager=True)})
        .filter(row != (number + 5) % 10)
        .with_columns(pl.format("p{}@example.org", "n").alias("id:email"), name.alias("field:name"))
        .with_columns(key=pl.col("id:email").hash(1).cast(pl.String).str.zfill(32))
        .with_columns(digest=pl.col("key") + pl.col("field:name"), profile_id=pl.col("id:email"))
        .drop("n")
        .sort("key")
    )


class CrowdedShop(Shop):
    """Tells the people of a round, as a frame."""

    rows: pl.DataFrame

    def audience(self, segment: str = "winback") -> pl.DataFrame:
        return self.rows


def main() -> None:
    folder, people, number = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    shop = CrowdedShop(folder / "ws", Service(folder / "service.log"))
    shop.abilities = replace(shop.abilities, batch_rows=500, parallel=2)
    shop.rows = audience(people, number)
    say("begin")
    part = shop.push(Connector(shop.service))
    say(f"done {part.tally.added} {part.tally.updated} {part.tally.removed}")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
