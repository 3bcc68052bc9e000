"""The `table` format: Rich on a terminal, plain aligned text off it, records where a table would be too wide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import IO, TYPE_CHECKING, Any

from segctl.cli import charts
from segctl.cli.cells import MISSING, counted, encoded, shown, table_text, width
from segctl.cli.folding import folded
from segctl.cli.formats import values
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from textwrap import TextWrapper

    from segctl.cli.context import Context
    from segctl.cli.results import Column, Result

GAP = 2
SLACK = 100
"""Columns that Rich gets beyond our count, so that it never needs to fold where it counts differently."""
NARROWEST = 14
"""Columns of text are folded down to this before records are preferred."""
MOST_LINES = 3
"""A table whose rows take more lines than this on average reads worse than records."""
_FOLDS = frozenset({"text", "list", "object"})
RICH_ROWS = 2000
"""Longer tables are written plain even on terminals: Rich needs a tenth of a millisecond for each cell."""


def write(ctx: Context, result: Result, columns: Sequence[Column], rows: Iterable[Any], stream: IO[bytes]) -> None:
    """Write facts, text, the table, further sections, notes."""
    blocks = [_facts(result.facts), "\n".join(shown(line) for line in result.text)]
    if columns:
        blocks.append(table(ctx, columns, rows, noun=result.noun))
    blocks += [f"{shown(s.title)}\n{table(ctx, s.columns, s.rows)}" for s in result.sections]
    blocks.append("\n".join(shown(note) for note in result.notes))
    stream.write(encoded("\n\n".join(block for block in blocks if block) + "\n"))


def table(ctx: Context, columns: Sequence[Column], rows: Iterable[Any], *, noun: str | None = None) -> str:
    """A table that is nowhere cut, without the last line end.

    Args:
        ctx: The call; its terminal decides between Rich, plain text and records.
        columns: What the rows hold.
        rows: Mappings, sequences or a frame.
        noun: What a row is, in the plural; adds a line with the count.
    """
    found = list(values(rows, columns))
    count = f"\n{counted(len(found), noun)}" if noun else ""
    if not found:
        return count.strip() or "nothing found"
    is_drawn = ctx.terminal.out and ctx.terminal.unicode
    laid = _laid_out(found, columns, is_drawn=is_drawn)
    dropped: list[str] = []
    while not _fits(laid, ctx.terminal.width) and any(c.extra for c in laid.columns):
        last = max(i for i, c in enumerate(laid.columns) if c.extra)
        dropped.insert(0, laid.columns[last].name)
        found = [(*row[:last], *row[last + 1 :]) for row in found]
        laid = _laid_out(found, [c for i, c in enumerate(laid.columns) if i != last], is_drawn=is_drawn)
    if dropped:
        count += f"\nno room for {', '.join(dropped)}: a wider terminal or `-f json` shows them"
    if not _fits(laid, ctx.terminal.width):
        folded = _folded(laid, ctx.terminal.width or 0)
        if folded is None:
            return _as_records(laid.heads, laid.plain, ctx.terminal.width) + (f"\n{count}" if count else "")
        laid = folded
    if is_drawn and len(laid.cells) <= RICH_ROWS:
        return _rich(ctx, laid) + count
    lines = [_line(laid.heads, laid), _line(["-" * w for w in laid.widths], laid)]
    return "\n".join([*lines, *(line for row in laid.cells for line in _lines(row, laid))]) + count


@dataclass(frozen=True, slots=True)
class _Layout:
    """Cells as they will stand: heads, columns and their widths; `plain` is without charts."""

    heads: list[str]
    columns: Sequence[Column]
    cells: list[list[str]]
    plain: list[list[str]]
    widths: list[int]


def _laid_out(found: Sequence[Sequence[Any]], columns: Sequence[Column], *, is_drawn: bool) -> _Layout:
    plain = [[_cell(v, c) for v, c in zip(row, columns, strict=True)] for row in found]
    cells = charts.drawn(plain, found, columns) if is_drawn else plain
    heads = [shown(c.header) for c in columns]
    widths = [max(width(heads[i]), *(width(row[i]) for row in cells)) for i in range(len(columns))]
    return _Layout(heads, columns, cells, plain, widths)


def _fits(laid: _Layout, room: int | None) -> bool:
    return room is None or sum(laid.widths) + GAP * (len(laid.widths) - 1) <= room


def _folded(laid: _Layout, room: int) -> _Layout | None:
    """The layout with long texts on several lines, None where that would not help: then records read better."""
    widths = list(laid.widths)
    least = [
        w if c.type not in _FOLDS else min(w, max(width(h), NARROWEST, _whole(laid.cells, at)))
        for at, (w, c, h) in enumerate(zip(widths, laid.columns, laid.heads, strict=True))
    ]
    while sum(widths) + GAP * (len(widths) - 1) > room:
        widest = max(range(len(widths)), key=lambda i: widths[i] - least[i])
        if widths[widest] == least[widest]:
            return None
        widths[widest] -= 1
    lines = [max(-(-width(cell) // w) for cell, w in zip(row, widths, strict=True)) for row in laid.cells]
    return replace(laid, widths=widths) if sum(lines) <= MOST_LINES * len(lines) else None


def _whole(cells: Sequence[Sequence[str]], at: int) -> int:
    """Columns that the words of a column need that somebody tied together, such as a range of two numbers."""
    tied = (word for row in cells for word in row[at].split(" ") if "\u00a0" in word)
    return max(map(width, tied), default=0)


def _cell(value: object, column: Column) -> str:
    return shown(table_text(value, column)) or (MISSING if value is None else "")


def _line(cells: Sequence[str], laid: _Layout) -> str:
    padded = [
        " " * (w - width(cell)) + cell if column.is_right else cell + " " * (w - width(cell))
        for cell, w, column in zip(cells, laid.widths, laid.columns, strict=True)
    ]
    return (" " * GAP).join(padded).rstrip()


def _lines(row: Sequence[str], laid: _Layout) -> list[str]:
    """A row of cells, folded where a cell is longer than its column is wide."""
    if all(width(cell) <= w for cell, w in zip(row, laid.widths, strict=True)):
        return [_line(row, laid)]
    parts = [_wrapped(cell, w) for cell, w in zip(row, laid.widths, strict=True)]
    return [_line([p[i] if i < len(p) else "" for p in parts], laid) for i in range(max(len(p) for p in parts))]


def _wrapped(cell: str, room: int) -> list[str]:
    if width(cell) <= room:
        return [cell]
    # What hangs below its parent in a tree stays there on every line.
    margin = len(cell) - len(cell.lstrip())
    return _folding()(room, subsequent_indent=" " * min(margin, room // 2)).wrap(cell)


@cache
def _folding() -> type[TextWrapper]:
    """Folds names that are longer than a line at their joints, `winback_mit_` and `gutschein`, not in a word."""
    import re
    from textwrap import TextWrapper

    joint = re.compile(r"(?<=[^\W_][_/.:@=+|])(?=\w)")

    class Folding(TextWrapper):
        def _split(self, text: str) -> list[str]:
            words = super()._split(text)
            return [part for word in words for part in (joint.split(word) if len(word) > self.width else [word])]

    return Folding


def _as_records(heads: Sequence[str], cells: Sequence[Sequence[str]], room: int | None) -> str:
    records = ("\n".join(f"{h}: {c}" for h, c in zip(heads, row, strict=True)) for row in cells)
    return "\n\n".join(folded(record, room, hanging=GAP) for record in records)


def _rich(ctx: Context, laid: _Layout) -> str:
    from io import StringIO

    from rich.box import Box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    only_head_rule = Box("    \n    \n ─  \n    \n    \n    \n    \n    \n")
    drawn = Table(box=only_head_rule, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), header_style="bold")
    for head, column, least in zip(laid.heads, laid.columns, laid.widths, strict=True):
        drawn.add_column(
            Text(head),
            # Cells with bars are aligned already, and Rich would strip the blanks that make them so.
            justify="right" if column.is_right and not column.bar else "left",
            overflow="fold",
            width=least,
        )
    for row in laid.cells:
        cells = ["\n".join(_wrapped(cell, w)) for cell, w in zip(row, laid.widths, strict=True)]
        drawn.add_row(*(Text(cell, style="dim" if cell == MISSING else "") for cell in cells))
    paper = StringIO()
    console = Console(
        file=paper,
        force_terminal=True,
        color_system="standard" if ctx.terminal.out_color else None,
        width=sum(laid.widths) + (GAP + 1) * len(laid.widths) + SLACK,
        _environ={},
    )
    console.print(drawn)
    return "\n".join(line.rstrip() for line in paper.getvalue().rstrip("\n").split("\n"))


def _facts(facts: Mapping[str, object]) -> str:
    from segctl.cli.results import Column

    plain = Column("", digits=3)
    return "\n".join(f"{shown(key)}: {shown(table_text(value, plain)) or MISSING}" for key, value in facts.items())
