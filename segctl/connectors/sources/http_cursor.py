"""The incremental cursor: the greatest value seen, never beyond the moment the fetch began."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from segctl.compile.timewords import Problem, parse_as_of
from segctl.connectors.http.json_paths import present
from segctl.model.errors import UsageError
from segctl.model.fetching_rest import TIMES, Cursor, CursorFormat

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def advanced(cursor: Cursor, before: str | None, records: Iterable[Mapping[str, Any]], began: datetime) -> str | None:
    """The cursor after some records.

    What changes while pages are read can slip between them; a cursor that stops at the fetch's beginning asks for
    it again next time. It also keeps a record dated in the far future from ending all further news.

    Args:
        cursor: As declared.
        before: Its value before them: an instant in ISO 8601, a number or a text, as text.
        records: In any order.
        began: When the fetch began.
    """
    values = [found for record in records if (found := _comparable(present(record, cursor.field), cursor.format))]
    if before is not None:
        kept = _comparable(before, "iso" if cursor.format in TIMES else cursor.format)
        values += [] if kept is None else [kept]
    if not values:
        return before
    if cursor.format in TIMES:
        instants = [value for value in values if isinstance(value, datetime)]
        return min(max(instants), began.astimezone(UTC)).isoformat()
    greatest: Any = max(values)
    return str(greatest)


def _comparable(value: Any, form: CursorFormat) -> datetime | Decimal | str | None:  # noqa: ANN401 - a JSON value
    if value is None or isinstance(value, bool | list | dict):
        return None
    if form == "text":
        return str(value)
    if form in ("number", "epoch_s", "epoch_ms"):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            return None
        if form == "number" or not number.is_finite():
            return number if number.is_finite() else None
        try:
            return EPOCH + timedelta(seconds=float(number) / (1000 if form == "epoch_ms" else 1))
        except OverflowError:
            return None
    return _instant(str(value))


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.strip())
        found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def written(cursor: Cursor, value: str) -> str:
    """The parameter's text for a cursor: instants a little earlier, in the service's own form."""
    if cursor.format not in TIMES:
        return cursor.template.replace("{cursor}", value)
    at = (_instant(value) or EPOCH) - timedelta(seconds=cursor.overlap_s)
    forms = {
        "iso": at.isoformat(timespec="milliseconds" if at.microsecond else "seconds").replace("+00:00", "Z"),
        "date": at.date().isoformat(),
        "epoch_s": str(int(at.timestamp())),
        "epoch_ms": str(int(at.timestamp() * 1000)),
    }
    return cursor.template.replace("{cursor}", forms[cursor.format])


def since(cursor: Cursor, text: str, now: datetime, zone: str) -> str:
    """The cursor that `--since` means: a day's beginning, an instant, a time word, or for others the value itself.

    Raises:
        UsageError: Not a time, for a cursor of times.
    """
    if cursor.format not in TIMES:
        return text
    try:
        day = date.fromisoformat(text)
    except ValueError:
        found = parse_as_of(text, now, zone)
        if isinstance(found, Problem):
            raise UsageError("SEG384", f"`--since {text}`: {found.message}", hint=found.hint) from None
        return found.astimezone(UTC).isoformat()
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC).isoformat()
