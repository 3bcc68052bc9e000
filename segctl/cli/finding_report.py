"""What a check found, before it is written in one of the formats."""

from __future__ import annotations

from pathlib import Path

from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Severity
from segctl.model.exits import ExitCode


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found.

    Attributes:
        schema: Versioned name for JSON.
        findings: In reading order.
        files: How many files were looked at, None when that says nothing.
        root: Folder that the findings' files are relative to.
        code: The exit code that follows.
        fail_on: The mildest severity that counts as a finding for the exit code.
        paths: The files that were looked at, where they are known.
        accepted: Findings that waivers accept, with the reasons.
    """

    schema: str
    findings: tuple[Diagnostic, ...]
    files: int | None
    root: Path
    code: ExitCode
    fail_on: Severity = Severity.ERROR
    paths: tuple[str, ...] = ()
    accepted: tuple[tuple[Diagnostic, str], ...] = ()
