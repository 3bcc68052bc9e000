"""Shows what operations report: a bar on a terminal, lines of text off it, always a last line with counts."""

from __future__ import annotations

import time
from typing import IO, TYPE_CHECKING, cast

from segctl.cli import messages, streams
from segctl.cli.cells import counted
from segctl.cli.context import Context
from segctl.operations.progress import Progress, Silent

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

RATE_FROM_S = 0.5
"""A rate of less time is chance."""
BEFORE_BAR_S = 0.5
BETWEEN_LINES_S = 30.0
LONG_S = 10.0


def listener(ctx: Context) -> Progress:
    """The listener that fits the call: silent when quiet, a bar on terminals, lines of text elsewhere."""
    if ctx.quiet:
        return Silent()
    return Bar(ctx) if ctx.terminal.progress else Lines(ctx)


class Lines:
    """Tells progress as lines of text.

    A line comes after each 10 % when the call is verbose or the task long, and after 30 s without one; the last
    line tells counts, rate and time.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._task, self._unit, self._done = "", "rows", 0
        self._total: int | None = None
        self._started = self._told_at = 0.0
        self._told_tenths = 0

    def start(self, task: str, *, total: int | None = None, unit: str = "rows") -> None:
        """A new task begins."""
        self._task, self._total, self._unit, self._done = task, total, unit, 0
        self._started = self._told_at = time.monotonic()
        self._told_tenths = 0

    def advance(self, amount: int) -> None:
        """So many more units are done."""
        self._done += amount
        now = time.monotonic()
        tenths = 10 * self._done // self._total if self._total else 0
        is_wanted = self._ctx.verbosity > 0 or now - self._started >= LONG_S
        if (is_wanted and self._told_tenths < tenths < 10) or now - self._told_at >= BETWEEN_LINES_S:
            self._told_tenths, self._told_at = tenths, now
            messages.notice(self._ctx, f"{self._task}: {self._state(now)}")

    def note(self, text: str) -> None:
        """Something worth a line."""
        messages.notice(self._ctx, text)

    def finish(self) -> None:
        """The task is done."""
        seconds = time.monotonic() - self._started
        has_rate = seconds >= RATE_FROM_S and self._done
        rate = f" ({_amount(round(self._done / seconds), self._unit)}/s)" if has_rate else ""
        messages.notice(self._ctx, f"{self._task}: {_amount(self._done, self._unit)} in {seconds:.1f} s{rate}")

    def _state(self, now: float) -> str:
        if not self._total:
            return _amount(self._done, self._unit)
        seconds = now - self._started
        left = seconds * (self._total - self._done) / self._done if self._done else 0.0
        share = 100 * self._done // self._total
        return f"{share} %, {self._so_far()}, about {left:.0f} s left"

    def _so_far(self) -> str:
        if not self._total:
            return _amount(self._done, self._unit)
        done = f"{self._done:,}" if self._unit != "bytes" else _amount(self._done, self._unit)
        return f"{done} of {_amount(self._total, self._unit)}"


class Bar(Lines):
    """Draws a bar on a terminal's stderr once a task takes longer than half a second."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._live: RichProgress | None = None
        self._id: TaskID | None = None

    def advance(self, amount: int) -> None:
        """So many more units are done."""
        self._done += amount
        if self._live is None and time.monotonic() - self._started >= BEFORE_BAR_S:
            self._open()
        if self._live is not None and self._id is not None:
            self._live.update(self._id, completed=self._done, so_far=self._so_far())

    def finish(self) -> None:
        """The task is done: the bar goes, the last line stays."""
        self._close()
        super().finish()

    def _open(self) -> None:
        from rich import progress
        from rich.console import Console

        console = Console(
            file=cast("IO[str]", streams.LiveMessages()),
            force_terminal=True,
            color_system="standard" if self._ctx.terminal.err_color else None,
            _environ={},
        )
        self._live = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(bar_width=20),
            progress.TextColumn("{task.fields[so_far]}", markup=False),
            progress.TimeElapsedColumn(),
            *([progress.TextColumn("left"), progress.TimeRemainingColumn()] if self._total else []),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._id = self._live.add_task(self._task, total=self._total, so_far=self._so_far())
        self._live.start()
        # Any other message first takes the bar away; it comes back with the next advance.
        streams.before_messages(self._close)

    def _close(self) -> None:
        streams.no_longer_before(self._close)
        if self._live is not None:
            live, self._live = self._live, None
            live.stop()


def _amount(number: int, unit: str) -> str:
    """``12 rows``; bytes as ``512 bytes``, ``251 kB``, ``1.2 GB``."""
    if unit != "bytes" or number < 1000:
        return counted(number, unit)
    value, prefixes = number / 1000, iter(("kB", "MB", "GB", "TB"))
    name = next(prefixes)
    while value >= 999.5 and name != "TB":
        value, name = value / 1000, next(prefixes)
    return f"{value:.0f} {name}" if value >= 100 or name == "kB" else f"{value:.1f} {name}"
