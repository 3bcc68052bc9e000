"""Drawings of the site as inline SVG: where segments come from and go to, and sizes over runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segctl.cli.validation_page import plain
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.operations.site import SizePoint

_WIDE, _HIGH, _GAP, _BETWEEN = 192, 28, 8, 48
_LETTERS = 22
_CHART = (640, 170)


@dataclass(frozen=True, slots=True)
class Node:
    """A box: what it is (``source``, ``trait``, ``event``, ``segment``, ``destination``, ``more``), and its text."""

    key: str
    text: str
    look: str


def graph(columns: Sequence[Sequence[Node]], edges: Sequence[tuple[str, str]], heads: Sequence[str], title: str) -> str:
    """Boxes in columns, from left to right, with curves between those that depend on one another.

    Args:
        columns: Boxes from top to bottom; empty columns are left out.
        edges: Keys of two boxes; those of boxes that are not shown are left out.
        heads: A word above each column, as harmless HTML, like `title`.
        title: What the drawing shows, for those who do not see it.
    """
    shown = [(head, column) for head, column in zip(heads, columns, strict=True) if column]
    ordered = _ordered([list(column) for _, column in shown], edges)
    tall = max(len(column) for column in ordered)
    places: dict[str, tuple[float, float]] = {}
    for at, column in enumerate(ordered):
        top = 26 + (tall - len(column)) * (_HIGH + _GAP) / 2
        for row, node in enumerate(column):
            places[node.key] = (at * (_WIDE + _BETWEEN), top + row * (_HIGH + _GAP))
    width = len(ordered) * (_WIDE + _BETWEEN) - _BETWEEN
    height = 26 + tall * (_HIGH + _GAP)
    curves = "".join(_curve(places[a], places[b]) for a, b in edges if a in places and b in places)
    boxes = "".join(_box(node, *places[node.key]) for column in ordered for node in column)
    words = "".join(
        f'<text class="head" x="{at * (_WIDE + _BETWEEN)}" y="14">{head}</text>' for at, (head, _) in enumerate(shown)
    )
    return (
        f'<svg class="graph" role="img" aria-label="{title}" viewBox="-2 0 {width + 4} {height:g}" width="{width + 4}"'
        f' height="{height:g}">{curves}{words}{boxes}</svg>'
    )


def _ordered(columns: list[list[Node]], edges: Sequence[tuple[str, str]]) -> list[list[Node]]:
    """Each box at the height of those before it, so that few curves cross."""
    before: dict[str, list[str]] = {}
    for a, b in edges:
        before.setdefault(b, []).append(a)
    heights: dict[str, float] = {}
    found = []
    for column in columns:
        means = {}
        for at, node in enumerate(column):
            known = [heights[key] for key in before.get(node.key, ()) if key in heights]
            means[node.key] = sum(known) / len(known) if known else at / max(1, len(column))
        ordered = sorted(column, key=lambda node: means[node.key])
        heights |= {node.key: at / max(1, len(ordered)) for at, node in enumerate(ordered)}
        found.append(ordered)
    return found


def _curve(start: tuple[float, float], end: tuple[float, float]) -> str:
    x, y = start[0] + _WIDE, start[1] + _HIGH / 2
    to_x, to_y = end[0], end[1] + _HIGH / 2
    if to_x <= start[0]:  # within a column: out at the right and back in
        to_x = end[0] + _WIDE
        return f'<path d="M{x:g} {y:g}C{x + 40:g} {y:g} {to_x + 40:g} {to_y:g} {to_x:g} {to_y:g}"/>'
    middle = (x + to_x) / 2
    return f'<path d="M{x:g} {y:g}C{middle:g} {y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g}"/>'


def _box(node: Node, x: float, y: float) -> str:
    short = node.text if len(node.text) <= _LETTERS else f"{node.text[: _LETTERS - 1]}…"
    return (
        f'<g class="{node.look}"><title>{plain(node.text)}</title>'
        f'<rect x="{x:g}" y="{y:g}" width="{_WIDE}" height="{_HIGH}" rx="5"/>'
        f'<text x="{x + 9:g}" y="{y + 18.5:g}">{plain(short)}</text></g>'
    )


def chart(points: Sequence[SizePoint], labels: Sequence[str], title: str) -> str:
    """Members after each run as a line over time, with the first and last day and the most.

    Args:
        points: At least one, oldest first.
        labels: Texts as harmless HTML: of the most, of the first and of the last day.
        title: What the drawing shows, for those who do not see it.
    """
    width, height = _CHART
    left, right, top, bottom = 8, width - 8, 26, height - 26
    most = max(1, *(point.size for point in points))
    start, end = points[0].as_of.timestamp(), points[-1].as_of.timestamp()
    spots = [
        (
            left + (right - left) * ((point.as_of.timestamp() - start) / (end - start) if end > start else 0.5),
            bottom - (bottom - top) * point.size / most,
        )
        for point in points
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in (spots if len(spots) <= 60 else spots[-1:]))
    return (
        f'<svg class="chart-line" role="img" aria-label="{title}" viewBox="0 0 {width} {height}">'
        f'<line x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>'
        f'<line x1="{left}" x2="{right}" y1="{top}" y2="{top}"/>'
        f'<text x="{left}" y="{top - 8}">{labels[0]}</text><text x="{left}" y="{height - 8}">{labels[1]}</text>'
        f'<text x="{right}" y="{height - 8}" text-anchor="end">{labels[2]}</text>'
        f'<polyline points="{line}"/>{dots}</svg>'
    )
