"""`segctl content` as people run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from end_to_end.program import document, ok, run
from operations.content_shop import EVIL, ContentShop, made

MAIL = '---\nsubject: "{{ first_name }}"\n---\n<html lang="de"><title>{{ subject }}</title><p>{{ balance }}</p></html>'


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ContentShop:
    found = made(tmp_path_factory.mktemp("command"))
    found.write(m__html=MAIL, m__yaml="content: m\ntitle: Ein Brief\npurpose: service\n")
    return found


def test_a_preview_hides_what_is_personal_and_writes_the_page(shop: ContentShop, tmp_path: Path) -> None:
    page = tmp_path / "mail.html"

    done = run("content", "preview", "m", "--for", "-", "--html", str(page), cwd=shop.folder, stdin="1\n")

    assert done.returncode == 0
    assert "Anna" not in done.stdout + done.stderr + page.read_text("utf-8")
    assert "subject: ‹Vorname›" in done.stdout
    assert "1.234,5" in page.read_text("utf-8")
    shown = ok("content", "preview", "m", "--for", "1", "--show-personal", cwd=shop.folder)
    assert "subject: Anna" in shown


def test_somebody_who_lacks_a_value_leaves_with_3_and_unnamed(shop: ContentShop) -> None:
    done = run("content", "preview", "m", "--for", "2", cwd=shop.folder)

    assert done.returncode == 3
    assert "SEG776" in done.stderr


def test_an_audience_with_gaps_is_a_finding(shop: ContentShop) -> None:
    done = run("content", "lint", "m", "--audience", "buyers", "--people", "-f", "json", cwd=shop.folder)

    assert done.returncode == 1
    rows = json.loads(done.stdout)["data"]
    assert [(row["lacks"], row["people"], row["ids"]) for row in rows] == [
        ("balance", 1, ["2"]),
        ("first_name", 1, ["2"]),
    ]
    assert EVIL[:5] not in done.stdout


def test_templates_are_listed_shown_and_linted(shop: ContentShop) -> None:
    assert [row["content"] for row in document("content", cwd=shop.folder)["data"]] == ["m"]
    assert [row["content"] for row in document("ls", "content", cwd=shop.folder)["data"]] == ["m"]
    shown = document("show", "content:m", cwd=shop.folder)
    assert shown["facts"]["traits"] == ["balance", "first_name"]
    assert run("content", "lint", cwd=shop.folder).returncode == 0
    assert run("content", "lint", "n", cwd=shop.folder).returncode == 2
    assert run("content", "preview", "m", cwd=shop.folder).returncode == 2
