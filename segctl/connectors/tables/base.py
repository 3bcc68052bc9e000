"""What a table that is read in place shows of itself, and how its rows come."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from segctl.connectors.files.base import BATCH_ROWS, Detected, RawBatch
from segctl.connectors.files.paths import shortened
from segctl.connectors.http.secrets import revealed
from segctl.model.errors import DataError, SegctlError, TemporaryError, UsageError
from segctl.model.fetching_table import TableFetch
from segctl.model.secrets import Text, masked

if TYPE_CHECKING:
    import polars as pl

SHOWN = 300
"""Characters of a library's own words that are shown."""
GROUP_BYTES = 32 * 1024 * 1024
"""Stored bytes of files that are scanned together: many small ones quickly, large ones one by one."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class TableFile:
    """One data file of a version.

    Attributes:
        path: As its library names it.
        mark: 16 hexadecimal digits that are the same as long as the file gives the same rows: rows that a table marks
            as deleted inside a file give it another mark.
        rows: Rows in it by the table's own statistics, None when they do not say.
        size: Bytes as stored.
        handle: What its library reads it by.
    """

    path: str
    mark: str
    rows: int | None
    size: int
    handle: Any = field(default=None, compare=False, repr=False)


class Table(Protocol):
    """One version of a table. Everything raises `SegctlError`s only."""

    @property
    def shown(self) -> str:
        """Its place, for messages and the ledger."""
        ...

    @property
    def identity(self) -> str:
        """The same as long as it is the same table, wherever it lies."""
        ...

    @property
    def version(self) -> str:
        """Number, id or digest of the version."""
        ...

    @property
    def columns(self) -> Mapping[str, str]:
        """Names and types, in order."""
        ...

    def files(self) -> tuple[TableFile, ...]:
        """The data files of the version, oldest first, in an order that stays the same."""
        ...

    def frames(self, files: Sequence[TableFile], batch_rows: int) -> Iterator[pl.DataFrame]:
        """The rows of some of its files in their order, with the columns of the version."""
        ...


@dataclass(frozen=True, slots=True)
class TablePart:
    """The rows of some files of a version, read like one input.

    Attributes:
        table: Open.
        files: Some or all of its files.
    """

    table: Table
    files: tuple[TableFile, ...]

    @property
    def size(self) -> int:
        """Bytes as stored."""
        return sum(file.size for file in self.files)

    @property
    def detected(self) -> Detected:
        """What readers of files find out; a table says it itself."""
        why = (f"version {self.table.version}", f"columns: {len(self.table.columns)} in the table's own schema")
        return Detected(format="parquet", columns=tuple(self.table.columns), bytes=self.size, why=why)

    def batches(self, batch_rows: int = BATCH_ROWS) -> Iterator[RawBatch]:
        """The rows in batches; `lines` are record numbers over all of the files."""
        import polars as pl

        done, total = 0, sum(file.rows or 0 for file in self.files)
        for frame in self.table.frames(self.files, batch_rows) if self.files else ():
            for start in range(0, frame.height, batch_rows):
                part = frame.slice(start, batch_rows)
                lines = pl.int_range(done + 1, done + 1 + part.height, eager=True).alias("line")
                done += part.height
                yield RawBatch(part, lines, (), int(self.size * min(done / max(total, done), 1.0)))


def groups_of(files: Sequence[TableFile], most: int = GROUP_BYTES) -> Iterator[tuple[TableFile, ...]]:
    """The files in their order, as many together as a scan may read ahead of; one with a `handle` stands alone."""
    group: list[TableFile] = []
    for file in files:
        if group and (file.handle is not None or sum(each.size for each in group) + file.size > most):
            yield tuple(group)
            group = []
        group.append(file)
        if file.handle is not None:
            yield tuple(group)
            group = []
    if group:
        yield tuple(group)


def mark_of(*words: object) -> str:
    """The mark of a file, from what its rows depend on."""
    return hashlib.sha256("\x00".join(map(str, words)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def plain_options(options: tuple[tuple[str, Text], ...], root: Path) -> dict[str, str]:
    """Settings of a storage with their secrets read; the values are masked from then on."""
    return {name: revealed(text, root) for name, text in options}


def place_of(path: str, root: Path) -> str:
    """A table's folder as its library takes it: an address as it is, a path from the project's folder."""
    return path if "://" in path else str((root / Path(path).expanduser()).absolute())


def missing_extra(source: str, name: str, package: str) -> UsageError:
    """The error when the package that reads a format is not there."""
    hint = "install it with `pip install 'segctl[lake]'`"
    return UsageError("SEG660", f"`{source}`: {name} tables need the package `{package}`", hint=hint)


def no_table(source: str, name: str, place: str, error: Exception | None = None) -> UsageError:
    """The error when there is no such table."""
    hint = "check `path`, `table` and `catalog`; relative paths begin at the project's folder"
    message = f"`{source}`: there is no {name} table `{place}`"
    return UsageError("SEG661", message, why=None if error is None else said(error), hint=hint)


def no_version(source: str, version: object, why: str | None) -> DataError:
    """The error when a version never was, or is gone."""
    hint = "name one that the table still keeps, or leave it out to read the newest"
    return DataError("SEG662", f"`{source}`: version {version} of the table cannot be read", why=why, hint=hint)


def unsupported(source: str, feature: str, error: Exception | None = None) -> DataError:
    """The error when the rows would be wrong."""
    message = f"`{source}`: the table uses {feature}, which cannot be read here"
    hint = "rewrite the table without it, or export it as Parquet"
    return DataError("SEG664", message, why=None if error is None else said(error), hint=hint)


def vanished(fetch: TableFetch, source: str, version: str, error: Exception) -> SegctlError:
    """The error when a file of the version is gone while it is read."""
    if fetch.version is not None:
        return no_version(source, version, "its data files are gone: a vacuum or an expiry has deleted them")
    hint = "ingest again; if it stays so, repair the table with the program that writes it"
    message = f"`{source}`: a data file of version {version} is gone; nothing was taken"
    return TemporaryError("SEG663", message, why=said(error), hint=hint)


def unreachable(source: str, error: Exception) -> TemporaryError:
    """The error when the storage or catalog does not answer or refuses."""
    hint = "check address, credentials under `options` and network; `segctl doctor --online` tries it alone"
    return TemporaryError("SEG666", f"`{source}`: the table's storage cannot be reached", why=said(error), hint=hint)


def damaged(source: str, error: Exception) -> DataError:
    """The error when log, metadata or data cannot be understood."""
    hint = "check the table with the program that writes it"
    return DataError("SEG667", f"`{source}`: the table is damaged", why=said(error), hint=hint)


def said(error: Exception) -> str:
    """A library's words on one line, secrets masked."""
    return masked(shortened(" ".join(_COLOURS.sub("", str(error)).split()), SHOWN))
