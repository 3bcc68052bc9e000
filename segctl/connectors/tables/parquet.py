"""A folder of Parquet files as one table, with the columns that its folders name (``day=2026-01-01``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from segctl.connectors.files import expand
from segctl.connectors.tables.base import TableFile, damaged, groups_of, mark_of, no_table, unreachable, vanished
from segctl.model.fetching_table import TableFetch


def open_parquet(fetch: TableFetch, root: Path, source: str) -> ParquetTable:
    """The files as they lie there now.

    Raises:
        SegctlError: There are none, or they cannot be read.
    """
    place = root / Path(fetch.path).expanduser()
    pattern = f"{fetch.path}/**/*.parquet" if place.is_dir() else fetch.path
    if place.is_dir() and not any(place.rglob("*.parquet")):
        raise no_table(source, "Parquet", fetch.path)
    return ParquetTable(fetch, source, tuple(expand(root, pattern)))


class ParquetTable:
    """Files of one table; their list, sizes and times are its version."""

    def __init__(self, fetch: TableFetch, source: str, paths: tuple[Path, ...]) -> None:
        self.fetch = fetch
        self.source = source
        self.shown = fetch.path
        self.identity = f"parquet {fetch.path}"
        self._files = tuple(self._file(path) for path in paths)
        self.version = mark_of(*(file.mark for file in self._files))[:12]
        self._known: pl.Schema | None = None

    def _file(self, path: Path) -> TableFile:
        try:
            facts = path.stat()
        except OSError as error:
            raise vanished(self.fetch, self.source, "now", error) from error
        return TableFile(str(path), mark_of(path, facts.st_size, facts.st_mtime_ns), None, facts.st_size)

    @property
    def columns(self) -> Mapping[str, str]:
        """Of all files together, in the order in which they first appear."""
        return {name: str(dtype) for name, dtype in self._schema().items()}

    def files(self) -> tuple[TableFile, ...]:
        """In the order of their names, numbers by value."""
        return self._files

    def frames(self, files: Sequence[TableFile], batch_rows: int) -> Iterator[pl.DataFrame]:
        """Streamed; a file that was written over meanwhile is noticed."""
        try:
            for group in groups_of(files):
                scan = self._scan([file.path for file in group], self._schema())
                yield from scan.collect_batches(chunk_size=batch_rows, maintain_order=True)
        except FileNotFoundError as error:
            raise vanished(self.fetch, self.source, self.version, error) from error
        except OSError as error:
            raise unreachable(self.source, error) from error
        except pl.exceptions.PolarsError as error:
            raise damaged(self.source, error) from error
        for file in files:
            if self._file(Path(file.path)) != file:
                raise vanished(self.fetch, self.source, self.version, OSError(f"{file.path} was written over"))

    def _schema(self) -> pl.Schema:
        if self._known is None:
            found: dict[str, pl.DataType] = {}
            for file in self._files:
                for name, dtype in self._one(file.path).items():
                    found.setdefault(name, dtype)
            self._known = pl.Schema(found)
        return self._known

    def _one(self, path: str) -> pl.Schema:
        try:
            return self._scan([path], None).collect_schema()
        except OSError as error:
            raise vanished(self.fetch, self.source, self.version, error) from error
        except pl.exceptions.PolarsError as error:
            raise damaged(self.source, error) from error

    def _scan(self, paths: list[str], schema: pl.Schema | None) -> pl.LazyFrame:
        hive = any("=" in part for part in Path(paths[0]).parent.parts)
        names = [part.partition("=")[0] for part in Path(paths[0]).parent.parts if "=" in part]
        return pl.scan_parquet(
            paths,
            glob=False,
            schema=schema,
            hive_partitioning=hive,
            hive_schema={name: schema[name] for name in names} if hive and schema is not None else None,
            missing_columns="insert",
            extra_columns="ignore",
            cast_options=pl.ScanCastOptions(
                integer_cast="upcast", float_cast="upcast", datetime_cast=["nanosecond-downcast", "convert-timezone"]
            ),
        )
