"""The digest of a file, made while the file is read."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future
from pathlib import Path
from threading import Event, Thread

from segctl.connectors.files.paths import unreadable

_PIECE_BYTES = 1024 * 1024


class DigestBeside:
    """SHA-256 of a file's stored bytes, made by a thread of its own.

    Whoever asks for it looks afterwards whether the file is still as it was when the thread began.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._made: Future[str] = Future()
        self._stop = Event()
        Thread(target=self._make, daemon=True).start()

    def result(self) -> str:
        """The digest in hexadecimal, waited for.

        Raises:
            LocalIOError: SEG342, the file cannot be read.
        """
        return self._made.result()

    def cancel(self) -> None:
        """Nobody will ask for it any more."""
        self._stop.set()

    def _make(self) -> None:
        try:
            self._made.set_result(self._digest())
        except OSError as error:
            self._made.set_exception(unreadable(self._path, error))
        except BaseException as error:
            self._made.set_exception(error)

    def _digest(self) -> str:
        found, piece = hashlib.sha256(), bytearray(_PIECE_BYTES)
        view = memoryview(piece)
        with self._path.open("rb", buffering=0) as file:
            while (count := file.readinto(piece)) and not self._stop.is_set():
                found.update(view[:count])
        return found.hexdigest()
