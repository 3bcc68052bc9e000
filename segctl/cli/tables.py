"""The `table` format: Rich on a terminal, plain aligned text off it, records where a table would be too wide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from segctl.cli import charts
from segctl.cli.cells import MISSING, cell_text, encoded, shown, width
from segctl.cli.formats import values

if TYPE_CHECKING:
    from segctl.cli.context import Context
    from segctl.cli.output import Column, Result

GAP = 2
SLACK = 100
"""Columns that Rich gets beyond our count, so that it never needs to fold where it counts differently."""
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
    count = f"\n{len(found):,} {noun}" if noun else ""
    if not found:
        return count.strip() or "nothing found"
    is_drawn = ctx.terminal.out and ctx.terminal.unicode
    plain = [[_cell(v, c) for v, c in zip(row, columns, strict=True)] for row in found]
    cells = charts.drawn(plain, found, columns) if is_drawn else plain
    heads = [shown(c.header) for c in columns]
    widths = [max(width(heads[i]), *(width(row[i]) for row in cells)) for i in range(len(columns))]
    if ctx.terminal.width is not None and sum(widths) + GAP * (len(widths) - 1) > ctx.terminal.width:
        return _as_records(heads, plain) + (f"\n{count}" if count else "")
    if is_drawn and len(cells) <= RICH_ROWS:
        return _rich(ctx, heads, cells, columns, widths) + count
    lines = [_line(heads, widths, columns), _line(["-" * w for w in widths], widths, columns)]
    lines += [_line(row, widths, columns) for row in cells]
    return "\n".join(lines) + count


def _cell(value: object, column: Column) -> str:
    return shown(cell_text(value, column)) or (MISSING if value is None else "")


def _line(cells: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    padded = [
        " " * (w - width(cell)) + cell if column.is_right else cell + " " * (w - width(cell))
        for cell, w, column in zip(cells, widths, columns, strict=True)
    ]
    return (" " * GAP).join(padded).rstrip()


def _as_records(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    return "\n\n".join("\n".join(f"{h}: {c}" for h, c in zip(heads, row, strict=True)) for row in cells)


def _rich(
    ctx: Context,
    heads: Sequence[str],
    cells: Sequence[Sequence[str]],
    columns: Sequence[Column],
    widths: Sequence[int],
) -> str:
    from io import StringIO

    from rich.box import Box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    only_head_rule = Box("    \n    \n ─  \n    \n    \n    \n    \n    \n")
    drawn = Table(box=only_head_rule, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), header_style="bold")
    for head, column, least in zip(heads, columns, widths, strict=True):
        drawn.add_column(
            Text(head),
            # Cells with bars are aligned already, and Rich would strip the blanks that make them so.
            justify="right" if column.is_right and not column.bar else "left",
            overflow="fold",
            min_width=least,
        )
    for row in cells:
        drawn.add_row(*(Text(cell, style="dim" if cell == MISSING else "") for cell in row))
    paper = StringIO()
    console = Console(
        file=paper,
        force_terminal=True,
        color_system="standard" if ctx.terminal.out_color else None,
        width=sum(widths) + (GAP + 1) * len(widths) + SLACK,
        _environ={},
    )
    console.print(drawn)
    return "\n".join(line.rstrip() for line in paper.getvalue().rstrip("\n").split("\n"))


def _facts(facts: Mapping[str, object]) -> str:
    from segctl.cli.output import Column

    plain = Column("")
    return "\n".join(f"{shown(key)}: {shown(cell_text(value, plain)) or MISSING}" for key, value in facts.items())
