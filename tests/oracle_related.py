"""The oracle on related rows: a row counts in the version that was valid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from oracle_data import BEGINNING, Event

NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """One version of one row of a related table; `subject` is the identifier it came with."""

    table: str
    source: str
    key: str
    subject: int
    arrival: int
    properties: Mapping[str, Any] = field(default_factory=dict)
    valid_from: datetime | None = None
    gone: bool = False


def live_rows(rows: Iterable[Row], at: datetime) -> list[Row]:
    """The version of each source's row that is valid at an instant, without those gone."""
    newest: dict[tuple[str, str, str], Row] = {}
    for row in sorted(rows, key=lambda r: (r.valid_from or BEGINNING, r.arrival)):
        if row.valid_from is None or row.valid_from <= at:
            newest[row.table, row.source, row.key] = row
    return [row for row in newest.values() if not row.gone]


def rows_of(rows: Iterable[Row], table: str, subjects: Sequence[int], at: datetime) -> list[Event]:
    """A profile's rows of a table as something that has properties; they have no time."""
    return [
        Event(row.subject, f"related:{table}", NO_TIME, row.source, row.key, row.properties)
        for row in live_rows(rows, at)
        if row.table == table and row.subject in subjects
    ]
