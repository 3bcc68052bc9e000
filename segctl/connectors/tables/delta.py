"""Delta tables: the log by delta-rs, the data files by Polars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from segctl.connectors.tables.base import (
    TableFile,
    damaged,
    groups_of,
    mark_of,
    missing_extra,
    no_table,
    no_version,
    place_of,
    plain_options,
    said,
    unreachable,
    unsupported,
    vanished,
)
from segctl.model.fetching_table import TableFetch

if TYPE_CHECKING:
    from deltalake import DeltaTable as Log

_READABLE = frozenset({"deletionVectors", "timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"})
"""Reader features that change no row, or that Polars applies."""
_MAPPING = "columnMapping"


def open_delta(fetch: TableFetch, root: Path, source: str) -> DeltaTable:
    """The table at one version.

    Raises:
        SegctlError: It is not there, or cannot be read as it is.
    """
    try:
        from deltalake import DeltaTable as Log
    except ImportError as error:
        raise missing_extra(source, "Delta", "deltalake") from error
    place, options = place_of(fetch.path, root), plain_options(fetch.options, root)
    if "://" not in place and not Path(place, "_delta_log").is_dir():
        raise no_table(source, "Delta", fetch.path)
    with _asking(fetch, source):
        try:
            log = Log(place, version=fetch.version, storage_options=options or None)
        except Exception as error:
            # The library has one exception for all that is wrong with a log.
            if fetch.version is None or not _opens(place, options):
                raise
            raise no_version(source, fetch.version, said(error)) from error
    _refuse_features(log, source)
    return DeltaTable(fetch, source, log, options)


def _opens(place: str, options: dict[str, str]) -> bool:
    from deltalake import DeltaTable as Log
    from deltalake.exceptions import DeltaError

    try:
        Log(place, storage_options=options or None)
    except (DeltaError, OSError):
        return False
    return True


def _refuse_features(log: Log, source: str) -> None:
    protocol = log.protocol()
    features = set(protocol.reader_features or ())
    mode = log.metadata().configuration.get("delta.columnMapping.mode", "none")
    if mode == "none":
        features.discard(_MAPPING)
    elif protocol.min_reader_version == 2:
        features.add(_MAPPING)
    foreign = sorted(features - _READABLE)
    if foreign:
        names = ", ".join(f"`{name}`" for name in foreign)
        raise unsupported(source, f"the reader feature{'' if len(foreign) == 1 else 's'} {names}")


class DeltaTable:
    """One version of a Delta table."""

    def __init__(self, fetch: TableFetch, source: str, log: Log, options: dict[str, str]) -> None:
        self.fetch = fetch
        self.source = source
        self.shown = fetch.path
        self.identity = f"delta {log.metadata().id}"
        self.version = str(log.version())
        self._log = log
        self._options = options
        self._schema = pl.Schema(log.schema())
        self._partitions = tuple(log.metadata().partition_columns)

    @property
    def columns(self) -> Mapping[str, str]:
        """By the version's schema."""
        return {name: str(dtype) for name, dtype in self._schema.items()}

    def files(self) -> tuple[TableFile, ...]:
        """By the log: oldest first."""
        with _asking(self.fetch, self.source):
            actions = pl.DataFrame(self._log.get_add_actions())
            paths = self._log.file_uris()
        wanted = actions.select("path", "size_bytes", "num_records", "modification_time").rows()
        deleted = self._deleted()
        found = []
        for path, (name, size, rows, at) in zip(paths, wanted, strict=True):
            kept = deleted.get(_bare(path))
            left = rows if kept is None else int(kept.sum())
            file = TableFile(path, mark_of(name, size, "" if kept is None else _text(kept)), left, size, kept)
            found.append((at, name, file))
        return tuple(file for _, _, file in sorted(found, key=lambda entry: entry[:2]))

    def _deleted(self) -> dict[str, pl.Series]:
        """Path → for each row of the file, whether it is still there; files without deleted rows are absent."""
        if "deletionVectors" not in (self._log.protocol().reader_features or ()):
            return {}
        with _asking(self.fetch, self.source):
            masks = pl.DataFrame(self._log.deletion_vectors())
        return {_bare(row["filepath"]): pl.Series(row["selection_vector"]) for row in masks.iter_rows(named=True)}

    def frames(self, files: Sequence[TableFile], batch_rows: int) -> Iterator[pl.DataFrame]:
        """Streamed, some files at a time."""
        with _asking(self.fetch, self.source, version=self.version):
            for group in groups_of(files):
                found = self._streamed(group, batch_rows)
                kept = group[0].handle
                yield from found if kept is None else _without_deleted(found, kept)

    def _streamed(self, files: Sequence[TableFile], batch_rows: int) -> Iterator[pl.DataFrame]:
        scan = pl.scan_parquet(
            [file.path for file in files],
            glob=False,
            schema=self._schema,
            hive_partitioning=bool(self._partitions),
            hive_schema={name: self._schema[name] for name in self._partitions} or None,
            # A file older than a column lacks it; one older than its deletion still has it.
            missing_columns="insert",
            extra_columns="ignore",
            cast_options=pl.ScanCastOptions(
                integer_cast="upcast",
                float_cast="upcast",
                datetime_cast=["nanosecond-downcast", "convert-timezone"],
                missing_struct_fields="insert",
                extra_struct_fields="ignore",
            ),
            storage_options=self._options or None,
        )
        yield from scan.collect_batches(chunk_size=batch_rows, maintain_order=True)


def _without_deleted(frames: Iterator[pl.DataFrame], kept: pl.Series) -> Iterator[pl.DataFrame]:
    start = 0
    for frame in frames:
        mask = kept.slice(start, frame.height)
        # A mask ends with the last deleted row; what follows is there.
        mask = mask.extend_constant(value=True, n=frame.height - len(mask))
        yield frame.filter(mask)
        start += frame.height


def _bare(path: str) -> str:
    return path.removeprefix("file://")


def _text(kept: pl.Series) -> str:
    return ",".join(map(str, (~kept).arg_true().to_list()))


@contextmanager
def _asking(fetch: TableFetch, source: str, *, version: str | None = None) -> Iterator[None]:
    """Whatever the libraries raise, in the project's words; with a version while its data files are read."""
    from deltalake.exceptions import DeltaError, DeltaProtocolError, TableNotFoundError

    try:
        yield
    except TableNotFoundError as error:
        raise no_table(source, "Delta", fetch.path, error) from error
    except DeltaProtocolError as error:
        raise unsupported(source, "a feature of another writer", error) from error
    except FileNotFoundError as error:
        raise vanished(fetch, source, version or "?", error) from error
    except OSError as error:
        raise unreachable(source, error) from error
    except (DeltaError, pl.exceptions.PolarsError, ValueError) as error:
        if "unsupported" in str(error).lower():
            raise unsupported(source, "a feature of another writer", error) from error
        raise damaged(source, error) from error
