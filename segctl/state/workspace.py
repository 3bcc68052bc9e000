"""The workspace of one environment: a SQLite manifest and immutable files, committed together.

A file is written under a fresh name and made durable; one transaction then gives it a row with
``added = s + 1`` and marks the files it replaces. A file is visible in snapshot *s* iff
``added <= s < removed``: readers keep what they began with, writers never wait for readers.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from segctl.model.dataclass import dataclass
from segctl.model.errors import SegctlError
from segctl.state import database, integrity, locks, problems
from segctl.state.files import NewFile, StoredFile, crc32, flush_all, flush_folders, fresh_path
from segctl.state.mounts import refuse_network

if TYPE_CHECKING:
    import polars as pl

T = TypeVar("T")
DATABASE = "state.db"
_ROWS_AT_ONCE = 16
_SHORTEST_WAIT_S = 30.0
"""Commits last milliseconds, so a short lock is worth waiting for even without `--lock-wait`."""


@dataclass(slots=True)
class Workspace:
    """An open workspace; use `open`, and `close` or a `with` block at the end.

    Attributes:
        folder: Absolute path of this environment's folder.
        lock_wait_s: Seconds to wait for a lock another process holds.
    """

    folder: Path
    lock_wait_s: float
    _db: sqlite3.Connection = field(repr=False)
    _held: set[tuple[str, int]] = field(default_factory=set, repr=False)
    _writer: str = field(default_factory=lambda: uuid.uuid4().hex[:12], repr=False)
    _writing: ExitStack = field(default_factory=ExitStack, repr=False)
    _is_writing: bool = False
    _starting: threading.Lock = field(default_factory=threading.Lock, repr=False)
    # Threads of one connection share its cached statements, and one of them must not be handed to two at once.
    _asking: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @classmethod
    def open(cls, folder: Path, *, create: bool = False, lock_wait_s: float = 0.0) -> Workspace:
        """Opens the workspace in `folder`, bringing an older form up to date.

        Raises:
            UsageError: There is none and `create` is false; it is newer than this program; it lies on a
                network file system.
            IntegrityError: Its database is damaged, or gone while its files are there.
        """
        folder = folder.absolute()
        path = folder / DATABASE
        if not create and not path.is_file():
            raise problems.database_gone(path) if integrity.has_files(folder) else problems.no_workspace(folder)
        refuse_network(folder)
        with problems.worded(folder):
            # Personal data lies in it: nobody else on the machine need look inside.
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            db = database.connect(path, busy_s=max(lock_wait_s, _SHORTEST_WAIT_S))
            try:
                database.refuse_newer(db, folder)
                if database.version(db) < len(database.MIGRATIONS):
                    _bring_up_to_date(db, folder)
            except BaseException:
                db.close()
                raise
        return cls(folder, lock_wait_s, db)

    def close(self) -> None:
        """Closes the database; the object is of no use afterwards."""
        self._writing.close()
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> None:
        try:
            if isinstance(error, Exception) and not isinstance(error, SegctlError | OSError):
                self._blame_damage(error)
        finally:
            self.close()

    def query(self, sql: str, params: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """Rows of a reading statement."""
        with problems.worded(self.folder), self._asking:
            return self._db.execute(sql, params).fetchall()

    def blocks(self, sql: str, params: Sequence[Any], size: int) -> Iterator[list[tuple[Any, ...]]]:
        """Rows of a reading statement as plain tuples, so many at a time: for millions of them."""
        with problems.worded(self.folder):
            with self._asking:
                cursor = self._db.cursor()
                cursor.row_factory = None
                cursor.execute(sql, params)
                block: list[tuple[Any, ...]] = cursor.fetchmany(size)
            while block:
                yield block
                with self._asking:
                    block = cursor.fetchmany(size)

    def stream(self, sql: str, params: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """`query` for very many rows, as plain tuples that come as they are asked for."""
        for block in self.blocks(sql, params, _ROWS_AT_ONCE):
            yield from block

    def snapshot(self) -> int:
        """Number of the newest commit; 0 in an empty workspace."""
        return int(self.query("SELECT coalesce(max(seq), 0) FROM commits")[0][0])

    def new_file(self, dataset: str, suffix: str = ".parquet") -> Path:
        """A fresh path for one file of a dataset; nobody sees the file before `commit`, and no vacuum deletes it."""
        with problems.worded(self.folder):
            self._begin_writing()
            return fresh_path(self.folder, dataset, suffix, writer=f"{self._writer}-")

    def _begin_writing(self) -> None:
        # Of two threads the second waits, lest its file be there before the lease.
        with self._starting:
            if not self._is_writing:
                self._writing.enter_context(locks.writing(self.folder, self._writer))
                self._is_writing = True

    def write(self, dataset: str, frame: pl.DataFrame, meta: dict[str, Any] | None = None) -> NewFile:
        """Writes a frame as one Parquet file (zstd) that waits for its commit.

        Raises:
            LocalIOError: Disk full or not writable.
        """
        path = self.new_file(dataset)
        with problems.worded(self.folder):
            try:
                # Compaction writes once more and smaller; what arrives is written quickly.
                frame.write_parquet(path, compression="zstd", compression_level=1, row_group_size=262_144)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        return NewFile(path, dataset, frame.height, meta or {})

    def commit(
        self,
        kind: str,
        add: Sequence[NewFile] = (),
        remove: Sequence[int] = (),
        within: Callable[[sqlite3.Connection], T] | None = None,
        note: dict[str, Any] | None = None,
    ) -> int:
        """Makes files durable and visible, and others invisible, in one step.

        Args:
            kind: What this is, such as ``ingest`` or ``compact``.
            add: Files written since; all of them become visible, or none.
            remove: Ids of current files that they replace.
            within: Further statements of the same transaction; the commit's row and its files are already
                there (``SELECT max(seq) FROM commits`` is the commit's own number).
            note: Anything worth keeping with the commit.

        Returns:
            The commit's number: the first snapshot in which the files are visible.

        Raises:
            TemporaryError: A file of `remove` was replaced by somebody else meanwhile; nothing was changed.
            LocalIOError: Disk full; nothing was changed and the new files are gone.
        """
        try:
            with problems.worded(self.folder):
                flush_all([file.path for file in add if file.crc32 is None])
                flush_folders([file.path for file in add if file.crc32 is not None])
                checksums = [crc32(file.path) if file.crc32 is None else file.crc32 for file in add]
            with self.transaction() as db:
                seq = self._insert_commit(db, kind, note)
                self._insert_files(db, seq, add, checksums)
                self._mark_removed(db, seq, remove)
                if within is not None:
                    within(db)
        except BaseException:
            self.discard(file.path for file in add)
            raise
        return seq

    def discard(self, paths: Iterable[Path]) -> None:
        """Deletes files that will not be committed; those that a commit names stay, whatever the caller believes."""
        # An error or a signal in COMMIT itself may leave the rows there: such files are left to vacuum.
        with suppress(Exception):
            for path in paths:
                name = path.relative_to(self.folder).as_posix()
                if not self.query("SELECT 1 FROM files WHERE path = ?", (name,)):
                    path.unlink(missing_ok=True)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One writing transaction, for rows that need no snapshot of their own; durable when the block is left.

        Other threads wait for it, so the block must not wait for one that reads.
        """
        with problems.worded(self.folder), self._asking:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                # SQLite has already rolled back after some errors, such as a full disk.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def files(self, dataset: str, snapshot: int | None = None) -> list[StoredFile]:
        """Files of a dataset that are visible in a snapshot (default: the newest), in commit order.

        Args:
            dataset: Exact name, or a prefix with a trailing ``/*``.
            snapshot: Number of a commit.

        Raises:
            UsageError: The snapshot's files were vacuumed.
            IntegrityError: A listed file is not on disk, or has another size than was committed.
        """
        at = self.snapshot() if snapshot is None else snapshot
        one = not dataset.endswith("/*")
        # Datasets that begin with the prefix: `0` is the character after `/`.
        where = "dataset = ?" if one else "dataset >= ? AND dataset < ?"
        names = (dataset,) if one else (dataset[:-1], dataset[:-2] + "0")
        rows = self.query(
            f"SELECT * FROM files WHERE {where} AND added <= ? AND (removed IS NULL OR removed > ?) ORDER BY id",
            (*names, at, at),
        )
        if any(row["vacuumed"] is not None for row in rows):
            raise problems.snapshot_gone(at)
        found = [self._stored(row) for row in rows]
        for file in found:
            if not integrity.has_size(file.path, file.bytes):
                is_there = os.path.exists(file.path)
                raise problems.file_damaged(file.path) if is_there else problems.file_missing(file.path)
        return found

    def datasets(self, prefix: str = "", snapshot: int | None = None) -> list[str]:
        """Names of the datasets with visible files, sorted, that begin with `prefix`."""
        at = self.snapshot() if snapshot is None else snapshot
        rows = self.query(
            "SELECT DISTINCT dataset FROM files WHERE added <= ? AND (removed IS NULL OR removed > ?) ORDER BY dataset",
            (at, at),
        )
        return [row[0] for row in rows if row[0].startswith(prefix)]

    def reserve(self, counter: str, count: int = 1) -> int:
        """Takes `count` numbers that nobody else will ever get from a named counter; returns the first (from 0).

        Numbers follow the order of the calls; hold a lock from here to the commit where they must follow the
        order of commits.
        """
        with self.transaction() as db:
            row = db.execute("SELECT next FROM counters WHERE name = ?", (counter,)).fetchone()
            first = int(row[0]) if row else 0
            db.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (counter, first + count))
        return first

    @contextmanager
    def lock(self, resource: str, *, at_least_s: float = 0.0) -> Iterator[None]:
        """Holds the lock of a resource; taking it again inside the block is free.

        Args:
            resource: Any name.
            at_least_s: Seconds worth waiting even without `--lock-wait`, for locks that last only a moment.

        Raises:
            TemporaryError: Another process has it; names its process and command.
        """
        mine = (resource, threading.get_ident())
        if mine in self._held:
            yield
            return
        with ExitStack() as stack:
            with problems.worded(self.folder):
                wait_s = max(self.lock_wait_s, at_least_s)
                stack.enter_context(locks.hold(self.folder, resource, wait_s=wait_s))
            self._held.add(mine)
            stack.callback(self._held.discard, mine)
            yield

    def is_locked(self, resource: str) -> bool:
        """Whether somebody else has the lock of a resource; asking stands in nobody's way for longer than a moment."""
        with problems.worded(self.folder):
            return (resource, threading.get_ident()) not in self._held and locks.is_held(self.folder, resource)

    @contextmanager
    def moment(self, resource: str) -> Iterator[None]:
        """A lock that everybody holds for a moment only, so it is waited for."""
        with self.lock(resource, at_least_s=_SHORTEST_WAIT_S):
            yield

    @contextmanager
    def lease(self, snapshot: int) -> Iterator[None]:
        """Protects the files of a snapshot from vacuum while the block reads them."""
        with ExitStack() as stack:
            with problems.worded(self.folder):
                stack.enter_context(locks.lease(self.folder, snapshot))
            yield

    def _blame_damage(self, error: Exception) -> None:
        """An engine that stumbled over a damaged file only says that it stumbled; here the file gets its name."""
        try:
            path = integrity.damaged_file(self)
        except SegctlError as further:
            raise further from error
        if path is not None:
            raise problems.file_damaged(path) from error

    def _insert_commit(self, db: sqlite3.Connection, kind: str, note: dict[str, Any] | None) -> int:
        text = None if note is None else json.dumps(note, sort_keys=True)
        cursor = db.execute("INSERT INTO commits (kind, note) VALUES (?, ?)", (kind, text))
        return int(cursor.lastrowid or 0)

    def _insert_files(self, db: sqlite3.Connection, seq: int, add: Sequence[NewFile], checksums: Sequence[int]) -> None:
        db.executemany(
            "INSERT INTO files (dataset, path, rows, bytes, meta, added, crc32) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    file.dataset,
                    file.path.relative_to(self.folder).as_posix(),
                    file.rows,
                    file.path.stat().st_size,
                    json.dumps(file.meta, sort_keys=True),
                    seq,
                    checksum,
                )
                for file, checksum in zip(add, checksums, strict=True)
            ],
        )

    def _mark_removed(self, db: sqlite3.Connection, seq: int, remove: Sequence[int]) -> None:
        for file in remove:
            changed = db.execute("UPDATE files SET removed = ? WHERE id = ? AND removed IS NULL", (seq, file))
            if changed.rowcount != 1:
                raise problems.files_changed(self.folder)

    def _stored(self, row: sqlite3.Row) -> StoredFile:
        return StoredFile(
            row["id"],
            self.folder / row["path"],
            row["dataset"],
            row["rows"],
            row["bytes"],
            json.loads(row["meta"]),
            row["added"],
            row["removed"],
        )


def _bring_up_to_date(db: sqlite3.Connection, folder: Path) -> None:
    with locks.hold(folder, "migration", wait_s=_SHORTEST_WAIT_S):
        # A new database would call all files orphans, and the next vacuum would delete them.
        if database.version(db) == 0 and integrity.has_files(folder):
            raise problems.database_gone(folder / DATABASE)
        database.migrate(db)
