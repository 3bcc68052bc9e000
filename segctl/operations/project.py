"""Open a project alone, without its definitions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from segctl.compile.project import load_project
from segctl.model.diagnostics import Diagnostic, has_errors, in_reading_order
from segctl.model.errors import UsageError
from segctl.model.project import Project


def bound_project(start: Path, *, env: str | None = None) -> tuple[Project, list[Diagnostic]]:
    """The project found upwards from `start`, without errors, and the warnings.

    Raises:
        UsageError: No project, or errors in its file, which are all told.
    """
    project, findings = load_project(start, env)
    refuse_errors(findings)
    return project, findings


def refuse_errors(
    findings: Sequence[Diagnostic], *, code: str = "SEG502", outcome: str = "nothing was evaluated"
) -> None:
    """Do nothing, unless there are errors.

    Raises:
        UsageError: With every finding, in reading order, and what did not happen because of them.
    """
    if has_errors(findings):
        ordered = in_reading_order(findings)
        count = sum(1 for f in ordered if f.severity == "error")
        message = f"the project's files have {count} error{'' if count == 1 else 's'}; {outcome}"
        raise UsageError(code, message, hint="`segctl lint` shows them again", diagnostics=ordered)
