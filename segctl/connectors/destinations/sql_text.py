"""The SQL of a table with members: made, checked, filled, emptied and read, for PostgreSQL and SQLite.

Names are quoted, values are parameters. In PostgreSQL a batch travels as one JSON text, whose parts the server reads in
the types of the columns; SQLite takes rows one by one within its own process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from segctl.model.dataclass import dataclass

SEGMENT, KEY, ENTERED, UPDATED, PUSH, IS_MEMBER, LEFT = (
    "segment", "member_key", "entered_at", "updated_at", "push", "is_member", "left_at",
)  # fmt: skip
"""Columns that every table has; the last two where removals only flag."""
_TYPES = {
    "text": ("text", "TEXT"),
    "integer": ("bigint", "INTEGER"),
    "number": ("double precision", "REAL"),
    "decimal": ("numeric", "NUMERIC"),
    "boolean": ("boolean", "BOOLEAN"),
    "date": ("date", "DATE"),
    "time": ("timestamp with time zone", "TIMESTAMP"),
}
"""Kind of value → type in PostgreSQL and in SQLite."""
KINDS = tuple(_TYPES)


@dataclass(frozen=True, slots=True)
class Layout:
    """A table with members.

    Attributes:
        table: Its name, quoted.
        columns: Own columns by name, with their types there.
        flags: Who leaves is flagged, not deleted.
        is_postgres: The dialect.
        quote: Quotes a name.
    """

    table: str
    columns: Mapping[str, str]
    flags: bool
    is_postgres: bool
    quote: Callable[[str], str] = field(compare=False)

    @property
    def every(self) -> dict[str, str]:
        """All columns with their types."""
        at = _TYPES["time"][0 if self.is_postgres else 1]
        text, truth = (_TYPES[kind][0 if self.is_postgres else 1] for kind in ("text", "boolean"))
        found = {SEGMENT: text, KEY: text, **self.columns, ENTERED: at, UPDATED: at, PUSH: text}
        return found | ({IS_MEMBER: truth, LEFT: at} if self.flags else {})

    def create(self) -> str:
        """Makes the table where it is not there."""
        lines = [
            f"  {self.quote(name)} {of}{' NOT NULL' if name in (SEGMENT, KEY) else ''}"
            for name, of in self.every.items()
        ]
        lines.append(f"  PRIMARY KEY ({self.quote(SEGMENT)}, {self.quote(KEY)})")
        return f"CREATE TABLE IF NOT EXISTS {self.table} (\n" + ",\n".join(lines) + "\n)"

    def add(self) -> str:
        """Puts people in, or writes what is new about them; who had left is a member again."""
        set_once = (SEGMENT, KEY, ENTERED)
        renewed = ", ".join(
            f"{q} = excluded.{q}" for name in self.every if name not in set_once and (q := self.quote(name))
        )
        names = ", ".join(map(self.quote, self.every))
        values = ", ".join(self._values().values())
        source = f"SELECT {values} FROM {self._rows()}" if self.is_postgres else f"VALUES ({values})"
        conflict = f"({self.quote(SEGMENT)}, {self.quote(KEY)})"
        entered = ""
        if self.flags:
            t, q, member = self.table, self.quote(ENTERED), self.quote(IS_MEMBER)
            entered = f", {q} = CASE WHEN {t}.{member} THEN {t}.{q} ELSE excluded.{q} END"
        return f"INSERT INTO {self.table} ({names}) {source} ON CONFLICT {conflict} DO UPDATE SET {renewed}{entered}"

    def update(self) -> str:
        """Writes what is new about people who are there."""
        fixed = (SEGMENT, KEY, ENTERED, IS_MEMBER, LEFT)
        values = self._values()
        renewed = ", ".join(f"{self.quote(name)} = {value}" for name, value in values.items() if name not in fixed)
        return f"UPDATE {self.table} SET {renewed}{self._these()}{self._still()}"

    def remove(self) -> str:
        """Takes people out, or flags them."""
        if not self.flags:
            source = f" USING {self._rows()}" if self.is_postgres else ""
            return f"DELETE FROM {self.table}{source}{self._where()}"
        at, text = self._parameter("at", "time"), self._parameter("push", "text")
        changes = f"{self.quote(IS_MEMBER)} = false, {self.quote(LEFT)} = {at}, {self.quote(UPDATED)} = {at}"
        return f"UPDATE {self.table} SET {changes}, {self.quote(PUSH)} = {text}{self._these()}{self._still()}"

    def members(self, names: Iterable[str]) -> str:
        """The columns of everybody in a segment."""
        found = ", ".join(map(self.quote, names))
        return f"SELECT {found} FROM {self.table} WHERE {self.quote(SEGMENT)} = :segment{self._still()}"

    def sizes(self) -> str:
        """Segments with how many are in them."""
        segment = self.quote(SEGMENT)
        still = f" WHERE {self.quote(IS_MEMBER)}" if self.flags else ""
        return f"SELECT {segment}, count(*) FROM {self.table}{still} GROUP BY {segment} ORDER BY {segment}"

    def _values(self) -> dict[str, str]:
        """Column → what is written into it."""
        found = {}
        for place, name in enumerate(self.columns):
            found[name] = f"u.c{place}" if self.is_postgres else f":c{place}"
        at = self._parameter("at", "time")
        key = "u.k" if self.is_postgres else ":k"
        ordered = {SEGMENT: self._parameter("segment", "text"), KEY: key, **found, ENTERED: at, UPDATED: at}
        ordered[PUSH] = self._parameter("push", "text")
        return ordered | ({IS_MEMBER: "true", LEFT: "NULL"} if self.flags else {})

    def _parameter(self, name: str, kind: str) -> str:
        return f"CAST(:{name} AS {_TYPES[kind][0]})" if self.is_postgres else f":{name}"

    def _rows(self) -> str:
        types = ", ".join(f"c{place} {of}" for place, of in enumerate(self.columns.values()))
        return f"jsonb_to_recordset(CAST(:rows AS jsonb)) AS u(k text{', ' if types else ''}{types})"

    def _these(self) -> str:
        return (f" FROM {self._rows()}" if self.is_postgres else "") + self._where()

    def _where(self) -> str:
        segment = f"{self.table}.{self.quote(SEGMENT)} = {self._parameter('segment', 'text')}"
        return f" WHERE {segment} AND {self.table}.{self.quote(KEY)} = {'u.k' if self.is_postgres else ':k'}"

    def _still(self) -> str:
        return f" AND {self.table}.{self.quote(IS_MEMBER)}" if self.flags else ""


def kind_of(values: Iterable[object]) -> str:
    """The kind of column that holds some values; text for none and for a mixture."""
    found = {_kind(value) for value in values if value is not None}
    if found == {"integer", "number"}:
        return "number"
    if found and found <= {"integer", "number", "decimal"}:
        return "decimal" if "decimal" in found else found.pop()
    return found.pop() if len(found) == 1 else "text"


def _kind(value: object) -> str:
    for kind, of in (("boolean", bool), ("integer", int), ("number", float), ("decimal", Decimal), ("time", datetime)):
        if isinstance(value, of):
            return kind
    return "date" if isinstance(value, date) else "text"


def type_of(kind: str, *, is_postgres: bool) -> str:
    """The type of a kind of value."""
    return _TYPES[kind][0 if is_postgres else 1]


def bound(value: object) -> Any:  # noqa: ANN401 - a parameter
    """A value as a parameter, or inside the JSON of many; decimals keep their digits, PostgreSQL knows no zero byte."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
