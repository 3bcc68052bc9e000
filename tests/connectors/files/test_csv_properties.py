"""CSV against Python's csv module, DuckDB, a letter-by-letter reader of our own, and itself in other chunks."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.connectors.files.base import BadRow, ReadOptions
from segctl.connectors.files.csv_reader import CsvReader
from segctl.connectors.files.formats import detect

letters = st.text(alphabet=st.sampled_from(list("ab1 ,;\"\n\t|ü€😀.'-")), max_size=8)
anything = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=6)
Row = tuple[str | None, ...]


def rows_of(
    content: bytes, options: ReadOptions, chunk_bytes: int, batch_rows: int = 10_000
) -> tuple[list[Row], list[int], list[BadRow]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        path.write_bytes(content)
        rows: list[Row] = []
        lines: list[int] = []
        bad: list[BadRow] = []
        batches = CsvReader().read(path, detect(path, options), batch_rows=batch_rows, chunk_bytes=chunk_bytes)
        for batch in batches:
            assert batch.frame.height == len(batch.lines) <= batch_rows
            rows += batch.frame.rows()
            lines += batch.lines.to_list()
            bad += batch.bad
        return rows, lines, bad


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str]], str, str, int]:
    width = draw(st.integers(1, 5))
    cell = letters | anything
    rows = draw(st.lists(st.lists(cell, min_size=width, max_size=width), max_size=12))
    return rows, draw(st.sampled_from(",;\t|")), draw(st.sampled_from(["\n", "\r\n"])), width


@settings(max_examples=150, deadline=None)
@given(
    tables(),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.integers(1, 200),
    st.integers(1, 7),
)
def test_every_record_comes_back_as_the_csv_module_wrote_it(
    table: tuple[list[list[str]], str, str, int], quoting: int, chunk_bytes: int, batch_rows: int
) -> None:
    rows, delimiter, eol, width = table
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=eol).writerows(rows)
    text = file.getvalue()
    names = tuple(f"c{position}" for position in range(width))
    options = ReadOptions(
        format="csv", delimiter=delimiter, quote='"', encoding="utf-8", header=False, columns=names, skip_rows=0
    )
    # A first line that reads sep=; is Excel's, and a byte order mark is no letter: neither is this test's concern.
    if text.lower().startswith(("sep=", '"sep=', "\ufeff")) or not rows:
        return

    found, lines, bad = rows_of(text.encode(), options, chunk_bytes, batch_rows)

    expected, starts, line = [], [], 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for record in reader:
        if record:
            expected.append(tuple(record))
            starts.append(line)
        line = reader.line_num + 1
    assert [tuple(cell or "" for cell in row) for row in found] == expected
    assert lines == starts
    assert bad == []


soup = st.text(alphabet=st.sampled_from(list('ab,,"\n\n\r')), max_size=60)


def read_by_letters(text: str, width: int) -> tuple[list[tuple[int, Row]], list[tuple[int, str]]]:
    """The rules, without speed: rows and (line, code) of bad records."""
    lines = text.split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    rows: list[tuple[int, Row]] = []
    bad: list[tuple[int, str]] = []
    at = 0
    while at < len(lines):
        if not lines[at].rstrip("\r"):
            at += 1
            continue
        code, fields, taken = one_record(lines, at)
        if code is None and len(fields) == width + 1 and not fields[-1]:
            fields = fields[:-1]
        if code is None and len(fields) != width:
            code = "SEG360" if len(fields) < width else "SEG361"
            following = one_record(lines[: at + 2], at + 1) if taken > 1 else None
            if following and following[0] is None and len(following[1]) == width and is_plain(lines[at + 1]):
                code, taken = "SEG362", 1
        if code is None:
            rows.append((at + 1, tuple(fields)))
        else:
            bad.append((at + 1, code))
            taken = taken if code in {"SEG360", "SEG361"} else 1
        at += taken
    return rows, bad


def is_plain(line: str) -> bool:
    """No quote stands in the middle of an unquoted field."""
    outside = True
    for position, letter in enumerate(line):
        if letter == '"':
            before, after = line[position - 1 : position], line[position + 1 : position + 2]
            fine = (before in {"", ",", '"'}) if outside else (after in {"", ",", '"'} or line[position + 1 :] == "\r")
            if not fine:
                return False
            outside = not outside
    return outside


def one_record(lines: list[str], at: int) -> tuple[str | None, list[str | None], int]:
    fields: list[str | None] = []
    line, position, taken = lines[at].removesuffix("\r"), 0, 1
    raw = lines[at]
    while True:
        if line[position : position + 1] != '"':
            stop = line.find(",", position)
            value = line[position:] if stop < 0 else line[position:stop]
            fields.append(value or None)
            position = len(line) if stop < 0 else stop
        else:
            value, position = "", position + 1
            while True:
                if position >= len(raw):
                    if at + taken >= len(lines):
                        return "SEG362", [], 1
                    value, raw, position = value + "\n", lines[at + taken], 0
                    line = raw.removesuffix("\r")
                    taken += 1
                elif raw[position] != '"':
                    value, position = value + raw[position], position + 1
                elif raw[position + 1 : position + 2] == '"':
                    value, position = value + '"', position + 2
                else:
                    position += 1
                    break
            fields.append(value)
            if position < len(line) and line[position] != ",":
                return "SEG363", [], 1
        if position >= len(line):
            return None, fields, taken
        position += 1


@settings(max_examples=250, deadline=None)
@given(soup, st.integers(1, 3), st.integers(1, 70))
def test_a_soup_of_marks_is_read_as_the_rules_say_in_chunks_of_any_size(text: str, width: int, chunk: int) -> None:
    if not text.strip("\r\n"):
        return
    text = text if text.endswith("\n") else text + "\n"
    names = tuple("abc"[:width])

    found = read_soup(text.encode(), names, chunk)

    rows, bad = read_by_letters(text, width)
    assert found[0] == rows
    assert found[1] == bad


def read_soup(
    content: bytes, names: tuple[str, ...], chunk: int
) -> tuple[list[tuple[int, Row]], list[tuple[int, str]]]:
    from segctl.connectors.files.base import Detected

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "soup.csv"
        path.write_bytes(content)
        detected = Detected("csv", encoding="utf-8", delimiter=",", quote='"', header=False, columns=names)
        rows: list[tuple[int, Row]] = []
        bad: list[tuple[int, str]] = []
        for batch in CsvReader().read(path, detected, batch_rows=1000, chunk_bytes=chunk):
            rows += zip(batch.lines.to_list(), batch.frame.rows(), strict=True)
            bad += [(row.line, row.reason.code) for row in batch.bad]
        return rows, bad


records = st.lists(st.sampled_from(["a", '"b,c"', '"d"', '"e,,""\n"', ""]), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(records, min_size=2, max_size=12), st.sampled_from([30, 10_000]))
def test_no_quoted_delimiter_and_no_long_row_pays_for_a_field_that_is_missing(
    table: list[list[str]], size: int
) -> None:
    text = "".join(",".join(fields) + "\n" for fields in table)

    found = read_soup(text.encode(), ("a", "b", "c"), size)

    rows, bad = read_by_letters(text, 3)
    assert found == (rows, bad)
    assert {row for _, row in rows} <= {
        tuple(cell or None for cell in record[:3])
        for record in csv.reader(io.StringIO(text, newline=""))
        if len(record) == 3 or (len(record) == 4 and not record[3])
    }


def test_a_quoted_comma_does_not_pay_for_a_field_that_is_missing() -> None:
    text = b'o1,k1,2026-01-01,"a,b",10.00,1\no2,k2,2026-01-02,x,10.00,1\no3,k3,2026-01-03,7.00,2\n'

    rows, bad = read_soup(text, ("nr", "kunde", "zeit", "gutschein", "wert", "menge"), 10_000)

    assert [row[0] for _, row in rows] == ["o1", "o2"]
    assert bad == [(3, "SEG360")]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.binary(max_size=12).map(lambda raw: raw.replace(b"\n", b"").replace(b'"', b"")), max_size=20),
    st.integers(1, 100),
)
def test_rows_and_bad_rows_are_all_the_physical_records_of_damaged_bytes(lines: list[bytes], chunk: int) -> None:
    content = b"".join(line + b"\n" for line in lines)

    rows, bad = read_soup(content, ("a", "b"), chunk)

    # A byte order mark at the very start is no part of the first record.
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:-1]
    physical = [number for number, line in enumerate(lines, 1) if line.rstrip(b"\r")]
    assert sorted([line for line, _ in rows] + [line for line, _ in bad]) == physical
    wrong = {number for number, line in enumerate(lines, 1) if not is_text(line)}
    assert wrong.isdisjoint(line for line, _ in rows)


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_a_byte_order_mark_in_pieces_is_no_part_of_the_first_record(chunk: int) -> None:
    assert read_soup(b"\xef\xbb\xbfx,y\n", ("a", "b"), chunk) == ([(1, ("x", "y"))], [])
    assert read_soup(b"\xef\xbb\xbf\n", ("a", "b"), chunk) == ([], [])


def is_text(line: bytes) -> bool:
    try:
        return "\x00" not in line.decode()
    except UnicodeDecodeError:
        return False


def test_a_large_clean_file_agrees_with_duckdb(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "large.csv"
    pl.DataFrame(
        {
            "id": range(20_000),
            "text": [f'say "{n}"\nand, {"ü" * (n % 7)}' if n % 5 == 0 else f"plain {n}" for n in range(20_000)],
            "empty": [None if n % 3 else "" for n in range(20_000)],
        }
    ).write_csv(path)
    options = ReadOptions()

    batches = list(CsvReader().read(path, detect(path, options), batch_rows=3_000, chunk_bytes=50_000))

    ours = pl.concat([batch.frame for batch in batches])
    theirs = duckdb.sql(f"select * from read_csv('{path}', all_varchar=true, header=true)").pl()
    assert (
        ours.with_columns(pl.col("empty").fill_null("")).rows()
        == theirs.with_columns(pl.col("empty").fill_null("")).rows()
    )
    assert sum(len(batch.bad) for batch in batches) == 0
