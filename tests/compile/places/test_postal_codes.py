"""Postal codes: those that come with segctl, spellings, and files of the user's own."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from segctl.compile.places.files import read_codes, read_places
from segctl.compile.places.postal import SHIPPED, country_code, nearest_codes, shipped_codes


def test_the_codes_of_three_countries_come_along() -> None:
    codes = shipped_codes()

    assert {of: len(codes.codes(of)) for of in ("AT", "CH", "DE")} == {"AT": 2_217, "CH": 3_362, "DE": 10_814}
    assert codes.label(("DE", "80331")) == "80331 München"
    assert codes.point(("DE", "80331")) == (48_134_500, 11_571_000)
    assert all(45 < north / 1e6 < 55.2 and 5.5 < east / 1e6 < 17.3 for (north, east), _ in codes.places.values())
    assert SHIPPED.stat().st_size < 300_000
    assert "CC BY 4.0" in SHIPPED.with_name("LICENSE.txt").read_text(encoding="utf-8")


def test_the_script_makes_the_same_file_from_the_same_data(shared: Path, tmp_path: Path) -> None:
    made = tmp_path / "codes.z"
    script = Path(__file__).with_name("make_postal_codes.py").read_text(encoding="utf-8")
    folder = shared / "datasets" / "plz_de"
    (tmp_path / "make.py").write_text(script.replace("OUTPUT = ", f"OUTPUT = Path({str(made)!r})  # "), "utf-8")

    subprocess.run([sys.executable, str(tmp_path / "make.py"), str(folder)], check=True, capture_output=True)

    assert made.read_bytes() == SHIPPED.read_bytes()


def test_most_codes_lie_where_another_source_has_them(shared: Path) -> None:
    from segctl.compile.places.distance import metres

    codes, far, compared = shipped_codes(), 0, 0
    with (shared / "datasets" / "plz_de" / "plz_geocoord.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = codes.find(row[""], "DE")
            if key is not None:
                there = round(float(row["lat"]) * 1e6), round(float(row["lng"]) * 1e6)
                compared += 1
                far += metres(codes.point(key), there) > 15_000

    assert compared > 8_000
    assert far / compared < 0.015


@pytest.mark.parametrize(
    ("written", "country", "found"),
    [
        ("80331", "DE", "80331"),
        (" 803 31", "DE", "80331"),
        ("D-80331", "DE", "80331"),
        ("D-80331", None, "80331"),
        ("d 80331", None, "80331"),
        ("1067", "DE", "01067"),
        ("01067.0", "DE", "01067"),
        ("D-80331", "AT", None),
        ("80331", None, None),
        ("80331 München", "DE", None),
        ("", "DE", None),
        ("１2345", "DE", None),
    ],
)
def test_a_code_is_found_as_people_write_it(written: str, country: str | None, found: str | None) -> None:
    key = shipped_codes().find(written, country)

    assert (None if key is None else key[1]) == found


def test_countries_are_known_in_words() -> None:
    assert [country_code(x) for x in ("de", " Deutschland", "ÖSTERREICH", "Schweiz", "PL", "Absurdistan", "")] == [
        "DE", "DE", "AT", "CH", "PL", None, None,
    ]  # fmt: skip


def test_near_codes_share_their_beginning() -> None:
    assert nearest_codes("80330", shipped_codes().codes("DE"))[0] == "80331"
    assert nearest_codes("zz", shipped_codes().codes("DE")) == []


def test_a_table_of_letters_keeps_them() -> None:
    codes, problems = read_codes("postcode;lat;lon\nSW1A 1AA;51,501;-0,1419\nL1 8JQ;53.4;-2.98\n", {}, "GB")

    assert problems == []
    assert codes.find("sw1a1aa", "GB") == ("GB", "SW1A1AA")
    assert codes.find("L1 8JQ", "GB") == ("GB", "L18JQ")
    assert codes.point(("GB", "SW1A1AA")) == (51_501_000, -141_900)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("name,plz\nA,80330\n", 2, "`80330` is not a postal code of DE"),
        ("name,plz\nA,\n", 2, "no coordinates and no postal code"),
        ("name,lat,lon\n\nA,100,11\n", 3, "no point on the globe"),
        ("name,lat,lon\nA,x,11\n", 2, "no point on the globe"),
        ("name,town\nA,B\n", 1, "no columns"),
        ('name,plz\n"A,80331\n', 2, "unexpected end of data"),
        ("", 1, "no columns"),
    ],
)
def test_a_wrong_line_is_told_with_its_number(text: str, line: int, words: str) -> None:
    found, problems = read_places(text, {}, shipped_codes(), "DE")

    assert found == ()
    assert [(p.line, words in p.message) for p in problems] == [(line, True)], problems


def test_places_of_all_forms_are_read() -> None:
    text = "Filiale;PLZ;Land;X;Y\nM;80331;;;\n;1010;Österreich;;\nB;;;13,4;52,5\n"

    found, problems = read_places(text, {}, shipped_codes(), "DE")

    assert problems == []
    assert [name for name, *_ in found] == ["M", "1010 Gemeindebezirk Innere Stadt", "B"]
    assert found[2] == ("B", 52_500_000, 13_400_000)


def test_a_named_column_must_be_there() -> None:
    _, problems = read_places("name,Kode\nA,80331\n", {"postal_code": "Code"}, shipped_codes(), "DE")

    assert [(p.line, p.message, p.hint) for p in problems] == [(1, "there is no column `Code`", "did you mean `Kode`?")]
