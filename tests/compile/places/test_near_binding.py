"""`near` in definitions and in the project file: what is read, and every mistake with its place and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from segctl.compile.definitions import load_definitions
from segctl.compile.project import load_project
from segctl.compile.words import describe
from segctl.model import conditions as c
from segctl.model.diagnostics import Diagnostic

PROJECT = """segctl: 1
name: places
traits:
  code: text
  country: text
  lat: {type: number, scale: 6}
  lon: {type: number, scale: 6}
  money: {type: money, unit: EUR}
  home: {type: struct, fields: {lat: number, lng: number}}
  work: {type: struct, fields: {zip: text, country: text}}
  odd: {type: struct, fields: {street: text}}
"""
STORES = "name,plz\nMarienplatz,80331\n"
BY = ", within: 30 km, trait: code}"
TARGET = "{near: {postal_code: D-80331}"


def read(
    folder: Path, where: str, more: str = "", files: dict[str, str] | None = None
) -> tuple[c.NearCondition | None, list[Diagnostic]]:
    (folder / "segments").mkdir(exist_ok=True)
    (folder / "segctl.yaml").write_text(PROJECT + more, encoding="utf-8")
    (folder / "segments" / "tested.yaml").write_text(f"segment: tested\nwhere: {where}\n", encoding="utf-8")
    for name, text in (files or {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    project, problems = load_project(folder)
    definitions, more_problems = load_definitions(project)
    found = definitions.segments.get("tested")
    where_found = found.where if found is not None else None
    assert where_found is None or isinstance(where_found, c.NearCondition)
    return where_found, [*problems, *more_problems]


@pytest.mark.parametrize(
    ("trait", "place"),
    [
        ("code", c.PostalPlace(c.PlaceTrait("code"), None, "DE")),
        ("{postal_code: code, country: country}", c.PostalPlace(c.PlaceTrait("code"), c.PlaceTrait("country"), "DE")),
        ("{postal_code: code, country: AT}", c.PostalPlace(c.PlaceTrait("code"), None, "AT")),
        ("{latitude: lat, longitude: lon}", c.PointPlace(c.PlaceTrait("lat"), c.PlaceTrait("lon"))),
        ("home", c.PointPlace(c.PlaceTrait("home", ("lat",)), c.PlaceTrait("home", ("lng",)))),
        ("work", c.PostalPlace(c.PlaceTrait("work", ("zip",)), c.PlaceTrait("work", ("country",)), "DE")),
        ("work.zip", c.PostalPlace(c.PlaceTrait("work", ("zip",)), None, "DE")),
    ],
)
def test_a_place_is_told_by_traits(tmp_path: Path, trait: str, place: c.PostalPlace | c.PointPlace) -> None:
    where = f'{{near: {{postal_code: "80331"}}, within: 30 km, trait: {trait}}}'
    found, problems = read(tmp_path, where, "near: {country: DE}\n")

    assert [p for p in problems if p.severity == "error"] == []
    assert found is not None
    assert found.place == place


def test_the_project_says_once_where_people_are(tmp_path: Path) -> None:
    more = "near: {trait: {postal_code: code, country: country}, country: DE}\nplaces: {stores: stores.csv}\n"

    found, problems = read(tmp_path, "{near: {places: stores}, within: 10 miles}", more, {"stores.csv": STORES})

    assert [p for p in problems if p.severity == "error"] == []
    assert found is not None
    assert found.place == c.PostalPlace(c.PlaceTrait("code"), c.PlaceTrait("country"), "DE")
    assert describe(found) == "within 10 miles of a place of stores"
    assert describe(found, "de") == "höchstens 10 Meilen von einem Ort aus stores entfernt"


@pytest.mark.parametrize(
    ("where", "code", "hint"),
    [
        (TARGET.replace("D-80331", "80330, country: DE") + BY, "SEG228", "did you mean `80331 München`"),
        (TARGET.replace("D-80331", "80331") + BY, "SEG228", "add `country: DE`"),
        (TARGET.replace("D-80331", "'00100', country: IT") + BY, "SEG228", "a table of your own"),
        (TARGET.replace("D-80331", "80331, country: Deutschland") + BY, "SEG230", "write `DE`"),
        ("{near: {latitude: 91, longitude: 11}" + BY, "SEG230", None),
        ("{near: {latitude: '48,1', longitude: 11}" + BY, "SEG230", "write `48.1`"),
        ("{near: {latitude: 48.1}" + BY, "SEG211", "`latitude` and `longitude`"),
        ("{near: {point: [1, 2]}" + BY, "SEG210", None),
        ("{near: {plz: '80331'}" + BY, "SEG210", "did you mean `postal_code`?"),
        ("{near: München" + BY, "SEG212", "{places: NAME}"),
        ("{near: {places: shops}" + BY, "SEG246", "there is `stores`"),
        (TARGET + ", trait: code}", "SEG211", "within: 30 km"),
        (TARGET + ", within: 30, trait: code}", "SEG229", "write `30 km`"),
        (TARGET + ", within: 30 Meilen, trait: code}", "SEG229", "write `30 miles`"),
        (TARGET + ", within: '1,5 km', trait: code}", "SEG229", "write `1.5 km`"),
        (TARGET + ", within: 0 km, trait: code}", "SEG229", None),
        (TARGET + ", within: 90000 km, trait: code}", "SEG229", None),
        (TARGET + ", within: 30 km}", "SEG235", "near: {trait: postal_code"),
        (TARGET + ", within: 30 km, trait: odd}", "SEG235", "name the traits"),
        (TARGET + ", within: 30 km, trait: lat}", "SEG235", None),
        (TARGET + ", within: 30 km, trait: {latitude: money, longitude: lon}}", "SEG235", None),
        (TARGET + ", within: 30 km, trait: {latitude: lat}}", "SEG235", None),
        (TARGET + ", within: 30 km, trait: cod}", "SEG204", "did you mean `code`?"),
        (TARGET + ", within: 30 km, trait: code, radius: 3}", "SEG210", None),
        (TARGET + ", within: 30 km, trait: code, missing: maybe}", "SEG212", None),
    ],
)
def test_a_mistake_is_found(tmp_path: Path, where: str, code: str, hint: str | None) -> None:
    found, problems = read(tmp_path, where, "places: {stores: [{postal_code: D-80331}]}\n")

    assert found is None
    assert [p.code for p in problems if p.severity == "error"] == [code], problems
    assert hint is None or hint in (problems[0].hint or ""), problems[0].hint


@pytest.mark.parametrize(
    ("more", "files", "file", "line", "words"),
    [
        ("places: {s: stores.csv}", {}, "segctl.yaml", 12, "cannot be read"),
        ("places: {s: ../stores.csv}", {}, "segctl.yaml", 12, "not a file of the project"),
        ("places: {s: stores.csv}", {"stores.csv": STORES}, "stores.csv", 2, "has no country"),
        ("near: {postal_codes: codes.csv}", {"codes.csv": "plz,lat,lon\n1,2,3\n"}, "codes.csv", 2, "no country"),
        ("places: {s: [{name: A}]}", {}, "segctl.yaml", 12, "neither coordinates nor a postal code"),
        ("near: {country: Germany}", {}, "segctl.yaml", 12, "is not a country's code"),
        ("near: {town: x}", {}, "segctl.yaml", 12, "not a key"),
    ],
)
def test_a_wrong_declaration_is_told_where_it_stands(
    tmp_path: Path, more: str, files: dict[str, str], file: str, line: int, words: str
) -> None:
    _, problems = read(tmp_path, "{near: {latitude: 48, longitude: 11}, within: 1 km, trait: home}", f"{more}\n", files)

    errors = [p for p in problems if p.severity == "error"]
    assert [(p.location.file, p.location.line) for p in errors if p.location] == [(file, line)], errors
    assert words in errors[0].message


def test_what_places_mean_is_part_of_the_digest(tmp_path: Path) -> None:
    def digest(more: str, length: str = "30 km") -> str:
        where = f"{{near: {{places: s}}, within: {length}, trait: home}}"
        read(tmp_path, where, more + "\n")
        return load_definitions(load_project(tmp_path)[0])[0].segments["tested"].digest

    first = digest("places: {s: [{latitude: 48, longitude: 11}]}")

    assert digest("places: {s: [{latitude: 48, longitude: 11}]}", "30.0 km") == first
    assert digest("places: {s: [{latitude: 48, longitude: 12}]}") != first
    assert digest("places: {s: [{latitude: 48, longitude: 11}, {latitude: 1, longitude: 1}]}") != first
