"""A report as text: beautiful on a terminal, plain off it, and as records where it is read aloud."""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING

from segctl.cli import report_bars, tables
from segctl.cli.cells import shown, width
from segctl.cli.report_bars import painted
from segctl.cli.report_document import Forest, Grid, Heat, Lead, Links, Marks, Words
from segctl.cli.results import Column
from segctl.cli.svg_frame import MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segctl.cli.context import Context
    from segctl.cli.report_document import Block, Document, Mark
    from segctl.model.project import Language

_COLORS = {"good": "1;32", "bad": "1;31", "warn": "1;33", "none": "1"}
_SHORT = 12
"""Numbers up to this length stand at the right edge; longer ones, such as ranges, may be folded."""
_NARROW = 60
"""Columns under which tables become records."""
_UNIT = re.compile(r"(?<=[\d)]) (%|[^\s()]{1,6}$)")
"""The blank before a unit: a number and its unit stay on one line of a cell."""
_RANGE = re.compile(r"\([+−\d][^()]* (?:to|bis) [^()]*\)")
"""Both ends of a range, which stay on one line of a cell too."""
_ENTRY = {"en": "Entry {n} of {all}", "de": "Eintrag {n} von {all}"}
_MORE = {
    "en": "More with `--details`: {parts}; with `--html FILE` everything as a page.",
    "de": "Mehr mit `--details`: {parts}; mit `--html DATEI` alles als Seite.",
}


def text(ctx: Context, document: Document, *, details: bool = False) -> str:
    """The report for the terminal of the call, with the last line end.

    Args:
        ctx: The call.
        document: What is told.
        details: Also the sections that a first look does not need.
    """
    view = _View(ctx, document.language)
    view.said = {document.title}
    parts = [view.title(document)]
    parts += [view.block(one) for one in document.lead]
    kept = [one for one in document.sections if details or not one.is_detail]
    for section in kept:
        is_new = section.title not in view.said
        view.said.add(section.title)
        inner = "\n\n".join(told for one in section.blocks if (told := view.block(one)))
        if inner:
            parts.append(f"{view.bold(section.title)}\n{inner}" if is_new else inner)
    left = [one.title for one in document.sections if one not in kept]
    if left:
        parts.append(view.wrapped(_MORE[document.language].format(parts=", ".join(left)), soft=True))
    parts.append("\n".join(view.wrapped(line, soft=True) for line in document.foot))
    return "\n\n".join(part for part in parts if part) + "\n"


class _View:
    def __init__(self, ctx: Context, language: Language) -> None:
        self.ctx, self.language = ctx, language
        self.said: set[str] = set()
        self.room = ctx.terminal.width
        self.color = ctx.terminal.out_color
        self.is_drawn = ctx.terminal.out and ctx.terminal.unicode
        # Whoever asked for no boxes has it read aloud, or reads it on what shows no columns.
        self.is_aloud = not ctx.terminal.unicode

    def bold(self, words: str) -> str:
        return painted(shown(words), "1", on=self.color)

    def title(self, document: Document) -> str:
        facts = self.wrapped(" · ".join(document.facts) if not self.is_aloud else ", ".join(document.facts), soft=True)
        return "\n".join(part for part in (self._lines(document.title, "1"), facts) if part)

    def wrapped(self, words: str, *, soft: bool = False) -> str:
        return self._lines(words, "2" if soft else "")

    def _lines(self, words: str, code: str, *, hang: int = 0) -> str:
        text = shown(words)
        if self.room is None or width(text) <= self.room:
            return painted(text, code, on=self.color)
        indent = " " * min(hang, self.room // 2)
        # Long words stay whole: a terminal breaks them without losing a letter, and they can be copied.
        kept = text.replace(" %", "\u00a0%")
        lines = wrap(kept, max(self.room, 8), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
        return "\n".join(painted(line.replace("\u00a0%", " %"), code, on=self.color) for line in lines)

    def block(self, block: Block) -> str:
        """One block as text, without the last line end."""
        if isinstance(block, Lead):
            return "\n".join([self._lines(block.text, _COLORS[block.look]), *map(self.wrapped, block.more)])
        if isinstance(block, Words):
            return "\n".join(self.wrapped(line, soft=block.soft) for line in block.lines)
        if isinstance(block, Marks):
            return "\n".join(self._mark(one, block) for one in block.rows)
        if isinstance(block, Grid | Links):
            return self._grid(block if isinstance(block, Grid) else block.grid())
        drawn = report_bars.lines(block, self.room or 80, color=self.color) if self.is_drawn else []
        if isinstance(block, Forest):
            # Its numbers are those of the table above it.
            return "\n".join([self.wrapped(block.title), *drawn]) if drawn else ""
        if isinstance(block, Heat) and drawn:
            return "\n".join([self.wrapped(block.title), *drawn])
        numbers = self._grid(block.grid())
        return "\n".join([*drawn, numbers])

    def _mark(self, one: Mark, block: Marks) -> str:
        if self.is_aloud:
            return self._lines(": ".join(part for part in (one.word, one.name, one.text) if part), "")
        longest = max(width(mark.word) for mark in block.rows) + 2
        word = one.word + " " * (longest - width(one.word))
        rest = f"{one.name}: {one.text}" if one.text else one.name
        lines = self._lines(f"{word}{rest}", "", hang=longest)
        return lines.replace(one.word, painted(one.word, _COLORS[one.look], on=self.color), 1)

    def _grid(self, grid: Grid) -> str:
        if self.is_aloud or (self.room is not None and self.room < _NARROW):
            return self._records(grid)
        columns = [
            Column(f"c{at}", title=head, type="number" if at in grid.numbers and _is_short(grid, at) else "text")
            for at, head in enumerate(grid.heads)
        ]
        kept = [at for at in range(len(columns)) if not at or any(row[at] for row in grid.rows)]
        rows = [tuple(_UNIT.sub("\u00a0\\1", row[at]) or MISSING for at in kept) for row in grid.rows]
        whole = [tuple(_RANGE.sub(_kept, cell) for cell in row) for row in rows]
        if self.room is None or _least([[grid.heads[at] for at in kept], *whole]) <= self.room:
            rows = whole
        # A caption that stands above already, as a heading, is not said again.
        caption = "" if grid.caption in self.said else f"{self.wrapped(grid.caption)}\n"
        laid = tables.table(self.ctx, [columns[at] for at in kept], rows)
        return f"{caption}{laid}".replace("\u00a0", " ")

    def _records(self, grid: Grid) -> str:
        """Each row as lines of head and value, so that every number is read with its name."""
        found = [grid.caption]
        for at, row in enumerate(grid.rows, start=1):
            found.append(_ENTRY[self.language].format(n=at, all=len(grid.rows)))
            found += [f"{head}: {cell}" for head, cell in zip(grid.heads, row, strict=True) if cell]
        return "\n".join(map(self.wrapped, found))


def _kept(found: re.Match[str]) -> str:
    return found[0].replace(" ", "\u00a0")


def _least(rows: Sequence[Sequence[str]]) -> int:
    """Columns of a terminal below which a table with whole ranges would become records."""
    widths = []
    for at in range(len(rows[0])):
        longest = max(width(row[at]) for row in rows)
        tied = max(width(word) for row in rows for word in row[at].split(" "))
        widths.append(longest if longest <= _SHORT else min(longest, max(tied, tables.NARROWEST)))
    return sum(widths) + 2 * (len(widths) - 1)


def _is_short(grid: Grid, at: int) -> bool:
    return all(width(row[at]) <= _SHORT for row in grid.rows)
