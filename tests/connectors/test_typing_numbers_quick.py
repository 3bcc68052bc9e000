"""Plainly written numbers take the quick way, all of them."""

from __future__ import annotations

import polars as pl

from segctl.connectors.typing_numbers import to_scaled


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
