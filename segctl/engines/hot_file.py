"""One sorted event file as raw arrays to be mapped into memory: the rows of a few subjects without reading the rest.

The file is its columns one after another, then a header in JSON that says where each begins, then the header's length
and a mark. Numbers stand in as few bytes as they need, texts as codes of a dictionary where these are few; nested
values stand in small blocks of their own. It holds nothing that the Parquet file does not.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from segctl.engines.array_columns import Texts
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segctl.engines.base import EventPart

MARK = b"SEGHOT1\n"
FORMAT = 2
ALIGNED = 64
BLOCK = 256
"""Rows in a block of nested values."""
NUMBERS: Mapping[str, pl.DataType] = {
    "Int64": pl.Int64(),
    "Float64": pl.Float64(),
    "Boolean": pl.Boolean(),
    "Date": pl.Date(),
    "Datetime": pl.Datetime("us", "UTC"),
}
_TAIL = struct.Struct("<Q8s")


class TornFile(Exception):  # noqa: N818 - what happened to the file
    """The file is no whole copy in this form."""


@dataclass(frozen=True, slots=True)
class HotColumn:
    """Where a column stands.

    Attributes:
        layout: ``number``, ``coded``, ``text`` or ``blocks``.
        dtype: Of numbers, a name of `NUMBERS`.
        parts: Name of an array → its NumPy type and the byte at which it begins, and its length.
    """

    layout: str
    dtype: str
    parts: dict[str, tuple[str, int, int]]


class HotFile:
    """A mapped copy of one event file.

    Attributes:
        rows: Number of rows.
        columns: Names of the columns inside.
        source: Name of the file it copies.
        last: The latest instant, in microseconds.
    """

    def __init__(self, path: Path) -> None:
        """Maps a copy.

        Raises:
            TornFile: It is not one, or not whole.
            OSError: It is not there.
        """
        size = path.stat().st_size
        if size < len(MARK) + _TAIL.size:
            raise TornFile(path)
        self._bytes: NDArray[np.uint8] = np.memmap(path, mode="r", dtype=np.uint8)
        header = self._header(path, size)
        self.rows = int(header["rows"])
        self.source = str(header["source"])
        self.last = int(header["last"])
        self._columns = {name: HotColumn(**about) for name, about in header["columns"].items()}
        self._index = header["index"]
        self._dictionaries: dict[str, pl.Series] = {}
        self._known_texts: dict[str, list[str | None]] = {}
        self._arrays: dict[tuple[str, str], NDArray[Any]] = {}
        self.subjects: NDArray[np.int32] = self._array(self._index["subjects"])
        self.starts: NDArray[Any] = self._array(self._index["starts"])

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns inside, besides `subject`."""
        return frozenset(self._columns)

    def rows_of(self, subjects: NDArray[np.int32]) -> Found:
        """The rows of some subjects, in event order of each; the subjects ascend and are unique."""
        return found_rows(self.subjects, self.starts, subjects)

    def instants(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """When the rows are, in microseconds."""
        found: NDArray[np.int64] = self.array("ts", "values")[rows].astype(np.int64)
        return found

    def series(self, name: str, rows: NDArray[np.int64]) -> pl.Series:
        """Values of a column in stored form."""
        column = self._columns[name]
        if column.layout == "coded":
            return self._dictionary(name)[self.array(name, "values")[rows].astype(np.uint32)]
        if column.layout == "text":
            return self._texts(name, rows)
        if column.layout == "blocks":
            return self._nested(name, rows)
        return self._number(name, column, rows)

    def numbers(self, name: str, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        """Whole numbers, days, instants or booleans of rows, and which are there; None for all."""
        values = self.array(name, "values")[rows].astype(np.int64)
        if "present" not in self._columns[name].parts:
            return values, None
        return values, self.array(name, "present")[rows].astype(np.bool_)

    def codes(self, name: str, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[str | None]]:
        """Codes of the texts of rows, 0 where one is missing, and the texts by code."""
        if self._columns[name].layout == "coded":
            if name not in self._known_texts:
                self._known_texts[name] = self._dictionary(name).to_list()
            return self.array(name, "values")[rows].astype(np.int64), self._known_texts[name]
        texts = Texts()
        return texts.codes(self._texts(name, rows)), texts.texts

    def _number(self, name: str, column: HotColumn, rows: NDArray[np.int64]) -> pl.Series:
        values = self.array(name, "values")[rows]
        dtype = NUMBERS[column.dtype]
        if column.dtype == "Float64":
            found = pl.Series(name, values)
        elif column.dtype == "Boolean":
            found = pl.Series(name, values.astype(np.bool_))
        elif column.dtype == "Date":
            found = pl.Series(name, values.astype(np.int32)).cast(dtype)
        else:
            found = pl.Series(name, values.astype(np.int64)).cast(dtype)
        if "present" not in column.parts:
            return found
        present = pl.Series(self.array(name, "present")[rows].astype(np.bool_))
        return found.zip_with(present, pl.Series(name, [None], dtype=dtype))

    def _texts(self, name: str, rows: NDArray[np.int64]) -> pl.Series:
        ends, letters = self.array(name, "ends"), self.array(name, "letters")
        first, last = ends[rows], ends[rows + 1]
        present = self.array(name, "present")[rows] if "present" in self._columns[name].parts else None
        values: list[str | None] = [
            letters[begin:end].tobytes().decode() for begin, end in zip(first.tolist(), last.tolist(), strict=True)
        ]
        if present is not None:
            values = [value if there else None for value, there in zip(values, present.tolist(), strict=True)]
        return pl.Series(name, values, dtype=pl.String)

    def _nested(self, name: str, rows: NDArray[np.int64]) -> pl.Series:
        ends, letters = self.array(name, "ends"), self.array(name, "letters")

        def block(number: int) -> pl.Series:
            return pl.read_ipc(BytesIO(letters[ends[number] : ends[number + 1]].tobytes())).to_series()

        # The last block is empty and only tells the type.
        wanted = [block(len(ends) - 2)]
        numbers, places = np.unique(rows // BLOCK, return_inverse=True)
        before, size = [], 0
        for number in numbers.tolist():
            wanted.append(block(number))
            before.append(size)
            size += len(wanted[-1])
        positions = np.asarray(before, np.int64)[places] + rows % BLOCK if len(rows) else rows
        return pl.concat(wanted).gather(pl.Series(positions)).alias(name)

    def _dictionary(self, name: str) -> pl.Series:
        if name not in self._dictionaries:
            data = self.array(name, "dictionary").tobytes()
            self._dictionaries[name] = pl.read_ipc(BytesIO(data)).to_series()
        return self._dictionaries[name]

    def array(self, name: str, part: str) -> NDArray[Any]:
        """One array of a column."""
        if (name, part) not in self._arrays:
            self._arrays[name, part] = self._array(self._columns[name].parts[part])
        return self._arrays[name, part]

    def _array(self, place: Sequence[Any]) -> NDArray[Any]:
        dtype, begin, length = np.dtype(place[0]), int(place[1]), int(place[2])
        return np.asarray(self._bytes[begin : begin + length * dtype.itemsize]).view(dtype)

    def _header(self, path: Path, size: int) -> dict[str, Any]:
        length, mark = _TAIL.unpack(self._bytes[-_TAIL.size :].tobytes())
        if mark != MARK or self._bytes[: len(MARK)].tobytes() != MARK or length > size - len(MARK) - _TAIL.size:
            raise TornFile(path)
        try:
            header: dict[str, Any] = json.loads(self._bytes[size - _TAIL.size - length : -_TAIL.size].tobytes())
        except ValueError as error:
            raise TornFile(path) from error
        if header.get("format") != FORMAT or header.get("size") != size:
            raise TornFile(path)
        return header


def opened(part: EventPart) -> HotFile | None:
    """The copy of an event file; None where it is gone, torn or that of another file."""
    if part.hot is None:
        return None
    try:
        file = HotFile(Path(part.hot))
    except (TornFile, OSError):
        return None
    return file if file.source == Path(part.path).name and file.rows == part.rows else None


Found = tuple["NDArray[np.int64]", "NDArray[np.int32]"]
"""Positions of rows, and the subject of each."""


def found_rows(known: NDArray[np.int32], starts: NDArray[Any], subjects: NDArray[np.int32]) -> Found:
    """The rows of some subjects in a store.

    Args:
        known: Subjects of the store, ascending and unique.
        starts: Where the rows of each begin, and the number of rows.
        subjects: Those asked for, ascending and unique.
    """
    if not len(known):
        return np.zeros(0, np.int64), np.zeros(0, np.int32)
    places = np.searchsorted(known, subjects)
    places[places == len(known)] = 0
    there = known[places] == subjects
    if not there.any():
        return np.zeros(0, np.int64), np.zeros(0, np.int32)
    places = places[there]
    first = starts[places].astype(np.int64)
    lengths = starts[places + 1].astype(np.int64) - first
    return ranges(first, lengths), np.repeat(subjects[there], lengths)


def ranges(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """All positions of the ranges, one after another."""
    total = int(lengths.sum())
    shifts = starts - (np.cumsum(lengths) - lengths)
    return np.repeat(shifts, lengths) + np.arange(total)
