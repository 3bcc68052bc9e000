"""Rows that come one batch after the other are found like rows that were always there."""

from __future__ import annotations

from random import Random

import polars as pl
import pytest

from segctl.engines import hot_memory
from segctl.engines.hot_memory import GrowingRows, HeldRows
from segctl.operations.live.held import MOST_ROWS, Held, merged


def batch(random: Random, height: int, people: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "subject": pl.Series([random.randrange(people) for _ in range(height)], dtype=pl.Int32),
            "ts": pl.Series([random.randrange(40) for _ in range(height)]).cast(pl.Datetime("us", "UTC")),
            "source": ["shop"] * height,
            "event_id": [f"{random.randrange(90):02}" for _ in range(height)],
        }
    )


@pytest.mark.parametrize("steps", [256, 3], ids=["by chains", "by a look at all"])
def test_growing_rows_are_found_like_held_ones(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    monkeypatch.setattr(hot_memory, "_STEPS", steps)
    for seed in range(40):
        random = Random(seed)
        batches = [batch(random, random.randint(1, 30), random.randint(1, 20)) for _ in range(random.randint(1, 7))]
        growing, held = GrowingRows(), HeldRows(pl.concat(batches))
        for rows in batches:
            growing.add(rows)
        asked = pl.Series(sorted({random.randrange(25) for _ in range(12)}), dtype=pl.Int32).to_numpy()

        (rows, whose), (wanted, of) = growing.rows_of(asked), held.rows_of(asked)

        assert growing.ids(rows).equals(held.ids(wanted))
        assert growing.instants(rows).tolist() == held.instants(wanted).tolist()
        assert whose.tolist() == of.tolist()
        assert growing.subjects().tolist() == sorted(set(pl.concat(batches)["subject"]))


def test_rows_of_nobody_are_left() -> None:
    growing = GrowingRows()
    growing.add(batch(Random(1), 2, 3).with_columns(subject=pl.lit(None, pl.Int32)))

    assert not len(growing.subjects())


def test_small_files_become_one_and_large_ones_stay() -> None:
    class Sized(HeldRows):
        def __init__(self, frame: pl.DataFrame, size: int) -> None:
            super().__init__(frame)
            self.size = size

        def __len__(self) -> int:
            return self.size

    random = Random(3)
    files = [batch(random, 5, 9) for _ in range(5)]
    small = merged([Held(frozenset({str(n)}), {"visit": HeldRows(rows)}) for n, rows in enumerate(files)])
    large = merged([Held(frozenset({str(n)}), {"visit": Sized(files[n], MOST_ROWS)}) for n in range(2)])

    assert [one.paths for one in small] == [frozenset("01234")]
    assert small[0].rows == 25
    assert len(large) == 2
