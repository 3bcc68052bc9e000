"""One rule for what is missing."""

from __future__ import annotations

import polars as pl
import pytest

from segctl.identity.missing import is_missing, without_missing

NOTHING = [None, "", "  ", "\t", "n/a", "N/A", " NULL ", "-", "unbekannt", "Keine Angabe", "No Name", "???"]
SOMETHING = ["0", "Na Li", "Anna", "x1", "-5", "Nil Özdemir"]


@pytest.mark.parametrize("value", NOTHING)
def test_nothing_is_missing_in_both_forms(value: str | None) -> None:
    assert is_missing(value)
    assert pl.select(without_missing(pl.lit(value, pl.String))).item() is None


@pytest.mark.parametrize("value", SOMETHING)
def test_a_value_is_kept_stripped_in_both_forms(value: str) -> None:
    assert not is_missing(f" {value} ")
    assert pl.select(without_missing(pl.lit(f" {value} "))).item() == value


def test_not_a_number_is_missing() -> None:
    assert is_missing(float("nan"))
