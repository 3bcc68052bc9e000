"""Files made durable beside the work that goes on, so that their commit has nothing left to wait for."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from segctl.state.files import NewFile, crc32, flush


class Sealing:
    """Flushes written files and takes their checksums, one after another, in a thread."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._sealed: dict[Path, Future[int]] = {}

    def begin(self, path: Path) -> None:
        """Seals a file that nobody writes to any more."""
        if path not in self._sealed:
            self._sealed[path] = self._pool.submit(_seal, path)

    def sealed(self, file: NewFile) -> NewFile:
        """The file with its checksum, waited for; as it was when its sealing was not begun or failed."""
        sealing = self._sealed.get(file.path)
        # What fails here, such as a full disk, fails again in the commit, which says it in words.
        if sealing is None or sealing.cancelled() or sealing.exception() is not None:
            return file
        return replace(file, crc32=sealing.result())

    def shutdown(self) -> None:
        """No more files; what has not begun is left to the commit."""
        self._pool.shutdown(cancel_futures=True)


def _seal(path: Path) -> int:
    flush(path)
    return crc32(path)
