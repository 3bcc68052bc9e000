"""CSV files as people send them: every edge that has cost somebody a day."""

from __future__ import annotations

from pathlib import Path

import pytest

from segctl.connectors.files import ReadOptions, detect, read
from segctl.connectors.files.base import MAX_RECORD_BYTES
from segctl.model.errors import DataError, UsageError


def test_an_empty_cell_is_missing_and_a_quoted_empty_cell_is_an_empty_text(content_of):
    content = content_of(b'id,name,city\n1,,""\n2,"a",b\n')

    assert content.rows == [("1", None, ""), ("2", "a", "b")]
    assert content.lines == [2, 3]


@pytest.mark.parametrize(
    ("delimiter", "name"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "vertical bar")]
)
def test_the_delimiter_is_found_and_said(content_of, delimiter, name):
    text = "\n".join(delimiter.join(row) for row in [("id", "name", "price"), ("1", "x", "1.5"), ("2", "y", "2.5")])

    content = content_of(text.encode())

    assert content.detected.delimiter == delimiter
    assert any(name in why for why in content.detected.why)
    assert content.rows == [("1", "x", "1.5"), ("2", "y", "2.5")]


def test_commas_in_german_numbers_do_not_beat_the_semicolon(content_of):
    content = content_of(b"Name;Betrag;Anteil\nAda;1.234,50;0,5\nBob;99,90;0,25\n")

    assert content.detected.delimiter == ";"
    assert (content.detected.decimal, content.detected.thousands) == (",", ".")
    assert content.rows[0] == ("Ada", "1.234,50", "0,5")


@pytest.mark.parametrize(
    ("cells", "decimal", "thousands"),
    [
        (["1,234.50", "99.90"], ".", ","),
        (["1'234.50", "99.90"], ".", "'"),
        (["1 234,50", "99,90"], ",", " "),
        (["1.234.567", "99"], ",", "."),
        (["19.99", "3"], ".", ""),
        (["1,5", "x", "y", "z"], ".", ""),
    ],
)
def test_number_styles(content_of, cells, decimal, thousands):
    content = content_of(("v;w\n" + "".join(f"{cell};a\n" for cell in cells)).encode())

    assert (content.detected.decimal, content.detected.thousands) == (decimal, thousands)


def test_an_ambiguous_number_style_is_said(content_of):
    content = content_of(b"v;w\n1.234;a\n5.678;b\n")

    assert any("not certain" in why for why in content.detected.why)


@pytest.mark.parametrize(
    ("encoding", "bom", "found"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("cp1252", b"", "cp1252"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
    ],
)
def test_encodings_are_found(content_of, encoding, bom, found):
    text = "Größe;Straße\n7€;Öttinger Weg\n8;Ärger\n"

    content = content_of(bom + text.encode(encoding))

    assert content.detected.encoding == found
    assert content.detected.columns == ("Größe", "Straße")
    assert content.rows == [("7€", "Öttinger Weg"), ("8", "Ärger")]
    assert content.bad == []


def test_latin_1_is_read_when_declared(content_of):
    content = content_of("a;b\nä;\x85\n".encode("latin-1"), ReadOptions(encoding="latin-1"))

    assert content.rows == [("ä", "\x85")]


def test_bytes_of_another_encoding_far_behind_the_start_are_noticed(content_of):
    line = b"1;" + b"x" * 98 + b"\n"
    late = b"2;M\xfcller" + b"y" * 80 + b"\n"

    content = content_of(b"id;name\n" + line * 90_000 + late * 20_000)

    assert content.detected.encoding == "cp1252"
    assert content.rows[-1][1].startswith("Müller")


def test_a_mostly_good_utf8_file_keeps_its_encoding_and_quarantines_the_damage(content_of):
    rows = "".join(f"{n};Jürgen\n" for n in range(20)).encode()

    content = content_of(b"id;name\n" + rows + b"20;M\xfcller\n21;Zo\xc3\xab\n")

    assert content.detected.encoding == "utf-8"
    assert content.codes == [(22, "SEG364")]
    assert content.bad[0].raw == "20;M\\xfcller"
    assert content.bad[0].reason.value == "byte FC"
    assert content.rows[-1] == ("21", "Zoë")


def test_bytes_that_the_declared_encoding_does_not_have_make_a_bad_row(content_of):
    content = content_of(b"a;b\n1;x\n2;\x81\n3;z\n", ReadOptions(encoding="cp1252"))

    assert content.codes == [(3, "SEG364")]
    assert content.bad[0].raw == "2;\\x81"
    assert content.lines == [2, 4]


def test_a_lone_half_of_a_utf16_pair_makes_a_bad_row(content_of):
    text = "a;b\n1;x\n".encode("utf-16-le") + b"2\x00;\x00\x00\xd8\n\x00" + "3;z\n".encode("utf-16-le")

    content = content_of(text, ReadOptions(encoding="utf-16-le"))

    assert content.codes == [(3, "SEG364")]
    assert content.rows == [("1", "x"), ("3", "z")]


def test_ragged_rows_go_to_bad_whole_and_the_others_come_through(content_of):
    content = content_of(b"a,b,c\n1,2,3\n4,5\n6,7,8,9\n10,11,12\n")

    assert content.rows == [("1", "2", "3"), ("10", "11", "12")]
    assert content.lines == [2, 5]
    assert content.codes == [(3, "SEG360"), (4, "SEG361")]
    assert [row.raw for row in content.bad] == ["4,5", "6,7,8,9"]
    assert content.bad[0].reason.expected == "3 fields"


def test_an_open_quote_costs_its_own_line_only(content_of):
    content = content_of(b'a,b\n1,x\n2,"y\n3,z\n4,"q"\n5,w\n')

    assert content.rows == [("1", "x"), ("3", "z"), ("4", "q"), ("5", "w")]
    assert content.codes == [(3, "SEG362")] or content.codes == [(3, "SEG363")]
    assert content.bad[0].raw == '2,"y'


def test_an_open_quote_without_any_later_quote_costs_its_own_line_only(content_of):
    content = content_of(b'a,b\n1,"x\n' + b"2,y\n" * 1000)

    assert len(content.rows) == 1000
    assert content.codes == [(2, "SEG362")]


def test_an_open_quote_far_from_the_end_is_given_up_at_the_limit(content_of):
    filler = b"2," + b"y" * 997 + b"\n"
    rows = 2 * MAX_RECORD_BYTES // 1000 + 2000

    content = content_of(b'a,b\n1,"x\n' + filler * rows + b'3,"z"\n')

    assert len(content.rows) == rows + 1
    assert [line for line, _ in content.codes] == [2]
    assert content.lines[-1] == rows + 3


def test_a_quote_inside_an_unquoted_field_is_a_letter(content_of):
    content = content_of(b'a,b\n1,5" disk\n2,"say ""hi"""\n')

    assert content.rows == [("1", '5" disk'), ("2", 'say "hi"')]


def test_text_after_a_closing_quote_makes_a_bad_row(content_of):
    content = content_of(b'a,b\n1,"5" disk"\n2,x\n')

    assert content.codes == [(2, "SEG363")]
    assert content.rows == [("2", "x")]


def test_lines_are_physical_lines_with_line_breaks_inside_quotes(content_of):
    content = content_of(b'a,b\r\n1,"x\r\ny\r\nz"\r\n2,q\r\nbad\r\n3,"u\nv"\r\n4,w\r\n')

    assert content.rows == [("1", "x\r\ny\r\nz"), ("2", "q"), ("3", "u\nv"), ("4", "w")]
    assert content.lines == [2, 5, 7, 9]
    assert content.codes == [(6, "SEG360")]


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_line_ends(content_of, eol):
    content = content_of(eol.join(["a,b", "1,x", '2,"y"', ""]).encode())

    assert content.rows == [("1", "x"), ("2", "y")]
    assert content.lines == [2, 3]


def test_the_last_line_may_lack_its_end(content_of):
    assert content_of(b"a,b\n1,x").rows == [("1", "x")]
    assert content_of(b'a,b\r\n1,"x"').rows == [("1", "x")]


def test_nul_bytes_make_a_bad_row(content_of):
    content = content_of(b"a,b\n1,x\n2,\x00y\n3,z\n")

    assert content.codes == [(3, "SEG365")]
    assert content.rows == [("1", "x"), ("3", "z")]


def test_blank_lines_are_no_records_and_still_count_as_lines(content_of):
    content = content_of(b"a,b\n\n1,x\n\r\n\n2,y\n\n")

    assert content.rows == [("1", "x"), ("2", "y")]
    assert content.lines == [3, 6]
    assert content.bad == []


def test_blank_lines_in_a_file_of_one_column(content_of):
    content = content_of(b"mail\na@b.de\n\nc@d.de\n")

    assert content.rows == [("a@b.de",), ("c@d.de",)]
    assert content.lines == [2, 4]


def test_comments_and_skipped_lines(content_of):
    content = content_of(
        b"Export of shop\n2026-11-21\na,b\n# one\n1,x\n#two,with comma\n2,y\n", ReadOptions(skip_rows=2, comment="#")
    )

    assert content.detected.columns == ("a", "b")
    assert content.rows == [("1", "x"), ("2", "y")]
    assert content.lines == [5, 7]


def test_excels_first_line_declares_the_delimiter(content_of):
    content = content_of(b"sep=|\r\na|b,c\r\n1|x,y\r\n")

    assert content.detected.columns == ("a", "b,c")
    assert content.rows == [("1", "x,y")]
    assert content.lines == [3]


def test_a_trailing_delimiter_starts_no_column(content_of):
    content = content_of(b"a;b;\n1;x;\n2;y;\n3;z\n" + b"4;u;\n" * 400 + b"5;v;w\n")

    assert content.detected.columns == ("a", "b")
    assert content.rows[:3] == [("1", "x"), ("2", "y"), ("3", "z")]
    assert len(content.rows) == 403
    assert content.codes == [(405, "SEG361")]


def test_a_trailing_delimiter_only_in_the_rows(content_of):
    content = content_of(b"a;b\n1;x;\n2;y;\n")

    assert content.detected.columns == ("a", "b")
    assert content.rows == [("1", "x"), ("2", "y")]
    assert content.bad == []


def test_names_are_made_unique_and_it_is_said(content_of):
    content = content_of(b"id,mail,,mail,mail_2\n1,a,b,c,d\n")

    assert content.detected.columns == ("id", "mail", "column_3", "mail_3", "mail_2")
    assert any("repeats the name `mail`" in why for why in content.detected.why)
    assert any("has no name" in why for why in content.detected.why)


def test_a_file_without_header_is_noticed(content_of):
    content = content_of(b"1,ada@example.org,2024-01-01\n2,bob@example.org,2024-01-02\n")

    assert content.detected.header is False
    assert content.detected.columns == ("column_1", "column_2", "column_3")
    assert content.lines == [1, 2]


def test_declared_names_replace_the_header(content_of):
    content = content_of(b"x,y\n1,2\n", ReadOptions(columns=("a", "b"), header=True))

    assert content.detected.columns == ("a", "b")
    assert content.rows == [("1", "2")]


def test_declared_names_that_do_not_fit_are_refused(content_of):
    with pytest.raises(UsageError) as refused:
        content_of(b"x,y\n1,2\n", ReadOptions(columns=("a",)))

    assert refused.value.code == "SEG355"


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_columns_and_no_rows(content_of, data):
    content = content_of(data)

    assert content.detected.columns == ()
    assert "the file is empty" in content.detected.why
    assert (content.rows, content.bad) == ([], [])


def test_a_header_alone_gives_columns_and_no_rows(content_of):
    content = content_of(b"a,b\n")

    assert content.detected.columns == ("a", "b")
    assert (content.rows, content.bad) == ([], [])


def test_an_over_long_line_is_a_bad_row_and_memory_stays_bounded(content_of):
    giant = b"2," + b"x" * (3 * MAX_RECORD_BYTES) + b"\n"

    content = content_of(b"a,b\n1,y\n" + giant + b"3,z\n")

    assert content.rows == [("1", "y"), ("3", "z")]
    assert content.lines == [2, 4]
    assert content.codes == [(3, "SEG366")]
    assert len(content.bad[0].raw) < 100_000


def test_a_line_just_over_the_limit_is_a_bad_row(content_of):
    content = content_of(b"a,b\n1," + b"x" * MAX_RECORD_BYTES + b"\n2,y\n")

    assert content.codes == [(2, "SEG366")]
    assert content.rows == [("2", "y")]


def test_a_binary_file_is_refused(content_of):
    with pytest.raises(DataError) as refused:
        content_of(bytes(range(256)) * 40)

    assert refused.value.code == "SEG343"


@pytest.mark.parametrize(
    "options",
    [ReadOptions(delimiter=";;"), ReadOptions(delimiter="ü"), ReadOptions(quote="''"), ReadOptions(delimiter='"')],
)
def test_impossible_marks_are_refused(content_of, options):
    with pytest.raises(UsageError) as refused:
        content_of(b"a,b\n1,2\n", options)

    assert refused.value.code == "SEG354"


def test_an_unknown_encoding_is_refused(content_of):
    with pytest.raises(UsageError) as refused:
        content_of(b"a,b\n", ReadOptions(encoding="utf-9"))

    assert refused.value.code == "SEG346"


def test_no_quote_at_all(content_of):
    content = content_of(b'a,b\n1,"x\n2,y"\n', ReadOptions(quote=""))

    assert content.rows == [("1", '"x'), ("2", 'y"')]


def test_another_quote(content_of):
    content = content_of(b"a,b\n1,'x,''y'\n", ReadOptions(quote="'"))

    assert content.rows == [("1", "x,'y")]


def test_a_byte_order_mark_inside_the_data_is_data(content_of):
    content = content_of(b"a,b\n\xef\xbb\xbf1,x\n")

    assert content.rows == [("\ufeff1", "x")]


def test_batches_keep_order_and_bad_rows_come_once(tmp_path: Path):
    path = tmp_path / "many.csv"
    path.write_bytes(b"a,b\n" + b"".join(b"%d,x\n" % n if n % 10 else b"%d\n" % n for n in range(1000)))

    batches = list(read(path, ReadOptions(header=True), detect(path), batch_rows=64))

    assert [row for batch in batches for row in batch.frame["a"].to_list()] == [str(n) for n in range(1000) if n % 10]
    assert [row.line for batch in batches for row in batch.bad] == [n + 2 for n in range(1000) if n % 10 == 0]
    assert max(batch.frame.height for batch in batches) == 64
