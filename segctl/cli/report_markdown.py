"""A report as Markdown for tickets, wikis and merge requests: the same words and numbers as on the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from segctl.cli.report_document import Forest, Grid, Lead, Marks, Words
from segctl.cli.svg_frame import MISSING

if TYPE_CHECKING:
    from segctl.cli.report_document import Block, Document

_SPECIAL = re.compile(r"([\\*_\[\]|])")
_CODE = re.compile(r"(`[^`]*`)")


def markdown(told: Document) -> str:
    """The whole report as one text."""
    blocks = [f"# {_text(told.title)}", " · ".join(_text(fact) for fact in told.facts)]
    blocks += [_block(one, told.title) for one in told.lead]
    for section in told.sections:
        inner = [_block(one, section.title) for one in section.blocks]
        if any(inner):
            blocks += [f"## {_text(section.title)}", *inner]
    blocks.append("\n".join(f"<sub>{_text(line)}</sub>  " for line in told.foot).rstrip())
    return "\n\n".join(block for block in blocks if block) + "\n"


def _block(block: Block, heading: str) -> str:
    if isinstance(block, Lead):
        return "\n".join(
            [f"**{_text(block.text)}**", *([""] if block.more else []), *(f"- {_text(m)}" for m in block.more)]
        )
    if isinstance(block, Words):
        return "\n\n".join(f"_{_text(line)}_" if block.soft else _text(line) for line in block.lines)
    if isinstance(block, Marks):
        rows = [(one.word, one.name, one.text) for one in block.rows]
        return _table(block.caption, block.heads, rows, heading=heading)
    # The numbers of a forest stand in the table above it.
    if isinstance(block, Forest):
        return ""
    grid = block if isinstance(block, Grid) else block.grid()
    return _table(grid.caption, grid.heads, grid.rows, grid.numbers, heading=heading)


def _table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = (), *, heading: str
) -> str:
    signs = ["---:" if at in numbers else "---" for at in range(len(heads))]
    told = [[_text(cell) or MISSING for cell in line] for line in (heads, *rows)]
    lines = [told[0], signs, *told[1:]]
    named = "" if caption == heading else f"{_text(caption)}:\n\n"
    return named + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(words: str) -> str:
    """Text that neither ends a cell nor becomes markup; what stands in backticks stays so."""
    parts = _CODE.split(" ".join(words.split()))
    told = [part if part.startswith("`") else _SPECIAL.sub(r"\\\1", part.replace("<", "&lt;")) for part in parts]
    return "".join(told)
