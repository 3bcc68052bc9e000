"""Tables of a plan as people read them: heads and numbers in their language, sentences as wide as the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from segctl.cli import charts
from segctl.cli.report_numbers import LIFT, Numbers, significant
from segctl.cli.report_words_de import WORDS as DE
from segctl.cli.report_words_en import WORDS as EN

if TYPE_CHECKING:
    from segctl.cli.context import Context
    from segctl.cli.results import Column
    from segctl.model.project import Language

_HEADS_DE = {
    "metric": "Kennzahl", "role": "Rolle", "baseline": "bisher", "sd": "Streuung", "unit": "Einheit",
    "measured_on": "gemessen an", "needed": "nötig", "smallest_now": "kleinster jetzt",
    "covariate_saves": "CUPED spart", "formula": "Formel", "arm": "Arm", "sent": "gesendet", "share": "Anteil",
    "units": "nötig", "units_now": "jetzt da",
    "control": "Kontrolle", "days": "Tage", "declared": "dieser Plan", "smallest": "kleinster Effekt",
    "absolute": "absolut",
}  # fmt: skip


def spoken(
    ctx: Context, columns: Sequence[Column], rows: Iterable[Sequence[Any]], language: Language
) -> tuple[tuple[Column, ...], list[tuple[Any, ...]]]:
    """Columns and rows for the `table` format; text in a cell stays as it is."""
    said = _Cells(language)
    found = [list(row) for row in rows]
    is_drawn = ctx.terminal.out and ctx.terminal.unicode
    heads = []
    for at, column in enumerate(columns):
        cells = [said.cell(row[at], column) for row in found]
        if column.bar and is_drawn:
            longest = max((len(cell or "") for cell in cells), default=0)
            cells = [
                f"{cell or '':>{longest}} {charts.bar(row[at], 1.0)}" for cell, row in zip(cells, found, strict=True)
            ]
        for row, cell in zip(found, cells, strict=True):
            row[at] = cell
        title = _HEADS_DE.get(column.name, column.title) if language == "de" else column.title
        kind = "text" if column.bar and is_drawn else column.type
        heads.append(replace(column, title=title, type=kind, bar=False, digits=None))
    return tuple(heads), [tuple(row) for row in found]


def fitted(ctx: Context, lines: Iterable[str]) -> list[str]:
    """Sentences folded between words to the width of the terminal; off a terminal each is one line."""
    room = ctx.terminal.width
    if room is None:
        return list(lines)
    return [part for line in lines for part in _wrapped(line, max(room, 8))]


def _wrapped(line: str, room: int) -> list[str]:
    kept = line.replace(" %", "\u00a0%")
    found = wrap(kept, room, break_long_words=False, break_on_hyphens=False) or [""]
    return [part.replace("\u00a0%", " %") for part in found]


class _Cells:
    def __init__(self, language: Language) -> None:
        self._n = Numbers(language)
        self._words = DE if language == "de" else EN
        self._of: dict[str, Callable[[Any], str]] = {
            "boolean": self._n.plain,
            "integer": self._n.count,
            "share": self._n.share,
            "number": lambda value: self._n.decimal(value, max(0, significant(value, 3))),
        }

    def cell(self, value: object, column: Column) -> str | None:
        """A value in words; None where there is none."""
        if value is None:
            return None
        if column.name == "role":
            return self._words.get(f"role.{value}", str(value))
        if isinstance(value, str):
            return value
        if column.name.startswith("smallest") and isinstance(value, float):
            return self._n.shaped(value, LIFT, 0 if abs(value) >= 0.1 else 1)
        say = self._of.get(column.type)
        return str(value) if say is None else say(value)
