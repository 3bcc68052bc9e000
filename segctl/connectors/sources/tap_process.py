"""A program that writes lines: started, listened to, and ended with all that it started."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import IO, Self

from segctl.connectors.files.paths import shortened
from segctl.model.errors import DataError, TemporaryError, UsageError
from segctl.model.secrets import masked

_LINES = 1_000
_LONGEST_LINE = 64 * 1024 * 1024
_KEPT = 5
_SHOWN = 300
_GRACE_S = 5.0


class Tap:
    """A running program; use as a context. Its stderr is kept for the case that it fails, and never shown else."""

    def __init__(self, source: str, command: Sequence[str], folder: Path, *, idle_s: float) -> None:
        self._source = source
        self._command = command
        self._folder = folder
        self._idle_s = idle_s
        self._said: deque[str] = deque(maxlen=_KEPT)
        # Bounded, so that a fast tap waits for us and not in our memory.
        self._lines: queue.Queue[bytes | None] = queue.Queue(_LINES)
        self._is_ended = False

    def __enter__(self) -> Self:
        try:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # so that what it starts ends with it
            )
        except OSError as error:
            why = (error.strerror or "it cannot be started").lower()
            hint = "give its path, or install it: taps live best in an environment of their own"
            message = f"`{self._source}`: the tap `{self._command[0]}` cannot be run: {why}"
            raise UsageError("SEG388", message, hint=hint) from None
        stdout, stderr = self._process.stdout, self._process.stderr
        assert stdout is not None
        assert stderr is not None
        self._threads = [Thread(target=self._read, args=(stdout,), daemon=True)]
        self._threads.append(Thread(target=self._listen, args=(stderr,), daemon=True))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_ended = True
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_S)
        self._signal(signal.SIGKILL)
        self._process.wait()
        while any(thread.is_alive() for thread in self._threads):
            try:
                self._lines.get(timeout=0.05)
            except queue.Empty:
                for thread in self._threads:
                    thread.join(0.05)

    def lines(self) -> Iterator[bytes]:
        """Its output line by line, without blank ones, until it ends.

        Raises:
            TemporaryError: Nothing came for too long.
            DataError: A line has no end.
        """
        while True:
            try:
                line = self._lines.get(timeout=self._idle_s)
            except queue.Empty:
                message = f"`{self._source}`: the tap wrote nothing for {self._idle_s:g} s and was stopped"
                raise TemporaryError("SEG389", message, why=self._words(), hint="`idle: 1 h` waits longer") from None
            if line is None:
                return
            if not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
                self.check()  # the last line, perhaps torn
            if len(line) >= _LONGEST_LINE:
                raise DataError("SEG389", f"`{self._source}`: the tap wrote a line longer than {_LONGEST_LINE:,} bytes")
            if line.strip():
                yield line

    def check(self) -> None:
        """Waits for its end, and raises `DataError` with its last words when it failed."""
        if self._process.wait() != 0:
            code = self._process.returncode
            how = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
            hint = "run the tap by hand with the same settings; what came before is kept up to its last state"
            self._threads[1].join(_GRACE_S)
            raise DataError("SEG389", f"`{self._source}`: the tap {how}", why=self._words(), hint=hint)

    def _words(self) -> str | None:
        return masked(shortened(" / ".join(self._said), _SHOWN)) if self._said else None

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def _read(self, stdout: IO[bytes]) -> None:
        with stdout:
            while not self._is_ended:
                line = stdout.readline(_LONGEST_LINE)
                if not line:
                    break
                self._lines.put(line)
        self._lines.put(None)

    def _listen(self, stderr: IO[bytes]) -> None:
        with stderr:
            for raw in iter(lambda: stderr.readline(65_536), b""):
                text = " ".join(raw.decode(errors="replace").split())
                if text:
                    self._said.append(text)
