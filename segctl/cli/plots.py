"""A chart of numbers over time as lines of text, for terminals; the numbers stand in the table below it."""

from __future__ import annotations

from collections.abc import Sequence

HEIGHT = 8
_EIGHTHS = " ▁▂▃▄▅▆▇█"


def area(
    numbers: Sequence[float | None], *, width: int, first: str, last: str, unicode: bool = True, height: int = HEIGHT
) -> list[str]:
    """Columns from zero up to the largest number, with the scale at the left and both ends named below.

    Args:
        numbers: In order of time; missing ones are gaps.
        width: Columns of text in all.
        first: Name of the first number.
        last: Name of the last one.
        unicode: Eighths of a block; otherwise whole `#`.
        height: Lines.
    """
    top = max((n for n in numbers if n is not None), default=0.0)
    if top <= 0:
        return []
    scale = f"{top:,.0f}"
    room = max(1, width - len(scale) - 3)
    drawn = _fitted(numbers, room)
    lines = []
    for line in range(height, 0, -1):
        cells = "".join(_cell(n, top, line, height, unicode=unicode) for n in drawn)
        label = scale if line == height else "0" if line == 1 else ""
        lines.append(f"{label:>{len(scale)}} {'┤' if unicode else '|'} {cells}".rstrip())
    gap = max(1, len(drawn) - len(first) - len(last))
    return [*lines, f"{'':>{len(scale)}}   {first}{' ' * gap}{last}"]


def _fitted(numbers: Sequence[float | None], room: int) -> list[float | None]:
    """As many columns as there is room for: each number several times, or several numbers as their mean."""
    if len(numbers) <= room:
        times = max(1, min(room // len(numbers), 6))
        return [n for n in numbers for _ in range(times)]
    found: list[float | None] = []
    for column in range(room):
        part = numbers[column * len(numbers) // room : (column + 1) * len(numbers) // room]
        present = [n for n in part if n is not None]
        found.append(sum(present) / len(present) if present else None)
    return found


def _cell(number: float | None, top: float, line: int, height: int, *, unicode: bool) -> str:
    """One character: how much of this line the number fills."""
    if number is None:
        return " "
    filled = number / top * height - (line - 1)
    if not unicode:
        return "#" if filled >= 0.5 else " "
    eighths = min(8, max(0, round(filled * 8)))
    # Something is not nothing, however small beside the largest.
    return _EIGHTHS[1] if not eighths and line == 1 and number > 0 else _EIGHTHS[eighths]
