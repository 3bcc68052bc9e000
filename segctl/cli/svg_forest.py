"""Intervals on one shared axis as inline SVG, with their numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence

from segctl.cli.page_tables import table, text
from segctl.cli.svg_frame import MISSING, Drawing, Say, Scale, caption, said, svg, text_of
from segctl.model.dataclass import dataclass

_ROW = 58


@dataclass(frozen=True, slots=True)
class Interval:
    """One row of `forest`.

    Attributes:
        label: Plain text.
        estimate: None where there is none; `note` then says why.
        low: None where it has no end on this side; likewise `high`.
        note: Plain text beside the label.
        look: ``good``, ``bad`` or ``even``; the words beside it say the same.
    """

    label: str
    estimate: float | None
    low: float | None = None
    high: float | None = None
    note: str = ""
    look: str = "even"


def forest(
    key: str,
    title: str,
    description: str,
    rows: Sequence[Interval],
    *,
    heads: tuple[str, str, str, str],
    say: Say,
    open_end: str = "∞",
    to: str = "…",
) -> Drawing:
    """Intervals on one shared axis with zero marked.

    Args:
        key: Unique on the page; letters, digits, hyphens.
        title: Plain text, as all others.
        description: What is to be seen, in a sentence.
        rows: From top to bottom.
        heads: Of the table: what, estimate, low, high.
        say: How numbers are written.
        open_end: Word for an end that is nowhere.
        to: Between the ends of a range.
    """
    ends = [end for row in rows for end in (row.low, row.estimate, row.high) if end is not None]
    scale = Scale.over([*ends, 0.0])
    height = _ROW * len(rows) + 26
    zero = scale.at(0.0)
    parts = [
        # Beside the bars only: through the words above them it could not be read.
        *(
            f'<line class="axis" x1="{zero}%" x2="{zero}%" y1="{at * _ROW + 40}" y2="{at * _ROW + 58}"/>'
            for at, row in enumerate(rows)
            if row.estimate is not None
        ),
        f'<text class="tick" x="{zero}%" y="{height - 6}" text-anchor="{scale.anchor(0.0)}">{text_of(say(0.0))}</text>',
    ]
    parts += [_interval(row, at, scale, say, (open_end, to)) for at, row in enumerate(rows)]
    cells = [
        (
            text(row.label) + (f' <span class="soft">{text(row.note)}</span>' if row.note else ""),
            *(text(said(value, say)) for value in (row.estimate,)),
            *(text(_end(value, row, say, open_end)) for value in (row.low, row.high)),
        )
        for row in rows
    ]
    return Drawing(title, svg(key, title, description, height, parts), table(title, heads, cells, numbers=(1, 2, 3)))


def _interval(row: Interval, at: int, scale: Scale, say: Say, words: tuple[str, str]) -> str:
    open_end, to = words
    top = at * _ROW + 4
    name = caption(row.label, top + 14)
    if row.estimate is None:
        return name + caption(row.note or MISSING, top + 32, look="soft")
    ends = f"{_end(row.low, row, say, open_end)} {to} {_end(row.high, row, say, open_end)}"
    told = f"{say(row.estimate)} ({ends})"
    low = 0.0 if row.low is None else scale.at(row.low)
    high = 100.0 if row.high is None else scale.at(row.high)
    y = top + 44
    # An end that is nowhere has no cap, and the line reaches the edge.
    caps = "".join(
        f'<line class="{row.look}" x1="{x}%" x2="{x}%" y1="{y - 6}" y2="{y + 6}"/>'
        for x, end in ((low, row.low), (high, row.high))
        if end is not None
    )
    return (
        f"<g><title>{text_of(f'{row.label}: {told}')}</title>{name}{caption(told, top + 31, look='value')}"
        f'<line class="{row.look} reach" x1="{low}%" x2="{high}%" y1="{y}" y2="{y}"/>{caps}'
        f'<circle class="{row.look}" cx="{scale.at(row.estimate)}%" cy="{y}" r="5"/></g>'
    )


def _end(value: float | None, row: Interval, say: Say, open_end: str) -> str:
    if row.estimate is None:
        return MISSING
    return open_end if value is None else say(value)
