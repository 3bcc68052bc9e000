"""How numbers are written in text: which mark is the decimal, which one groups thousands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from segctl.connectors.files.base import ReadOptions

_SIGN = r"[-+]?(?:[€$£]\s?)?"
_UNIT = r"(?:\s?(?:%|€|\$|£|EUR|CHF|USD))?"


def _form(body: str) -> re.Pattern[str]:
    return re.compile(f"^{_SIGN}{body}{_UNIT}$")


# What each way of writing votes for: (decimal mark, thousands mark); None is no vote.
_FORMS: tuple[tuple[re.Pattern[str], str | None, str | None], ...] = (
    (_form(r"\d{1,3}(?:\.\d{3})+,\d+"), ",", "."),
    (_form(r"\d{1,3}(?:,\d{3})+\.\d+"), ".", ","),
    (_form(r"\d{1,3}(?:['’]\d{3})+\.\d+"), ".", "'"),
    (_form(r"\d{1,3}(?:['’]\d{3})+"), None, "'"),
    (_form(r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+,\d+"), ",", " "),
    (_form(r"\d{1,3}(?:\.\d{3}){2,}"), ",", "."),
    (_form(r"\d{1,3}(?:,\d{3}){2,}"), ".", ","),
    (_form(r"(?:\d+,\d{1,2}|\d+,\d{4,}|0,\d+|\d{4,},\d+)"), ",", None),
    (_form(r"(?:\d+\.\d{1,2}|\d+\.\d{4,}|0\.\d+|\d{4,}\.\d+)"), ".", None),
)
_NUMBER = _form(r"\d[\d.,'’ \u00a0\u202f]*")
_NEARLY_ALL = 0.8
_NOT_RARE = 10
_LONGEST = 40
_AMBIGUOUS = _form(r"[1-9]\d{0,2}[.,]\d{3}")


def number_style(rows: Sequence[Sequence[str]], options: ReadOptions) -> tuple[str, str, list[str]]:
    """Decimal mark, thousands mark (empty for none) and how they were found.

    A cell such as ``1.234`` speaks for neither: it is a number and a bit, or one thousand and more. Only
    columns that hold little but numbers are asked: a list of codes such as ``12,7`` proves nothing.
    """
    decimals: Counter[str] = Counter()
    groups: Counter[str] = Counter()
    ambiguous: list[str] = []
    width = max((len(row) for row in rows), default=0)
    for position in range(width):
        cells = [cell for row in rows if position < len(row) and (cell := row[position].strip())]
        if sum(_NUMBER.match(cell) is not None for cell in cells) >= _NEARLY_ALL * len(cells):
            _ask(cells, decimals, groups, ambiguous)
    decimal = options.decimal or (decimals.most_common(1)[0][0] if decimals else ".")
    group = options.thousands
    if group is None:
        group = next((mark for mark, _ in groups.most_common() if mark != decimal), "")
    return decimal, group, _words(decimal, group, decimals, ambiguous, options)


def _ask(cells: list[str], decimals: Counter[str], groups: Counter[str], ambiguous: list[str]) -> None:
    """One column's vote; a list of codes among plain numbers is too rare to count."""
    column: Counter[str] = Counter()
    for cell in cells:
        _vote(cell, column, groups, ambiguous)
    if column.total() * _NOT_RARE >= len(cells):
        decimals.update(column)


def _vote(cell: str, decimals: Counter[str], groups: Counter[str], ambiguous: list[str]) -> None:
    if len(cell) > _LONGEST:
        return
    for form, decimal, group in _FORMS:
        if form.match(cell):
            if decimal:
                decimals[decimal] += 1
            if group:
                groups[group] += 1
            return
    if _AMBIGUOUS.match(cell):
        ambiguous.append(cell)


def _words(decimal: str, group: str, decimals: Counter[str], ambiguous: list[str], options: ReadOptions) -> list[str]:
    said: list[str] = []
    if options.decimal:
        said.append(f"decimal mark `{decimal}`: declared")
    elif decimals:
        other = decimals.total() - decimals[decimal]
        doubt = f", {other:,} speak against it" if other else ""
        said.append(f"decimal mark `{decimal}`: {decimals[decimal]:,} numbers in the sample are written so{doubt}")
    elif ambiguous:
        said.append(
            f"decimal mark `.`: not certain, `{ambiguous[0]}` can be read two ways; declare `decimal` and `thousands`"
        )
    if group:
        said.append(f"thousands mark `{group}`" + (": declared" if options.thousands else ": found in the sample"))
    return said
