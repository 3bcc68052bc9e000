"""Ids and classes of subjects in files mapped into memory: those of a few cost a few pages instead of a million rows.

A copy stands beside the copies of event files (`state.hot`), named after the file of subjects it copies: ends of the
ids, codes of types and classes, letters, then a header in JSON, its length, that of the file and a mark. Nobody needs
one: who finds none, or a torn one, reads the file of subjects.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.state.hot import FOLDER, NAMES, place
from segctl.state.subjects import DATASET, scan_subjects

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.state.files import StoredFile
    from segctl.state.workspace import Workspace

WORTH_ROWS = 50_000
"""Smaller files are read quickly enough."""
_MARK, _FORMAT = b"SEGNAME1", 1
_TAIL = struct.Struct("<QQ8s")
_CODED = ("id_type", "identifier_class")


def missing_names(workspace: Workspace) -> list[StoredFile]:
    """Files of subjects that are worth a copy and have none."""
    return [f for f in workspace.files(DATASET) if f.rows >= WORTH_ROWS and not _copy_of(workspace, f).is_file()]


def build_names(workspace: Workspace, files: list[StoredFile]) -> None:
    """Copies files of subjects; call it under the lock of `state.hot`.

    Raises:
        LocalIOError: Disk full or not writable.
    """
    for file in files:
        place(workspace, _copy_of(workspace, file), lambda aside, of=file: _write(of, aside))  # type: ignore[misc]  # bound at once


def names_of(workspace: Workspace, subjects: pl.Series, snapshot: int | None = None) -> pl.DataFrame:
    """Names of those of some subjects that are known, in their order.

    Args:
        workspace: Open.
        subjects: Int32.
        snapshot: Which files.

    Returns:
        ``subject`` Int32, ``id_type``, ``profile_id``, ``identifier_class`` String.
    """
    import polars as pl

    files = sorted(workspace.files(DATASET, snapshot), key=lambda file: int(file.meta["first"]))
    wanted = [subjects.filter(subjects.is_between(_first(f), _first(f) + f.rows - 1)) for f in files]
    copies = [_opened(_copy_of(workspace, f), f.rows) if len(w) else None for f, w in zip(files, wanted, strict=True)]
    if any(len(w) and c is None and f.rows >= WORTH_ROWS for f, w, c in zip(files, wanted, copies, strict=True)):
        everybody = scan_subjects(files).drop("value").collect()
        return everybody[subjects.filter(subjects < everybody.height)]
    parts = [_rows(f, w, c) for f, w, c in zip(files, wanted, copies, strict=True) if len(w)]
    found = pl.concat([scan_subjects(()).drop("value").collect(), *parts])
    if found["subject"].equals(subjects, check_names=False):
        return found
    return subjects.to_frame("subject").join(found.unique("subject"), on="subject", how="inner", maintain_order="left")


class _Names:
    """A mapped copy."""

    def __init__(self, data: NDArray[np.uint8], header: dict[str, Any]) -> None:
        import numpy as np

        self._data, self._header = data, header
        rows = int(header["rows"])
        begin = len(_MARK)
        self._ends = data[begin : begin + 8 * (rows + 1)].view(np.int64)
        begin += 8 * (rows + 1)
        self._codes = {
            name: data[begin + 2 * at * rows :][: 2 * rows].view(np.uint16) for at, name in enumerate(_CODED)
        }
        self._letters = data[begin + 2 * len(_CODED) * rows :]

    def of(self, at: NDArray[np.int64]) -> dict[str, pl.Series]:
        """Values at some rows."""
        import polars as pl

        first, last = self._ends[at].tolist(), self._ends[at + 1].tolist()
        ids = [self._letters[lo:hi].tobytes().decode() for lo, hi in zip(first, last, strict=True)]
        found = {"profile_id": pl.Series("profile_id", ids, dtype=pl.String)}
        for name, codes in self._codes.items():
            words = pl.Series(name, self._header[name], dtype=pl.String)
            found[name] = words.gather(pl.Series(codes[at]))
        return found


def _rows(file: StoredFile, subjects: pl.Series, copy: _Names | None) -> pl.DataFrame:
    import polars as pl

    at = subjects.cast(pl.Int64) - _first(file)
    if copy is None:
        rows = pl.read_parquet(file.path, columns=["id_type", "profile_id", "identifier_class"])[at]
    else:
        found = copy.of(at.to_numpy())
        rows = pl.DataFrame([found[name] for name in ("id_type", "profile_id", "identifier_class")])
    return rows.insert_column(0, subjects.alias("subject"))


def _first(file: StoredFile) -> int:
    return int(file.meta["first"])


def _copy_of(workspace: Workspace, file: StoredFile) -> Path:
    return workspace.folder / FOLDER / f"{file.path.stem}{NAMES}"


def _opened(path: Path, rows: int) -> _Names | None:
    """A copy; None where there is none, or not a whole one."""
    import numpy as np

    try:
        data = np.memmap(path, mode="r", dtype=np.uint8)
        length, size, mark = _TAIL.unpack(data[-_TAIL.size :].tobytes())
        if mark != _MARK or size != len(data) or length > size - _TAIL.size:
            return None
        header = json.loads(data[len(data) - _TAIL.size - length : -_TAIL.size].tobytes())
    except (OSError, ValueError, struct.error):
        return None
    is_right = header.get("format") == _FORMAT and header.get("rows") == rows
    return _Names(np.asarray(data), header) if is_right else None


def _write(file: StoredFile, path: Path) -> None:
    import numpy as np
    import polars as pl

    frame = pl.read_parquet(file.path, columns=["id_type", "profile_id", "identifier_class"])
    ids = frame["profile_id"]
    ends = np.concatenate([np.zeros(1, np.int64), ids.str.len_bytes().cast(pl.Int64).cum_sum().to_numpy()])
    header: dict[str, Any] = {"format": _FORMAT, "rows": frame.height}
    with path.open("wb") as out:
        out.write(_MARK)
        out.write(ends.tobytes())
        for name in _CODED:
            header[name] = frame[name].unique().sort().to_list()
            codes = {word: code for code, word in enumerate(header[name])}
            out.write(frame[name].replace_strict(codes, return_dtype=pl.UInt16).to_numpy().tobytes())
        out.write("".join(ids).encode())
        text = json.dumps(header).encode()
        out.write(text)
        out.write(_TAIL.pack(len(text), out.tell() + _TAIL.size, _MARK))
