"""Tables of pages: named by a caption, heads that say what they are the heads of, whole at any width."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from segctl.cli.validation_page import plain

_TAGS = re.compile("<[^>]*>")
_SHORT = 14
"""Numbers up to this length stay on one line; ranges may take two."""
_WORD = 18
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
    looks = [_look(head, [row[at] for row in lines], is_number=at in numbers) for at, head in enumerate(heads)]
    labels = [plain(head, LONGEST) for head in heads]
    head = "".join(
        f'<th scope="col" role="columnheader"{of}>{label}</th>' for label, of in zip(labels, looks, strict=True)
    )
    body = "".join(
        f'<tr role="row"><th scope="row" role="rowheader"{looks[0]}>{row[0]}</th>'
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


def _look(head: str, cells: Sequence[str], *, is_number: bool) -> str:
    """Classes of a column, from its longest text and word."""
    texts = [head, *(_TAGS.sub("", cell) for cell in cells)]
    looks = ["n" if max(map(len, texts)) <= _SHORT else "n range"] if is_number else []
    # Words that fit are not broken; a name without an end may be.
    if all(len(word) <= _WORD for written in texts for word in written.split()):
        looks.append("w")
    return f' class="{" ".join(looks)}"' if looks else ""
