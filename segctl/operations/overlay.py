"""A project as if files of a folder stood in it: what a proposal would do can be seen before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.compile.definition_files import read_definition_file, read_definition_files
from segctl.compile.definitions import BOUND, bind_files
from segctl.compile.project import FILE, bind_project_text, find_project, load_project
from segctl.model.diagnostics import Diagnostic, in_reading_order
from segctl.model.errors import UsageError
from segctl.model.project import Definitions
from segctl.operations.destinations import with_options
from segctl.operations.lists import ProjectLists
from segctl.operations.project import refuse_errors

if TYPE_CHECKING:
    from segctl.operations.session import Session


@contextmanager
def open_overlaid(start: Path, folder: Path, *, env: str | None = None) -> Iterator[Session]:
    """The project found upwards from `start` with other contents for some of its files, and its own workspace.

    Args:
        start: Where the search begins.
        folder: With files under the names that they have in the project.
        env: Environment; `dev` when None.

    Raises:
        UsageError: No project, no such files, findings in what comes of it, or no workspace yet.
    """
    from segctl.operations.session import Session
    from segctl.state.workspace import Workspace

    definitions, findings = overlaid(start, env, files_in(folder))
    refuse_errors(findings, outcome=f"nothing was evaluated with the files of `{folder}`")
    with Workspace.open(Path(definitions.project.workspace), create=False) as workspace:
        yield Session(definitions, workspace, ProjectLists(Path(definitions.project.root)), findings)


def files_in(folder: Path) -> dict[str, bytes]:
    """Definition files below a folder by their path in the project.

    Raises:
        UsageError: There are none.
    """
    paths = [folder / FILE, *(path for name in BOUND for path in sorted((folder / name).rglob("*.yaml")))]
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}
    if not found:
        raise UsageError(
            "SEG980", f"`{folder}` holds no definitions", why=f"neither `{FILE}` nor `segments/NAME.yaml` or the like",
            hint="name a folder that `segctl report health --propose DIR` has written",
        )  # fmt: skip
    return found


def overlaid(start: Path, env: str | None, contents: Mapping[str, bytes]) -> tuple[Definitions, tuple[Diagnostic, ...]]:
    """All definitions, with other contents for some files, and everything that is wrong with them.

    Raises:
        UsageError: There is no project.
    """
    root = find_project(start) if FILE in contents else None
    project, found = load_project(start, env) if root is None else bind_project_text(contents[FILE], root, env)
    files, in_files = read_definition_files(project, BOUND, contents)
    for path in contents:
        if path != FILE and path not in files:
            files[path] = read_definition_file(project, path, in_files, contents)
    definitions, in_definitions = bind_files(project, files)
    definitions, in_options = with_options(definitions)
    return definitions, in_reading_order((*found, *in_files, *in_definitions, *in_options))
