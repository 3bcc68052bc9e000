"""Iceberg tables: metadata, deletes and changed schemas by PyIceberg, one data file at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from segctl.connectors.tables.base import (
    TableFile,
    damaged,
    mark_of,
    missing_extra,
    no_table,
    no_version,
    place_of,
    plain_options,
    unreachable,
    unsupported,
    vanished,
)
from segctl.model.errors import SegctlError
from segctl.model.fetching_table import TableFetch

if TYPE_CHECKING:
    from pyiceberg.table import DataScan
    from pyiceberg.table import Table as Known

_METADATA = re.compile(r"v?(\d+)(?:-[0-9a-f-]+)?(?:\.gz)?\.metadata\.json(?:\.gz)?\Z")
_NO_SNAPSHOT = "none"


def open_iceberg(fetch: TableFetch, root: Path, source: str) -> IcebergTable:
    """The table at one snapshot.

    Raises:
        SegctlError: It is not there, or cannot be read as it is.
    """
    try:
        import pyiceberg.io.pyarrow  # noqa: F401 - it reads the data files
    except ImportError as error:
        raise missing_extra(source, "Iceberg", "pyiceberg") from error
    with _asking(fetch, source):
        known = _loaded(fetch, root, source)
        chosen = known.current_snapshot() if fetch.version is None else known.snapshot_by_id(fetch.version)
        if chosen is None and fetch.version is not None:
            raise no_version(source, fetch.version, "the table does not list this snapshot")
        # A snapshot that is asked for has the columns of its day, the newest those of today.
        scan = known.scan(snapshot_id=fetch.version)
        return IcebergTable(fetch, source, known, scan, None if chosen is None else chosen.snapshot_id)


def _loaded(fetch: TableFetch, root: Path, source: str) -> Known:
    from pyiceberg.catalog import load_catalog
    from pyiceberg.table import StaticTable

    options = plain_options(fetch.options, root)
    if fetch.table:
        settings = plain_options(fetch.catalog, root)
        name = settings.pop("name", "default")
        # A reader founds no catalog where there is none.
        settings.setdefault("init_catalog_tables", "false")
        return load_catalog(name, **settings, **options).load_table(fetch.table)
    return StaticTable.from_metadata(_metadata_file(fetch, place_of(fetch.path, root), source), options)


def _metadata_file(fetch: TableFetch, place: str, source: str) -> str:
    """The newest metadata of a table's folder; without a catalog the highest number is the newest."""
    if "://" in place or Path(place).is_file():
        return place
    hint = Path(place, "metadata", "version-hint.text")
    if hint.is_file():
        return place
    found = [
        (int(match[1]), path) for path in Path(place, "metadata").glob("*") if (match := _METADATA.match(path.name))
    ]
    if not found:
        raise no_table(source, "Iceberg", fetch.path)
    return str(max(found)[1])


class IcebergTable:
    """One snapshot of an Iceberg table."""

    def __init__(self, fetch: TableFetch, source: str, known: Known, scan: DataScan, snapshot: int | None) -> None:
        self.fetch = fetch
        self.source = source
        self.shown = fetch.table or fetch.path
        self.identity = f"iceberg {known.metadata.table_uuid}"
        self.version = _NO_SNAPSHOT if snapshot is None else str(snapshot)
        self._known = known
        self._scan = scan

    @property
    def columns(self) -> Mapping[str, str]:
        """By the snapshot's schema."""
        return {column.name: str(column.field_type) for column in self._scan.projection().fields}

    def files(self) -> tuple[TableFile, ...]:
        """By the snapshot's manifests, in the order in which they were written."""
        with _asking(self.fetch, self.source):
            found = [_file(task) for task in self._scan.plan_files()]
            written = self._sequence()
        return tuple(sorted(found, key=lambda file: (written.get(file.path, 0), file.path)))

    def _sequence(self) -> dict[str, int]:
        """Path of a data file → number of the commit that wrote it."""
        snapshot, io = self._scan.snapshot(), self._known.io
        manifests = [] if snapshot is None else snapshot.manifests(io)
        entries = (entry for manifest in manifests for entry in manifest.fetch_manifest_entry(io))
        return {entry.data_file.file_path: entry.sequence_number or 0 for entry in entries}

    def frames(self, files: Sequence[TableFile], batch_rows: int) -> Iterator[pl.DataFrame]:  # noqa: ARG002 - as written
        """One data file after the other, each with its deleted rows left out."""
        from pyiceberg.io.pyarrow import ArrowScan

        with _asking(self.fetch, self.source, version=self.version):
            reader = ArrowScan(self._known.metadata, self._known.io, self._scan.projection(), self._scan.row_filter)
            for file in files:
                for batch in reader.to_record_batches([file.handle]):
                    frame = pl.from_arrow(batch)
                    assert isinstance(frame, pl.DataFrame)
                    yield frame


def _file(task: Any) -> TableFile:  # noqa: ANN401 - a type of an optional package
    deletes = sorted(f"{each.file_path} {getattr(each, 'content_offset', None)}" for each in task.delete_files)
    data = task.file
    # How many rows its deletes leave is known to those who read them.
    rows = None if deletes else data.record_count
    return TableFile(data.file_path, mark_of(data.file_path, *deletes), rows, data.file_size_in_bytes, task)


@contextmanager
def _asking(fetch: TableFetch, source: str, *, version: str | None = None) -> Iterator[None]:
    """Whatever the libraries raise, in the project's words; with a version while its data files are read."""
    import pyarrow as pa
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError, ResolveError

    place = fetch.table or fetch.path
    try:
        yield
    except SegctlError:
        raise
    except (NoSuchTableError, NoSuchNamespaceError) as error:
        raise no_table(source, "Iceberg", place, error) from error
    except FileNotFoundError as error:
        if version is None and not fetch.table:
            raise no_table(source, "Iceberg", place, error) from error
        raise vanished(fetch, source, version or "?", error) from error
    except (NotImplementedError, ResolveError) as error:
        raise unsupported(source, _feature(error), error) from error
    except ImportError as error:
        raise missing_extra(source, "Such Iceberg", str(error.name or error)) from error
    except OSError as error:
        raise unreachable(source, error) from error
    except (pa.ArrowException, pl.exceptions.PolarsError, ValueError, KeyError, TypeError, AttributeError) as error:
        if "quality delete" in str(error):
            raise unsupported(source, "equality deletes", error) from error
        raise damaged(source, error) from error
    except Exception as error:
        # Catalogs raise what their own libraries raise: a refused password, a server that is away.
        raise unreachable(source, error) from error


def _feature(error: Exception) -> str:
    return "equality deletes" if "quality delete" in str(error) else "a feature of another writer"
