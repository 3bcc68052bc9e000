"""What a command is told about the call: project, time, output and the terminal."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.cli import streams
from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.compile.selection import Selection


@dataclass(frozen=True, slots=True)
class Terminal:
    """What the other ends of stdout, stderr and stdin can do.

    Attributes:
        out: Stdout is a terminal that may be styled.
        err: Stderr is one.
        width: Columns of stdout; None when it is no terminal and `COLUMNS` is not set.
        out_color: Colour on stdout; never the only carrier of a meaning.
        err_color: Colour on stderr.
        unicode: More than ASCII can be shown.
        progress: Progress may be drawn on stderr.
        interactive: Questions may be asked.
        err_width: Columns of stderr; None when it is no terminal.
    """

    out: bool = False
    err: bool = False
    width: int | None = None
    out_color: bool = False
    err_color: bool = False
    unicode: bool = True
    progress: bool = False
    interactive: bool = False
    err_width: int | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """One call of one verb.

    Attributes:
        verb: Such as ``apply``.
        now: Start of the call, aware, UTC; the default of `as_of`.
        started: Monotonic seconds at the start, for durations.
        project: Folder to look for `segctl.yaml`, upwards from here.
        env: Environment's name, None for the default one.
        select: Selections, joined by union; empty means all.
        exclude: What is taken away from the selection.
        state: What `state:` in a selection compares with, None for the last run.
        allow_empty: Selecting nothing is no mistake.
        as_of: The language's time words, None for now.
        format: Name of the output format.
        output: File that gets the data; None is stdout.
        asks: A format or a file was asked for, so the data is wanted even from a quiet call.
        verbosity: −1 quiet, 0 normal, 1 verbose, 2 debug.
        log_file: Gets every message as a JSON line.
        yes: The one confirmation is answered.
        dry_run: Everything but the effect.
        lock_wait_s: Seconds to wait for a lock.
        timeout_s: Seconds after which the call ends, None for never.
        show_all: Messages of one code are not grouped.
    """

    verb: str
    now: datetime
    started: float = 0.0
    project: Path = Path()
    env: str | None = None
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    state: str | None = None
    allow_empty: bool = False
    as_of: str | None = None
    format: str = "table"
    output: Path | None = None
    asks: bool = False
    verbosity: int = 0
    log_file: Path | None = None
    yes: bool = False
    dry_run: bool = False
    lock_wait_s: float = 0.0
    timeout_s: float | None = None
    terminal: Terminal = Terminal()

    @property
    def selection(self) -> Selection:
        """Which segments the call means."""
        from segctl.compile.selection import Selection

        return Selection(self.select, self.exclude, self.state, self.allow_empty)

    @property
    def root(self) -> Path:
        """The project folder, where places of findings are relative to; the start of the search when there is none."""
        start = self.project.resolve()
        return next((p for p in (start, *start.parents) if (p / "segctl.yaml").is_file()), self.project)

    @property
    def quiet(self) -> bool:
        """Only errors are told."""
        return self.verbosity < 0

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start of the call."""
        return time.monotonic() - self.started

    @property
    def moment(self) -> datetime:
        """The instant of this line of log: `now` plus the time that has passed."""
        return self.now + timedelta(seconds=self.elapsed_s)


def terminal_facts(
    environ: Mapping[str, str], *, plain: bool, color: str, no_color: bool, no_progress: bool, no_input: bool
) -> Terminal:
    """What can be shown, from the options, the variables and the streams.

    Args:
        environ: `os.environ`.
        plain: No escape codes, boxes, carriage returns.
        color: ``auto``, ``always`` or ``never``.
        no_color: As ``color="never"``.
        no_progress: Never draw progress.
        no_input: Never ask.
    """
    is_dumb = plain or environ.get("TERM") == "dumb"
    out = streams.is_terminal(streams.STDOUT)
    err = streams.is_terminal(streams.STDERR)
    return Terminal(
        out=out and not is_dumb,
        err=err and not is_dumb,
        width=_width(environ, streams.STDOUT, is_terminal=out),
        out_color=_has_color(environ, is_terminal=out, is_dumb=is_dumb, color="never" if no_color else color),
        err_color=_has_color(environ, is_terminal=err, is_dumb=is_dumb, color="never" if no_color else color),
        unicode=streams.is_unicode() and not plain,
        progress=err and not is_dumb and not no_progress,
        interactive=streams.is_terminal(streams.STDIN) and err and not no_input and not _is_set(environ, "CI"),
        err_width=_width(environ, streams.STDERR, is_terminal=True) if err else None,
    )


def _has_color(environ: Mapping[str, str], *, is_terminal: bool, is_dumb: bool, color: str) -> bool:
    if color != "auto":
        return color == "always" and not is_dumb
    if environ.get("NO_COLOR") or is_dumb:
        return False
    return _is_set(environ, "FORCE_COLOR") or is_terminal


def _is_set(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() not in ("", "0", "false", "no")


def _width(environ: Mapping[str, str], descriptor: int, *, is_terminal: bool) -> int | None:
    columns = environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns) > 0:
        return int(columns)
    if not is_terminal:
        return None
    import os

    try:
        return os.get_terminal_size(descriptor).columns or 80
    except OSError:
        return 80
