"""`segctl show --html`: the site of a project."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from cli_process import Finished

from segctl.cli.site_folder import LIST, write
from segctl.cli.site_pages import pages
from segctl.cli.site_segment import tree
from segctl.model.errors import UsageError
from segctl.operations.site import SizePoint, site

SHOP = Path(__file__).resolve().parents[2] / "configs"
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
VOID = {"meta", "br", "col", "link", "img", "input", "hr"}
Run = Callable[..., Finished]


class Page(HTMLParser):
    """Tags that open and close in pairs, with ids, links and texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.text = ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        told = dict(attrs)
        self.ids += [told["id"] or ""] if "id" in told else []
        self.links += [told["href"] or ""] if tag == "a" else []
        self.loaded += [name for name, _ in attrs if name in ("src", "srcset", "data") or name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop without a workspace."""
    root = tmp_path_factory.mktemp("site") / "shop"
    shutil.copytree(SHOP, root, ignore=shutil.ignore_patterns(".segctl"))
    return root


@pytest.fixture(scope="module")
def written(shop: Path) -> dict[str, str]:
    return dict(pages(site(shop), AT))


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A project whose texts try to break out of the page."""
    root = tmp_path / "hostile"
    (root / "segments").mkdir(parents=True)
    evil = "</title><script>alert(1)</script>\\u202Ex'\\\""
    (root / "segctl.yaml").write_text(
        f'segctl: 1\nname: shop\ntraits:\n  country: {{type: text, title: "{evil}"}}\n'
        f'events:\n  seen: {{title: "{evil}"}}\nidentifiers: {{id: {{class: known}}}}\n',
        "utf-8",
    )
    (root / "segments" / "a.yaml").write_text(
        f'segment: a\ntitle: "{evil}"\ndescription: "{evil}"\nowner: "{evil}"\ntags: ["<script>"]\n'
        f'# </pre><script>\nwhere: {{all: [{{trait: country, equals: "{evil}"}}, {{event: seen}}]}}\n',
        "utf-8",
    )
    return root


def test_every_segment_has_a_page(shop: Path, written: dict[str, str]) -> None:
    names = {one.definition.name for one in site(shop).segments}

    assert {f"segments/{name}.html" for name in names} | {
        "index.html", "lineage.html", "traits.html", "sources.html"
    } == set(written)  # fmt: skip
    assert all(f'href="segments/{name}.html"' in written["index.html"] for name in names)


def test_all_links_lead_to_a_page_and_its_place(written: dict[str, str]) -> None:
    read = {name: Page(html) for name, html in written.items()}
    for name, page in read.items():
        assert len(page.ids) == len(set(page.ids)), name
        for link in page.links:
            path, _, place = link.partition("#")
            target = ("segments/" if name.startswith("segments/") else "") + path if path else name
            target = target.removeprefix("segments/../")
            assert target in read, (name, link)
            assert not place or place in read[target].ids, (name, link)


def test_pages_load_nothing_and_run_nothing(written: dict[str, str]) -> None:
    for html in written.values():
        page = Page(html)
        assert not {"script", "link", "iframe", "object", "img", "form", "base"} & set(page.tags)
        assert page.loaded == []
        assert "default-src 'none'" in html
        assert "http:" not in html
        assert "https:" not in html


def test_every_page_has_a_language_a_title_and_one_heading(written: dict[str, str]) -> None:
    for name, html in written.items():
        page = Page(html)
        assert '<html lang="de">' in html
        assert page.tags.count("h1") == page.tags.count("main") == page.tags.count("nav") == 1, name
        assert page.links[0] == "#content"
        assert "content" in page.ids


def test_hostile_texts_stay_texts(hostile: Path) -> None:
    for name, html in pages(site(hostile), AT):
        page = Page(html)
        assert "script" not in page.tags, name
        assert page.tags.count("title") >= 1
        assert "\u202e" not in html
    assert "<script>alert(1)</script>" in Page(dict(pages(site(hostile), AT))["segments/a.html"]).text


def test_a_page_tells_words_tests_users_and_definition(written: dict[str, str]) -> None:
    vip = Page(written["segments/vip.html"])

    assert "Wer dazugehört" in vip.text
    assert "segment: vip" in vip.text
    assert "tests/vip.yaml" in vip.text
    assert "svg" in vip.tags
    assert "../sources.html#source-orders" in vip.links
    assert "../traits.html#trait-lifetime_value" in vip.links
    staff = Page(written["segments/staff.html"])
    users = [name for name, html in written.items() if "../segments/staff.html" in Page(html).links]
    assert users
    assert {f"../{name}" for name in users} <= set(staff.links)


def test_a_page_names_the_experiments_on_its_segment(written: dict[str, str]) -> None:
    assert "newsletter_form: Kurzer oder langer Newsletter" in written["segments/newsletter_readers.html"]
    assert "newsletter_form" not in written["segments/winback.html"]


def test_the_language_can_be_chosen(shop: Path) -> None:
    html = dict(pages(site(shop, language="en"), AT))["segments/vip.html"]

    assert '<html lang="en">' in html
    assert "Who is in" in html


def test_lines_become_nested_lists() -> None:
    html = tree(((0, "all of:"), (1, "a"), (1, "any of:"), (2, "b"), (0, "keep")))

    plain = html.replace("<bdi>", "").replace("</bdi>", "")
    assert plain == ("<ul><li>all of:<ul><li>a</li><li>any of:<ul><li>b</li></ul></li></ul></li><li>keep</li></ul>")


def test_sizes_come_from_the_runs(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "minimal"
    shutil.copytree(SHOP.parent / "segctl" / "templates" / "minimal", root)
    assert run("ingest", "-C", str(root)).code == 0
    assert run("apply", "-C", str(root)).code == 0

    finished = run("show", "--html", str(tmp_path / "out"), "-C", str(root))

    assert (finished.code, finished.out) == (0, "")
    assert "pages written" in finished.err
    assert "No run yet" not in (tmp_path / "out" / "index.html").read_text("utf-8")


def test_pauses_ends_and_old_inputs_are_shown(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "shop"
    (root / "segments").mkdir(parents=True)
    (root / "sources").mkdir()
    (root / "segctl.yaml").write_text(
        "segctl: 1\nname: shop\nlanguage: de\nidentifiers: {nr: {class: known}}\ntraits: {country: text}\n", "utf-8"
    )
    (root / "sources/crm.yaml").write_text("source: crm\npath: crm.csv\nkey: {nr: nr}\nprofiles: {country: c}\n")
    (root / "crm.csv").write_text("nr,c\n1,DE\n")
    for name, more in (("held", ""), ("over", "expires: 2026-11-01\n"), ("old", "fresh: {crm: 1 day}\n"), ("fine", "")):
        (root / f"segments/{name}.yaml").write_text(f"segment: {name}\n{more}where: {{trait: country, exists: true}}\n")
    assert run("ingest", "-C", str(root)).code == 0
    assert run("pause", "held", "--reason", "Daten <falsch>", "-C", str(root)).code == 0
    run("apply", "--as-of", "2126-01-01", "-C", str(root))

    written = dict(pages(site(root), AT))
    shown = {name: Page(written[f"segments/{name}.html"]).text for name in ("held", "over", "old", "fine")}

    assert "angehalten" in shown["held"]
    assert "Angehalten seit" in shown["held"]
    assert "Daten <falsch>" in shown["held"]
    assert "abgelaufen" in shown["over"]
    assert "01.11.2026" in shown["over"]
    assert "veraltet" in shown["old"]
    assert "`old` verlangt höchstens 1 Tag" in shown["old"]
    assert not any(word in shown["fine"] for word in ("angehalten", "abgelaufen", "veraltet", "Alte Eingaben"))
    assert all(word in Page(written["index.html"]).text for word in ("angehalten", "abgelaufen", "veraltet", "aktiv"))


def test_a_chart_says_in_words_what_it_shows(shop: Path) -> None:
    from dataclasses import replace

    found = site(shop, language="en")
    points = tuple(SizePoint(f"r{day}", AT.replace(day=day), day * 100, day, 1) for day in range(1, 5))
    sized = replace(found, segments=(replace(found.segments[0], sizes=points),), has_runs=True)
    html = dict(pages(sized, AT))[f"segments/{found.segments[0].definition.name}.html"]

    assert "first 100, now 400, at least 100, at most 400" in html
    assert "<polyline" in html


def test_foreign_folders_are_refused_and_foreign_files_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(UsageError) as refused:
        write(tmp_path, [("index.html", "x")])
    assert refused.value.code == "SEG135"
    assert not (tmp_path / "index.html").exists()

    write(tmp_path, [("index.html", "x")], force=True)

    assert (tmp_path / "mine.txt").read_text("utf-8") == "mine"
    assert not list(tmp_path.glob(".*.part"))


def test_only_our_pages_of_segments_that_are_gone_are_taken_away(tmp_path: Path) -> None:
    out = tmp_path / "site"
    write(out, [("index.html", "x"), ("segments/a.html", "a"), ("segments/b.html", "b")])
    (out / "segments" / "foreign.html").write_text("mine", "utf-8")
    (tmp_path / "outside.html").write_text("mine", "utf-8")
    listed = json.loads((out / LIST).read_text("utf-8"))
    (out / LIST).write_text(json.dumps(listed | {"pages": [*listed["pages"], "../outside.html"]}), "utf-8")

    assert write(out, [("index.html", "y"), ("segments/a.html", "a")]) == (2, 1)

    assert sorted(path.name for path in (out / "segments").iterdir()) == ["a.html", "foreign.html"]
    assert (tmp_path / "outside.html").exists()
    assert (out / "index.html").read_text("utf-8") == "y"


def test_a_page_that_cannot_be_made_writes_nothing(tmp_path: Path) -> None:
    def broken() -> object:
        yield "index.html", "x"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write(tmp_path / "site", broken())  # type: ignore[arg-type]  # a generator that fails on purpose
    assert not (tmp_path / "site").exists()


def test_html_is_about_the_whole_project(run: Run, tmp_path: Path, shop: Path) -> None:
    finished = run("show", "vip", "--html", str(tmp_path / "out"), "-C", str(shop))

    assert finished.code == 2
    assert "SEG104" in finished.err
