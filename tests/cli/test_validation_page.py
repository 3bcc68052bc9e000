"""The page of `segctl validate`: whole in itself, readable by everybody, and deaf to hostile values."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from cli_process import Finished

from segctl.cli.validation_page import plain

PROJECT = """
segctl: 1
name: laden
language: {language}
timezone: Europe/Berlin
identifiers: {{customer_id: {{class: known}}}}
traits: {{city: text, points: integer}}
"""
SOURCE = """
source: crm
path: crm.csv
key: {customer_id: id}
profiles: {city: ort, points: punkte}
max_bad_rows: 90 %
contract:
  required: [id]
  properties: {id: {type: integer}, ort: {enum: [Bonn]}, punkte: {type: integer, maximum: 100}}
checks:
  - unique: [id]
    severity: warn
"""
HOSTILE = ("<script>alert(1)</script>", "\u202egro.elpmaxe", "x" * 5000, '"><img src=x onerror=alert(1)>')
ROWS = "id,ort,punkte\n1,Bonn,5\n" + "".join(
    '{},"{}",999\n'.format(n, value.replace('"', '""')) for n, value in enumerate(HOSTILE, start=2)
)
Run = Callable[..., Finished]
VOID = {"meta", "br", "col"}


class Reader(HTMLParser):
    """Collects tags, and sees that they are closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "segctl.yaml").write_text(PROJECT.format(language="de"), encoding="utf-8")
    (tmp_path / "sources" / "crm.yaml").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "crm.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path


def test_hostile_values_are_text_and_nothing_comes_from_elsewhere(run: Run, project: Path) -> None:
    done = run("validate", "-f", "html", "--show-personal", cwd=project)

    found = read(done.out)
    assert done.code == 0
    assert {"script", "img", "link", "iframe", "object", "b"} & {tag for tag, _ in found.tags} == set()
    assert not any(name.startswith("on") or name == "src" for _, attributes in found.tags for name in attributes)
    assert re.findall(r"https?://", done.out) == []
    assert "<script>alert(1)</script>" in found.said
    assert "\u202e" not in done.out
    assert "U+202E" in found.said
    assert "x" * 201 not in done.out
    policies = [str(a.get("content")) for tag, a in found.tags if tag == "meta"]
    assert any(policy.startswith("default-src 'none'") for policy in policies)


def test_values_are_hidden_unless_asked_for(run: Run, project: Path) -> None:
    done = run("validate", "--report", "check.html", cwd=project)

    page = (project / "check.html").read_text("utf-8")
    assert "crm" in done.out
    assert "alert(1)" not in page
    assert "elpmaxe" not in page
    assert "crm.csv</bdi>, Zeile 3" in page


def test_a_screen_reader_finds_its_way(run: Run, project: Path) -> None:
    found = read(run("validate", "-f", "html", cwd=project).out)

    tags = [tag for tag, _ in found.tags]
    assert found.tags[0] == ("html", {"lang": "de"})
    assert tags.count("h1") == 1
    assert tags.count("main") == 1
    headings = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(headings))
    assert all("scope" in attributes for tag, attributes in found.tags if tag == "th")
    ids = {attributes["id"] for _, attributes in found.tags if "id" in attributes}
    links = {str(attributes["href"])[1:] for tag, attributes in found.tags if tag == "a"}
    assert links
    assert links <= ids
    named = {attributes["aria-labelledby"] for _, attributes in found.tags if "aria-labelledby" in attributes}
    assert named <= ids


def test_the_page_speaks_the_language_of_the_project(run: Run, project: Path) -> None:
    german = read(run("validate", "-f", "html", cwd=project).out).said
    (project / "segctl.yaml").write_text(PROJECT.format(language="en"), encoding="utf-8")
    english = read(run("validate", "-f", "html", cwd=project).out).said

    assert "Datenprüfung" in german
    assert "eines von Bonn" in german
    assert "höchstens 100" in german
    assert "80,0 %" in german
    assert "Data check" in english
    assert "one of Bonn" in english
    assert "80.0%" in english


def luminance(color: str) -> float:
    digits = color.lstrip("#")
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_have_contrast(theme: int) -> None:
    from segctl.cli.validation_page_style import STYLE

    block = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[theme]
    colors = dict(re.findall(r"--(\w+):(#[0-9a-f]+)", block))
    pairs = [("fg", "bg"), ("soft", "bg"), ("fg", "card"), ("soft", "card"), ("link", "bg"), ("bad", "badbg"),
             ("warn", "warnbg"), ("good", "goodbg")]  # fmt: skip
    for front, back in pairs:
        light, dark = sorted((luminance(colors[front]), luminance(colors[back])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (front, back)


def test_signs_that_nobody_sees_are_named() -> None:
    assert plain("a\u200b\u2066b\x00\ud800<") == "a‹U+200B›‹U+2066›b‹U+0000›‹U+D800›&lt;"
