"""Parquet and Excel."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from segctl.connectors.files import ReadOptions, detect, read
from segctl.model.errors import DataError, UsageError


def test_parquet_comes_in_batches_as_delivered(tmp_path):
    path = tmp_path / "data.anything"
    frame = pl.DataFrame({"id": range(1000), "tags": [["a", None]] * 1000, "day": [date(2024, 2, 29)] * 1000})
    frame.write_parquet(path, row_group_size=300)

    found = detect(path)
    batches = list(read(path, None, found, batch_rows=128))

    assert (found.format, found.columns) == ("parquet", ("id", "tags", "day"))
    assert pl.concat([batch.frame for batch in batches]).equals(frame)
    assert [line for batch in batches for line in batch.lines] == list(range(1, 1001))
    assert max(batch.frame.height for batch in batches) <= 128
    assert batches[-1].bytes_done == found.bytes


def test_an_empty_parquet_file_has_columns(tmp_path):
    path = tmp_path / "data.parquet"
    pl.DataFrame(schema={"id": pl.Int64}).write_parquet(path)

    assert detect(path).columns == ("id",)
    assert sum(batch.frame.height for batch in read(path)) == 0


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_cut_parquet_file_is_refused(tmp_path, share):
    path = tmp_path / "data.parquet"
    pl.DataFrame({"id": range(1000)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])

    with pytest.raises(DataError) as refused:
        list(read(path))

    assert refused.value.code == "SEG349"


def instant(*parts: int) -> datetime:
    """Excel knows no zones."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    pytest.importorskip("fastexcel")
    path = tmp_path / "shop.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Kunden")
    day, moment, clock = (book.add_format({"num_format": form}) for form in ("dd.mm.yyyy", "dd.mm.yyyy hh:mm", "hh:mm"))
    sheet.write_row(1, 0, ["id", "betrag", "tag", "zeit", "uhr", "aktiv", "formel"])
    sheet.write_row(2, 0, ["01067", 19.99])
    sheet.write_datetime(2, 2, instant(2024, 2, 29), day)
    sheet.write_datetime(2, 3, instant(2024, 2, 29, 12, 30), moment)
    sheet.write_number(2, 4, 0.5, clock)
    sheet.write_boolean(2, 5, True)
    sheet.write_formula(2, 6, "=1+1", None, 2)
    sheet.write_row(3, 0, ["x", 1])
    sheet.write_formula(3, 6, "=1/0", None, "#DIV/0!")
    sheet.write_row(5, 0, [123456789012345, 0.1])
    sheet.write_datetime(5, 3, instant(2024, 3, 1), moment)
    book.add_worksheet("leer")
    other = book.add_worksheet("2025")
    other.write_column(0, 0, ["k", "v"])
    book.close()
    return path


def test_a_sheet_is_text_with_row_numbers_and_iso_dates(workbook):
    found = detect(workbook)
    (batch,) = read(workbook, None, found)

    assert (found.format, found.sheet) == ("xlsx", "Kunden")
    assert found.columns == ("id", "betrag", "tag", "zeit", "uhr", "aktiv", "formel")
    assert batch.frame.rows() == [
        ("01067", "19.99", "2024-02-29", "2024-02-29 12:30:00", "12:00:00", "true", "2"),
        ("123456789012345", "0.1", None, "2024-03-01 00:00:00", None, None, None),
    ]
    assert batch.lines.to_list() == [3, 6]


def test_a_formula_with_an_error_makes_a_bad_row(workbook):
    (batch,) = read(workbook)

    assert [(row.line, row.reason.code, row.reason.message) for row in batch.bad] == [
        (4, "SEG369", "cell G4 gives #DIV/0!")
    ]
    assert batch.bad[0].raw == "x,1,,,,,#DIV/0!"


@pytest.mark.parametrize("sheet", ["2025", 3, "3"])
def test_a_sheet_is_chosen_by_name_or_number(workbook, sheet):
    (batch,) = read(workbook, ReadOptions(sheet=sheet))

    assert batch.frame.rows() == [("v",)]


def test_an_empty_sheet_has_nothing(workbook):
    options = ReadOptions(sheet="leer")

    assert detect(workbook, options).columns == ()
    assert list(read(workbook, options)) == []


def test_an_unknown_sheet_is_refused_with_the_names_there_are(workbook):
    with pytest.raises(UsageError) as refused:
        detect(workbook, ReadOptions(sheet="Kundn"))

    assert refused.value.code == "SEG351"
    assert "`Kunden`" in str(refused.value.hint)


def test_a_cut_workbook_is_refused(workbook):
    workbook.write_bytes(workbook.read_bytes()[:3000])

    with pytest.raises(DataError) as refused:
        detect(workbook)

    assert refused.value.code == "SEG353"


def test_without_the_optional_package_its_extra_is_named(workbook, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastexcel", None)

    with pytest.raises(UsageError) as refused:
        detect(workbook)

    assert refused.value.code == "SEG350"
    assert "segctl[excel]" in str(refused.value.hint)
