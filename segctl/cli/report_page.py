"""A report as one page: no script, nothing from elsewhere, readable by screen readers, at any width and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.cli.html_page import document as html_document
from segctl.cli.page_tables import LONGEST, table, text
from segctl.cli.report_document import Forest, Grid, Lead, Links, Marks, Words
from segctl.cli.report_numbers import Numbers
from segctl.cli.svg_frame import STYLE as CHARTS
from segctl.cli.validation_page import plain

if TYPE_CHECKING:
    from segctl.cli.report_document import Block, Document, Look, Mark, Section
    from segctl.model.project import Language

_MARKS: dict[Look, str] = {"good": "✓", "warn": "!", "bad": "✗", "none": "–"}
_LABEL = 20
_RANGE = re.compile(r"(\([^()<>]{1,32}\)(?: %)?)")
_CODE = re.compile(r"`([^`]*)`")
_WORDS = {
    "en": {
        "skip": "To the content", "nav": "Reports", "made": "Written {at} · segctl report", "method": "Method",
        "table": "The numbers as a table", "scroll": "scrolls sideways",
    },
    "de": {
        "skip": "Zum Inhalt", "nav": "Berichte", "made": "Geschrieben {at} · segctl report", "method": "Verfahren",
        "table": "Die Zahlen als Tabelle", "scroll": "lässt sich seitwärts bewegen",
    },
}  # fmt: skip
_STYLE = """
.skip { position:absolute; left:-99rem; } .skip:focus { position:static; display:inline-block; padding:.5rem 1.25rem; }
nav ul { display:flex; flex-wrap:wrap; gap:.25rem 1.25rem; list-style:none; padding:0; margin:.5rem 0 0; }
nav a { display:inline-block; min-height:24px; } nav a[aria-current] { font-weight:700; color:var(--fg); }
nav { border-bottom:1px solid var(--line); padding-bottom:.6rem; margin-bottom:1rem; }
.lead.warn { color:var(--warn); background:var(--warnbg); } .lead.none { color:var(--fg); background:var(--card); }
.lead .sign { font-weight:700; }
ul.said { list-style:none; padding:0 0 0 1.4rem; margin:.75rem 0 0; }
ul.said + p.soft { margin-top:.9rem; }
ul.said li { margin:.35rem 0; max-width:46rem; }
main > section > h2 { margin-bottom:.6rem; }
caption { padding:.2rem 0 .4rem; }
table.data { margin:0 0 1.25rem; }
table.data .w { overflow-wrap:break-word; } table.data th.n { white-space:normal; }
@media (max-width:60rem) { .data th, .data td { padding-right:.45rem; }
  .data th:last-child, .data td:last-child { padding-right:0; } }
.whole { display:inline-block; }
table.data .range { white-space:normal; overflow-wrap:normal; }
.quiet caption { position:absolute; width:1px; height:1px; overflow:hidden; clip-path:inset(50%); padding:0; }
footer { max-width:62rem; margin:2rem auto; padding:0 1.25rem; }
footer p { max-width:46rem; font-size:.9rem; }
@media (max-width:40rem) { .whole { display:inline; } table.checks td::before { content:none; }
  footer { padding:0 .9rem; } }
@media print { nav, .skip { display:none; } a { color:inherit; } section { margin:1rem 0; }
  .lead { border:1px solid; } h2, caption { break-after:avoid; } table.data tr { break-inside:avoid; } }
"""
STYLE = CHARTS + _STYLE
"""Looks of reports behind those of every page."""


def page(told: Document, *, name: str, at: datetime, links: Sequence[tuple[str, str]] = (), here: str = "") -> str:
    """The whole page.

    Args:
        told: The report.
        name: Of the project; may be empty.
        at: When, in the zone of the project.
        links: Address and words of other pages, for a site.
        here: The address of this page among them.
    """
    words, language = _WORDS[told.language], told.language
    made = words["made"].format(at=Numbers(language).moment(at))
    title = f"{told.title} · {name}" if name else told.title
    facts = " · ".join(text(fact) for fact in told.facts)
    body = [
        f'<a class="skip" href="#content">{words["skip"]}</a>',
        "<header>", _navigation(links, here, words["nav"]), "</header>",
        f'<main id="content"><h1>{text(told.title)}</h1>',
        f'<p class="soft">{facts}</p>' if facts else "",
        *(_block(one, language, told.title) for one in told.lead),
        *(_section(one, language) for one in told.sections),
        _foot(told.foot, words["method"]),
        f'</main><footer><p class="soft">{plain(made, LONGEST)}</p></footer>',
    ]  # fmt: skip
    return html_document(plain(title, LONGEST), language, "\n".join(part for part in body if part), STYLE)


def _navigation(links: Sequence[tuple[str, str]], here: str, label: str) -> str:
    if not links:
        return ""
    items = "".join(
        f'<li><a href="{plain(to, LONGEST)}"{" aria-current=page" if to == here else ""}>{text(words)}</a></li>'
        for to, words in links
    )
    return f'<nav aria-label="{label}"><ul>{items}</ul></nav>'


def _section(section: Section, language: Language) -> str:
    inner = "\n".join(_block(one, language, section.title) for one in section.blocks)
    return (
        f'<section aria-labelledby="{section.key}"><h2 id="{section.key}">{text(section.title)}</h2>\n{inner}</section>'
    )


def _block(block: Block, language: Language, heading: str) -> str:
    if isinstance(block, Lead):
        # A dash before a number would be read as its sign.
        mark = "" if block.look == "none" else _MARKS[block.look]
        sign = f'<span class="sign" aria-hidden="true">{mark}</span>' if mark else ""
        more = "".join(f"<li>{_labelled(line)}</li>" for line in block.more)
        more = f'<ul class="said">{more}</ul>' if more else ""
        return f'<p class="lead {block.look}">{sign} {_coded(block.text)}</p>{more}'
    if isinstance(block, Words):
        look = ' class="soft"' if block.soft else ""
        return "".join(f"<p{look}>{_coded(line)}</p>" for line in block.lines)
    if isinstance(block, Marks):
        rows = [(_badge(one), text(one.name), _coded(one.text)) for one in block.rows]
        return table(block.caption, block.heads, rows, look=f"{_look(block.caption, heading)} checks")
    if isinstance(block, Grid):
        cells = [tuple(_told(cell) for cell in row) for row in block.rows]
        return table(block.caption, block.heads, cells, numbers=block.numbers, look=_look(block.caption, heading))
    if isinstance(block, Links):
        linked = [(_link(to, name), *map(_coded, rest)) for to, name, *rest in block.rows]
        return table(block.caption, block.heads, linked, look=_look(block.caption, heading))
    words = _WORDS[language]
    # The numbers of a forest stand in the table above it too, so that its own is closed at first.
    folded = True if isinstance(block, Forest) else None
    return block.drawing().figure((words["table"], words["scroll"]), folded=folded)


def _look(caption: str, heading: str) -> str:
    """A caption that says what the heading says already is for those who jump from table to table."""
    return "data quiet" if caption == heading else "data"


def _badge(one: Mark) -> str:
    sign = f'<span aria-hidden="true">{_MARKS[one.look]}</span>'
    return f'<span class="badge {one.look}">{sign} {plain(one.word, LONGEST)}</span>'


def _labelled(line: str) -> str:
    """What a sentence is about stands out, so that the one that is looked for is found."""
    label, colon, rest = line.partition(": ")
    return f"<strong>{text(label)}:</strong> {_coded(rest)}" if colon and len(label) <= _LABEL else _coded(line)


def _link(to: str, name: str) -> str:
    return f'<a href="{plain(to, LONGEST)}">{text(name)}</a>' if to else text(name)


def _told(cell: str) -> str:
    """A text of a cell; a range in brackets stays on one line."""
    return _RANGE.sub(r'<span class="whole">\1</span>', text(cell)) if cell else ""


def _coded(words: str) -> str:
    """Backticks as code; nothing stays nothing."""
    if not words:
        return ""
    return _CODE.sub(r"<code>\1</code>", text(words))


def _foot(lines: Iterable[str], title: str) -> str:
    inner = "".join(f'<p class="soft">{_coded(line)}</p>' for line in lines)
    return f'<section aria-labelledby="method"><h2 id="method">{title}</h2>{inner}</section>' if inner else ""
