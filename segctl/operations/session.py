"""Open a project and its workspace together, refusing definitions that do not bind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from segctl.compile.definitions import load_definitions
from segctl.compile.timewords import Problem, parse_as_of
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, in_reading_order
from segctl.model.errors import UsageError
from segctl.model.project import Definitions, Language, Project
from segctl.operations.destinations import with_options
from segctl.operations.lists import ProjectLists
from segctl.operations.project import bound_project, refuse_errors

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Session:
    """A project whose definitions bind, and its open workspace.

    Attributes:
        definitions: All segments and computed traits, with the project.
        workspace: Of the chosen environment.
        lists: Values of list files, each read once for all that the command asks.
        warnings: Findings that stop nothing.
    """

    definitions: Definitions
    workspace: Workspace
    lists: ProjectLists
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def project(self) -> Project:
        """The bound project."""
        return self.definitions.project

    @property
    def root(self) -> Path:
        """Folder that holds `segctl.yaml`."""
        return Path(self.project.root)

    def language(self, asked: str | None = None) -> Language:
        """Of conditions in words: the one asked for, otherwise the project's."""
        return "de" if (asked or self.project.language) == "de" else "en"

    def local(self, at: datetime) -> datetime:
        """The instant in the project's zone, for showing; in UTC where the calendar ends."""
        try:
            return at.astimezone(ZoneInfo(self.project.timezone))
        except OverflowError:
            return at.astimezone(UTC)


@contextmanager
def open_session(
    start: Path, *, env: str | None = None, lock_wait_s: float = 0.0, create: bool = False
) -> Iterator[Session]:
    """The project found upwards from `start`, with its workspace, which is closed at the end.

    Raises:
        UsageError: No project, findings in its files, or no workspace yet (unless `create`).
    """
    from segctl.state.workspace import Workspace

    definitions, findings = bound_definitions(start, env=env)
    with Workspace.open(Path(definitions.project.workspace), create=create, lock_wait_s=lock_wait_s) as workspace:
        yield Session(definitions, workspace, ProjectLists(Path(definitions.project.root)), findings)


def bound_definitions(start: Path, *, env: str | None = None) -> tuple[Definitions, tuple[Diagnostic, ...]]:
    """All definitions of a project without errors, and the warnings.

    Raises:
        UsageError: With every finding, in reading order.
    """
    project, findings = bound_project(start, env=env)
    definitions, more = load_definitions(project)
    definitions, in_options = with_options(definitions)
    more += in_options
    refuse_errors(more)
    return definitions, in_reading_order((*findings, *more))


def instant(text: str | None, now: datetime, zone: str, *, begins: bool = False) -> datetime:
    """The instant that `--as-of` names; `now` without it. Where something begins, a day means its first instant.

    Raises:
        UsageError: Not a time.
    """
    if text is None:
        return now
    found = parse_as_of(text, now, zone, begins=begins)
    if isinstance(found, Problem):
        raise UsageError("SEG501", f"`--as-of {text}`: {found.message}", hint=found.hint)
    return found
