"""Columns of truth as bits in a file that is mapped into memory: the rows of a few subjects cost a few pages.

A plane has a bit for every subject. A column has a plane that says where it is true, and, if it is unknown of
anybody, one that says where it is not known.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Bits:
    """A file of planes.

    Attributes:
        bytes: Of the whole file.
        length: Subjects.
        planes: Key of a column, or the key and a question mark for where it is unknown, in the order of the file.
        crc32: Checksum of the bytes.
    """

    name: str
    bytes: int
    length: int
    planes: tuple[str, ...]
    crc32: int

    def column(self, planes: NDArray[np.uint8], key: str) -> pl.Series:
        """One column of everybody."""
        import numpy as np
        import polars as pl

        def plane(name: str) -> pl.Series:
            bits = np.unpackbits(planes[self.planes.index(name)], count=self.length, bitorder="little")
            return pl.Series(key, bits.view(np.bool_))

        return _joined(plane(key), plane(key + _UNKNOWN) if key + _UNKNOWN in self.planes else None)

    def rows(self, planes: NDArray[np.uint8], keys: Sequence[str], subjects: NDArray[np.int64]) -> pl.DataFrame:
        """Some columns of some subjects, in their order; all of them below `length`."""
        import numpy as np
        import polars as pl

        wanted = [at for at, name in enumerate(self.planes) if name.removesuffix(_UNKNOWN) in set(keys)]
        there = planes[np.array(wanted, np.int64)[:, None], subjects >> 3]
        bits = there >> (subjects & 7).astype(np.uint8) & 1
        found = {self.planes[at]: pl.Series(row.astype(np.bool_)) for at, row in zip(wanted, bits, strict=True)}
        return pl.DataFrame([_joined(found[key].alias(key), found.get(key + _UNKNOWN)) for key in keys])

    def mapped(self, folder: Path) -> NDArray[np.uint8]:
        """The planes, mapped."""
        import numpy as np

        shape = (len(self.planes), -(-self.length // 8))
        if not shape[0] or not shape[1]:
            return np.zeros(shape, np.uint8)
        return np.memmap(folder / self.name, mode="r", dtype=np.uint8, shape=shape)


def write_bits(path: Path, columns: pl.DataFrame) -> Bits:
    """Writes columns of truth, one row for every subject."""
    import numpy as np

    planes: list[str] = []
    checksum = 0
    with path.open("wb") as file:
        for column in columns:
            parts = [(column.name, column.fill_null(value=False))]
            parts += [(column.name + _UNKNOWN, column.is_null())] if column.null_count() else []
            for name, part in parts:
                planes.append(name)
                plane = np.packbits(part.to_numpy(), bitorder="little").tobytes()
                checksum = zlib.crc32(plane, checksum)
                file.write(plane)
    return Bits(path.name, path.stat().st_size, columns.height, tuple(planes), checksum)


def _joined(true: pl.Series, unknown: pl.Series | None) -> pl.Series:
    import polars as pl

    if unknown is None:
        return true
    return true.to_frame().select(pl.when(~unknown).then(pl.col(true.name)).alias(true.name)).to_series()
