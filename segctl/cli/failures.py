"""What `main` does with an exception: words on stderr, and the exit code."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from segctl.cli import messages, streams
from segctl.cli.context import Context, terminal_facts
from segctl.cli.stops import Stopped, TimeIsUp
from segctl.model.errors import LocalIOError, SegctlError, TemporaryError
from segctl.model.exits import ExitCode

_REMEDIES = {
    errno.ENOSPC: ("the disk is full", "free some space and run the command again; nothing half-written is used"),
    errno.EDQUOT: ("the disk quota is used up", "free some space and run the command again"),
    errno.EACCES: ("permission denied", "check who owns the file and its folder"),
    errno.EPERM: ("permission denied", "check who owns the file and its folder"),
    errno.EROFS: ("the file system is read-only", "choose a workspace folder that can be written"),
    errno.ENOENT: ("the file does not exist", "check the path; it may have been removed meanwhile"),
    errno.EISDIR: ("it is a folder", "name a file"),
    errno.ENOTDIR: ("a part of the path is no folder", "check the path"),
    errno.EMFILE: ("too many open files", "raise the limit, for instance with `ulimit -n 4096`"),
    errno.EBADF: ("the stream is closed", "give stdout a place to go, or use `--output FILE`"),
}


def told(error: BaseException, ctx: Context) -> ExitCode:
    """Tell an error and return its exit code.

    Args:
        error: What came out of the call.
        ctx: The call.
    """
    if isinstance(error, BrokenPipeError):
        streams.abandon_stdout()
        return ExitCode.PIPE
    try:
        return _told(ctx, error)
    finally:
        if ctx.verbosity >= 2:
            streams.write_message("".join(traceback.format_exception(error)))


def _told(ctx: Context, error: BaseException) -> ExitCode:
    if isinstance(error, SegctlError):
        messages.error(ctx, error)
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        error = Stopped("interrupted", ExitCode.INTERRUPTED)
    if isinstance(error, Stopped):
        messages.stopped(ctx, error.word)
        return ExitCode(error.code)
    if isinstance(error, SystemExit):
        return _system_exit(error)
    known = _as_known(ctx, error)
    if known is None:
        return _bug(ctx, error)
    messages.error(ctx, known)
    return known.exit_code


def _system_exit(error: SystemExit) -> ExitCode:
    return ExitCode(error.code) if isinstance(error.code, int) and error.code in set(ExitCode) else ExitCode.BUG


def _as_known(ctx: Context, error: BaseException) -> SegctlError | None:
    """The error in words of ours, None for what should never happen."""
    if isinstance(error, TimeIsUp):
        return TemporaryError(
            "SEG110",
            f"the time limit of {ctx.timeout_s:g} s is over",
            hint="what was committed stays; run it again, with a larger `--timeout`",
        )
    if isinstance(error, MemoryError):
        return LocalIOError("SEG112", "the memory of this machine is used up", hint="select fewer segments at a time")
    if isinstance(error, OSError):
        return _io_error(error)
    text = str(error)
    # Engines and SQLite wrap the system's error in types of their own.
    if "No space left on device" in text or "os error 28" in text or "disk is full" in text:
        return _io_error(OSError(errno.ENOSPC, "disk full"))
    return None


def _io_error(error: OSError) -> LocalIOError:
    what, hint = _REMEDIES.get(error.errno or 0, (error.strerror or str(error), None))
    name = f"`{os.fspath(error.filename)}`: " if isinstance(error.filename, str | os.PathLike) else ""
    return LocalIOError("SEG111", f"{name}{what}", hint=hint)


def _bug(ctx: Context, error: BaseException) -> ExitCode:
    report = _report(ctx, error)
    place = f"; the report is in {report}" if report else ""
    messages.bug(ctx, f"{type(error).__name__} in `segctl {ctx.verb}`{place}")
    return ExitCode.BUG


def _report(ctx: Context, error: BaseException) -> Path | None:
    """Write what developers need to a file of the user; arguments stay out, as they may name a person."""
    from segctl import __version__

    text = "\n".join(
        [
            f"segctl {__version__}, Python {sys.version.split()[0]}, {sys.platform}",
            f"verb: {ctx.verb}",
            f"time: {ctx.now.isoformat()}",
            "",
            "".join(traceback.format_exception(error)),
        ]
    )
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    for folder in (Path(state, "segctl"), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"segctl-bug-{ctx.now:%Y%m%dT%H%M%S}-{os.getpid()}.txt"
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
                stream.write(streams.without_secrets(text))
        except OSError:
            continue
        return path
    return None


def early_context(arguments: Sequence[str], now: datetime) -> Context:
    """A context for errors that come before the arguments are understood."""
    from segctl.cli.table import COMMANDS

    flags = set(arguments)
    verb = next((word for word in arguments if word in COMMANDS), "")
    terminal = terminal_facts(
        os.environ,
        plain="--plain" in flags,
        color="auto",
        no_color="--no-color" in flags,
        no_progress=True,
        no_input=True,
    )
    return Context(
        verb=verb,
        now=now,
        started=time.monotonic(),
        verbosity=2 if "-vv" in flags else 0,
        terminal=terminal,
    )
