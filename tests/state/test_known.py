"""Looking up identifiers by hash gives what a join gives."""

from __future__ import annotations

from unittest.mock import patch

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from segctl.state.known import KnownValues

TEXTS = st.lists(st.text(max_size=4), unique=True, max_size=30)


def series(values: list[str | None]) -> pl.Series:
    return pl.Series("value", values, dtype=pl.String)


@given(first=TEXTS, more=TEXTS, asked=st.lists(st.none() | st.text(max_size=4), max_size=30))
def test_every_value_finds_its_subject_and_no_other(first: list[str], more: list[str], asked: list[str | None]) -> None:
    values = list(dict.fromkeys([*first, *more]))
    new = values[len(first) :]
    known = KnownValues(series(first), pl.int_range(len(first), dtype=pl.Int32, eager=True))
    known = known.with_more(series(new), pl.int_range(len(first), len(values), dtype=pl.Int32, eager=True))
    asked = [*asked, *values]

    found = known.look_up(series(asked))

    assert found.to_list() == [values.index(v) if v in values else None for v in asked]
    assert found.dtype == pl.Int32


def test_values_with_one_hash_are_told_apart() -> None:
    with patch.object(pl.Series, "hash", lambda self: pl.Series([7] * self.len(), dtype=pl.UInt64)):
        known = KnownValues(series(["a", "b", "c"]), pl.Series([0, 1, 2], dtype=pl.Int32))

        assert known.look_up(series(["c", "x", None, "a"])).to_list() == [2, None, None, 0]
