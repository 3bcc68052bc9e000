"""What a stream says, as lines: changes on stdout or in a file, figures on stderr."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.model.errors import LocalIOError, UsageError

if TYPE_CHECKING:
    from segctl.operations.stream.metrics import Metrics
    from segctl.state.stream_log import Change

SCHEMA = "segctl/change/1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TAIL_BYTES = 1024 * 1024
# `json.dumps` would make such an encoder for each change.
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode


def line_of(change: Change) -> bytes:
    """One change as a line of JSON; the same change always gives the same bytes."""
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "seq": change.seq,
        "segment": change.segment,
        "profile": change.profile,
        "change": "entered" if change.entered else "left",
        "cause": change.cause,
        "effective": _written(change.effective),
        "event_time": None if change.event_time is None else _written(change.event_time),
        "latency_ms": round(change.latency / 1000, 1),
    }
    return _ENCODE(record).encode() + b"\n"


def _written(us: int) -> str:
    return (_EPOCH + timedelta(microseconds=us)).isoformat().replace("+00:00", "Z")


class ChangeFile:
    """A file that holds each change once, whatever happened while it was written.

    What a crash left unfinished behind the last whole line is cut off; the number of that line says where to go on.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.last = 0
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise LocalIOError("SEG111", f"`{path}`: {error.strerror}") from error
        self._mend()

    def _mend(self) -> None:
        size = os.fstat(self._handle).st_size
        start = max(0, size - _TAIL_BYTES)
        tail = os.pread(self._handle, size - start, start)
        end = tail.rfind(b"\n") + 1
        if size and not end:
            raise self._foreign()
        if end < len(tail):
            os.ftruncate(self._handle, start + end)
        if end:
            last = tail[:end].rstrip(b"\n").rpartition(b"\n")[2]
            try:
                self.last = int(json.loads(last)["seq"])
            except (ValueError, KeyError, TypeError) as error:
                raise self._foreign() from error

    def _foreign(self) -> UsageError:
        return UsageError(
            "SEG729", f"`{self._path}` does not end with a change of a stream", hint="name a new file, or an empty one"
        )

    def write(self, changes: Iterable[Change]) -> None:
        """Adds the changes that are not in it yet."""
        view = memoryview(b"".join(line_of(change) for change in changes if change.seq > self.last))
        last = self.last
        for change in changes:
            last = max(last, change.seq)
        while view:
            # A file that is the only record of what was said is written to its end or not at all.
            view = view[_written_bytes(self._handle, view) :]
        self.last = last

    def close(self) -> None:
        """Makes it durable and closes it."""
        os.fsync(self._handle)
        os.close(self._handle)


def _written_bytes(handle: int, view: memoryview) -> int:
    from segctl.cli import streams

    return streams.write_some(handle, view)


class Speaker:
    """Hears a stream: writes changes, and figures every so often."""

    def __init__(self, ctx: Context, file: ChangeFile | None, *, every_s: float) -> None:
        from segctl.operations.stream.metrics import Metrics

        self._ctx = ctx
        self._file = file
        self._every_s = every_s
        self._since = time.monotonic()
        self._part = Metrics()
        self._was_idle = False

    def changes(self, changes: Sequence[Change]) -> None:
        """Writes changes that are committed."""
        if self._file is not None:
            self._file.write(changes)
        else:
            output.write_bytes(self._ctx, b"".join(map(line_of, changes)))

    def told(self, text: str, *, is_warning: bool = False) -> None:
        """Tells a person something."""
        (messages.warning if is_warning else messages.notice)(self._ctx, text)

    def measured(self, metrics: Metrics, lag_s: float) -> None:
        """Takes the figures of a step, and tells them when it is time."""
        from segctl.operations.stream.metrics import Metrics

        self._part.add(metrics)
        passed = time.monotonic() - self._since
        if self._every_s and passed >= self._every_s:
            is_idle = not (self._part.lines or self._part.changes or self._part.timers)
            # That nothing comes is said once.
            if not (is_idle and self._was_idle):
                messages.notice(self._ctx, figures(self._part, passed, lag_s))
            self._was_idle = is_idle
            self._part, self._since = Metrics(), time.monotonic()


def figures(part: Metrics, passed_s: float, lag_s: float) -> str:
    """Figures in one line."""
    quantile = part.latencies.quantile
    return (
        f"{part.lines / passed_s:,.0f} lines/s, {part.changes:,} changes, latency p50 {quantile(0.5):,.0f} ms"
        f" p99 {quantile(0.99):,.0f} ms, behind {lag_s:,.1f} s, busy {100 * part.busy_s / passed_s:.0f} %,"
        f" known {part.known:,}, bad {part.bad:,}, timers {part.timers:,}"
    )
