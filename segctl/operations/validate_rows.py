"""Bad rows of a validation written to a file: whole, with file, line and every reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.model.errors import LocalIOError

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.validate import BadRows

_KEYS = ("pointer", "keyword", "expected", "value")


@contextmanager
def bad_rows_file(path: Path) -> Iterator[BadRows]:
    """What writes bad rows to a file of NDJSON, one object a row; the file takes its place when all are written.

    Raises:
        LocalIOError: The file cannot be written.
    """
    waiting = path.with_name(f".{path.name}.part")
    try:
        with waiting.open("w", encoding="utf-8", newline="\n") as stream:

            def keep(shown: str, bad: pl.DataFrame) -> None:
                for line, raw, reasons in bad.select("line", "raw", "reasons").iter_rows():
                    record = {"file": shown, "line": line, "raw": raw, "reasons": [_reason(each) for each in reasons]}
                    stream.write(json.dumps(record, ensure_ascii=False) + "\n")

            yield keep
        waiting.replace(path)
    except OSError as error:
        waiting.unlink(missing_ok=True)
        said = f"`{path}` cannot be written: {(error.strerror or str(error)).lower()}"
        raise LocalIOError("SEG440", said, hint="name another file with `--bad-rows`") from error
    except BaseException:
        waiting.unlink(missing_ok=True)
        raise


def _reason(reason: dict[str, str | None]) -> dict[str, str | None]:
    """A reason as contracts give it; one of types names its column and what was wrong."""
    if reason["keyword"] is not None:
        return {key: reason[key] for key in _KEYS}
    pointer = "" if reason["column"] is None else f"/{reason['column']}"
    return {"pointer": pointer, "keyword": reason["reason"], "expected": reason["expected"], "value": reason["value"]}
