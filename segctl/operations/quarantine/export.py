"""Quarantined rows as a file that a person can mend, and the mended file read back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.errors import UsageError
from segctl.operations.quarantine.rows import ROW, record_of

if TYPE_CHECKING:
    import polars as pl

FILE, LINE, REASONS, RAW = "segctl_file", "segctl_line", "segctl_reasons", "segctl_raw"
OWN = (ROW, FILE, LINE, REASONS, RAW)
BOM = "\ufeff"
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d.,]+$)")
_GUARD = "'"


def export_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """The rows flat, all of it text: name, file, line, reasons in words, then the columns of the row itself.

    ``segctl_raw`` is there when a row could not be taken apart, and holds its text. Nested values are JSON.
    """
    import polars as pl

    records = [record_of(raw) for raw in frame["raw"]]
    names = dict.fromkeys(name for record in records if record for name in record)
    head = [
        frame[ROW],
        frame["file"].alias(FILE),
        frame["line"].alias(LINE),
        pl.Series(REASONS, [_in_words(reasons) for reasons in frame["reasons"].to_list()], dtype=pl.String),
    ]
    if any(record is None for record in records):
        raws = [raw if record is None else None for raw, record in zip(frame["raw"], records, strict=True)]
        head.append(pl.Series(RAW, raws, dtype=pl.String))
    columns = [
        pl.Series(_free(name), [None if r is None else cell(r.get(name)) for r in records], dtype=pl.String)
        for name in names
    ]
    return pl.DataFrame([*head, *columns])


def export_records(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows as JSON objects, each with the row as it was read under ``row``."""
    found = []
    for name, file, line, raw, reasons in frame.select(ROW, "file", "line", "raw", "reasons").iter_rows():
        record = record_of(raw)
        row: dict[str, Any] = {ROW: name, FILE: file, LINE: line, REASONS: reasons}
        found.append(row | ({RAW: raw} if record is None else {"row": record}))
    return found


def csv_text(frame: pl.DataFrame, *, separator: str) -> str:
    """For a spreadsheet: a byte order mark for its umlauts, and nothing that it would take for a formula."""
    import polars as pl

    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    guarded = frame.with_columns(
        pl.when(pl.col(name).str.contains(f"^(?:{_POLARS_FORMULA})")).then(_GUARD + pl.col(name)).otherwise(name)
        .alias(name)
        for name in texts
    )  # fmt: skip
    return BOM + guarded.write_csv(separator=separator)


# The regular expressions of Polars have no look-ahead: what follows a sign must not be a number alone.
_POLARS_FORMULA = r"[=@\t\r]|[+-](?:$|.*[^\d.,])"


def read_mended(path: Path, stored: pl.DataFrame) -> dict[str, str]:
    """Rows of a mended export by name, as JSON text; a row that nobody touched has the very text of the quarantine.

    Args:
        path: CSV, NDJSON, Parquet or a workbook, as `export` wrote it, or as another program saved it again.
        stored: The quarantine's rows, with their names.

    Raises:
        UsageError: It is no export, or names a row twice.
    """
    from segctl.connectors.files import ReadOptions, detect, read

    if not path.is_file():
        raise UsageError("SEG618", f"the file `{path}` is not there")
    options = ReadOptions(records="")
    detected = detect(path, options)
    if detected.format not in ("ndjson", "json") and ROW not in detected.columns:
        raise _no_export(path)
    raws = dict(stored.select(ROW, "raw").iter_rows())
    found: dict[str, str] = {}
    for batch in read(path, options, detected):
        if batch.bad or ROW not in batch.frame.columns:
            said = f"{path}:{batch.bad[0].line}: {batch.bad[0].reason.message}" if batch.bad else None
            raise _no_export(path, said)
        rows = batch.frame.iter_rows(named=True) if batch.texts is None else map(json.loads, batch.texts)
        for row in rows:
            name = row.get(ROW)
            if name is None:
                if any(value not in (None, "") for value in row.values()):
                    raise UsageError("SEG618", f"a row of `{path}` has no `{ROW}`", hint=_HINT)
                continue
            if name in found:
                raise UsageError("SEG618", f"`{path}` names the row `{name}` twice", hint="keep one of them")
            found[name] = _mended(row, raws.get(name))
    return found


_HINT = "make one with `segctl quarantine export SOURCE -o FILE`, and keep its first column"


def _no_export(path: Path, why: str | None = None) -> UsageError:
    return UsageError(
        "SEG618", f"`{path}` is no export of the quarantine: it has no column `{ROW}`", why=why, hint=_HINT
    )


def _mended(row: dict[str, Any], raw: str | None) -> str:
    """The row as JSON text, beginning with what is in quarantine."""
    before = None if raw is None else record_of(raw)
    if isinstance(row.get("row"), dict):
        after = row["row"]
    else:
        cells = {_real(name): value for name, value in row.items() if name not in OWN}
        if before is None and all(value in (None, "") for value in cells.values()):
            return raw or ""
        after = _merged(before or {}, cells)
    return raw if raw is not None and after == before else json.dumps(after, ensure_ascii=False)


def _merged(before: dict[str, Any], cells: dict[str, Any]) -> dict[str, Any]:
    after = dict(before)
    for name, value in cells.items():
        text = None if value is None else cell(value)
        was = cell(before.get(name))
        if is_same(was, text):
            continue
        if text in (None, ""):
            after[name] = "" if before.get(name) == "" else None
        else:
            after[name] = _value(str(text), before.get(name))
    return after


def _value(text: str, before: Any) -> Any:  # noqa: ANN401 - JSON
    """What a cell says where the row had a number, a truth or something nested; text stays text."""
    if text.startswith(_GUARD) and _FORMULA.match(text[1:]):
        text = text[1:]
    if before is None or isinstance(before, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def is_same(was: str | None, now: str | None) -> bool:
    """Whether nobody changed a cell: what spreadsheets do to texts by themselves is undone.

    >>> is_same("01067", "1067"), is_same("4006381333931", "4,00638E+12"), is_same("1", "2"), is_same(None, "")
    (True, True, False, True)
    """
    if (was or "") == (now or "") or (was is not None and now == _GUARD + was):
        return True
    if was is None or now is None or not was.isdecimal():
        return False
    return was.lstrip("0") == now or _is_rounded(was, now)


def _is_rounded(digits: str, now: str) -> bool:
    found = re.fullmatch(r"(\d)[.,]?(\d*)E\+(\d+)", now)
    if found is None or int(found[3]) != len(digits.lstrip("0")) - 1:
        return False
    mantissa = found[1] + found[2]
    return abs(int(digits.lstrip("0")[: len(mantissa)]) - int(mantissa)) <= 1


def cell(value: Any) -> str | None:  # noqa: ANN401 - JSON
    """A value as one cell."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _free(name: str) -> str:
    return f"row.{name}" if name in OWN or name.startswith("row.") else name


def _real(name: str) -> str:
    return name.removeprefix("row.")


def _in_words(reasons: list[dict[str, Any]] | None) -> str:
    return "; ".join(
        f"{r['column']}: {r['reason']}, expected {r['expected']}" if r["column"] else str(r["reason"])
        for r in reasons or ()
    )
