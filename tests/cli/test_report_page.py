"""Pages of reports: rules of accessibility without a browser, and the same numbers in every form."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from html_reading import Tree, problems
from report_samples import AT, STATES, report

from segctl.cli.report_ab_story import document
from segctl.cli.report_document import Document, Grid, Links, Section
from segctl.cli.report_markdown import markdown
from segctl.cli.report_page import page
from segctl.operations.ab.result import State

EVIL = "<script>alert(1)</script>"


def html(state: State = "more", language: str = "en", *, least: int = 0) -> str:
    told = document(report(state), "de" if language == "de" else "en", anyway=True, least=least)
    return page(told, name="shop", at=AT, links=[("index.html", "Reports"), ("a.html", "Spring mail")], here="a.html")


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("state", STATES)
def test_a_page_can_be_read_by_everybody(state: State, language: str) -> None:
    found = html(state, language, least=5)

    assert problems(found) == []
    assert f'<html lang="{language}">' in found


MUTANTS = {
    "no language": ('<html lang="en">', "<html>"),
    "<h1>": ("<h1>", "<h2>"),
    "without a caption": ("<caption>", "<caption hidden>"),
    "a head without a scope": ('<th scope="col"', "<th"),
    "an empty cell": ("<bdi>10,000</bdi></td>", "</td>"),
    "numbers that": ("<title>mail: +0.50", "<title>mail: +0.51"),
    "a drawing without title": ('role="img"', ""),
    "headings": ("<h2", "<h4"),
    "an address": ("</main>", '<a href="https://shop.example/x">x</a></main>'),
    "<script>": ("</main>", "<script></script></main>"),
    "<img>": ("</main>", '<img src="x.png"></main>'),
    "a link to": ('href="#content"', 'href="#elsewhere"'),
    "no policy": ("default-src 'none'", "default-src 'self'"),
    "rows of different length": ('<tr role="row"><th scope="row"', '<tr role="row"><td>1</td><th scope="row"'),
}


@pytest.mark.parametrize("expected", MUTANTS)
def test_a_page_that_breaks_a_rule_is_found(expected: str) -> None:
    whole, (good, bad) = html(), MUTANTS[expected]
    assert good in whole
    broken = whole.replace(good, bad)
    if expected in ("<h1>", "headings"):
        level = bad[1:3]
        broken = re.sub(rf"<{level}([ >].*?)</{good[1:3]}>", rf"<{level}\1</{level}>", broken, flags=re.DOTALL)
    if expected == "without a caption":
        broken = re.sub(r"<caption hidden>.*?</caption>", "", broken)

    assert any(expected in problem for problem in problems(broken)), problems(broken)


def test_hostile_names_are_text() -> None:
    of = report()
    evil = replace(
        of, title=EVIL, hypothesis=EVIL, segment=EVIL, arms=tuple(replace(arm, title=EVIL) for arm in of.arms),
        metrics=tuple(replace(metric, title=EVIL) for metric in of.metrics),
        groups=tuple(replace(g, groups=tuple(replace(x, group=EVIL) for x in g.groups)) for g in of.groups),
    )  # fmt: skip
    found = page(document(evil, "en"), name=EVIL, at=AT)

    assert problems(found) == []
    assert EVIL in Tree(found).root.text
    assert "<script" not in markdown(document(evil, "en"))


def test_small_counts_are_explained_where_they_stand() -> None:
    text = Tree(html(least=5)).root.text

    assert "<5" in text
    assert "“<5” and “hidden” stand for counts below 5" in text


def test_page_and_markdown_hold_the_same_numbers() -> None:
    told = document(report(), "en")
    of_page, of_markdown = Tree(page(told, name="", at=AT)).root.text, markdown(told)

    def cells(text: str) -> set[str]:
        return set(re.findall(r"[+−]?\d[\d.,]* \([^)]*\)", text))

    assert len(cells(of_markdown)) > 15
    assert cells(of_markdown) <= cells(of_page)


def test_markdown_is_neither_broken_nor_broken_into() -> None:
    told = Document(
        "A | B", "en", ("x",), (), (Section("s", "S", (Grid("c", ("a|b", "n"), (("x|y\nz", "`code|`"),), (1,)),)),)
    )
    lines = markdown(told).splitlines()

    assert lines[0] == "# A \\| B"
    assert "| a\\|b | n |" in lines
    assert "| --- | ---: |" in lines
    assert lines[-1].startswith("| x\\|y z |")


def test_links_are_links_on_pages_and_names_elsewhere() -> None:
    table = Links("c", ("name", "answer"), (("a.html", "A", "yes"), ("", "B", "no")))
    told = Document("T", "en", (), (), (Section("s", "S", (table,)),))
    found = page(told, name="", at=AT)

    assert problems(found) == []
    assert '<a href="a.html">' in found
    assert '<a href="">' not in found
    assert "| A | yes |" in markdown(told)


def test_the_page_says_where_it_is_among_the_others() -> None:
    links = [one for one in Tree(html()).root.all("a") if one.inside("nav")]

    assert [one.attributes.get("aria-current") for one in links] == [None, "page"]
