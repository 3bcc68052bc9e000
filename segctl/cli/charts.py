"""Small charts inside the cells of a table, for terminals that can show them; the numbers stay beside them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.cli.results import Column

BAR_WIDTH = 12
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_SPARKS = "▁▂▃▄▅▆▇█"


def drawn(
    plain: Sequence[Sequence[str]], rows: Sequence[Sequence[object]], columns: Sequence[Column]
) -> list[list[str]]:
    """The cells, with bars after numbers and curves before the last value of series."""
    cells = [list(row) for row in plain]
    for position, column in enumerate(columns):
        if column.bar:
            numbers = [_number(row[position]) for row in rows]
            # A share is part of a whole, other numbers are compared with the largest.
            whole = 1.0 if column.type == "share" else max((n for n in numbers if n is not None), default=0.0)
            texts = [row[position] for row in cells]
            longest = max(map(len, texts))
            for row, text, number in zip(cells, texts, numbers, strict=True):
                row[position] = f"{text:>{longest}} {bar(number, whole)}"
        elif column.type == "series":
            for row, value in zip(cells, (r[position] for r in rows), strict=True):
                if isinstance(value, list | tuple) and value:
                    row[position] = (
                        f"{spark([_number(v) for v in value])} {row[position].strip('[]').rpartition(' ')[2]}"
                    )
    return cells


def bar(number: float | None, whole: float) -> str:
    """A bar of up to twelve columns, in steps of an eighth, filled up with blanks."""
    if number is None or whole <= 0 or number <= 0:
        return " " * BAR_WIDTH
    eighths = max(1, round(min(number / whole, 1.0) * BAR_WIDTH * 8))
    full, rest = divmod(eighths, 8)
    return f"{'█' * full}{_EIGHTHS[rest].strip()}".ljust(BAR_WIDTH)


def spark(numbers: Sequence[float | None]) -> str:
    """A curve of one character a number; missing ones are blanks."""
    present = [n for n in numbers if n is not None]
    if not present:
        return " " * len(numbers)
    low, high = min(present), max(present)
    step = (high - low) / (len(_SPARKS) - 1) or 1.0
    return "".join(" " if n is None else _SPARKS[round((n - low) / step)] for n in numbers)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None
