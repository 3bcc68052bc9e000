"""The rows of a source for a validation: its files, its table in place, or the kept copies of what was fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from segctl.model.fetching_table import TableFetch
from segctl.operations.validate_report import FileToCheck

if TYPE_CHECKING:
    from segctl.model.project import Project
    from segctl.model.sources import Source
    from segctl.state.files import StoredFile
    from segctl.state.inputs import IngestedInput


@contextmanager
def rows_to_check(project: Project, source: Source) -> Iterator[list[FileToCheck]]:
    """What holds the rows of a source, oldest first, as long as the block lives; empty when nothing is kept.

    Nothing is fetched for a validation.

    Raises:
        SegctlError: Files are missing, or the table cannot be opened.
    """
    from segctl.connectors.files import expand

    root = Path(project.root)
    if source.fetch is None:
        yield [FileToCheck(path, shown_path(path, project)) for path in expand(root, source.paths)]
    elif isinstance(source.fetch, TableFetch):
        yield [_table(source.fetch, root, source.name)]
    else:
        with _landed_files(project, source) as files:
            yield files


def shown_path(path: Path, project: Project) -> str:
    """What a file is called in reports: within the project without the way to it."""
    root = Path(project.root)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _table(fetch: TableFetch, root: Path, name: str) -> FileToCheck:
    from segctl.connectors.tables import open_table
    from segctl.connectors.tables.base import TablePart

    table = open_table(fetch, root, name)
    return FileToCheck(Path(table.shown), f"{table.shown} version {table.version}", TablePart(table, table.files()))


@contextmanager
def _landed_files(project: Project, source: Source) -> Iterator[list[FileToCheck]]:
    """The kept copies of what was fetched and still counts, as files that live as long as the block."""
    from segctl.operations.ingest.landed import landed_dataset
    from segctl.state.inputs import inputs
    from segctl.state.workspace import DATABASE, Workspace

    if not (Path(project.workspace) / DATABASE).is_file():
        yield []
        return
    with Workspace.open(Path(project.workspace)) as workspace, TemporaryDirectory(prefix="segctl-") as folder:
        replaced = replaced_digests(inputs(workspace, source.name))
        parts: dict[str, list[StoredFile]] = {}
        for file in workspace.files(landed_dataset(source.name)):
            digest = str(file.meta["digest"])
            if digest not in replaced:
                parts.setdefault(digest, []).append(file)
        yield [_restored(files, Path(folder) / f"{i}.ndjson") for i, files in enumerate(parts.values())]


def replaced_digests(ledger: Sequence[IngestedInput]) -> set[str]:
    """Copies whose records all came again later, since everything was fetched anew."""
    first = max((entry.id for entry in ledger if entry.note.get("whole") and entry.commit is not None), default=0)
    current = {entry.digest for entry in ledger if entry.id >= first}
    return {entry.digest for entry in ledger} - current


def _restored(files: list[StoredFile], path: Path) -> FileToCheck:
    import polars as pl

    with path.open("wb") as stream:
        for file in sorted(files, key=lambda each: int(each.meta["part"])):
            for piece in pl.read_parquet(file.path).sort("offset")["bytes"]:
                stream.write(piece)
    return FileToCheck(path, str(files[0].meta["path"]))
