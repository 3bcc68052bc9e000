"""`--timeout`: a limit on the time of one call."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from segctl.cli.stops import TimeIsUp
from segctl.model.errors import UsageError

_SECONDS = {
    "ms": 0.001,
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": 86_400,
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
}
_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", re.ASCII)


def parse_span(text: str | None, option: str) -> float | None:
    """Seconds in ``90``, ``90s``, ``5m``, ``2 hours``; None for None.

    Raises:
        UsageError: The text is no length of time.
    """
    if text is None:
        return None
    match = _SPAN.fullmatch(text)
    unit = match[2] if match else ""
    factor = _SECONDS.get(unit or "s", _SECONDS.get(unit.removesuffix("s")))
    if match is None or factor is None:
        raise UsageError("SEG103", f"`{text}` is no length of time for `{option}`", hint="write 90s, 5m, 2h or 1 day")
    return float(match[1]) * factor


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise `TimeIsUp` in the main thread when the block takes longer.

    Raises:
        TimeIsUp: So that the block can clean up; `main` turns it into exit code 75.
    """
    if seconds is None:
        yield
        return
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the interface of signal handlers
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    # A limit of nothing means at once, not never.
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
