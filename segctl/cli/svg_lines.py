"""Numbers over time as lines of inline SVG, with their numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from segctl.cli.page_tables import table, text
from segctl.cli.svg_charts import Series, of
from segctl.cli.svg_frame import Drawing, Say, Scale, said, shortened, svg, text_of
from segctl.model.dataclass import dataclass

_LINES_HIGH = 190
_MARKERS = 60
"""More points than that are drawn as a line alone."""


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
    plane = _Plane(labels, scale, legend, say, to)
    parts += [_line(one, at, _beside(at, series), plane) for at, one in enumerate(series)]
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


@dataclass(frozen=True, slots=True)
class _Plane:
    """Where the lines of a chart are drawn, and how their numbers are told."""

    labels: Sequence[str]
    scale: Scale
    legend: int
    say: Say
    to: str

    def x(self, at: int, shift: float) -> float:
        return round(6 + shift + 90 * (at / max(1, len(self.labels) - 1)), 2)

    def y(self, value: float) -> float:
        return _y(value, self.scale, self.legend)


def _beside(at: int, series: Sequence[Series]) -> float:
    """Percent by which a line stands beside the others, so that whiskers of one label do not hide each other."""
    has_ends = any(end is not None for one in series for end in one.lows)
    return (at - (len(series) - 1) / 2) * 1.6 if has_ends else 0.0


def _line(one: Series, at: int, shift: float, plane: _Plane) -> str:
    spots = [None if value is None else (plane.x(i, shift), plane.y(value)) for i, value in enumerate(one.values)]
    look, drawn = f"s{at % 6}", ""
    for before, after in pairwise(spots):
        if before and after:
            drawn += f'<line class="{look}" x1="{before[0]}%" y1="{before[1]}" x2="{after[0]}%" y2="{after[1]}"/>'
    is_marked = sum(spot is not None for spot in spots) <= _MARKERS
    for i, spot in enumerate(spots):
        if spot is not None:
            drawn += _spot(one, i, spot, look, plane, is_marked=is_marked)
    return f"<g>{drawn}</g>"


def _spot(one: Series, i: int, spot: tuple[float, float], look: str, plane: _Plane, *, is_marked: bool) -> str:
    low, high = of(one.lows, i), of(one.highs, i)
    told, drawn = f"{one.name}, {plane.labels[i]}: {said(one.values[i], plane.say)}", ""
    if low is not None and high is not None:
        told += f" ({plane.say(low)} {plane.to} {plane.say(high)})"
        ends = f'y1="{plane.y(low)}" y2="{plane.y(high)}"'
        drawn = f'<line class="{look} whisker" x1="{spot[0]}%" x2="{spot[0]}%" {ends}/>'
    if is_marked:
        mark = f'<circle class="{look}" cx="{spot[0]}%" cy="{spot[1]}" r="4">'
        drawn += f"{mark}<title>{text_of(told)}</title></circle>"
    return drawn


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
            low, high = of(one.lows, i), of(one.highs, i)
            told = said(one.values[i], say)
            cells.append(
                text(f"{told} ({say(low)} {to} {say(high)})" if low is not None and high is not None else told)
            )
        rows.append((text(label), *cells))
    names = [one.name for one in series]
    return table(title, [head, *names], rows, numbers=range(1, len(names) + 1))
