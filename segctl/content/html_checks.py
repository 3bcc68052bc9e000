"""Whether an HTML mail can be read by everybody, from its template: WCAG 2.2 as far as a mail needs it, and size."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import NamedTuple

from segctl.content.colours import contrast, declared
from segctl.content.plain_text import VOID
from segctl.content.skeleton import MARK, Skeleton
from segctl.model.dataclass import dataclass

CLIPPED_BYTES = 102_000
"""Gmail shows the rest of a larger mail on another page."""
_NEVER = frozenset(["script", "iframe", "object", "embed", "form", "applet", "base", "video", "audio", "svg", "math"])
_VAGUE = frozenset(
    ["hier", "hier klicken", "klicken sie hier", "klicke hier", "mehr", "link", "here", "click here", "more",
     "read more", "this link", "weiter", "weiterlesen"]
)  # fmt: skip
_LINKS = frozenset(["href", "src", "action", "background", "poster", "srcset"])
_HARMFUL = re.compile(r"^\s*(javascript|vbscript|data|file)\s*:", re.IGNORECASE)
_SIZE = re.compile(r"font-size\s*:\s*([0-9.]+)\s*px", re.IGNORECASE)
_BOLD = re.compile(r"font-weight\s*:\s*(bold|[6-9]00)", re.IGNORECASE)
_UNQUOTED = re.compile(rf"\s[a-zA-Z-]+=([^\"'\s>]*{MARK})")


class Finding(NamedTuple):
    """Something at a position of the flat text.

    Attributes:
        code: ``SEG773`` for what keeps people from reading, ``SEG775`` for what could do harm.
        is_error: It stops a release.
    """

    offset: int
    code: str
    is_error: bool
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class _Open:
    """An element that is not closed yet."""

    tag: str
    offset: int
    colour: tuple[int, int, int]
    ground: tuple[int, int, int]
    is_large: bool


def check_html(flat: Skeleton) -> list[Finding]:
    """Everything that is wrong with the mail, in order of its place."""
    reader = _Reader(flat)
    reader.feed(flat.text)
    reader.close()
    reader.finish()
    size = len(flat.text.encode())
    if size > CLIPPED_BYTES:
        message = f"the mail has {size / 1000:,.0f} kB without its values, and Gmail cuts at {CLIPPED_BYTES // 1000} kB"
        reader.found.append(
            Finding(0, "SEG773", True, message, "leave out what is repeated; put styles into one place")
        )
    return sorted(set(reader.found))


class _Reader(HTMLParser):
    def __init__(self, flat: Skeleton) -> None:
        super().__init__(convert_charrefs=True)
        self._flat = flat
        self._lines = [0]
        for line in flat.text.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self.found: list[Finding] = []
        self._open: list[_Open] = []
        self._heading = 0
        self._link: list[tuple[int, list[str]]] = []
        self._table: list[tuple[int, str | None, list[bool]]] = []
        self._title: list[str] | None = None
        self._seen: set[str] = set()
        self._told: set[int] = set()

    # --- What the parser meets --------------------------------------------------------------------------------
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._seen.add(tag)
        self._attributes(tag, given)
        if tag == "html" and not given.get("lang", "").strip():
            self._say("the mail does not say its language", 'write `<html lang="de">`, so that it is read aloud')
        elif tag == "img" and "alt" not in given:
            self._say("an image has no `alt`", 'say what it shows, or `alt=""` when it only decorates')
        elif tag in _NEVER:
            self._say(f"`<{tag}>` does not work in mails", "leave it out", is_error=True)
        self._begin(tag, given)
        if tag not in VOID:
            self._open.append(self._opened(tag, given))

    def _begin(self, tag: str, given: dict[str, str]) -> None:
        """Keeps in mind what an element is judged by at its end."""
        match tag:
            case "img" if self._link:
                self._link[-1][1].append(given.get("alt", ""))
            case "title":
                self._title = []
            case "a":
                self._link.append((self._offset(), [given.get("aria-label", "")]))
            case "table":
                self._table.append((self._offset(), given.get("role"), []))
            case "th" if self._table:
                self._table[-1][2].append(True)
            case _ if re.fullmatch("h[1-6]", tag):
                self._headed(int(tag[1]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link:
            offset, words = self._link.pop()
            said = " ".join("".join(words).split()).casefold().strip(" .:!»›→>")
            if not said:
                self._say("a link has no text", "say where it leads", offset=offset)
            elif said in _VAGUE:
                self._say(f"a link says only `{said}`", "say where it leads: links are read aloud alone", offset=offset)
        elif tag == "table" and self._table:
            offset, role, headed = self._table.pop()
            if role != "presentation" and not headed:
                hint = 'write `<table role="presentation">`, or mark its heads with `<th>`'
                self._say("a table that only lays out is read aloud as a table", hint, offset=offset)
        elif tag == "title" and self._title is not None:
            if not "".join(self._title).strip():
                self._say("the title is empty", "say what the mail is: `<title>{{ subject }}</title>`")
            self._title = None
        places = [at for at, one in enumerate(self._open) if one.tag == tag]
        if places:
            del self._open[places[-1] :]

    def handle_data(self, data: str) -> None:
        if self._title is not None:
            self._title.append(data)
        if self._link:
            self._link[-1][1].append(data)
        inside = self._open[-1].tag if self._open else ""
        if inside in ("style", "script"):
            self._harmless(data, f"in a `<{inside}>`")
        elif data.strip() and self._open and inside != "title":
            self._readable(self._open[-1])

    def handle_comment(self, data: str) -> None:
        self._harmless(data, "in a comment")

    def finish(self) -> None:
        """What is only known at the end."""
        if "html" not in self._seen:
            self.found.append(Finding(0, "SEG773", False, "the mail has no `<html>`", 'begin with `<html lang="de">`'))
        if "title" not in self._seen:
            hint = "write `<title>{{ subject }}</title>` into its `<head>`"
            self.found.append(Finding(0, "SEG773", False, "the mail has no title", hint))

    # --- What is looked at --------------------------------------------------------------------------------------
    def _attributes(self, tag: str, given: dict[str, str]) -> None:
        source = self.get_starttag_text() or ""
        if _UNQUOTED.search(re.sub(r"=\s*(\"[^\"]*\"|'[^']*')", "=q", source)):
            self._harm("a value stands in an attribute without quotes", "put the attribute in quotes")
        for name, value in given.items():
            if name.startswith("on"):
                self._say(f"`{name}` runs a script, which no mail program does", "leave it out", is_error=True)
            if name in _LINKS:
                self._leads(name, value)
            if name == "style":
                self._harmless(value, "in a style")
        if tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self._say("a mail cannot lead on by itself", "leave `refresh` out", is_error=True)

    def _leads(self, name: str, value: str) -> None:
        first = value.lstrip()
        if _HARMFUL.match(first) and not (name == "src" and first.startswith("data:image/")):
            self._harm(f"`{name}` begins with a script", "link to an address that begins with `https://`")
        elif first.startswith(MARK):
            values = self._flat.marked(first)
            if values and not values[0].is_ours:
                hint = "begin with an address of your own, and write `| urlencode` behind the value"
                self._harm(f"`{name}` begins with `{values[0].name}`, which people can choose", hint)

    def _harmless(self, text: str, where: str) -> None:
        for value in self._flat.marked(text):
            if not value.is_ours:
                self._harm(f"`{value.name}` stands {where}", "people can choose it: write it where there is text")
                return

    def _headed(self, level: int) -> None:
        if self._heading == 0 and level != 1:
            self._say(f"the first heading is `<h{level}>`", "begin with `<h1>`: people jump from heading to heading")
        elif level > self._heading + 1 and self._heading:
            self._say(f"`<h{level}>` follows `<h{self._heading}>`", f"write `<h{self._heading + 1}>`")
        self._heading = level

    def _opened(self, tag: str, given: dict[str, str]) -> _Open:
        above = self._open[-1] if self._open else _Open("", 0, (0, 0, 0), (255, 255, 255), is_large=False)
        style = given.get("style", "")
        colour = declared(style, "color") or (above.colour if tag != "a" else (0, 0, 238))
        ground = declared(style, "background-color", "background") or declared(f"x:{given.get('bgcolor', '')}", "x")
        size = _SIZE.search(style)
        pixels = float(size[1]) if size else {"h1": 32.0, "h2": 24.0}.get(tag, 0.0)
        is_large = pixels >= 24 or (pixels >= 18.66 and bool(_BOLD.search(style)))
        return _Open(tag, self._offset(), colour, ground or above.ground, is_large if pixels else above.is_large)

    def _readable(self, one: _Open) -> None:
        least = 3.0 if one.is_large else 4.5
        found = contrast(one.colour, one.ground)
        if found < least and one.offset not in self._told:
            self._told.add(one.offset)
            message = f"text has a contrast of {found:.1f} to its ground, and needs {least:g}"
            self._say(message, "darken one of the two colours", offset=one.offset)

    def _say(self, message: str, hint: str, *, offset: int | None = None, is_error: bool = False) -> None:
        self.found.append(Finding(self._offset() if offset is None else offset, "SEG773", is_error, message, hint))

    def _harm(self, message: str, hint: str) -> None:
        self.found.append(Finding(self._offset(), "SEG775", True, message, hint))

    def _offset(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column
