"""Contracts guessed from columns: useful, and silent about people."""

from __future__ import annotations

import json

import polars as pl
import pytest

from segctl.quality.infer import guesses, is_personal, loosened
from segctl.quality.infer_shapes import shape_of
from segctl.quality.schema_cells import TextForm

MANY = 60


def guess(name: str, values: list[str | None], form: TextForm | None = None) -> dict[str, object]:
    return guesses(pl.DataFrame({name: values}), form or TextForm())[0].schema


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("menge", ["1", "17", "25"], {"type": "integer", "minimum": 0, "maximum": 30}),
        ("preis", ["1.5", "-3", "", "20"], {"type": "number", "minimum": -4, "maximum": 24}),
        ("plz", ["01067", "53111"], {"type": "string", "pattern": "^[0-9]{5}$"}),
        ("wert", ["007", "012"], {"type": "string", "pattern": "^[0-9]{3}$"}),
        ("kunden_nr", ["1", "17"], {"type": "string", "pattern": "^[0-9]+$"}),
        ("tag", ["2026-01-31", "2026-02-01"], {"type": "string", "format": "date"}),
        ("am", ["31.01.2026", "01.02.2026"], {"type": "string", "pattern": "^[0-9]{2}\\.[0-9]{2}\\.[0-9]{4}$"}),
        ("kontakt", ["a@b.de", "c@d.org"], {"type": "string", "format": "email"}),
        ("kontakt", ["jürgen@müller.de", "c@d.org"], {"type": "string", "format": "idn-email"}),
        ("land", ["DE", "AT", "CH"], {"type": "string", "pattern": "^[A-Z]{2}$"}),
        ("neu", ["0", "1", "0"], {"type": "integer", "enum": [0, 1]}),
        ("farbe", ["rot", "blau"] * MANY, {"type": "string", "enum": ["blau", "rot"]}),
        ("text", ["so und so", "anders"], {"type": "string", "maxLength": 18}),
        ("leer", ["", " "], {}),
    ],
)
def test_what_columns_seem_to_hold(name: str, values: list[str | None], expected: dict[str, object]) -> None:
    assert guess(name, values) == expected


def test_numbers_with_a_decimal_comma() -> None:
    assert guess("betrag", ["1,5", "1.200,25"], TextForm(",", "."))["type"] == "number"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Vorname", ["Anna", "Ben"]),
        ("e-mail", ["anna@example.org", "ben@example.org"]),
        ("verkauf", ["Anna Müller", "Ben Schulz"]),
        ("kontakt", ["anna@example.org", "ben@example.org"]),
        ("anruf", ["+49 170 1234567", "+49 170 7654321"]),
        ("Strasse", ["Hauptweg 1", "Ringweg 2"]),
        ("geburtsjahr", ["1971", "1985"]),
    ],
)
def test_nothing_of_a_personal_value_is_written(name: str, values: list[str]) -> None:
    said = json.dumps(guess(name, values * MANY), ensure_ascii=False)

    assert "enum" not in said
    for value in values:
        assert not any(part in said for part in value.split() if len(part) > 2)


def test_a_rare_value_is_not_written_down() -> None:
    assert "enum" not in guess("farbe", ["rot", "blau"] * MANY + ["mein Geheimnis"])


def test_a_null_of_json_is_allowed_and_one_of_a_table_is_absent() -> None:
    frame = pl.DataFrame({"n": [1, None, 3]})

    assert guesses(frame, None, is_json=True)[0].schema["type"] == ["integer", "null"]
    assert guesses(frame, None)[0].schema["type"] == "integer"
    assert guesses(frame, None)[0].missing == pytest.approx(1 / 3)


def test_columns_of_several_types_get_none() -> None:
    assert guesses(pl.DataFrame({"a": ["1", "x"]}), None, doubtful={"a"})[0].schema == {}


def test_shapes_keep_no_letters() -> None:
    assert shape_of(pl.Series(["7590-VHVEG", "5575-GNVDE"]), keeps_open=False) == "^[0-9]{4}-[A-Z]{5}$"
    assert shape_of(pl.Series(["85123A", "22086"]), keeps_open=False) == "^(?:[0-9]{5}|[0-9]{5}[A-Z])$"
    assert shape_of(pl.Series(["a.b+1"]), keeps_open=False) == "^[a-z]\\.[a-z]\\+[0-9]$"
    assert shape_of(pl.Series(["anna", "ben"]), keeps_open=False) is None
    assert shape_of(pl.Series(["3f2a9c1b7d", "a91b2c3d4e"]), keeps_open=False) is None


def test_loosening_takes_back_only_what_is_broken() -> None:
    schema = {"required": ["a", "b"], "properties": {"a": {"type": "integer", "maximum": 3}, "x/y": {"type": "string"}}}

    found = loosened(schema, [("/a", "maximum"), ("/b", "required"), ("/x~1y", "type")])

    assert found == {"required": ["a"], "properties": {"a": {"type": "integer"}, "x/y": {}}}


def test_names_that_speak_of_people() -> None:
    assert all(map(is_personal, ("Vorname", "E-Mail", "phone_number", "IBAN", "client_ip", "Straße")))
    assert not any(map(is_personal, ("land", "betrag", "status", "shipping_zone", "zip_code")))
