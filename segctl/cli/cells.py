"""One value as text: for machines (`csv`), for people (`table`), and in JSON's types."""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from segctl.cli import streams

if TYPE_CHECKING:
    from segctl.cli.results import Column

MISSING = "-"


def cell_text(value: object, column: Column) -> str:
    """Text of a value; the empty string for a missing one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _real(value, column.digits)
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    if isinstance(value, dict | list | tuple):
        import json

        return json.dumps(json_value(value), ensure_ascii=False)
    return str(value)


def table_text(value: object, column: Column) -> str:
    """Text of a value for people: as in `csv`, but times to the second, shares in percent, lists without brackets."""
    if isinstance(value, datetime):
        return _instant(value.replace(microsecond=0)).replace("T", " ")
    if isinstance(value, float) and column.type == "share" and column.digits is None:
        return f"{value:.1%}".replace("%", " %")
    if isinstance(value, list | tuple):
        return ", ".join(table_text(of, column) for of in value) or MISSING
    if isinstance(value, dict):
        return ", ".join(f"{key}: {table_text(of, column)}" for key, of in value.items()) or MISSING
    return cell_text(value, column)


def counted(number: int, noun: str) -> str:
    """``1 segment``, ``2 properties``: a number with a noun that is given in the plural."""
    if number != 1:
        return f"{number:,} {noun}"
    if noun == "people":
        return "1 person"
    return f"1 {noun.removesuffix('ies')}y" if noun.endswith("ies") else f"1 {noun.removesuffix('s')}"


def encoded(text: str) -> bytes:
    """Text as UTF-8; halves of characters, which no encoding has, are escaped, and secrets masked."""
    return streams.without_secrets(text).encode("utf-8", "backslashreplace")


def shown(text: str) -> str:
    """Text for a terminal or an aligned table: control characters, line ends among them, are escaped."""
    if text.isprintable():
        return text
    return "".join(c if _is_harmless(c) else c.encode("unicode_escape").decode() for c in text)


def width(text: str) -> int:
    """Columns that a text takes on a terminal: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_char_width(c) for c in text)


def json_value(value: object) -> object:
    """The value in JSON's types: times ISO 8601 with offset, exact numbers as strings, no NaN."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, dict):
        return {str(key): json_value(of) for key, of in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [json_value(of) for of in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    # Dates and exact numbers: their text is their value.
    return str(value)


def _real(value: float, digits: int | None) -> str:
    if not math.isfinite(value):
        return ""
    if digits is not None:
        return f"{value:.{digits}f}"
    return repr(value).removesuffix(".0")


def _instant(value: datetime) -> str:
    aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    return aware.isoformat()


def _is_harmless(character: str) -> bool:
    # Direction marks can make a name read as another one; everything else printable or invisible-but-joining stays.
    return character.isprintable() or character in "\u00a0\u200c\u200d\u202f"


def _char_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
