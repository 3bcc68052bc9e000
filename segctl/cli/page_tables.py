"""Tables of pages: named by a caption, heads that say what they are the heads of, whole at any width."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from segctl.cli.validation_page import plain

_TAGS = re.compile("<[^>]*>")
_SHORT = 14
"""Numbers up to this length stay on one line; ranges may take two."""
LONGEST = 2_000
"""Letters of a text in a cell; nobody's name or reason is longer."""


def text(written: str) -> str:
    """Any text as harmless HTML, read in its own direction."""
    return f"<bdi>{plain(written, LONGEST)}</bdi>"


def table(
    caption: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Collection[int] = (),
    look: str = "",
) -> str:
    """A table whose first cell names the row; it stays one for screen readers where it is shown as blocks.

    Args:
        caption: What it holds, as plain text.
        heads: Plain text.
        rows: Cells as harmless HTML, as many as heads; an empty one becomes a dash.
        numbers: Positions of columns that stand at the right edge.
        look: Further classes.
    """
    lines = [tuple(row) for row in rows]
    looks = [_look(at, lines) if at in numbers else "" for at in range(len(heads))]
    labels = [plain(head, LONGEST) for head in heads]
    head = "".join(
        f'<th scope="col" role="columnheader"{of}>{label}</th>' for label, of in zip(labels, looks, strict=True)
    )
    body = "".join(
        f'<tr role="row"><th scope="row" role="rowheader">{row[0]}</th>'
        + "".join(
            f'<td role="cell"{of} data-label="{label}">{cell or "–"}</td>'
            for cell, label, of in zip(row[1:], labels[1:], looks[1:], strict=True)
        )
        + "</tr>"
        for row in lines
    )
    return (
        f'<table role="table" class="{look or "data"}"><caption>{plain(caption, LONGEST)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead><tbody role="rowgroup">{body}</tbody></table>'
    )


def _look(at: int, rows: Sequence[Sequence[str]]) -> str:
    longest = max((len(_TAGS.sub("", row[at])) for row in rows), default=0)
    return ' class="n"' if longest <= _SHORT else ' class="n range"'
