"""Charts of pages as inline SVG, each with its numbers as a table; texts keep their size at any width.

All coordinates across are percent, so that a chart is as wide as its place and nothing in it shrinks. Whoever does not
see it gets the title, the description and the table, whose numbers are those of the drawing, in the same words. Colour
is never alone: parts have patterns, lines have dashes and points, cells have their number.
"""

from __future__ import annotations

from collections.abc import Sequence

from segctl.cli.page_tables import table, text
from segctl.cli.svg_frame import HEAT_STEPS, PATTERNS, Drawing, Say, caption, said, shortened, svg, text_of
from segctl.model.dataclass import dataclass

_CELL = 34


@dataclass(frozen=True, slots=True)
class Series:
    """A named row of numbers, one for each label; missing ones are gaps.

    Attributes:
        name: Plain text.
        values: As many as labels.
        lows: Ends of intervals, as many, or none at all; likewise `highs`.
    """

    name: str
    values: Sequence[float | None]
    lows: Sequence[float | None] = ()
    highs: Sequence[float | None] = ()


def stacked(
    key: str,
    title: str,
    description: str,
    labels: Sequence[str],
    parts: Sequence[Series],
    *,
    head: str,
    say: Say,
) -> Drawing:
    """A bar for each label, made of parts one behind the other; the longest bar is as wide as the chart.

    Args:
        key: Unique on the page.
        title: Plain text, as all others.
        description: What is to be seen, in a sentence.
        labels: Of the bars, from top to bottom.
        parts: At most six, each with its own pattern; values of 0 or more.
        head: Of the labels in the table.
        say: How numbers are written.
    """
    sums = [sum(of(part.values, i) or 0.0 for part in parts) for i in range(len(labels))]
    most = max([*sums, 0.0]) or 1.0
    legend = 22 * len(parts) + 6
    drawn = [_legend_part(part.name, at, key) for at, part in enumerate(parts)]
    for i, label in enumerate(labels):
        top, start = legend + i * 46, 0.0
        drawn.append(caption(label, top + 14))
        for at, part in enumerate(parts):
            given = of(part.values, i)
            value = given or 0.0
            wide = 100 * value / most
            if given is not None:
                told = text_of(f"{label}, {part.name}: {say(value)}")
                drawn.append(
                    f'<rect class="p{at % 6}" x="{start:.2f}%" width="{wide:.2f}%" y="{top + 20}" height="18" '
                    f'fill="url(#{key}-p{at % 6})"><title>{told}</title></rect>'
                )
            start += wide
    drawn.insert(0, f"<defs>{''.join(PATTERNS[at % 6].format(key=key) for at in range(len(parts)))}</defs>")
    rows = [(text(label), *(text(said(of(p.values, i), say)) for p in parts)) for i, label in enumerate(labels)]
    names = [part.name for part in parts]
    return Drawing(
        title,
        svg(key, title, description, legend + 46 * len(labels), drawn),
        table(title, [head, *names], rows, numbers=range(1, len(names) + 1)),
    )


def _legend_part(name: str, at: int, key: str) -> str:
    y = 22 * at
    return (
        f'<rect class="p{at % 6}" x="0" y="{y + 2}" width="34" height="15" fill="url(#{key}-p{at % 6})"/>'
        f'<text x="42" y="{y + 14}">{text_of(shortened(name))}</text>'
    )


def heat(
    key: str,
    title: str,
    description: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    *,
    head: str,
    say: Say,
    across: str = "",
) -> Drawing:
    """A grid of numbers, the deeper the more: cohorts over time, or people by two scores.

    Args:
        key: Unique on the page.
        title: Plain text, as all others.
        description: What is to be seen, in a sentence.
        rows: Names from top to bottom.
        columns: Names from left to right.
        values: A row for each of `rows`; None leaves the cell empty, as where a cohort is too young.
        head: What the rows are.
        say: How numbers are written; short, they stand in the cells.
        across: What the columns are.
    """
    most = max((v for row in values for v in row if v is not None), default=0.0) or 1.0
    side = 22.0
    wide = (100 - side) / max(1, len(columns))
    parts = [f'<text class="tick" x="0%" y="32">{text_of(shortened(f"{head} ↓", 16))}</text>']
    if across:
        parts.append(f'<text class="tick" x="{side}%" y="13">{text_of(shortened(f"{across} →", 30))}</text>')
    parts += [
        f'<text class="tick" x="{side + (j + 0.5) * wide:.2f}%" y="32" text-anchor="middle">{text_of(name)}</text>'
        for j, name in enumerate(columns)
    ]
    for i, name in enumerate(rows):
        top = 40 + i * _CELL
        parts.append(f'<text class="tick" x="0%" y="{top + 22}">{text_of(shortened(name, 16))}</text>')
        for j, value in enumerate(values[i]):
            if value is not None:
                told = f"{name}, {columns[j]}: {say(value)}"
                step = min(HEAT_STEPS - 1, int(max(0.0, value) / most * HEAT_STEPS))
                parts.append(
                    f'<g class="h{step}"><title>{text_of(told)}</title>'
                    f'<rect x="{side + j * wide:.2f}%" y="{top}" width="{wide:.2f}%" height="{_CELL}"/>'
                    f'<text x="{side + (j + 0.5) * wide:.2f}%" y="{top + 22}" text-anchor="middle">'
                    f"{text_of(say(value))}</text></g>"
                )
    cells = [(text(name), *(text(said(v, say)) for v in row)) for name, row in zip(rows, values, strict=True)]
    longest = max((len(say(v)) for row in values for v in row if v is not None), default=1)
    least = 64 + max(28, 8 * longest + 4) * len(columns)
    numbers = table(title, [head, *columns], cells, numbers=range(1, len(columns) + 1), look="data grid")
    return Drawing(
        title, svg(key, title, description, 44 + _CELL * len(rows), parts, least=least), numbers, least=least, grid=True
    )


def of(values: Sequence[float | None], at: int) -> float | None:
    """The number at a place, None where there is none."""
    return values[at] if at < len(values) else None
