"""The data dictionary: values as people write them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from end_to_end.program import document, ok, run

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


def test_what_is_computed_of_a_personal_trait_is_personal_too(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "traits").mkdir()
    (tmp_path / "segments").mkdir()
    (tmp_path / "segctl.yaml").write_text(
        "segctl: 1\nname: shop\nidentifiers: {nr: {class: known}}\n"
        "traits: {income: {type: integer, personal: true}, points: integer}\n"
    )
    (tmp_path / "sources/crm.yaml").write_text(
        "source: crm\npath: crm.csv\nkey: {nr: nr}\nprofiles: {income: income, points: points}\n"
    )
    (tmp_path / "traits/money.yaml").write_text(
        "traits:\n  twice: {formula: monthly * 24}\n  monthly: {formula: income / 12}\n"
        "  double_points: {formula: points * 2}\n"
    )
    (tmp_path / "segments/all.yaml").write_text("segment: all\nwhere: {trait: points, above: 0}\n")
    (tmp_path / "crm.csv").write_text("nr,income,points\n1,77777,5\n2,77777,5\n")
    ok("ingest", cwd=tmp_path)
    ok("apply", cwd=tmp_path)

    listed = {row["trait"]: row["personal"] for row in document("ls", "traits", cwd=tmp_path)["data"]}

    assert listed == {"income": True, "points": False, "monthly": True, "twice": True, "double_points": False}
    assert run("show", "all", "-f", "csv", "--columns", "twice", cwd=tmp_path).returncode == 4
    assert "155554" in ok("show", "all", "-f", "csv", "--columns", "twice", "--show-personal", cwd=tmp_path)
    assert ok("show", "all", "-f", "csv", "--columns", "profile_id,points", cwd=tmp_path).startswith(
        "profile_id,points\n"
    )
    assert "155554" not in ok("show", "trait:twice", cwd=tmp_path)
    assert "10" in ok("show", "trait:double_points", cwd=tmp_path)
