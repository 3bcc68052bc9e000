"""List files: what is read, and what is said of a file that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from segctl.model.errors import DataError
from segctl.operations.lists import list_values


def said(root: Path, name: str, column: str | None) -> str:
    with pytest.raises(DataError) as caught:
        list_values(root, name, column)
    return f"{caught.value.code} {caught.value.message} {caught.value.hint}"


def test_a_file_without_a_header_gives_no_person_away(tmp_path: Path) -> None:
    (tmp_path / "vip.csv").write_text("anna@x.example,Anna\nberta@x.example,Berta\n")

    text = said(tmp_path, "vip.csv", "email")

    assert text.startswith("SEG517")
    assert "nna" not in text


def test_a_column_of_a_near_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "vip.csv").write_text("e_mail,name\nanna@x.example,Anna\n")

    assert "`e_mail`" in said(tmp_path, "vip.csv", "email")


@pytest.mark.parametrize("name", ["../outside.csv", "lists/../../outside.csv"])
def test_nothing_outside_the_project_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "outside.csv").write_text("1\n")

    assert said(tmp_path / "project", name, None).startswith("SEG516")
    assert said(tmp_path / "project", str(tmp_path / "outside.csv"), None).startswith("SEG516")


def test_values_are_compared_in_the_form_that_ingest_stores(tmp_path: Path) -> None:
    (tmp_path / "vip.csv").write_text("Jose\u0301\n", "utf-8")

    assert list_values(tmp_path, "vip.csv", None) == {"José"}


def test_one_value_a_line_needs_no_header(tmp_path: Path) -> None:
    (tmp_path / "vip.csv").write_text("01067\n 7 \n\n")

    assert list_values(tmp_path, "vip.csv", None) == {"01067", "7"}


def test_a_comma_in_a_later_line_belongs_to_its_value(tmp_path: Path) -> None:
    (tmp_path / "towns.csv").write_text("Ulm\nFrankfurt, Main\nHalle; Saale\n")

    assert list_values(tmp_path, "towns.csv", None) == {"Ulm", "Frankfurt, Main", "Halle; Saale"}


def test_a_value_in_quotes_keeps_its_line_break(tmp_path: Path) -> None:
    (tmp_path / "vip.csv").write_bytes('nr,note\n1,"two\nlines"\n2,a\u2028b\x85c\n'.encode())

    assert list_values(tmp_path, "vip.csv", "note") == {"two\nlines", "a\u2028b\x85c"}
    assert list_values(tmp_path, "vip.csv", "nr") == {"1", "2"}


@pytest.mark.parametrize("text", ['nr\n1\n"2\n3\n', "nr\n" + "x" * 200_000])
def test_a_line_that_is_no_csv_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "vip.csv").write_text(text)

    assert said(tmp_path, "vip.csv", None).startswith("SEG516 the list `vip.csv` cannot be read: line ")
