"""The small tree of exceptions for runs that cannot go on; `cli/main.py` alone maps it to exit codes."""

from __future__ import annotations

from typing import ClassVar

from segctl.model.diagnostics import Diagnostic, Location
from segctl.model.exits import ExitCode


class SegctlError(Exception):
    """A run that cannot go on, with what, why, remedy and place.

    Args:
        code: Catalogue code such as ``SEG101``.
        message: One sentence without a full stop, user's own words in backticks.
        why: The reason, when the message does not say it.
        hint: What to do next.
        location: Where, if it is a place in a file.
        diagnostics: All findings that led here, printed before the message.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(
        self,
        code: str,
        message: str,
        *,
        why: str | None = None,
        hint: str | None = None,
        location: Location | None = None,
        diagnostics: tuple[Diagnostic, ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.why = why
        self.hint = hint
        self.location = location
        self.diagnostics = diagnostics


class UsageError(SegctlError):
    """Bad option, unknown name, unreadable project: fix the command or the project."""

    exit_code = ExitCode.USAGE


class DataError(SegctlError):
    """Input breaks its contract: fix the data."""

    exit_code = ExitCode.DATA


class Refused(SegctlError):  # noqa: N818 - the word users see
    """A guard said no; nothing was changed or sent."""

    exit_code = ExitCode.REFUSED


class PartialFailure(SegctlError):  # noqa: N818 - the word users see
    """Some parts failed, the others went on; a rerun continues."""

    exit_code = ExitCode.PARTIAL


class IntegrityError(SegctlError):
    """Stored state does not match its own digests."""

    exit_code = ExitCode.INTEGRITY


class LocalIOError(SegctlError):
    """Disk full, permission, vanished file on this machine."""

    exit_code = ExitCode.IO


class TemporaryError(SegctlError):
    """A lock or service is unavailable; safe to repeat unchanged."""

    exit_code = ExitCode.TEMPORARY
