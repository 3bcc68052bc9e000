"""Parquet: columns as delivered, some row groups at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl

from segctl.connectors.files.base import Detected, RawBatch, ReadOptions
from segctl.connectors.files.paths import unreadable
from segctl.model.errors import DataError


class ParquetReader:
    """Reads Parquet; `lines` are record numbers."""

    def detect(
        self,
        path: Path,
        options: ReadOptions,  # noqa: ARG002 - a Parquet file leaves nothing to declare
        base: Detected,
    ) -> Detected:
        """Complete `base` by the names of the columns.

        Raises:
            DataError: SEG349, the file is damaged.
        """
        try:
            schema = pl.read_parquet_schema(path)
        except OSError as error:
            raise unreadable(path, error) from error
        except pl.exceptions.PolarsError as error:
            raise _damaged(path, error) from error
        return replace(base, columns=tuple(schema), why=(*base.why, f"columns: {len(schema)} in the file's own schema"))

    def read(self, path: Path, detected: Detected, *, batch_rows: int) -> Iterator[RawBatch]:
        """The rows of the file; memory holds a row group or two."""
        total = _rows(path)
        done = 0
        try:
            batches = pl.scan_parquet(path, glob=False).collect_batches(chunk_size=batch_rows, maintain_order=True)
            for frame in batches:
                done += frame.height
                for start in range(0, frame.height, batch_rows):
                    part = frame.slice(start, batch_rows)
                    first = done - frame.height + start + 1
                    lines = pl.int_range(first, first + part.height, eager=True).alias("line")
                    yield RawBatch(part, lines, (), int(detected.bytes * done / max(total, 1)))
        except OSError as error:
            raise unreadable(path, error) from error
        except pl.exceptions.PolarsError as error:
            raise _damaged(path, error) from error


def _rows(path: Path) -> int:
    try:
        return int(pl.scan_parquet(path, glob=False).select(pl.len()).collect().item())
    except OSError as error:
        raise unreadable(path, error) from error
    except pl.exceptions.PolarsError as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        "SEG349",
        f"`{path}` is a damaged Parquet file",
        why=str(error).splitlines()[0],
        hint="copy or export the file again",
    )
