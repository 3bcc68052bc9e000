"""The `table` format: Rich on a terminal, plain aligned text off it, records where a table would be too wide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from segctl.cli.cells import MISSING, cell_text, shown, width
from segctl.cli.formats import values

if TYPE_CHECKING:
    from segctl.cli.context import Context
    from segctl.cli.output import Column, Result

GAP = 2
BAR_WIDTH = 12
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_SPARKS = "▁▂▃▄▅▆▇█"


def write(ctx: Context, result: Result, columns: Sequence[Column], rows: Iterable[Any], stream: IO[bytes]) -> None:
    """Write facts, text, the table, further sections, notes."""
    blocks = [_facts(result.facts), "\n".join(shown(line) for line in result.text)]
    if columns:
        blocks.append(table(ctx, columns, rows, noun=result.noun))
    for section in result.sections:
        blocks.append(f"{shown(section.title)}\n{table(ctx, section.columns, section.rows)}")
    blocks.append("\n".join(shown(note) for note in result.notes))
    stream.write("\n\n".join(block for block in blocks if block).encode() + b"\n")


def table(ctx: Context, columns: Sequence[Column], rows: Iterable[Any], *, noun: str | None = None) -> str:
    """A table that is nowhere cut, without the last line end."""
    cells = [[_cell(v, c) for v, c in zip(row, columns, strict=True)] for row in values(rows, columns)]
    count = f"\n{len(cells):,} {noun}" if noun else ""
    if not cells:
        return count.strip() or "nothing found"
    heads = [shown(c.header) for c in columns]
    widths = [max(width(heads[i]), *(width(row[i]) for row in cells)) for i in range(len(columns))]
    if ctx.terminal.width is not None and sum(widths) + GAP * (len(widths) - 1) > ctx.terminal.width:
        return _as_records(heads, cells) + (f"\n{count}" if count else "")
    lines = [_line(heads, widths, columns), _line(["-" * w for w in widths], widths, columns)]
    lines += [_line(row, widths, columns) for row in cells]
    return "\n".join(lines) + count


def _cell(value: Any, column: Column) -> str:
    return shown(cell_text(value, column)) or (MISSING if value is None else "")


def _line(cells: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    padded = [
        " " * (w - width(cell)) + cell if column.is_right else cell + " " * (w - width(cell))
        for cell, w, column in zip(cells, widths, columns, strict=True)
    ]
    return (" " * GAP).join(padded).rstrip()


def _as_records(heads: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    return "\n\n".join("\n".join(f"{h}: {c}" for h, c in zip(heads, row, strict=True)) for row in cells)


def _facts(facts: Mapping[str, Any]) -> str:
    from segctl.cli.output import Column

    plain = Column("")
    return "\n".join(f"{shown(key)}: {shown(cell_text(value, plain)) or MISSING}" for key, value in facts.items())
