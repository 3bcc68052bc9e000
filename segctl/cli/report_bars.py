"""Charts of reports in characters, for terminals; the numbers stand in the tables beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segctl.cli.cells import width
from segctl.cli.charts import spark
from segctl.cli.report_document import Curve, Forest, Heat, Plot, Stack
from segctl.cli.svg_frame import Scale

if TYPE_CHECKING:
    from segctl.cli.svg_forest import Interval

_WIDEST, _NARROWEST, _LABEL = 64, 16, 28
_COLORS = {"good": "32", "bad": "31", "even": ""}
_SHADES = " ░▒▓█"
_PARTS = "█▓▒░▚╱"


def lines(plot: Plot, room: int, *, color: bool) -> list[str]:
    """The chart in lines of at most so many columns; none where there is no room or nothing to draw."""
    if isinstance(plot, Forest):
        return _forest(plot, room, color=color)
    if isinstance(plot, Curve):
        return _curves(plot, room)
    return _stack(plot, room) if isinstance(plot, Stack) else _heat(plot, room)


def painted(text: str, code: str, *, on: bool) -> str:
    """The text in one of the sixteen colours of the terminal's theme, or as it is."""
    return f"\x1b[{code}m{text}\x1b[0m" if on and code else text


def _forest(plot: Forest, room: int, *, color: bool) -> list[str]:
    rows = [row for row in plot.rows if row.estimate is not None]
    if not rows or room < _NARROWEST:
        return []
    ends = [end for row in rows for end in (row.low, row.estimate, row.high) if end is not None]
    scale = _wider(Scale.over([*ends, 0.0]), rows)
    label = max(width(row.label) for row in rows)
    # Long names, and names on narrow terminals, get a line of their own.
    is_beside = label <= _LABEL and room - label - 2 >= 2 * _NARROWEST
    margin = label + 2 if is_beside else 0
    wide = min(_WIDEST, room - margin)
    found = []
    for row in rows:
        bar = painted(_bar(row, scale, wide), _COLORS.get(row.look, ""), on=color)
        found += [f"{row.label}{' ' * (margin - width(row.label))}{bar}"] if is_beside else [row.label, bar]
    return [*found, " " * margin + _axis(plot, scale, wide)]


def _wider(scale: Scale, rows: Sequence[Interval]) -> Scale:
    """Room for the arrows of ends that are nowhere, beyond all that is somewhere."""
    room = (scale.high - scale.low) / 10
    low = scale.low - room if any(row.low is None for row in rows) else scale.low
    return Scale(low, scale.high + room if any(row.high is None for row in rows) else scale.high)


def _at(value: float, scale: Scale, wide: int) -> int:
    return min(wide - 1, max(0, round(scale.share(value) * (wide - 1))))


def _bar(row: Interval, scale: Scale, wide: int) -> str:
    cells = [" "] * wide
    low = 0 if row.low is None else _at(row.low, scale, wide)
    high = wide - 1 if row.high is None else _at(row.high, scale, wide)
    cells[low : high + 1] = "─" * (high + 1 - low)
    zero = _at(0.0, scale, wide)
    cells[zero] = "┼" if low <= zero <= high else "│"
    cells[low] = "←" if row.low is None else "├"
    cells[high] = "→" if row.high is None else "┤"
    cells[_at(row.estimate or 0.0, scale, wide)] = "●"
    return "".join(cells).rstrip()


def _axis(plot: Forest, scale: Scale, wide: int) -> str:
    """The ends of the axis and its zero, as far as they have room beside one another."""
    cells = [" "] * wide
    for value in (0.0, scale.low, scale.high):
        text = plot.say(value)
        start = min(max(0, _at(value, scale, wide) - len(text) // 2), max(0, wide - len(text)))
        around = cells[max(0, start - 2) : start + len(text) + 2]
        if len(text) <= wide and not "".join(around).strip():
            cells[start : start + len(text)] = text
    return "".join(cells).rstrip()


def _curves(plot: Curve, room: int) -> list[str]:
    label = max((width(one.name) for one in plot.series), default=0)
    if label + len(plot.labels) + 2 > room:
        return []
    return [f"{one.name}{' ' * (label + 2 - width(one.name))}{spark(one.values)}".rstrip() for one in plot.series]


def _stack(plot: Stack, room: int) -> list[str]:
    label = max((width(name) for name in plot.labels), default=0)
    wide = min(_WIDEST, room - label - 2)
    sums = [sum(_value(part.values, at) for part in plot.parts) for at in range(len(plot.labels))]
    if wide < _NARROWEST or not any(sums):
        return []
    legend = ", ".join(f"{_PARTS[at % len(_PARTS)]} {part.name}" for at, part in enumerate(plot.parts))
    found = [legend] if width(legend) <= room else []
    for at, name in enumerate(plot.labels):
        ends, total = [0], 0.0
        for part in plot.parts:
            total += _value(part.values, at)
            ends.append(round(wide * total / max(sums)))
        bar = "".join(_PARTS[i % len(_PARTS)] * (ends[i + 1] - ends[i]) for i in range(len(plot.parts)))
        found.append(f"{name}{' ' * (label + 2 - width(name))}{bar}".rstrip())
    return found


def _heat(plot: Heat, room: int) -> list[str]:
    """The grid itself, each number behind a shade."""
    most = max((v for row in plot.values for v in row if v is not None), default=0.0) or 1.0
    cells = [
        ["" if v is None else f"{_SHADES[min(4, int(max(0.0, v) / most * 5))]} {plot.say(v)}" for v in row]
        for row in plot.values
    ]
    heads = [f"{plot.head} ↓", *plot.columns] if plot.across else [plot.head, *plot.columns]
    table = [heads, *([name, *row] for name, row in zip(plot.rows, cells, strict=True))]
    widths = [max(width(row[at]) for row in table) for at in range(len(heads))]
    if sum(widths) + 2 * (len(widths) - 1) > room:
        return []
    above = [f"{' ' * (widths[0] + 2)}{plot.across} →"] if plot.across else []
    return above + [_aligned(row, widths) for row in table]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first = row[0] + " " * (widths[0] - width(row[0]))
    rest = (" " * (wide - width(cell)) + cell for cell, wide in zip(row[1:], widths[1:], strict=True))
    return "  ".join([first, *rest]).rstrip()


def _value(values: Sequence[float | None], at: int) -> float:
    return (values[at] if at < len(values) else None) or 0.0
