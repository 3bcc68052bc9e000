"""Look at rows that were set aside: how many of which source, and each with its reasons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.operations.ingest.quarantine import stored_rows
from segctl.operations.quarantine.rows import EVERYTHING, Filter, files_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from segctl.state.workspace import Workspace

PREFIX = "quarantine/"
_TOP = 3
_OF_CONTRACT = re.compile(r"contract `(.+)`")
_REASONS = ("column", "expected", "value", "reason", "pointer", "keyword")


@dataclass(frozen=True, slots=True)
class QuarantineSummary:
    """The quarantine of one source.

    Attributes:
        rows: Bad rows.
        files: Input files they stand in.
        most_frequent: The reason that most rows have, in words.
        since: When the first of these files was read; None when nobody knows.
        reasons: The most frequent reasons in words, each with its rows.
        short: The same in a few words, such as ``amount: maximum``.
    """

    source: str
    rows: int
    files: int
    most_frequent: str
    since: datetime | None = None
    reasons: tuple[tuple[str, int], ...] = ()
    short: tuple[tuple[str, int], ...] = ()


def summaries(workspace: Workspace) -> list[QuarantineSummary]:
    """One entry per source with rows in quarantine, by name."""
    found = []
    for dataset in workspace.datasets(PREFIX):
        files = workspace.files(dataset)
        if not files:
            continue
        frame = stored_rows(files, "source", "file", "ingest", "reasons")
        counted = _counted(frame)
        told = tuple((f"column `{c}`: {reason}" if c else reason, n) for c, reason, n in counted[:_TOP])
        short = tuple((_short(c, reason), n) for c, reason, n in counted[:_TOP])
        since = _since(workspace, frame["ingest"].unique().to_list())
        rows, inputs = frame.height, frame["file"].n_unique()
        top = told[0][0] if told else ""
        found.append(QuarantineSummary(frame["source"][0], rows, inputs, top, since, told, short))
    return sorted(found, key=lambda summary: summary.source)


def _short(column: str | None, reason: str) -> str:
    rule = _OF_CONTRACT.fullmatch(reason)
    word = rule[1] if rule else reason
    return f"{column}: {word}" if column else word


def _counted(frame: pl.DataFrame) -> list[tuple[str | None, str, int]]:
    """Columns and reasons with their rows, the most frequent first."""
    import polars as pl

    reasons = frame.select(reason=pl.col("reasons")).explode("reason").unnest("reason")
    counted = reasons.group_by("column", "reason").agg(rows=pl.len())
    counted = counted.sort(["rows", "column", "reason"], descending=[True, False, False])
    return [(column, str(reason), rows) for column, reason, rows in counted.iter_rows()]


def _since(workspace: Workspace, ids: list[int]) -> datetime | None:
    from segctl.state.inputs import input_by_id

    seen = [entry.seen for entry in (input_by_id(workspace, each) for each in ids) if entry is not None]
    return datetime.fromisoformat(min(seen)) if seen else None


def bad_rows(
    workspace: Workspace, source: str, *, known: Iterable[str] = (), wanted: Filter = EVERYTHING
) -> list[dict[str, Any]]:
    """One entry per bad row: file, line, reasons in words, the raw row; by file and line.

    Args:
        workspace: Open.
        source: Name of a source.
        known: Declared sources, for the hint when the name is none.
        wanted: Which rows are meant.

    Raises:
        UsageError: No such source.
    """
    files = files_of(workspace, source, known)
    if not files:
        return []
    frame = rows_of(files, wanted, merged=False)
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
