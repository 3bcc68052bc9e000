"""Writing a sorted event file as raw arrays, a piece of rows at a time."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import polars as pl

from segctl.engines.hot_file import ALIGNED, BLOCK, FORMAT, MARK

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIECE = 1_048_576
"""Rows in memory at once; a multiple of `BLOCK`."""
_MANY_TEXTS = 65_535
TIE = "\x00tie"
"""Column of the first eight bytes of an event's id after what all ids of the file begin with."""
Place = tuple[str, int, int]


def write_hot(source: Path, target: Path, columns: Sequence[str], *, piece: int = PIECE) -> None:
    """Writes the copy of an event file that is sorted and holds one kind.

    Args:
        source: Parquet file.
        target: Where; nobody may read it before it is whole.
        columns: Properties wanted, all of them columns of the file.
        piece: Rows in memory at once; a multiple of `BLOCK`.
    """
    scan = pl.scan_parquet(source, glob=False, hive_partitioning=False)
    with target.open("wb") as file:
        file.write(MARK)
        writer = _Writer(scan, file, int(scan.select(pl.len()).collect().item()), piece)
        index = writer.index()
        schema = scan.collect_schema()
        about = {name: writer.column(name, schema[name]) for name in ("ts", *columns, "source")}
        about[TIE] = writer.ties()
        last = scan.select(pl.col("ts").to_physical().max()).collect().item()
        header = {
            "format": FORMAT, "source": source.name, "rows": writer.rows, "index": index, "columns": about,
            "last": -(2**62) if last is None else int(last),
        }  # fmt: skip
        writer.close(header)


class _Writer:
    """The file while it grows."""

    def __init__(self, scan: pl.LazyFrame, file: IO[bytes], rows: int, piece: int) -> None:
        self.rows = rows
        self._scan = scan
        self._file = file
        self._piece = piece

    def index(self) -> dict[str, Place]:
        """Each subject once, and the row at which its rows begin, with the number of rows at the end."""
        subjects = self._array("<i4", (values[new] for values, new, _ in self._runs()))
        width = "<u4" if self.rows < 2**32 else "<i8"

        def starts() -> Iterator[NDArray[Any]]:
            for _, new, first in self._runs():
                yield np.flatnonzero(new) + first
            yield np.asarray([self.rows])

        return {"subjects": subjects, "starts": self._array(width, starts())}

    def column(self, name: str, dtype: pl.DataType) -> dict[str, Any]:
        """Writes one column; says where."""
        if dtype == pl.String:
            return self._text(name)
        if dtype in (pl.Boolean, pl.Float64):
            return self._number(name, str(dtype), "u1" if dtype == pl.Boolean else "<f8")
        if dtype in (pl.Int64, pl.Date, pl.Datetime):
            low, high = self._scan.select(
                pl.col(name).to_physical().min().alias("low"), pl.col(name).to_physical().max().alias("high")
            ).collect().row(0)  # fmt: skip
            known = "Datetime" if dtype == pl.Datetime else str(dtype)
            return self._number(name, known, _narrowest(low or 0, high or 0))
        return self._blocks(name)

    def ties(self) -> dict[str, Any]:
        """What decides the order of events at one instant, nearly always."""
        low, high = (
            self._scan.select(pl.min("event_id").alias("low"), pl.max("event_id").alias("high")).collect().row(0)
        )
        shared = _shared((low or "").encode(), (high or "").encode())
        values = self._array("<u8", (_numbers_of(piece, len(shared)) for piece in self._pieces("event_id")))
        prefix = self._array("|u1", [np.frombuffer(shared, np.uint8)])
        return {"layout": "tie", "dtype": "", "parts": {"values": values, "prefix": prefix}}

    def close(self, header: dict[str, Any]) -> None:
        """Writes the header, which makes the file whole."""
        at = self._file.tell()
        # The size stands in the header, whose length depends on it; so it is written with a fixed width.
        text = json.dumps({**header, "size": 0}).encode()
        size = at + len(text) + 19 + struct.calcsize("<Q8s")
        text = text[: -len("0}")] + f"{size:>20}".encode() + b"}"
        self._file.write(text + struct.pack("<Q8s", len(text), MARK))

    def _pieces(self, name: str) -> Iterator[pl.Series]:
        for first in range(0, self.rows, self._piece):
            yield self._scan.select(name).slice(first, self._piece).collect().to_series()

    def _runs(self) -> Iterator[tuple[NDArray[Any], NDArray[np.bool_], int]]:
        """Subjects of a piece, which of them begin a run, and the first row."""
        before, first = None, 0
        for piece in self._pieces("subject"):
            values = piece.to_numpy()
            new = np.empty(len(values), np.bool_)
            new[0] = before is None or values[0] != before
            np.not_equal(values[1:], values[:-1], out=new[1:])
            yield values, new, first
            before, first = values[-1], first + len(values)

    def _array(self, dtype: str, pieces: Iterator[NDArray[Any]] | Sequence[NDArray[Any]]) -> Place:
        self._file.write(b"\0" * (-self._file.tell() % ALIGNED))
        begin = self._file.tell()
        length = 0
        for values in pieces:
            self._file.write(np.ascontiguousarray(values, dtype=dtype).data)
            length += len(values)
        return dtype, begin, length

    def _with_presence(self, name: str, parts: dict[str, Place]) -> dict[str, Place]:
        if self._scan.select(pl.col(name).null_count()).collect().item():
            present = (piece.is_not_null().to_numpy() for piece in self._pieces(name))
            parts["present"] = self._array("|u1", present)
        return parts

    def _number(self, name: str, dtype: str, width: str) -> dict[str, Any]:
        def values() -> Iterator[NDArray[Any]]:
            for piece in self._pieces(name):
                yield piece.to_physical().fill_null(False if dtype == "Boolean" else 0).to_numpy()

        parts = {"values": self._array(width, values())}
        return {"layout": "number", "dtype": dtype, "parts": self._with_presence(name, parts)}

    def _text(self, name: str) -> dict[str, Any]:
        known = pl.Series(name, [], dtype=pl.String)
        for piece in self._pieces(name):
            known = known.append(piece.drop_nulls()).unique()
            if len(known) > _MANY_TEXTS:
                return self._long_text(name)
        known = known.sort()
        codes = pl.Series(range(1, len(known) + 1), dtype=pl.UInt32)
        narrow = "|u1" if len(known) < 2**8 else "<u2"

        def values() -> Iterator[NDArray[Any]]:
            for piece in self._pieces(name):
                yield piece.replace_strict(known, codes, default=0, return_dtype=pl.UInt32).to_numpy()

        # Code 0 is null.
        dictionary = pl.concat([pl.Series(name, [None], dtype=pl.String), known])
        parts = {"values": self._array(narrow, values()), "dictionary": self._array("|u1", [_ipc(dictionary)])}
        return {"layout": "coded", "dtype": "String", "parts": parts}

    def _long_text(self, name: str) -> dict[str, Any]:
        def ends() -> Iterator[NDArray[Any]]:
            end = 0
            yield np.zeros(1, np.int64)
            for piece in self._pieces(name):
                found = piece.str.len_bytes().fill_null(0).cast(pl.Int64).to_numpy().cumsum() + end
                yield found
                end = int(found[-1])

        def letters() -> Iterator[NDArray[Any]]:
            for piece in self._pieces(name):
                yield np.frombuffer("".join(piece.drop_nulls().to_list()).encode(), np.uint8)

        parts = {"ends": self._array("<i8", ends()), "letters": self._array("|u1", letters())}
        return {"layout": "text", "dtype": "String", "parts": self._with_presence(name, parts)}

    def _blocks(self, name: str) -> dict[str, Any]:
        ends = [0]

        def blocks() -> Iterator[NDArray[Any]]:
            last = self._scan.select(name).head(0).collect().to_series()
            for piece in self._pieces(name):
                for first in range(0, len(piece), BLOCK):
                    yield counted(_ipc(piece.slice(first, BLOCK)))
            yield counted(_ipc(last))

        def counted(block: NDArray[Any]) -> NDArray[Any]:
            ends.append(ends[-1] + len(block))
            return block

        letters = self._array("|u1", blocks())
        parts = {"letters": letters, "ends": self._array("<i8", [np.asarray(ends)])}
        return {"layout": "blocks", "dtype": "", "parts": parts}


def _numbers_of(ids: pl.Series, shared: int) -> NDArray[Any]:
    padded = (ids + "\0" * (shared + 8)).cast(pl.Binary).bin.slice(shared, 8)
    return padded.bin.reinterpret(dtype=pl.UInt64, endianness="big").to_numpy()


def _narrowest(low: int, high: int) -> str:
    for width in ("<i1", "<i2", "<i4"):
        info = np.iinfo(width)
        if info.min <= low and high <= info.max:
            return width
    return "<i8"


def _shared(low: bytes, high: bytes) -> bytes:
    """What all texts between two begin with."""
    length = next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), min(len(low), len(high)))
    return low[:length]


def _ipc(values: pl.Series) -> NDArray[Any]:
    buffer = BytesIO()
    values.to_frame().write_ipc(buffer, compression="uncompressed")
    return np.frombuffer(buffer.getvalue(), np.uint8)
