"""Read the files of declared sources into the workspace: all of a source in one commit, or nothing of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from segctl.model.diagnostics import Diagnostic
from segctl.model.errors import SegctlError, UsageError
from segctl.operations.ingest.fetch import EVERYTHING_NEW, Wishes, run_fetched
from segctl.operations.ingest.landed import forget_outlived
from segctl.operations.ingest.result import IngestResult, SourceResult
from segctl.operations.ingest.source import SourceRun
from segctl.operations.ingest.table import run_table
from segctl.operations.listen_files import forget_quietly
from segctl.operations.progress import Progress, Silent
from segctl.operations.project import refuse_errors

if TYPE_CHECKING:
    from segctl.model.project import Project
    from segctl.model.sources import Source
    from segctl.state.workspace import Workspace

__all__ = ["IngestResult", "SourceResult", "chosen_sources", "ingest", "open_for_ingest", "sources_of"]


@contextmanager
def open_for_ingest(
    start: Path, *, env: str | None = None, lock_wait_s: float = 0.0, dry_run: bool = False, create: bool = True
) -> Iterator[tuple[Project, Workspace]]:
    """The project found upwards from `start` and its workspace; a dry run without a workspace uses a passing one.

    Raises:
        UsageError: No project, or findings in its file; no workspace yet and `create` is false.
    """
    from segctl.compile.project import load_project
    from segctl.state.workspace import Workspace

    project, findings = load_project(start, env)
    _refuse(findings)
    with ExitStack() as stack:
        folder = Path(project.workspace)
        if dry_run and not (folder / "state.db").is_file():
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="segctl-")))
            create = True
        workspace = Workspace.open(folder, create=create, lock_wait_s=lock_wait_s)
        yield project, stack.enter_context(workspace)


def sources_of(project: Project) -> dict[str, Source]:
    """All declared sources by name.

    Raises:
        UsageError: With every finding in their files.
    """
    from segctl.compile.sources import load_sources
    from segctl.operations.contracts import contract_findings

    sources, findings = load_sources(project)
    _refuse([*findings, *contract_findings(sources.values())])
    return sources


def _refuse(findings: list[Diagnostic]) -> None:
    refuse_errors(findings, code="SEG309", outcome="nothing was read")


def chosen_sources(sources: dict[str, Source], names: Sequence[str]) -> list[Source]:
    """The named sources in the order given; all of them without names.

    Raises:
        UsageError: A name is no source, or there are none.
    """
    from segctl.compile.source_nodes import nearest

    if not sources:
        raise UsageError(
            "SEG307",
            "the project declares no sources",
            hint="try `segctl ingest --from data/orders.csv --as EVENT --save`, or write sources/orders.yaml",
        )
    for name in names:
        if name not in sources:
            raise UsageError("SEG308", f"`{name}` is not a source", hint=nearest(name, sources))
    if not names:
        return list(sources.values())
    # One declaration may give several sources; its name stands for all of them.
    chosen = [part for name in dict.fromkeys(names) for part in sources[name].parts]
    return list({part.name: part for part in chosen}.values())


def ingest(
    project: Project,
    workspace: Workspace,
    sources: Iterable[Source],
    *,
    now: datetime,
    progress: Progress | None = None,
    dry_run: bool = False,
    accepts_empty: bool = False,
    batch_rows: int | None = None,
    full: bool = False,
    wishes: Wishes = EVERYTHING_NEW,
) -> IngestResult:
    """Reads what is new in the files of sources; a source that fails does not stop the others.

    Landed copies that have outlived `keep_landed`, of whatever source, are deleted on this occasion.

    Args:
        project: With its declared identifiers, traits and events.
        workspace: Open; nothing of it changes in a dry run.
        sources: Bound declarations.
        now: Arrival of what is read; aware.
        progress: Who is told.
        dry_run: All but the commit.
        accepts_empty: An empty full picture is meant: everybody is gone; with `full`, rows that cannot be read
            again may go.
        batch_rows: Rows a batch, for tests.
        full: Read all files again and replace what came from the sources.
        wishes: Where a fetch begins and ends.
    """
    results = []
    for source in sources:
        result = SourceResult(source.name)
        run = SourceRun(
            project, workspace, source, now, progress or Silent(), dry_run, accepts_empty, batch_rows, result, full
        )
        try:
            if source.fetch is None:
                run.run()
            elif source.fetch.kind == "table":
                run_table(run, wishes)
            else:
                run_fetched(run, wishes)
        except SegctlError as error:
            result.error = error
        results.append(result)
    if not dry_run:
        forget_outlived(workspace, now=now, days=project.keep_landed_days)
        forget_quietly(project, workspace, now=now)
    return IngestResult(tuple(results), dry_run)
