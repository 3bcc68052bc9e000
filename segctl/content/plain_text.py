"""HTML as plain text: for mails whose template gives no text of its own."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tr",
        "ul",
    ]
)
_APART = frozenset(["blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "table", "ul"])
_SILENT = frozenset({"head", "style", "script", "title", "template"})
VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\n\f]+")


def plain_text(html: str) -> str:
    r"""The words of a mail: headings and paragraphs apart, links with their address, lists with dashes.

    >>> plain_text('<h1>Hallo</h1><p>Hier <a href="https://a.example">klicken</a></p>')
    'Hallo\n\nHier klicken (https://a.example)'
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._silent: list[str] = []
        self._links: list[tuple[str | None, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self._silent or tag in _SILENT or _HIDDEN.search(given.get("style") or ""):
            if tag not in VOID:
                self._silent.append(tag)
            return
        if tag == "br":
            self._lines.append("")
        elif tag == "img":
            self._write(given.get("alt") or "")
        elif tag == "a":
            self._links.append((given.get("href"), len(self._lines[-1])))
        elif tag in ("td", "th"):
            self._write(" ")
        if tag in _BLOCKS:
            self._break(apart=tag in _APART)
        if tag == "li":
            self._lines[-1] = "- "

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag in self._silent:
                # What was left open inside ends with it.
                del self._silent[len(self._silent) - 1 - self._silent[::-1].index(tag) :]
                return
            # The end of something around it: the hidden element was never closed.
            self._silent.clear()
        if tag == "a" and self._links:
            href, start = self._links.pop()
            shown = self._lines[-1][start:].strip()
            if href and not href.startswith("#") and href.removeprefix("mailto:") != shown:
                self._lines[-1] = self._lines[-1].rstrip() + (f" ({href})" if shown else href)
        if tag in _BLOCKS:
            self._break(apart=tag in _APART)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._write(data)

    def text(self) -> str:
        """What was read."""
        lines = [line.strip() if line.strip() != "-" else "" for line in self._lines]
        kept = [line for at, line in enumerate(lines) if line or (at and lines[at - 1])]
        return "\n".join(kept).strip()

    def _write(self, words: str) -> None:
        words = _SPACES.sub(" ", words)
        if self._lines[-1].endswith(" ") or not self._lines[-1]:
            words = words.lstrip(" ")
        self._lines[-1] += words

    def _break(self, *, apart: bool) -> None:
        if self._lines[-1].strip() and self._lines[-1] != "- ":
            self._lines.append("")
        if apart and len(self._lines) > 1 and self._lines[-2]:
            self._lines.append("")
