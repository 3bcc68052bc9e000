"""Look at rows that were set aside: how many of which source, and each with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segctl.model.errors import UsageError
from segctl.operations.ingest_quarantine import quarantine_dataset, stored_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from segctl.state.workspace import Workspace

PREFIX = "quarantine/"
_REASONS = ("column", "expected", "value", "reason", "pointer", "keyword")


@dataclass(frozen=True, slots=True)
class QuarantineSummary:
    """The quarantine of one source.

    Attributes:
        rows: Bad rows.
        files: Input files they stand in.
        most_frequent: The reason that most rows have, in words.
    """

    source: str
    rows: int
    files: int
    most_frequent: str


def summaries(workspace: Workspace) -> list[QuarantineSummary]:
    """One entry per source with rows in quarantine, by name."""
    import polars as pl

    found = []
    for dataset in workspace.datasets(PREFIX):
        files = workspace.files(dataset)
        if not files:
            continue
        frame = stored_rows(files, "source", "file", "reasons")
        reasons = frame.select(reason=pl.col("reasons")).explode("reason").unnest("reason")
        counted = reasons.group_by("column", "reason").agg(rows=pl.len())
        counted = counted.sort(["rows", "column", "reason"], descending=[True, False, False])
        column, reason, _ = counted.row(0) if counted.height else (None, "", 0)
        words = f"column `{column}`: {reason}" if column else str(reason)
        found.append(QuarantineSummary(frame["source"][0], frame.height, frame["file"].n_unique(), words))
    return sorted(found, key=lambda summary: summary.source)


def bad_rows(workspace: Workspace, source: str, *, known: Iterable[str] = ()) -> list[dict[str, Any]]:
    """One entry per bad row: file, line, reasons in words, the raw row; by file and line.

    Args:
        workspace: Open.
        source: Name of a source.
        known: Declared sources, for the hint when the name is none.

    Raises:
        UsageError: No such source.
    """
    from segctl.compile.source_nodes import nearest

    files = workspace.files(quarantine_dataset(source))
    if not files:
        if source not in known:
            raise UsageError("SEG308", f"`{source}` is not a source", hint=nearest(source, known))
        return []
    frame = stored_rows(files).sort("file", "line")
    return [
        {
            "file": row["file"],
            "line": row["line"],
            "reasons": "; ".join(_words(reason) for reason in row["reasons"] or ()),
            "raw": row["raw"],
            "details": [{name: reason[name] for name in _REASONS} for reason in row["reasons"] or ()],
        }
        for row in frame.iter_rows(named=True)
    ]


def _words(reason: dict[str, Any]) -> str:
    if not reason["column"]:
        return str(reason["reason"])
    value = "" if reason["value"] is None else f" `{reason['value']}`"
    return f"{reason['column']}{value}: {reason['reason']}, expected {reason['expected']}"
