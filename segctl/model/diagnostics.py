"""Problems in what a user wrote, or in data, as values that are collected and printed together."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from segctl.model.dataclass import dataclass


class Severity(StrEnum):
    """How bad a finding is; only errors stop an operation."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a text file.

    Attributes:
        file: Path as it is shown to people, relative to the project where possible.
        line: 1-based line.
        column: 1-based column in characters.
        length: Characters to underline, at least 1.
    """

    file: str
    line: int = 1
    column: int = 1
    length: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: what, where, why and what to do.

    Attributes:
        code: Catalogue code such as ``SEG204``; `segctl help CODE` explains it.
        severity: Error, warning or note.
        message: One sentence without a full stop, user's own words in backticks.
        location: Where it is; None for findings about the project as a whole.
        why: The reason in one sentence, when the message does not say it.
        hint: What to do, usually with the nearest name or the mended line.
        is_private: What stands at the place is personal data or a secret, so it is never printed.
    """

    code: str
    severity: Severity
    message: str
    location: Location | None = None
    why: str | None = None
    hint: str | None = None
    is_private: bool = False


def in_reading_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings sorted by file, line, column and code, without exact repeats."""
    nowhere = Location("")
    return tuple(
        sorted(set(diagnostics), key=lambda d: (d.location or nowhere, d.code, d.message)),
    )


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """True when at least one finding is an error."""
    return any(d.severity is Severity.ERROR for d in diagnostics)
