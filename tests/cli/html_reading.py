"""What tests ask a page: that it is whole, and rules of accessibility that no browser is needed for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "br", "col", "hr", "link", "img", "input"}
LEAVES = {"line", "circle", "rect", "path", "polyline"}


@dataclass
class Element:
    """A node of the page."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces()).split())

    def pieces(self) -> Iterator[str]:
        for child in self.children:
            yield from ([child] if isinstance(child, str) else child.pieces())

    def all(self, *tags: str) -> Iterator[Element]:
        for child in self.children:
            if isinstance(child, Element):
                if not tags or child.tag in tags:
                    yield child
                yield from child.all(*tags)

    def inside(self, tag: str) -> bool:
        at = self.parent
        while at is not None and at.tag != tag:
            at = at.parent
        return at is not None


class Tree(HTMLParser):
    """Reads a page and sees that everything is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.at = self.root
        self.feed(html)
        self.close()
        assert self.at is self.root, f"<{self.at.tag}> is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {key: value or "" for key, value in attrs}, self.at)
        self.at.children.append(element)
        if tag not in VOID:
            self.at = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.at.children.append(Element(tag, {key: value or "" for key, value in attrs}, self.at))

    def handle_endtag(self, tag: str) -> None:
        assert self.at.tag == tag, f"</{tag}> inside <{self.at.tag}>"
        assert self.at.parent is not None
        self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        self.at.children.append(data)


def problems(html: str) -> list[str]:
    """What breaks H2, H3, H5, H6 or H7 of the rules on accessibility; empty when all is well."""
    root = Tree(html).root
    return [*_frame(root), *_tables(root), *_charts(root), *_foreign(html, root), *_names(root)]


def _frame(root: Element) -> Iterator[str]:
    (page,) = root.all("html")
    if page.attributes.get("lang") not in ("de", "en"):
        yield "no language"
    for tag in ("title", "h1", "main"):
        found = [one for one in root.all(tag) if not one.inside("svg")]
        if len(found) != 1 or not found[0].text:
            yield f"{len(found)} <{tag}>"
    levels = [int(one.tag[1]) for one in root.all("h1", "h2", "h3", "h4", "h5", "h6")]
    if not levels or levels[0] != 1 or any(after - before > 1 for before, after in pairwise(levels)):
        yield f"headings {levels}"
    if any(not one.text for one in root.all("h1", "h2", "h3", "h4")):
        yield "an empty heading"


def _tables(root: Element) -> Iterator[str]:
    for table in root.all("table"):
        captions = list(table.all("caption"))
        name = captions[0].text if captions else ""
        if len(captions) != 1 or not name:
            yield "a table without a caption"
        for head in table.all("th"):
            if head.attributes.get("scope") not in ("col", "row") or not head.text:
                yield f"{name}: a head without a scope or a text"
        rows = [list(row.all("td", "th")) for row in table.all("tr")]
        if len({len(row) for row in rows}) != 1:
            yield f"{name}: rows of different length"
        if any(not cell.text for row in rows for cell in row):
            yield f"{name}: an empty cell"


def _charts(root: Element) -> Iterator[str]:
    for svg in root.all("svg"):
        ids = {one.attributes.get("id"): one for one in svg.all("title", "desc")}
        named = svg.attributes.get("aria-labelledby", "").split()
        if svg.attributes.get("role") != "img" or len(named) != 2 or any(not ids[n].text for n in named if n in ids):
            yield "a drawing without title and description"
        if any(name not in ids for name in named):
            yield "a drawing named by what is not there"
        figure = svg.parent
        while figure is not None and figure.tag != "figure":
            figure = figure.parent
        tables = list(figure.all("table")) if figure is not None else []
        if len(tables) != 1:
            yield "a drawing without its table"
            continue
        said = {
            mark for title in svg.all("title") if title.attributes.get("id") is None for mark in _numbers(title.text)
        }
        told = {mark for cell in tables[0].all("td", "th") for mark in _numbers(cell.text)}
        if said - told:
            yield f"numbers that the table does not have: {sorted(said - told)}"
        drawn = {mark for cell in tables[0].all("td") for mark in _numbers(cell.text)}
        drawn -= {mark for title in svg.all("title", "text") for mark in _numbers(title.text)}
        if drawn:
            yield f"numbers that the drawing does not have: {sorted(drawn)}"


def _numbers(text: str) -> list[str]:
    return re.findall(r"[+−-]?\d[\d.,]*", text)


def _foreign(html: str, root: Element) -> Iterator[str]:
    if re.search(r"https?:|//[a-z]|@import|javascript:", html.replace("http://www.w3.org", "")):
        yield "an address"
    for one in root.all():
        if one.tag in ("script", "link", "img", "iframe", "object", "embed", "base", "form"):
            yield f"<{one.tag}>"
        if any(key.startswith("on") or key == "src" for key in one.attributes):
            yield f"<{one.tag}> that does something"
    if not any(one.attributes.get("content", "").startswith("default-src 'none'") for one in root.all("meta")):
        yield "no policy"


def _names(root: Element) -> Iterator[str]:
    ids = [one.attributes["id"] for one in root.all() if "id" in one.attributes]
    if len(ids) != len(set(ids)):
        yield f"the same id twice: {sorted({one for one in ids if ids.count(one) > 1})}"
    for one in root.all():
        for key in ("aria-labelledby", "aria-describedby"):
            if not set(one.attributes.get(key, "").split()) <= set(ids):
                yield f"{key} of what is not there"
        target = one.attributes.get("href", "")
        if target.startswith("#") and target[1:] not in ids:
            yield f"a link to {target}"
        is_area = one.tag == "div" and "scroll" in one.attributes.get("class", "").split()
        if is_area and (one.attributes.get("tabindex") != "0" or not one.attributes.get("aria-label")):
            yield "an area that scrolls and cannot be reached"
    areas = [one.attributes["aria-label"] for one in root.all("div") if one.attributes.get("role") == "region"]
    if len(areas) != len(set(areas)):
        yield "areas of the same name"
