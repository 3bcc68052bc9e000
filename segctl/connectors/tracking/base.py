"""What a shape gives for a record, and the small readings all shapes share."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

Record = dict[str, Any]
"""One raw record: an object of a JSON file, or a row of a table."""

Message = dict[str, Any]
"""One event or one statement about a person, with the names of `model.tracking.FIELDS`; an absent name is missing.

Beside these: ``time`` (microseconds since 1970 UTC), ``properties`` and ``traits`` (left over, names in snake case),
``ip``, and ``record`` (the raw record it came from).
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LATEST = 7_258_118_400_000_000
"""The year 2200: what is later was no time."""
_NUMBER = re.compile(r"\d{9,19}(\.\d+)?\Z")
_WORD_BOUND = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record, or a part of it, is no message.

    Attributes:
        code: Catalogue code.
        expected: What should stand there, in words.
        value: What stands there.
        message: One sentence without a full stop.
    """

    code: str
    expected: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that holds no message by its shape's rule, such as a visit without hits."""

    name: str


Outcome = Message | Fault | LeftOut


@dataclass(frozen=True, slots=True)
class Shape:
    """One way in which tools write tracking records.

    Attributes:
        events: Record → its events, and what is wrong with it; empty when the record only says who somebody is.
        profiles: Record → what it says about people; None when the shape has nothing of the kind.
        marks: Lower-case texts of which a JSON line must hold one to say anything about people.
        columns: Names by position of a table that comes without a header.
    """

    events: Callable[[Record], list[Outcome]]
    profiles: Callable[[Record], list[Outcome]] | None = None
    marks: tuple[bytes, ...] = ()
    columns: tuple[str, ...] = ()


def no_time(value: object) -> Fault:
    """The fault of an event that does not say when it was."""
    return Fault("SEG521", "a time", shown(value), "the event says no time that can be read")


def no_name(value: object) -> Fault:
    """The fault of an event that does not say what it was."""
    return Fault("SEG522", "the name of an event", shown(value), "the event has no name")


def foreign(expected: str, value: object) -> Fault:
    """The fault of a record that is of another shape."""
    return Fault("SEG520", expected, shown(value), "the record is not of the declared shape")


def shown(value: object) -> str:
    """A value as a reason repeats it."""
    return "" if value is None else str(value)[:80]


def instant(value: object) -> int | None:
    """Microseconds since 1970 UTC; None for what is no time.

    Reads ISO 8601 (local times are UTC, as all these tools write them), the form of mail headers, and numbers
    as seconds, milliseconds, microseconds or nanoseconds by their size.
    """
    if isinstance(value, str):
        value = value.strip()
        if _NUMBER.match(value):
            return _of_number(float(value) if "." in value else int(value))
        return _of_text(value)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _of_number(value)
    if isinstance(value, datetime):
        return _of_datetime(value)
    return None


def _of_number(value: float) -> int | None:
    if not 10**8 <= value < 10**20:
        return None
    for largest, factor in ((10**11, 1_000_000), (10**14, 1000), (10**17, 1)):
        if value < largest:
            return round(value * factor)
    return int(value) // 1000


def _of_text(text: str) -> int | None:
    with suppress(ValueError):
        return _of_datetime(datetime.fromisoformat(text))
    if text.endswith(" UTC"):
        with suppress(ValueError):
            return _of_datetime(datetime.fromisoformat(text[:-4]))
    with suppress(ValueError, TypeError, IndexError):
        return _of_datetime(parsedate_to_datetime(text))
    return None


def _of_datetime(moment: datetime) -> int | None:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    microseconds = (moment - _EPOCH) // _MICROSECOND
    return microseconds if 0 < microseconds < _LATEST else None


def text(value: object) -> str | None:
    """A text or number as text without blanks around it; None for what is empty or holds more than one value."""
    if value is None:
        return None
    if type(value) is str:
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def mapping(value: object) -> Mapping[str, Any]:
    """The value where it holds names with values (JSON text of such is read too), else nothing."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and value[:1] == "{":
        found = decoded(value)
        return found if isinstance(found, dict) else {}
    return {}


def records(value: object) -> list[Record]:
    """The records of a list (JSON text of one is read too), else none."""
    if isinstance(value, str) and value[:1] == "[":
        value = decoded(value)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def decoded(value: str) -> Any:  # noqa: ANN401 - JSON is of any type
    """JSON text as a value, None when it is none; numbers with a point stay text, so that no digit changes."""
    try:
        return json.loads(value, parse_float=str)
    except (ValueError, RecursionError):
        return None


@lru_cache(maxsize=65_536)
def snake(name: str) -> str:
    """``Order Completed``, ``orderCompleted`` and ``order-completed`` are all ``order_completed``."""
    return _SEPARATORS.sub("_", _WORD_BOUND.sub("_", name).lower()).strip("_")


def snaked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are there, under names in snake case; a name that is written so already wins."""
    found = {snake(name): value for name, value in values.items() if value is not None}
    if len(found) < len(values):
        for name, value in values.items():
            if value is not None and name in found:
                found[name] = value
    return found


def content_id(record: object, number: int = 0) -> str:
    """An id for an event that carries none: the same content has the same id, so a repetition is a duplicate."""
    written = json.dumps(record, sort_keys=True, default=str, ensure_ascii=False)
    digest = blake2b(written.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    return f"~{digest}" if number == 0 else f"~{digest}.{number}"
