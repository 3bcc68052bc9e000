"""The data dictionary: values as people write them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from end_to_end.program import ok

from segctl.model.types import TEXT, Kind, ValueType
from segctl.operations.dictionary import FREQUENT, _frequent, shown


@pytest.mark.parametrize(
    ("stored", "text"),
    [(100_000_000, "100"), (0, "0"), (12_500_000, "12.5"), (-1_000_000_000, "-1000"), (1, "0.000001")],
)
def test_a_number_is_written_without_zeros_and_without_an_exponent(stored: int, text: str) -> None:
    value = shown(stored, ValueType(Kind.NUMBER, 6))

    assert isinstance(value, Decimal)
    assert f"{value:f}" == text
    assert "E+" not in str(value)


def test_values_that_all_differ_are_not_frequent() -> None:
    different = [f"B{n}" for n in range(FREQUENT + 1)]

    assert _frequent(pl.Series(different), TEXT) == ()
    assert _frequent(pl.Series([*different, "B0"]), TEXT)[0] == ("B0", 2)
    assert len(_frequent(pl.Series(different[:3]), TEXT)) == 3


def test_values_of_a_sensitive_trait_are_shown_on_request_only(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "segctl.yaml").write_text(
        "segctl: 1\nname: shop\nidentifiers: {nr: {class: known}}\ntraits: {diet: {type: text, sensitive: true}}\n"
    )
    (tmp_path / "sources/crm.yaml").write_text("source: crm\npath: crm.csv\nkey: {nr: nr}\nprofiles: {diet: diet}\n")
    (tmp_path / "crm.csv").write_text("nr,diet\n1,kosher\n2,kosher\n")
    ok("ingest", cwd=tmp_path)

    assert "kosher" not in ok("show", "trait:diet", cwd=tmp_path)
    assert "kosher" in ok("show", "trait:diet", "--show-personal", cwd=tmp_path)
