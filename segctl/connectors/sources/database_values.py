"""Values of database rows as JSON, and the cursor as a value that a later query can be asked with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from segctl.connectors.sources.base import Json

EXACT = 2**53
"""Beyond it a JSON number may lose digits in a reader that takes it for a float."""
_FURTHEST_ZONE = timedelta(hours=14)


def as_json(value: Any) -> Json:  # noqa: ANN401 - whatever a driver gives
    """A value that JSON holds without loss: numbers too long for a float, times, days and ids are texts."""
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return value
    if kind is int:
        return value if -EXACT <= value <= EXACT else str(value)
    return _JSON.get(kind, _other)(value)


def _float(value: float) -> Json:
    return value if math.isfinite(value) else str(value)


def _exact(value: Decimal) -> Json:
    """A number where JSON has the very same one, so that contracts find a number; else its digits as text."""
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value():
        return int(value) if abs(value) <= EXACT else format(value, "f")
    near = float(value)
    return near if Decimal(repr(near)) == value else format(value, "f")


def _bytes(value: bytes | bytearray | memoryview) -> str:
    raw = bytes(value)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.hex()


def _other(value: Any) -> Json:  # noqa: ANN401 - whatever a driver gives
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str):
        return [as_json(item) for item in value]
    return str(value)


_JSON: dict[type, Callable[[Any], Json]] = {
    float: _float,
    Decimal: _exact,
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    timedelta: lambda value: value.total_seconds(),
    UUID: str,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
}


def kept(value: Any) -> Json:  # noqa: ANN401 - a cursor column's value
    """A cursor value as JSON with its kind, so that the database can be asked with the same type later."""
    for kind, of in (("time", datetime), ("day", date), ("whole", int), ("number", Decimal | float)):
        if isinstance(value, of):
            return [kind, value.isoformat() if isinstance(value, date) else str(value)]
    return ["text", str(value)]


def restored(mark: Json) -> Any:  # noqa: ANN401 - a parameter of a query
    """The value behind `kept`."""
    kind, text = mark
    readers: dict[str, Callable[[str], Any]] = {
        "time": datetime.fromisoformat, "day": date.fromisoformat, "whole": int, "number": Decimal, "text": str,
    }  # fmt: skip
    return readers[kind](text)


def earlier(value: Any, seconds: float) -> Any:  # noqa: ANN401 - a parameter of a query
    """An instant so many seconds before, a day before for days; other values are themselves."""
    try:
        if isinstance(value, datetime):
            return value - timedelta(seconds=seconds)
        return value - timedelta(days=1) if isinstance(value, date) and seconds else value
    except OverflowError:
        return value


def not_after(value: Any, now: datetime) -> Any:  # noqa: ANN401 - a cursor column's value
    """The value, but no instant after the fetch began: a row dated far ahead must not end all further news."""
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return min(value, now)
        return min(value, (now.astimezone(UTC) + _FURTHEST_ZONE).replace(tzinfo=None))
    return min(value, (now + _FURTHEST_ZONE).date()) if isinstance(value, date) else value


def greater(one: Any, other: Any) -> Any:  # noqa: ANN401 - cursor values
    """The greater of two values of a cursor column; None is no value."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
