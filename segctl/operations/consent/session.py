"""Open a project for commands about consent: its purposes and destinations, without segments and traits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.compile.project import load_project
from segctl.model.diagnostics import in_reading_order
from segctl.model.project import Definitions
from segctl.operations.lists import ProjectLists
from segctl.operations.project import refuse_errors

if TYPE_CHECKING:
    from segctl.operations.session import Session


@contextmanager
def open_for_consent(
    start: Path, *, env: str | None = None, lock_wait_s: float = 0.0, tolerant: bool = False, destinations: bool = False
) -> Iterator[Session]:
    """The project found upwards from `start`, with its workspace, which is made when there is none yet.

    Args:
        start: Where the search begins.
        env: Environment; the default one when None.
        lock_wait_s: Seconds to wait for a lock another process holds.
        tolerant: A mistake in the project file stops nothing: whoever withdraws does not wait until it is mended.
        destinations: Also read `destinations/`.

    Raises:
        UsageError: No project, or errors in its file unless `tolerant`.
    """
    from segctl.operations.session import Session
    from segctl.state.workspace import Workspace

    project, findings = load_project(start, env)
    if not tolerant:
        refuse_errors(findings, outcome="nothing was looked up")
    definitions = Definitions(project, {}, {})
    if destinations:
        from segctl.operations.session import bound_definitions

        bound, findings_of_all = bound_definitions(start, env=env)
        definitions, findings = replace(bound, segments={}), list(findings_of_all)
    with Workspace.open(Path(project.workspace), create=True, lock_wait_s=lock_wait_s) as workspace:
        yield Session(definitions, workspace, ProjectLists(Path(project.root)), in_reading_order(findings))
