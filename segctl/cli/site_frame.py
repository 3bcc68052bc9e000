"""What all pages of the site share: their frame, links, tables and lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from segctl.cli.html_page import document
from segctl.cli.site_words import DE, EN, STYLE
from segctl.cli.validation_page import plain
from segctl.cli.validation_page_words import number

if TYPE_CHECKING:
    from segctl.operations.site import Site

PAGES = ("index", "lineage", "traits", "sources")
_LONGEST = 2_000


def text(written: str) -> str:
    """A text of a definition as harmless HTML, read in its own direction."""
    return f"<bdi>{plain(written, _LONGEST)}</bdi>"


class Frame:
    """One page's surroundings.

    Attributes:
        up: What leads from the page to the site's folder, such as ``../``.
    """

    def __init__(self, site: Site, at: datetime, *, page: str, up: str = "") -> None:
        self.site, self.at, self.page, self.up = site, at, page, up
        self.words = DE if site.language == "de" else EN
        self.known = {one.definition.name for one in site.segments}

    def n(self, value: int) -> str:
        """A count with its groups."""
        return number(value, self.site.language)

    def day(self, at: datetime) -> str:
        """An instant in the project's zone, to the minute."""
        at = at.astimezone(ZoneInfo(self.site.zone))
        return plain(at.strftime("%d.%m.%Y %H:%M %Z" if self.site.language == "de" else "%Y-%m-%d %H:%M %Z"))

    def whole(self, heading: str, parts: Iterable[str], lead: str = "") -> str:
        """The page: links to the others, a heading, its sections."""
        words = self.words
        name = words["title"].format(name=plain(self.site.name))
        here = {self.page: " aria-current=page"}
        links = "".join(
            f'<li><a href="{self.up}{page}.html"{here.get(page, "")}>{words[page]}</a></li>' for page in PAGES
        )
        made = words["made"].format(at=self.day(self.at))
        body = [
            f'<a class="skip" href="#content">{words["skip"]}</a>',
            f'<header><nav aria-label="{words["nav"]}"><span class="soft">{name}</span><ul>{links}</ul></nav></header>',
            f'<main id="content"><h1>{heading}</h1>{lead}',
            *(part for part in parts if part),
            f'</main><footer><p class="soft">{made}</p></footer>',
        ]
        title = name if self.page == "index" else f"{heading} · {name}"
        return document(_bare(title), self.site.language, "\n".join(body), STYLE)

    def section(self, key: str, inner: str, heading: str = "") -> str:
        """A section with its heading; none without anything in it."""
        if not inner:
            return ""
        return f'<section aria-labelledby="{key}"><h2 id="{key}">{heading or self.words[key]}</h2>\n{inner}</section>'

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]], look: str = "") -> str:
        """A table whose first cell names the row; it stays one for screen readers where it is shown as blocks."""
        labels = [self.words[key] for key in heads]
        head = "".join(f'<th scope="col" role="columnheader">{label}</th>' for label in labels)
        body = "".join(
            f'<tr role="row"><th scope="row" role="rowheader" class="name">{row[0]}</th>'
            + "".join(
                f'<td role="cell" data-label="{label}">{cell or "–"}</td>'
                for label, cell in zip(labels[1:], row[1:], strict=True)
            )
            + "</tr>"
            for row in rows
        )
        return (
            f'<table role="table" class="{look}"><thead role="rowgroup"><tr role="row">{head}</tr></thead>'
            f'<tbody role="rowgroup">{body}</tbody></table>'
        )

    def segment(self, name: str) -> str:
        """A link to a segment's page, or its name when there is none."""
        if name not in self.known:
            return text(name)
        return f'<a href="{self.up}segments/{name}.html">{text(name)}</a>'

    def thing(self, kind: str, name: str) -> str:
        """A link to where a trait, event, table or source is told."""
        page = "sources" if kind == "source" else "traits"
        return f'<a href="{self.up}{page}.html#{kind}-{plain(name)}">{text(name)}</a>'

    def several(self, links: Sequence[str], most: int = 40) -> str:
        """Links by commas, the rest counted."""
        more = f", {self.words['more'].format(n=self.n(len(links) - most))}" if len(links) > most else ""
        return ", ".join(links[:most]) + more

    def scroll(self, inner: str) -> str:
        """What is wider than the page moves within itself, by keyboard too."""
        return f'<div class="scroll" tabindex="0" role="region" aria-label="{self.words["scroll"]}">{inner}</div>'


def _bare(html: str) -> str:
    """A heading without its marks, for the title of the window."""
    return html.replace("<bdi>", "").replace("</bdi>", "")
