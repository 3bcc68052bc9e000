"""Conditions in words speak the project's language, or the one asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from end_to_end.program import document, ok, run

FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\nlanguage: de\nidentifiers: {nr: {class: known}}\n"
    "traits: {score: number, city: text}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {nr: nr}\nprofiles: {score: score, city: city}\n",
    "crm.csv": "nr,score,city\n1,2.5,Ulm\n2,9,\n",
    "segments/high.yaml": "segment: high\nwhere:\n  all:\n    - {trait: score, at_least: 4.5}\n"
    "    - not: {trait: city, equals: Ulm}\n",
}
GERMAN, ENGLISH = ["score mindestens 4,5", "city ist Ulm"], ["score at least 4.5", "city is Ulm"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    for verb in ("ingest", "apply", "apply"):
        ok(verb, cwd=folder)
    return folder


@pytest.mark.parametrize(("options", "first", "second"), [([], *GERMAN), (["--language", "en"], *ENGLISH)])
def test_every_command_says_conditions_in_the_same_words(
    shop: Path, options: list[str], first: str, second: str
) -> None:
    shown = ok("show", "segment:high", *options, cwd=shop)
    sized = [row["condition"] for row in document("size", "high", *options, cwd=shop)["data"]]
    moved = [row["condition"] for row in document("diff", "high", *options, cwd=shop)["sections"]["leaves"]]
    explained = [row["condition"].strip() for row in document("explain", "high", "1", *options, cwd=shop)["data"]]

    assert first in shown
    assert second in shown
    assert sized == [first, f"{'not' if options else 'nicht'}: {second}"]
    assert moved == [first, second]
    assert explained == (["all", first, "not", second] if options else ["alle", first, "nicht", second])


def test_what_is_missing_is_said_in_the_language_too(shop: Path) -> None:
    german = {row["condition"].strip(): row for row in document("explain", "high", "1", cwd=shop)["data"]}
    english = document("explain", "high", "1", "--language", "en", cwd=shop)["data"]

    assert german["score mindestens 4,5"]["missing"] == "2,5, nötig ist mindestens 4,5"
    assert german["city ist Ulm"]["missing"] == "darf nicht gelten"
    assert [row["missing"] for row in english if row["missing"]] == ["2.5, needs at least 4.5", "must not hold"]


def test_an_unknown_language_is_refused(shop: Path) -> None:
    assert run("size", "high", "--language", "fr", cwd=shop).returncode == 2
