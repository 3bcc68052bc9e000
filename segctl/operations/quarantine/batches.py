"""Quarantined rows as a reader would deliver them, so that an ingest can judge and type them once more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from segctl.model.sources import NumberForm

if TYPE_CHECKING:
    from segctl.connectors.files import Detected, RawBatch
    from segctl.model.project import Project
    from segctl.model.sources import Source
    from segctl.state.inputs import IngestedInput

_TEXT_FORMATS = ("csv", "xlsx")


@dataclass(frozen=True, slots=True)
class RowAgain:
    """One row to try.

    Attributes:
        line: Where it stands in its file.
        raw: JSON text of the row, mended or as it was.
        was: The text in quarantine.
    """

    line: int
    raw: str
    was: str

    @property
    def is_mended(self) -> bool:
        """It is no longer what the file holds."""
        return self.raw != self.was


def form_of(source: Source, entry: IngestedInput, rows: Sequence[RowAgain]) -> Detected:
    """How the file of the rows was written; what the ledger does not know is taken from the rows themselves."""
    from segctl.connectors.files import Detected

    declared = source.csv
    noted = entry.note.get("form")
    if noted:
        kind, decimal, thousands = noted
    else:
        kind = source.format or ("csv" if all(_is_text(row.raw) for row in rows) else "ndjson")
        decimal, thousands = declared.decimal or ".", declared.thousands or ""
    if source.tracking is not None:
        kind = "ndjson"
    return Detected(kind, encoding="utf-8", decimal=decimal, thousands=thousands)


def number_form(detected: Detected) -> NumberForm:
    """How numbers in its text are written."""
    return NumberForm(detected.decimal or ".", detected.thousands or None)


def _is_text(raw: str) -> bool:
    return all(value is None or isinstance(value, str) for value in json.loads(raw).values())


def batches_again(source: Source, project: Project, detected: Detected, rows: Sequence[RowAgain]) -> Iterator[RawBatch]:
    """The rows in batches; `lines` are those of their file."""
    if source.tracking is not None:
        yield from _tracking(source, project, detected, rows)
    elif detected.format in _TEXT_FORMATS:
        yield _texts(rows)
    else:
        yield _records(rows)


def _texts(rows: Sequence[RowAgain]) -> RawBatch:
    import polars as pl

    from segctl.connectors.files import RawBatch

    records = [json.loads(row.raw) for row in rows]
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = {name: pl.Series(name, [_cell(r.get(name)) for r in records], dtype=pl.String) for name in names}
    return RawBatch(pl.DataFrame(columns), _lines([row.line for row in rows]), (), 0)


def _cell(value: Any) -> str | None:  # noqa: ANN401 - JSON
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _records(rows: Sequence[RowAgain]) -> RawBatch:
    import polars as pl

    from segctl.connectors.files import BadRow, RawBatch, Reason
    from segctl.connectors.files.json_columns import frame_and_doubts
    from segctl.connectors.files.json_values import parse_record

    good: list[tuple[RowAgain, dict[str, Any]]] = []
    bad: list[BadRow] = []
    for row in rows:
        record = parse_record(row.raw)
        if isinstance(record, Reason):
            bad.append(BadRow("", row.line, row.raw, record))
        else:
            good.append((row, record))
    frame, doubtful = frame_and_doubts([record for _, record in good])
    texts = pl.Series("text", [row.raw for row, _ in good], dtype=pl.String)
    return RawBatch(frame, _lines([row.line for row, _ in good]), tuple(bad), 0, texts, doubtful)


def _lines(lines: list[int]) -> Any:  # noqa: ANN401 - a polars series, imported late
    import polars as pl

    return pl.Series("line", lines, dtype=pl.Int64)


def _tracking(source: Source, project: Project, detected: Detected, rows: Sequence[RowAgain]) -> Iterator[RawBatch]:
    """Records in their shape; line numbers of the passing file become those of the real one."""
    from segctl.operations.ingest.source import read_options
    from segctl.operations.ingest.tracking import batches_of, shape_options

    real = {number: row.line for number, row in enumerate(rows, start=1)}
    with TemporaryDirectory(prefix="segctl-") as folder:
        path = Path(folder, "rows.ndjson")
        path.write_text("".join(f"{row.raw}\n" for row in rows), encoding="utf-8")
        for batch in batches_of(source, project, path, shape_options(source, read_options(source)), detected):
            bad = tuple(replace(each, line=real[each.line]) for each in batch.bad)
            lines = _lines([real[line] for line in batch.lines.to_list()])
            yield replace(batch, lines=lines, bad=bad)
