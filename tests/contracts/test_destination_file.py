"""Files: the suite in every format, exact bytes, formulas made harmless, and folders that are right at any moment."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from destination_suite import NOW, ROWS, DestinationSuite, World, batch, finished
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.connectors.destinations.base import Row
from segctl.connectors.destinations.file import Files
from segctl.connectors.destinations.file_formats import Form, decoded, encoded, frame_of, harmless, unescaped
from segctl.connectors.destinations.file_manifest import folder_name
from segctl.model.destinations import Destination
from segctl.model.errors import DataError, LocalIOError

FIELDS = (("first_name", "first_name"), ("note", "note"), ("points", "points"))
NASTY = Row(
    "d" * 32,
    {"email": "=cmd@example.com", "phone": "+4930123"},
    {"first_name": '=HYPERLINK("http://x","y")', "note": 'a;b,c\n"d" ä€', "points": -5},
)
PLAIN = Row("e" * 32, {"email": "b@example.com"}, {"first_name": None, "note": "-5,50", "points": 2.5})


def files(folder: Path, **options: Any) -> Files:
    """The destination `export` in a folder."""
    identify = (("email", "email"), ("phone", "phone"))
    return Files(
        Destination("export", "file", identify=identify, fields=FIELDS, options=options), World(folder).around()
    )


class FileSuite(DestinationSuite):
    kind: ClassVar[str] = "file"
    format: ClassVar[str] = "csv"

    def options(self) -> dict[str, Any]:
        return {"format": self.format}

    def people(self, audience: str) -> set[str]:
        return {member.identifiers["email"] for member in self.reader().members(audience)}

    def reader(self) -> Files:
        return Files(self.declared(), self.world.around())

    def was_told(self) -> int:
        return len(list(self.world.root.rglob("*")))


class TestCsv(FileSuite):
    pass


class TestExcel(FileSuite):
    format: ClassVar[str] = "csv-excel"


class TestNdjson(FileSuite):
    format: ClassVar[str] = "ndjson"


class TestParquet(FileSuite):
    format: ClassVar[str] = "parquet"


class TestXml(FileSuite):
    format: ClassVar[str] = "xml"


class TestDelta(FileSuite):
    def options(self) -> dict[str, Any]:
        return {"contents": "delta"}

    def people(self, audience: str) -> set[str]:
        """As a receiver reads the files, in the manifest's order."""
        folder = self.world.root / "out" / "tested" / audience
        there: set[str] = set()
        for file in json.loads((folder / "manifest.json").read_text("utf-8"))["files"]:
            found = {row["email"] for row in csv.DictReader(io.StringIO((folder / file["name"]).read_text("utf-8")))}
            there = there | found if file["action"] == "add" else there - found if file["action"] == "remove" else there
        return there


CSV = """email,phone,first_name,note,points
'=cmd@example.com,+4930123,"'=HYPERLINK(""http://x"",""y"")","a;b,c
""d"" ä€",-5
b@example.com,,,"-5,50",2.5
"""
EXCEL = """email;phone;first_name;note;points\r
'=cmd@example.com;+4930123;"'=HYPERLINK(""http://x"",""y"")";"a;b,c
""d"" ä€";-5\r
b@example.com;;;-5,50;2.5\r
"""
NDJSON = """\
{"email":"=cmd@example.com","phone":"+4930123","first_name":"=HYPERLINK(\\"http://x\\",\\"y\\")",\
"note":"a;b,c\\n\\"d\\" ä€","points":-5.0}
{"email":"b@example.com","phone":null,"first_name":null,"note":"-5,50","points":2.5}
"""
XML = """<?xml version="1.0" encoding="UTF-8"?>
<audience segment="winback" action="full" at="2026-11-22T06:00:00+00:00" push="push-1">
 <person><value name="email">=cmd@example.com</value><value name="phone">+4930123</value>\
<value name="first_name">=HYPERLINK("http://x","y")</value><value name="note">a;b,c
"d" ä€</value><value name="points">-5</value></person>
 <person><value name="email">b@example.com</value><value name="phone"></value>\
<value name="first_name"></value><value name="note">-5,50</value><value name="points">2.5</value></person>
</audience>
"""


@pytest.mark.parametrize(
    ("form", "expected"), [("csv", CSV), ("csv-excel", "\ufeff" + EXCEL), ("ndjson", NDJSON), ("xml", XML)]
)
def test_the_bytes_are_these(tmp_path: Path, form: str, expected: str) -> None:
    export = files(tmp_path, format=form)

    export.send(batch((NASTY, PLAIN), audience=export.audience("winback", "winback")))

    [path] = (path for path in (tmp_path / "out/export/winback").iterdir() if path.name != "manifest.json")
    assert path.name.partition(".")[0] == "20261122T060000Z_push-1"
    assert path.read_bytes() == expected.encode()


def test_parquet_keeps_types(tmp_path: Path) -> None:
    export = files(tmp_path, format="parquet")

    export.send(batch((NASTY, PLAIN), audience="winback"))

    frame = pl.read_parquet(next((tmp_path / "out/export/winback").glob("*.parquet")))
    assert dict(frame.schema) == {
        "email": pl.String, "phone": pl.String, "first_name": pl.String, "note": pl.String, "points": pl.Float64,
    }  # fmt: skip
    assert frame["first_name"].to_list() == [NASTY.fields["first_name"], None]


def test_the_manifest_says_what_lies_there(tmp_path: Path) -> None:
    from hashlib import sha256

    export = files(tmp_path)
    export.send(batch(ROWS, audience="winback", id="b1"))
    export.send(batch(ROWS[:1], "remove", audience="winback", id="b2"))

    folder = tmp_path / "out/export/winback"
    found = json.loads((folder / "manifest.json").read_text("utf-8"))

    data = (folder / found["current"]).read_bytes()
    assert found["schema"] == "segctl/file-destination/1"
    assert [(file["rows"], file["action"], file["batches"]) for file in found["files"]] == [(2, "full", ["b1", "b2"])]
    assert (found["files"][0]["size"], found["files"][0]["sha256"]) == (len(data), sha256(data).hexdigest())
    assert not list(folder.glob(".*"))


def test_only_some_files_with_everybody_stay(tmp_path: Path) -> None:
    export = files(tmp_path, keep=2)
    for number in range(4):
        told = batch(ROWS, audience="winback", id=f"b{number}")
        export.send(replace(told, context={"push": f"p{number}"}))

    folder = tmp_path / "out/export/winback"

    assert sorted(path.name for path in folder.glob("*.csv")) == [
        "20261122T060000Z_p2.csv", "20261122T060000Z_p3.csv",
    ]  # fmt: skip
    assert [file["push"] for file in json.loads((folder / "manifest.json").read_text("utf-8"))["files"]] == ["p2", "p3"]


@pytest.mark.parametrize("after", ["csv-excel", "parquet", "ndjson", "xml"])
def test_another_format_goes_on_with_the_same_people(tmp_path: Path, after: str) -> None:
    files(tmp_path, format="csv").send(batch((NASTY, PLAIN), audience="winback"))
    export = files(tmp_path, format=after)

    export.send(replace(batch(ROWS[:1], audience="winback"), context={"push": "push-2"}))

    found = {member.identifiers["email"] for member in export.members("winback")}
    assert found == {"=cmd@example.com", "b@example.com", "anna@example.com"}


def test_a_file_that_is_gone_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    export = files(tmp_path)
    export.send(batch(ROWS, audience="winback"))
    next((tmp_path / "out/export/winback").glob("*.csv")).unlink()

    with pytest.raises(DataError) as caught:
        export.send(batch(ROWS[:1], audience="winback", id="b2"))

    assert caught.value.code == "SEG905"


def test_a_strange_manifest_is_not_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "out/export/winback"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text('{"mine": 1}', "utf-8")

    with pytest.raises(DataError):
        files(tmp_path).send(batch(ROWS, audience="winback"))

    assert (folder / "manifest.json").read_text("utf-8") == '{"mine": 1}'


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file", "utf-8")
    export = files(tmp_path)

    with pytest.raises(LocalIOError) as caught:
        export.send(batch(ROWS, audience="winback"))

    assert caught.value.code == "SEG904"
    assert [probe.status for probe in export.check()] == ["problem"]


@pytest.mark.parametrize("name", ["../../etc", "a/b", ".", "..", "Rückgewinnung (alt)", "con\x00", "ä" * 40])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    root = tmp_path / "out"

    found = (root / folder_name(name)).resolve()

    assert found.parent == root.resolve()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-2+3", "'-2+3"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("\t=1", "'\t=1"),
        ("+49 151 12345678", "+49 151 12345678"),
        ("-12,50", "-12,50"),
        ("'=1", "''=1"),
        ("'quoted", "'quoted"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_formulas_are_made_harmless(value: str, expected: str) -> None:
    assert harmless(value) == expected


@settings(max_examples=60)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6), max_size=5))
def test_csv_gives_texts_back_as_they_were(values: list[str]) -> None:
    rows = [Row(str(place), {"email": f"{place}@example.com"}, {"note": value}) for place, value in enumerate(values)]
    for form in (Form("csv"), Form("csv-excel", ";"), Form("csv", "\t", escapes=False)):
        frame = frame_of(rows, ["email", "note"], form)

        found = unescaped(decoded(encoded(frame, form, {}), form), form)

        assert found["note"].to_list() == values
        if form.format == "csv-excel":
            # An independent reader finds the same cells.
            text = encoded(frame, form, {}).decode("utf-8-sig")
            cells = [row["note"] for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=";")]
            assert cells == frame["note"].to_list()


def test_an_update_of_somebody_who_is_not_there_changes_nothing(tmp_path: Path) -> None:
    export = files(tmp_path)
    finished(export, batch(ROWS[:1], audience="winback"))

    finished(export, batch(ROWS[1:], "update", audience="winback", id="b2"))

    assert [member.identifiers["email"] for member in export.members("winback")] == ["anna@example.com"]


def test_changed_fields_stand_in_the_file(tmp_path: Path) -> None:
    export = files(tmp_path)
    finished(export, batch(ROWS[:1], audience="winback"))
    changed = replace(ROWS[0], fields={"first_name": "Änne", "note": "", "points": 3})

    finished(export, batch((changed,), "update", audience="winback", id="b2"))

    text = next((tmp_path / "out/export/winback").glob("*.csv")).read_text("utf-8")
    assert text == "email,phone,first_name,note,points\nanna@example.com,+4915112345678,Änne,,3\n"
    assert NOW.tzinfo is not None
