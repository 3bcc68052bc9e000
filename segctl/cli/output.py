"""The one owner of stdout: results in, bytes of one format out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from segctl.cli import streams
from segctl.cli.cells import encoded
from segctl.cli.context import Context
from segctl.cli.results import Column, ColumnType, Result, Section
from segctl.model.diagnostics import Diagnostic, Severity, in_reading_order
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

__all__ = ["Column", "ColumnType", "Result", "Section", "findings", "write", "write_bytes", "write_text"]


def write(ctx: Context, result: Result) -> None:
    """Write a result in the format of the call, to stdout or to the file of `--output`.

    Raises:
        UsageError: The result has no column of ids, or there is no such format.
        BrokenPipeError: The reader is gone.
        OSError: The bytes cannot be delivered; a file of `--output` is then as it was before.
    """
    from segctl.cli import formats

    if result.is_report and not result.exit and _is_silent(ctx):
        return
    columns, rows = _columns_and_rows(result)
    if ctx.format == "ids" and result.ids_column is None:
        raise UsageError("SEG104", f"`segctl {ctx.verb}` has no ids to print here", hint="choose another `--format`")
    with _destination(ctx) as stream:
        formats.WRITERS[ctx.format](ctx, result, columns, rows, stream)


def findings(
    ctx: Context,
    schema: str,
    diagnostics: Sequence[Diagnostic],
    *,
    files: int | Sequence[str] | None = None,
    root: Path | None = None,
    fail_on: Severity = Severity.ERROR,
    accepted: Sequence[tuple[Diagnostic, str]] = (),
) -> ExitCode:
    """Write what a check found, in one of `options.FINDING_FORMATS`.

    Args:
        ctx: The call.
        schema: Versioned name such as ``segctl/lint/1``.
        diagnostics: What was found, in any order.
        files: The files that were looked at, or how many.
        root: Folder that the findings' files are relative to; otherwise the project folder of the call.
        fail_on: The mildest severity that counts as a finding for the exit code.
        accepted: Findings that waivers accept, with the reasons.

    Returns:
        1 when something that severe was found, else 0.
    """
    from segctl.cli import finding_formats
    from segctl.cli.finding_report import Report

    mildest = list(Severity).index(fail_on)
    found = in_reading_order(diagnostics)
    is_bad = any(list(Severity).index(d.severity) <= mildest for d in found)
    code = ExitCode.FINDINGS if is_bad else ExitCode.OK
    if not code and _is_silent(ctx):
        return code
    count, paths = (files, ()) if files is None or isinstance(files, int) else (len(files), tuple(files))
    report = Report(schema, found, count, root or ctx.root, code, fail_on, paths, tuple(accepted))
    with _destination(ctx) as stream:
        stream.write(finding_formats.WRITERS[ctx.format](ctx, report))
    return code


def write_bytes(ctx: Context, data: bytes) -> None:
    """Write ready bytes, such as a schema or a script, to stdout or to the file of `--output`."""
    with _destination(ctx) as stream:
        stream.write(data)


def write_text(ctx: Context, text: str) -> None:
    """Write ready text as UTF-8."""
    write_bytes(ctx, encoded(text))


def line(ctx: Context, text: str) -> None:
    """Write one line of text to stdout."""
    write_text(ctx, f"{text}\n")


def _is_silent(ctx: Context) -> bool:
    """A scheduler mails whatever a quiet call prints, so success prints nothing."""
    return ctx.quiet and not ctx.asks


def _columns_and_rows(result: Result) -> tuple[tuple[Column, ...], Iterable[Any]]:
    """The columns and the rows as something to iterate; frames are told by their method, to load no engine."""
    rows: Any = result.rows
    if not hasattr(rows, "iter_rows"):
        return result.columns, rows
    columns = result.columns or tuple(_frame_column(name, str(of)) for name, of in rows.schema.items())
    return columns, rows.select([c.name for c in columns])


def _frame_column(name: str, type_name: str) -> Column:
    word = type_name.partition("(")[0]
    types: dict[str, ColumnType] = {
        "Boolean": "boolean", "Date": "date", "Datetime": "time", "List": "list", "Struct": "object",
        "Float64": "number", "Float32": "number", "Decimal": "money",
    }  # fmt: skip
    kind: ColumnType = "integer" if word.startswith(("Int", "UInt")) else types.get(word, "text")
    return Column(name, type=kind)


class _Stdout:
    """Stdout as a binary stream; collected into blocks of 64 KiB."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        if len(self._waiting) >= 1 << 16:
            self.flush()
        return len(data)

    def flush(self) -> None:
        data, self._waiting = bytes(self._waiting), bytearray()
        streams.write_data(data)


@contextmanager
def _destination(ctx: Context) -> Iterator[IO[bytes]]:
    if ctx.output is not None:
        with _replacing(os.fspath(ctx.output)) as stream:
            yield stream
        return
    stdout: Any = _Stdout()
    yield stdout
    stdout.flush()


@contextmanager
def _replacing(path: str) -> Iterator[IO[bytes]]:
    """A file under a temporary name that takes the path's place only when all is written."""
    if os.path.exists(path) and not os.path.isfile(path):  # /dev/null, a pipe: written directly
        with open(path, "wb") as stream:
            yield stream
        return
    import tempfile

    folder, name = os.path.split(os.path.realpath(path))
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    except OSError as error:
        raise OSError(error.errno, error.strerror, path) from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, _mode(path))
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _mode(path: str) -> int:
    """Permissions of the file that is replaced, or those a new file would get."""
    try:
        return os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
