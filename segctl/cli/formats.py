"""The output formats: one function each, from columns and rows to bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from segctl.cli.cells import cell_text, encoded, json_value

if TYPE_CHECKING:
    from segctl.cli.context import Context
    from segctl.cli.results import Column, Result
    from segctl.model.diagnostics import Diagnostic

Writer = Callable[["Context", "Result", "Sequence[Column]", Iterable[Any], IO[bytes]], None]


def values(rows: Iterable[Any], columns: Sequence[Column]) -> Iterator[tuple[Any, ...]]:
    """The rows as tuples in column order, whatever they are: a frame, mappings or sequences."""
    if hasattr(rows, "iter_rows"):
        yield from rows.iter_rows()
        return
    names = [c.name for c in columns]
    for row in rows:
        yield tuple(row.get(name) for name in names) if isinstance(row, Mapping) else tuple(row)


def records(rows: Iterable[Any], columns: Sequence[Column]) -> Iterator[dict[str, Any]]:
    """The rows as JSON objects."""
    names = [c.name for c in columns]
    for row in values(rows, columns):
        yield {name: json_value(value) for name, value in zip(names, row, strict=True)}


def diagnostic_record(finding: Diagnostic) -> dict[str, Any]:
    """A finding as a JSON object."""
    place = finding.location
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "why": finding.why,
        "hint": finding.hint,
    }


def _table(ctx: Context, result: Result, columns: Sequence[Column], rows: Iterable[Any], stream: IO[bytes]) -> None:
    from segctl.cli import tables

    tables.write(ctx, result, columns, rows, stream)


def _json(ctx: Context, result: Result, columns: Sequence[Column], rows: Iterable[Any], stream: IO[bytes]) -> None:
    document: dict[str, Any] = {"schema": result.schema}
    if result.run is not None:
        document["run"] = json_value(dict(result.run))
    document |= {key: json_value(value) for key, value in result.document.items()}
    if ctx.dry_run:
        document["dry_run"] = True
    if result.facts:
        document["facts"] = json_value(dict(result.facts))
    document["data"] = list(records(rows, columns))
    if result.sections:
        document["sections"] = {s.name: list(records(s.rows, s.columns)) for s in result.sections}
    document["units"] = {c.name: c.unit for c in columns if c.unit}
    document["notes"] = list(result.notes)
    document["diagnostics"] = [diagnostic_record(d) for d in result.diagnostics]
    document["exit"] = {"code": int(result.exit), "name": result.exit.name.lower(), "reason": result.reason}
    stream.write(encoded(json.dumps(document, ensure_ascii=False, indent=2) + "\n"))


def _ndjson(ctx: Context, result: Result, columns: Sequence[Column], rows: Iterable[Any], stream: IO[bytes]) -> None:  # noqa: ARG001 - the interface of writers
    for record in records(rows, columns):
        stream.write(encoded(json.dumps(record, ensure_ascii=False) + "\n"))


def _csv(ctx: Context, result: Result, columns: Sequence[Column], rows: Iterable[Any], stream: IO[bytes]) -> None:  # noqa: ARG001 - the interface of writers
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([c.name for c in columns])
    for number, row in enumerate(values(rows, columns)):
        writer.writerow([cell_text(value, column) for value, column in zip(row, columns, strict=True)])
        if number % 1000 == 999:
            stream.write(encoded(text.getvalue()))
            text.seek(0)
            text.truncate()
    stream.write(encoded(text.getvalue()))


def _ids(ctx: Context, result: Result, columns: Sequence[Column], rows: Iterable[Any], stream: IO[bytes]) -> None:  # noqa: ARG001 - the interface of writers
    position = [c.name for c in columns].index(str(result.ids_column))
    for row in values(rows, columns):
        stream.write(encoded(f"{row[position]}\n"))


def _parquet(ctx: Context, result: Result, columns: Sequence[Column], rows: Iterable[Any], stream: IO[bytes]) -> None:  # noqa: ARG001 - the interface of writers
    import polars as pl

    if isinstance(rows, pl.DataFrame):
        frame = rows
    else:
        frame = pl.DataFrame(
            list(values(rows, columns)), schema=[c.name for c in columns], orient="row", infer_schema_length=None
        )
    frame.write_parquet(stream, compression="zstd")


WRITERS: dict[str, Writer] = {
    "table": _table,
    "json": _json,
    "ndjson": _ndjson,
    "csv": _csv,
    "ids": _ids,
    "parquet": _parquet,
}
