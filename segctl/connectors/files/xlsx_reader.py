"""Excel workbooks: one sheet, every cell as text; a formula that gives an error makes a bad row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from segctl.connectors.files.base import BadRow, Detected, RawBatch, ReadOptions, Reason
from segctl.connectors.files.csv_detect import has_header, unique_names
from segctl.connectors.files.paths import unreadable
from segctl.model.errors import DataError, UsageError

if TYPE_CHECKING:
    from fastexcel import ExcelReader

_SAMPLE_ROWS = 300
_ERRORS = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
}
_MIDNIGHT = r"^\d{4}-\d{2}-\d{2} 00:00:00$"
_MOMENT = r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}"
# Excel stores a time of day as an instant of its day zero.
_DAY_ZERO = r"^1899-12-3[01] (\d{2}:\d{2}:\d{2})"


class XlsxReader:
    """Reads one sheet of an .xlsx workbook; `lines` are the sheet's row numbers."""

    def detect(self, path: Path, options: ReadOptions, base: Detected) -> Detected:
        """Complete `base` by sheet, header and names.

        Raises:
            UsageError: SEG350 without the optional package, SEG351 for an unknown sheet.
            DataError: SEG353, the workbook is damaged.
        """
        workbook = _workbook(path)
        sheet, why = _sheet(workbook, options, path)
        cells = _load(workbook, sheet, path, rows=_SAMPLE_ROWS + (options.skip_rows or 0)).frame
        said = [*base.why, why]
        start = _first_row(cells, options.skip_rows or 0)
        found = replace(base, sheet=sheet, skip_rows=start)
        if start >= cells.height:
            return replace(found, columns=options.columns or (), header=False, why=(*said, "the sheet is empty"))
        first = [None if cell is None else str(cell).encode() for cell in cells.row(start)]
        header, how = has_header(first, options)
        said.append(how)
        given = [(cell or b"").decode() if header else "" for cell in first]
        names = _declared(options.columns, len(given)) or unique_names(given, said)
        # Excel's own numbers come with a point, whatever the language of the workbook.
        return replace(
            found,
            header=header,
            columns=names,
            decimal=options.decimal or ".",
            thousands=options.thousands or "",
            why=tuple(said),
        )

    def read(self, path: Path, detected: Detected, *, batch_rows: int) -> Iterator[RawBatch]:
        """The rows of the sheet. Excel's limit of 1,048,576 rows bounds the memory."""
        if not detected.columns:
            return
        loaded = _load(_workbook(path), detected.sheet, path)
        cells = _widened(loaded.frame, detected.columns)
        numbered = cells.with_row_index("\x00row").slice(detected.skip_rows + detected.header)
        numbered = numbered.filter(
            pl.any_horizontal(pl.col(detected.columns).is_not_null()) | pl.col("\x00row").is_in(list(loaded.errors))
        )
        bad = tuple(
            _bad_row(path, row, cells.row(row), loaded.errors[row])
            for row in numbered["\x00row"]
            if row in loaded.errors
        )
        good = numbered.filter(~pl.col("\x00row").is_in(list(loaded.errors)))
        lines = (good["\x00row"].cast(pl.Int64) + 1).alias("line")
        frame = good.drop("\x00row").with_columns(_plain(good[name]) for name in detected.columns)
        for start in range(0, max(frame.height, 1), batch_rows):
            part = frame.slice(start, batch_rows)
            done = int(detected.bytes * (start + part.height) / max(frame.height, 1))
            yield RawBatch(part, lines.slice(start, batch_rows), bad, done)
            bad = ()


@dataclass(frozen=True, slots=True)
class _Sheet:
    """All rows from the sheet's first, as text; errors by row and column position."""

    frame: pl.DataFrame
    errors: dict[int, dict[int, str]]


def _workbook(path: Path) -> ExcelReader:
    try:
        # fastexcel reports cells with errors through pyarrow alone.
        import_module("pyarrow")
        import fastexcel
    except ImportError as error:
        raise UsageError(
            "SEG350",
            f"reading `{path}` needs an optional package",
            why="Excel support is not installed",
            hint="pip install 'segctl[excel]'",
        ) from error
    try:
        path.open("rb").close()
        return fastexcel.read_excel(path)
    except OSError as error:
        raise unreadable(path, error) from error
    except fastexcel.FastExcelError as error:
        raise _damaged(path, error) from error


def _sheet(workbook: ExcelReader, options: ReadOptions, path: Path) -> tuple[str, str]:
    names: list[str] = workbook.sheet_names
    listed = ", ".join(f"`{name}`" for name in names)
    wanted = options.sheet
    if wanted is None:
        more = f" (the workbook has {len(names)}: {listed})" if len(names) > 1 else ""
        return names[0], f"sheet `{names[0]}`: the first one{more}"
    if str(wanted) in names:
        return str(wanted), f"sheet `{wanted}`: declared"
    if str(wanted).isdecimal() and 1 <= int(wanted) <= len(names):
        return names[int(wanted) - 1], f"sheet `{names[int(wanted) - 1]}`: number {wanted}, declared"
    raise UsageError("SEG351", f"`{path}` has no sheet `{wanted}`", hint=f"its sheets are {listed}")


def _load(workbook: ExcelReader, sheet: str, path: Path, *, rows: int | None = None) -> _Sheet:
    import fastexcel

    try:
        loaded = workbook.load_sheet(sheet, header_row=None, skip_rows=0, n_rows=rows, dtypes="string")
        if loaded.width == 0:
            return _Sheet(pl.DataFrame(), {})
        batch, found = loaded.to_arrow_with_errors()
    except fastexcel.FastExcelError as error:
        raise _damaged(path, error) from error
    errors: dict[int, dict[int, str]] = {}
    for cell in found.errors if found is not None else ():
        row, column = cell.position
        errors.setdefault(row, {})[column] = next(
            (shown for name, shown in _ERRORS.items() if f"({name})" in cell.detail), "#ERROR!"
        )
    frame = pl.from_arrow(batch)
    assert isinstance(frame, pl.DataFrame)
    return _Sheet(frame, errors)


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        "SEG353",
        f"`{path}` is a damaged Excel workbook",
        why=str(error).splitlines()[0],
        hint="save it again in Excel, or export the sheet as CSV",
    )


def _first_row(cells: pl.DataFrame, skip: int) -> int:
    for row in range(skip, cells.height):
        if any(cell is not None for cell in cells.row(row)):
            return row
    return cells.height


def _declared(columns: tuple[str, ...] | None, width: int) -> tuple[str, ...] | None:
    if columns is not None and len(columns) != width:
        raise UsageError(
            "SEG355",
            f"{len(columns)} names are declared under `columns`, the sheet has {width} columns",
            hint="list one name per column, in the sheet's order",
        )
    return columns


def _widened(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The frame under its names; the sample that named the columns may have been narrower than the sheet."""
    frame = frame.select(frame.columns[: len(names)])
    frame = frame.rename(dict(zip(frame.columns, names, strict=False)))
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in names[frame.width :])


def _plain(column: pl.Series) -> pl.Series:
    """Times of day without Excel's day zero; dates without midnight where the whole column has no time."""
    column = column.str.replace(_DAY_ZERO, "$1")
    moments = column.str.contains(_MOMENT)
    if moments.any() and column.filter(moments).str.contains(_MIDNIGHT).all():
        return column.str.replace(" 00:00:00$", "")
    return column


def _bad_row(path: Path, row: int, cells: Sequence[str | None], errors: dict[int, str]) -> BadRow:
    shown = [errors.get(column, cell or "") for column, cell in enumerate(cells)]
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(shown)
    where = ", ".join(f"{_letters(column)}{row + 1}" for column in sorted(errors))
    value = errors[min(errors)]
    return BadRow(
        str(path), row + 1, line.getvalue(), Reason("SEG369", "a value", value, f"cell {where} gives {value}")
    )


def _letters(column: int) -> str:
    name, rest = "", column + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        name = chr(ord("A") + letter) + name
    return name
