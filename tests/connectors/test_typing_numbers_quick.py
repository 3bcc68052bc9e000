"""Plainly written numbers take the quick way, all of them."""

from __future__ import annotations

import polars as pl
import pytest

from segctl.connectors.typing_numbers import rescaled, to_exact, to_scaled


def test_every_amount_is_read_as_it_is_written() -> None:
    cents = range(0, 1_000_000, 7)
    written = pl.Series([f"{one / 100:.2f}" for one in cents])
    assert to_scaled(written, 2).to_list() == list(cents)


def test_amounts_of_floats_are_their_shortest_decimals() -> None:
    cents = range(-200_000, 200_000, 3)
    floats = pl.Series([one / 100 for one in cents])
    assert to_scaled(floats, 6).to_list() == [one * 10_000 for one in cents]


def test_what_no_whole_number_of_that_scale_is_stays_out() -> None:
    assert to_scaled(pl.Series([0.125, float("nan"), float("inf"), None, 1e300]), 2).to_list() == [None] * 5


@pytest.mark.parametrize("scale", [0, 2, 18])
@pytest.mark.parametrize("dtype", [pl.Int8, pl.Int64])
def test_integers_are_scaled_as_exact_numbers_are(dtype: type[pl.DataType], scale: int) -> None:
    most = 127 if dtype is pl.Int8 else 2**63 - 1
    room = min(most, (2**63 - 1) // 10**scale)
    for values in ([], [None], [0, None, -1], [most, 3], [-most - 1, 3], [room, -room], [min(most, room + 1), 0]):
        raw = pl.Series("amount", values, dtype=dtype)
        found, exact = to_scaled(raw, scale), rescaled(to_exact(raw), scale, rounds=False)
        assert (found.name, found.dtype, found.to_list()) == (exact.name, exact.dtype, exact.to_list())
