"""Charts of pages as inline SVG, each with its numbers as a table; texts keep their size at any width.

All coordinates across are percent, so that a chart is as wide as its place and nothing in it shrinks. Whoever does not
see it gets the title, the description and the table, whose numbers are those of the drawing, in the same words. Colour
is never alone: parts have patterns, lines have dashes and points, cells have their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from segctl.cli.page_tables import table, text
from segctl.cli.svg_frame import HEAT_STEPS, PATTERNS, Drawing, Say, Scale, caption, said, shortened, svg, text_of
from segctl.model.dataclass import dataclass

_LINES_HIGH, _CELL = 190, 34
_MARKERS = 60
"""More points than that are drawn as a line alone."""


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


def lines(
    key: str,
    title: str,
    description: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    head: str,
    say: Say,
    zero: bool = True,
    to: str = "…",
) -> Drawing:
    """Numbers over time as lines, with intervals as whiskers where they are given.

    Args:
        key: Unique on the page.
        title: Plain text, as all others.
        description: What is to be seen, in a sentence.
        labels: Of the points, such as days, oldest first.
        series: At most six, each with its own dash.
        head: Of the labels in the table.
        say: How numbers are written.
        zero: The axis contains it.
        to: Between the ends of a range.
    """
    found = [v for one in series for of in (one.values, one.lows, one.highs) for v in of if v is not None]
    scale = Scale.over([*found, 0.0] if zero else found or [0.0])
    legend = 22 * len(series) if len(series) > 1 else 0
    bottom = _LINES_HIGH + legend
    levels = {scale.low, scale.high, *([0.0] if scale.low < 0 < scale.high else [])}
    parts = [_level(level, scale, legend, say) for level in sorted(levels)]
    parts += [_line(one, at, labels, scale, legend, say, to) for at, one in enumerate(series)]
    if legend:
        parts += [_legend_line(one.name, at) for at, one in enumerate(series)]
    if labels:
        parts.append(f'<text class="tick" x="0%" y="{bottom + 14}">{text_of(labels[0])}</text>')
        parts.append(f'<text class="tick" x="100%" y="{bottom + 14}" text-anchor="end">{text_of(labels[-1])}</text>')
    return Drawing(
        title, svg(key, title, description, bottom + 20, parts), _over_time(title, head, labels, series, say, to)
    )


def _y(value: float, scale: Scale, legend: int) -> float:
    return round(legend + _LINES_HIGH - 14 - scale.share(value) * (_LINES_HIGH - 40), 1)


def _level(level: float, scale: Scale, legend: int, say: Say) -> str:
    y = _y(level, scale, legend)
    look = "axis" if level == 0 else "grid"
    return (
        f'<line class="{look}" x1="0%" x2="100%" y1="{y}" y2="{y}"/>'
        f'<text class="tick" x="0%" y="{y - 4}">{text_of(say(level))}</text>'
    )


def _line(one: Series, at: int, labels: Sequence[str], scale: Scale, legend: int, say: Say, to: str) -> str:
    spots = [
        None if value is None else (round(6 + 90 * (i / max(1, len(labels) - 1)), 2), _y(value, scale, legend))
        for i, value in enumerate(one.values)
    ]
    drawn = ""
    for before, after in pairwise(spots):
        if before and after:
            drawn += f'<line class="s{at % 6}" x1="{before[0]}%" y1="{before[1]}" x2="{after[0]}%" y2="{after[1]}"/>'
    present = [spot for spot in spots if spot]
    for i, spot in enumerate(spots):
        if spot is None:
            continue
        value, low, high = one.values[i], _of(one.lows, i), _of(one.highs, i)
        told = f"{one.name}, {labels[i]}: {said(value, say)}"
        if low is not None and high is not None:
            told += f" ({say(low)} {to} {say(high)})"
            ends = _y(low, scale, legend), _y(high, scale, legend)
            drawn += f'<line class="whisker" x1="{spot[0]}%" x2="{spot[0]}%" y1="{ends[0]}" y2="{ends[1]}"/>'
        if len(present) <= _MARKERS:
            mark = f'<circle class="s{at % 6}" cx="{spot[0]}%" cy="{spot[1]}" r="4">'
            drawn += f"{mark}<title>{text_of(told)}</title></circle>"
    return f"<g>{drawn}</g>"


def _legend_line(name: str, at: int) -> str:
    y = 22 * at + 12
    return (
        f'<line class="s{at % 6}" x1="0" x2="34" y1="{y}" y2="{y}"/><circle class="s{at % 6}" cx="17" cy="{y}" r="4"/>'
        f'<text x="42" y="{y + 4}">{text_of(shortened(name))}</text>'
    )


def _over_time(title: str, head: str, labels: Sequence[str], series: Sequence[Series], say: Say, to: str) -> str:
    rows = []
    for i, label in enumerate(labels):
        cells = []
        for one in series:
            low, high = _of(one.lows, i), _of(one.highs, i)
            told = said(one.values[i], say)
            cells.append(
                text(f"{told} ({say(low)} {to} {say(high)})" if low is not None and high is not None else told)
            )
        rows.append((text(label), *cells))
    names = [one.name for one in series]
    return table(title, [head, *names], rows, numbers=range(1, len(names) + 1))


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
    sums = [sum(_of(part.values, i) or 0.0 for part in parts) for i in range(len(labels))]
    most = max([*sums, 0.0]) or 1.0
    legend = 22 * len(parts) + 6
    drawn = [_legend_part(part.name, at, key) for at, part in enumerate(parts)]
    for i, label in enumerate(labels):
        top, start = legend + i * 46, 0.0
        drawn.append(caption(label, top + 14))
        for at, part in enumerate(parts):
            given = _of(part.values, i)
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
    rows = [(text(label), *(text(said(_of(p.values, i), say)) for p in parts)) for i, label in enumerate(labels)]
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


def _of(values: Sequence[float | None], at: int) -> float | None:
    return values[at] if at < len(values) else None
