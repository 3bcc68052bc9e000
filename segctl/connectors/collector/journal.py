"""The file of accepted requests: many lines are written and flushed together, then all of them are answered."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from io import FileIO
from pathlib import Path

from segctl.connectors.collector.files import SEEN, collected_files, mend, next_name, sync_folder
from segctl.connectors.collector.seen import marks_of, write_index

Done = Callable[[bool], None]
"""Told whether a line is durable."""
MOST_WAITING = 64 * 1024 * 1024
"""Bytes that may wait for a slow disk; more is refused, so that memory does not grow."""
_FILE_BYTES = 64 * 1024 * 1024


class Journal:
    """Appends lines to a folder's newest file.

    While one group is flushed the next gathers, so a group is as large as the disk makes it and nobody waits for a
    timer. A group that cannot be written whole is cut off again, and a new file begins: whoever reads never stands
    inside of a line.

    Args:
        folder: Of the collector; made when it is not there.
        clock: Present time, aware, UTC.
        committed: Told how many seconds each commit took.
        file_bytes: A larger file is finished.
        indexes: Finished files get an index of the signed requests in them.
    """

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], datetime],
        committed: Callable[[float], None],
        *,
        file_bytes: int = _FILE_BYTES,
        indexes: bool = False,
    ) -> None:
        self.folder = folder
        self.problem: OSError | None = None
        self.torn_bytes = 0
        self._clock, self._committed, self._file_bytes, self._indexes = clock, committed, file_bytes, indexes
        self._waiting: list[tuple[bytes, Done]] = []
        self._waiting_bytes = 0
        self._is_writing = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._thread = ThreadPoolExecutor(1, "journal")
        self._file: FileIO | None = None
        self._name: str | None = None
        self._good = 0

    def open(self) -> None:
        """Makes the folder and mends what a crash left there."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.torn_bytes = mend(self.folder)
        names = collected_files(self.folder)
        self._name = names[-1] if names else None

    def append(self, line: bytes, done: Done) -> bool:
        """Takes a line; `done` is called once it is durable, or cannot be.

        Returns:
            False when too much is waiting; the line is not taken then.
        """
        if self._waiting_bytes > MOST_WAITING:
            return False
        self._waiting.append((line, done))
        self._waiting_bytes += len(line)
        if not self._is_writing:
            self._is_writing = True
            self._idle.clear()
            # What else arrives in this turn of the loop goes with it.
            asyncio.get_running_loop().call_soon(self._begin)
        return True

    async def close(self) -> None:
        """Waits until nothing waits any more, then finishes the file."""
        await self._idle.wait()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._finish)
        self._thread.shutdown()

    def _begin(self) -> None:
        group, self._waiting, self._waiting_bytes = self._waiting, [], 0
        data = b"".join([line for line, _ in group])
        future = asyncio.get_running_loop().run_in_executor(self._thread, self._store, data)

        def finished(written: asyncio.Future[bool]) -> None:
            is_durable = written.exception() is None and written.result()
            for _, done in group:
                done(is_durable)
            if self._waiting:
                self._begin()
            else:
                self._is_writing = False
                self._idle.set()

        future.add_done_callback(finished)

    def _store(self, data: bytes) -> bool:
        """In the journal's own thread: writes and flushes, or leaves the file as it was."""
        began = time.perf_counter()
        try:
            self._make_ready()
            self._write(data)
        except OSError as error:
            self.problem = error
            self._give_up()
            return False
        self._good += len(data)
        self.problem = None
        self._committed(time.perf_counter() - began)
        return True

    def _write(self, data: bytes) -> None:
        rest, file = memoryview(data), self._file
        assert file is not None
        while rest:
            rest = rest[file.write(rest) :]
        os.fdatasync(file.fileno())

    def _make_ready(self) -> None:
        """A file that takes more lines: of this hour, and not too large."""
        now = self._clock()
        if self._file is not None and self._name is not None:
            if self._good < self._file_bytes and self._name[:13] >= f"{now:%Y-%m-%dT%H}":
                return
            self._finish()
        name = next_name(self._name, now)
        self._file = FileIO(self.folder / name, "xb", opener=_private)
        self._name, self._good = name, 0
        sync_folder(self.folder)

    def _give_up(self) -> None:
        """Cuts off what was written of a group that failed; the file takes no more lines."""
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            os.ftruncate(file.fileno(), self._good)
            os.fsync(file.fileno())
            if self._good == 0 and self._name is not None:
                # A full disk would fill with empty files, one for each group.
                os.unlink(self.folder / self._name)
        except OSError as error:
            self.problem = error
        finally:
            file.close()

    def _finish(self) -> None:
        if self._file is None or self._name is None:
            return
        self._file.close()
        self._file = None
        if self._indexes:
            path = self.folder / self._name
            try:
                write_index(self.folder / f"{self._name}{SEEN}", marks_of(path))
            except OSError as error:
                # The next start reads the file itself.
                self.problem = error


def _private(path: str, flags: int) -> int:
    """Opens a file that nobody else on the machine may read: personal data lies in it."""
    return os.open(path, flags, 0o600)
