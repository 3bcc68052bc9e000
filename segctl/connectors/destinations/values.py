"""Values of fields as JSON and texts hold them."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any


def plain(value: object) -> Any:  # noqa: ANN401 - a JSON value
    """A value in JSON: instants, days and times in ISO 8601, decimals as numbers where they are exact as such."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def text(value: object) -> str:
    """A value as text; a missing one is empty, a truth ``true`` or ``false``, a decimal as exact as it is."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, datetime | date | time) else str(value)
