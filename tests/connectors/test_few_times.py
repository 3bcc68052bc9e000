"""Times of a small batch are read one by one, with the answers that columns give."""

from __future__ import annotations

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from segctl.connectors import typing_times
from segctl.connectors.typing_times import ClockCounts, to_instants
from segctl.model.sources import TimeRule

NUMBER = st.integers(0, 99)
FRACTION = st.sampled_from(["", ".1", ".123", ".123456", ".1234567", ".", ",5"])
OFFSET = st.sampled_from(["Z", "z", "+01:00", "-23:59", "+24:00", "+05:60", "+0100", "+01", "", " Z", "-00:00"])
DAY = st.sampled_from(
    ["2026-11-21", "2026-02-29", "2024-02-29", "0001-01-01", "9999-12-31", "0000-01-01", "2026-13-01"]
)


@st.composite
def times(draw: st.DrawFn) -> str:
    between = draw(st.sampled_from(["T", " ", "t"]))
    clock = ":".join(f"{draw(st.integers(0, most)):02d}" for most in (24, 60, 61))
    return draw(DAY) + between + clock + draw(FRACTION) + draw(OFFSET)


@given(st.lists(st.one_of(times(), st.none()), min_size=1, max_size=6))
@example(["2026-11-21T10:00:00+01:00", None, "2026-11-21T10:00:00.123Z"])
@example(["9999-12-31T23:59:59-23:59"])
@example(["0001-01-01T00:00:00+23:59"])
def test_few_times_are_read_like_many(texts: list[str | None]) -> None:
    raw, rule = pl.Series(texts, dtype=pl.String), TimeRule(zone="Europe/Berlin")
    before = typing_times._FEW

    few = to_instants(raw, rule, ClockCounts())
    typing_times._FEW = 0
    try:
        many = to_instants(raw, rule, ClockCounts())
    finally:
        typing_times._FEW = before

    assert few.to_list() == many.to_list()
    assert few.dtype == many.dtype
