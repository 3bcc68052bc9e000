"""Rows in quarantine by name: each can be chosen, taken out and put back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from segctl.model.errors import UsageError
from segctl.operations.ingest.quarantine import quarantine_dataset

if TYPE_CHECKING:
    import polars as pl

    from segctl.state.files import NewFile, StoredFile
    from segctl.state.workspace import Workspace

ROW = "segctl_row"
"""Column with the name of a row: ``r12.345`` is line 345 of input 12."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows are meant; everything by default.

    Attributes:
        reason: A column, a pointer, a keyword, or a part of what was said or expected, in small letters.
        file: Name of the file, or a pattern.
        lines: First and last line.
    """

    reason: str | None = None
    file: str | None = None
    lines: tuple[int, int] | None = None

    @property
    def is_everything(self) -> bool:
        """Nothing is left out."""
        return self.reason is None and self.file is None and self.lines is None

    def has(self, row: dict[str, Any]) -> bool:
        """Whether a stored row is meant."""
        if self.file is not None and not fnmatchcase(row["file"], self.file):
            return False
        if self.lines is not None and not self.lines[0] <= row["line"] <= self.lines[1]:
            return False
        return self.reason is None or any(_says(reason, self.reason.lower()) for reason in row["reasons"] or ())

    def words(self) -> dict[str, Any]:
        """What was asked for, for the record."""
        found = {"reason": self.reason, "file": self.file, "lines": list(self.lines) if self.lines else None}
        return {name: value for name, value in found.items() if value is not None}


EVERYTHING = Filter()


def _says(reason: dict[str, Any], wanted: str) -> bool:
    exact = [str(reason[name] or "").lower() for name in ("column", "pointer", "keyword")]
    return wanted in exact or any(wanted in str(reason[name] or "").lower() for name in ("reason", "expected"))


def parse_lines(text: str) -> tuple[int, int]:
    """``17`` or ``17-40``.

    Raises:
        UsageError: It is neither.
    """
    first, _, last = text.partition("-")
    if first.isdecimal() and (not last or last.isdecimal()) and int(first) <= int(last or first):
        return int(first), int(last or first)
    raise UsageError("SEG617", f"`{text}` is no line", hint="`--line 17` or `--line 17-40`")


def files_of(workspace: Workspace, source: str, known: Iterable[str]) -> list[StoredFile]:
    """The quarantine's files of a source.

    Raises:
        UsageError: No such source.
    """
    from segctl.compile.source_nodes import nearest

    files = workspace.files(quarantine_dataset(source))
    if not files and source not in known:
        raise UsageError("SEG308", f"`{source}` is not a source", hint=nearest(source, known))
    return files


def rows_of(files: list[StoredFile], wanted: Filter = EVERYTHING, *, merged: bool = True) -> pl.DataFrame:
    """The rows that are meant, by file and line, each with its name in ``segctl_row``.

    Args:
        files: Of the quarantine.
        wanted: Which rows.
        merged: Several entries of one line, as of a record with several messages, are one row with all reasons.
    """
    import polars as pl

    from segctl.operations.ingest.quarantine import stored_rows

    frame = stored_rows(files)
    if merged and frame.select("ingest", "line").is_duplicated().any():
        further = pl.exclude("ingest", "line", "reasons").first()
        joined = frame.group_by("ingest", "line", maintain_order=True).agg(further, pl.col("reasons").explode())
        frame = joined.select(frame.columns)
    frame = frame.with_columns(pl.format("r{}.{}", "ingest", "line").alias(ROW))
    if not wanted.is_everything:
        frame = frame.filter(pl.Series([wanted.has(row) for row in frame.iter_rows(named=True)], dtype=pl.Boolean))
    return frame.sort("file", "line", "ingest", maintain_order=True)


def without(workspace: Workspace, files: list[StoredFile], gone: pl.DataFrame) -> tuple[list[NewFile], list[int]]:
    """The quarantine without the rows at some places (``ingest``, ``line``): files to add, and ids that go."""
    import polars as pl

    add: list[NewFile] = []
    stale: list[int] = []
    for file in files:
        frame = pl.read_parquet(file.path)
        rest = frame.join(gone.select("ingest", "line"), on=["ingest", "line"], how="anti", maintain_order="left")
        if rest.height == frame.height:
            continue
        stale.append(file.id)
        if rest.height:
            add.append(workspace.write(file.dataset, rest, file.meta))
    return add, stale


def record_of(raw: str) -> dict[str, Any] | None:
    """The row as it was read; None for text that no reader could take apart."""
    try:
        found = json.loads(raw)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
