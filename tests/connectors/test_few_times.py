"""Times of a small batch are read one by one, with the answers that columns give."""

from __future__ import annotations

import polars as pl
from hypothesis import example, given, settings
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


SECONDS = st.lists(st.integers(0, 59), min_size=2, max_size=2)
ONE_FORM = st.tuples(
    DAY, st.sampled_from("T "), SECONDS, st.sampled_from(["", ".", ".0", ".12", ".123", ".123456", ".12a", ".1234567"]),
    st.sampled_from(["Z", "+00:00", "+01:00", "+0:000"]),
)  # fmt: skip


@settings(max_examples=40)
@given(ONE_FORM)
@example(("2026-11-21", "T", [0, 59], ".000017", "+00:00"))
@example(("2026-11-21", " ", [0, 59], "", "Z"))
def test_many_times_of_one_form_are_read_like_one(form: tuple[str, str, list[int], str, str]) -> None:
    day, between, seconds, fraction, offset = form
    different = [f"{day}{between}10:00:{second:02d}{fraction}{offset}" for second in seconds]
    raw, rule = pl.Series(different * 500), TimeRule(zone="Europe/Berlin")

    many = to_instants(raw, rule, ClockCounts())

    one_by_one = [to_instants(raw[at : at + 1], rule, ClockCounts()).item() for at in range(2)]
    assert many.to_list() == one_by_one * 500
    assert many.dtype == typing_times.INSTANT
