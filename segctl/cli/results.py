"""What a command found, independent of how it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, Literal

from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic
from segctl.model.exits import ExitCode

ColumnType = Literal[
    "text", "integer", "number", "money", "share", "boolean", "date", "time", "duration", "list", "object", "series"
]
_RIGHT = frozenset({"integer", "number", "money", "share", "duration"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a result.

    Attributes:
        name: Key in JSON and header of CSV, ``snake_case``.
        title: Header of the table; the name with blanks when absent.
        type: What the values are. A `share` is 0 to 1. A `series` is a list of numbers, drawn as a small chart on
            terminals. A `money` value is a `Decimal`.
        unit: Shown beside the title, such as ``EUR``.
        digits: Digits after the point of real numbers in `table` and `csv`; all of them when None.
        bar: Draw a bar beside the number on terminals.
        extra: Left out of a table, and named below it, where the terminal is too narrow for all columns.
    """

    name: str
    title: str | None = None
    type: ColumnType = "text"
    unit: str | None = None
    digits: int | None = None
    bar: bool = False
    extra: bool = False

    @property
    def is_right(self) -> bool:
        """Numbers stand at the right edge."""
        return self.type in _RIGHT

    @property
    def header(self) -> str:
        """Title with unit."""
        title = self.title or self.name.replace("_", " ")
        return f"{title} ({self.unit})" if self.unit else title


@dataclass(frozen=True, slots=True)
class Section:
    """A second or third table of a result.

    Attributes:
        name: Key under ``sections`` in JSON.
        title: Heading of the table.
        columns: As in `Result`.
        rows: As in `Result`.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Iterable[Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What a command found, independent of how it is written.

    Attributes:
        schema: Versioned name such as ``segctl/size/1``; a renamed or removed key raises the number.
        columns: Empty for a frame, whose own columns are taken then.
        rows: Mappings by column name, sequences in column order, or a Polars frame; sorted by the caller.
        noun: What a row is, in the plural, for the count line of tables: ``segments``.
        facts: Key and value pairs shown above the table.
        text: Lines shown between facts and table, in `table` only; the same must be in `facts` or `rows`.
        sections: Further tables; in `table` and `json` only.
        ids_column: Column that `ids` prints; the command cannot write `ids` without.
        run: What the answer was made from (id, as_of, snapshot), for JSON.
        document: Further keys of the JSON document, such as what a plan needs to be carried out.
        diagnostics: Findings on the way, for JSON; on stderr they are told by `messages`.
        notes: Sentences below the table, for instance about what was left out.
        is_report: It tells what the command did rather than what was asked for, so a quiet call leaves it out when
            all is well and no format was named.
        exit: The code the command is going to leave with, repeated in JSON.
        reason: Word for the exit, such as ``limit_exceeded``.
    """

    schema: str
    columns: tuple[Column, ...] = ()
    rows: Iterable[Any] = ()
    noun: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    text: Sequence[str] = ()
    sections: tuple[Section, ...] = ()
    ids_column: str | None = None
    run: Mapping[str, Any] | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    diagnostics: Sequence[Diagnostic] = ()
    notes: Sequence[str] = ()
    is_report: bool = False
    exit: ExitCode = ExitCode.OK
    reason: str | None = None
