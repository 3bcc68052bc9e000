"""Texts of one length as bytes give what texts of any length give, and times what the library reads."""

from __future__ import annotations

import random

import numpy as np
import polars as pl
import pytest

from segctl.connectors.fingerprints import _mixed_ragged, fingerprints
from segctl.connectors.fixed_texts import byte_table, is_trimmed_ascii, wall_times
from segctl.connectors.typing_times import ClockCounts, to_instants
from segctl.connectors.typing_values import identifier_of
from segctl.model.sources import TimeRule

ROWS = 20_000
SIGNS = "ab09Z \x00\x7féß中😀"


def texts(width: int, seed: int, signs: str = SIGNS) -> pl.Series:
    """Texts of so many bytes."""
    rng = random.Random(seed)
    found: list[str] = []
    while len(found) < 1_000:
        one = "".join(rng.choice(signs) for _ in range(width)).encode()[:width].decode("utf-8", "ignore")
        found.append(one + "x" * (width - len(one.encode())))
    return pl.Series("t", found)


@pytest.mark.parametrize("width", [1, 7, 8, 9, 15, 16, 17, 36, 63, 64, 65])
def test_fingerprints_do_not_depend_on_the_way_they_are_made(width: int) -> None:
    column = texts(width, width)

    table = byte_table(column)

    assert (table is None) == (width == 65)
    assert (fingerprints(column) == _mixed_ragged(column)).all()
    if table is not None:
        assert [bytes(row).decode() for row in table[:50]] == column[:50].to_list()


def test_only_texts_of_one_length_make_a_table() -> None:
    column = texts(8, 1)

    assert byte_table(column.head(999)) is None
    assert byte_table(column.scatter(5, None)) is None
    assert byte_table(column.scatter(5, "seven__")) is None
    assert byte_table(pl.Series(["", ""] * 500)) is None


@pytest.mark.parametrize("odd", [" bcdefgh", "abcdefg ", "\tbcdefgh", "abcdefé", "abcdefg\x7f", "a cdefgh"])
def test_identifiers_are_the_same_as_one_by_one(odd: str) -> None:
    column = texts(8, 2, "abc").scatter(500, odd)
    few = pl.concat([identifier_of(column.slice(start, 200)) for start in range(0, 1_000, 200)])

    assert identifier_of(column).to_list() == few.to_list()
    table = byte_table(column)
    assert table is not None
    assert is_trimmed_ascii(table) == (odd in ("abcdefg\x7f", "a cdefgh"))


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S"])
def test_times_are_what_the_library_reads(form: str) -> None:
    rng = np.random.default_rng(4)
    seconds = rng.integers(-62_135_596_800, 253_402_300_800, ROWS)
    seconds[:3] = (-62_135_596_800, 253_402_300_799, 951_782_400)  # first, last, 29 February 2000
    truth = pl.Series("t", seconds * 1_000_000).cast(pl.Datetime("us"))
    written = truth.dt.strftime(form)
    assert written.str.len_bytes().n_unique() == 1

    table = byte_table(written)
    assert table is not None
    assert (wall_times(table, form[8]) == seconds * 1_000_000).all()
    assert (to_instants(written, TimeRule(), ClockCounts()).to_physical() == truth.to_physical()).all()


@pytest.mark.parametrize(
    "odd",
    ["2026-02-29T10:00:00Z", "2026-00-10T10:00:00Z", "2026-13-10T10:00:00Z", "2026-04-31T10:00:00Z",
     "2026-01-00T10:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T10:60:00Z", "2026-01-01T10:00:60Z",
     "2026-01-01 10:00:00Z", "2026/01/01T10:00:00Z", "2026-01-01T10:00:0:Z", "202é-01-01T1:00:00Z",
     "2026-01-01T10:00:00z", "0000-01-01T10:00:00Z", "+026-01-01T10:00:00Z", "2026-01-01T10.00:00Z"],
)  # fmt: skip
def test_a_time_that_is_none_is_read_as_before(odd: str) -> None:
    column = pl.Series("t", ["2026-01-01T10:00:00Z"] * 3_000).scatter(2_000, odd)
    table = byte_table(column)
    rule = TimeRule()
    alone = to_instants(pl.Series("t", [odd] + ["2026-01-01T10:00:00Z"] * 600), rule, ClockCounts())

    found = to_instants(column, rule, ClockCounts())

    assert table is not None
    assert wall_times(table, "T") is None or odd.endswith("z")
    assert found[2_000] == alone[0]
    assert found.null_count() == alone.null_count()
