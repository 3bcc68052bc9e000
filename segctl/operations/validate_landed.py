"""Landed copies of a source that stands in no file of the project: what was fetched, as it arrived."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from segctl.operations.validate_report import FileToCheck

if TYPE_CHECKING:
    from segctl.model.project import Project
    from segctl.model.sources import Source
    from segctl.state.files import StoredFile


@contextmanager
def landed_files(project: Project, source: Source) -> Iterator[list[FileToCheck]]:
    """The kept copies of a source's input as files that live as long as the block, oldest first."""
    from segctl.operations.ingest_landed import landed_dataset
    from segctl.state.workspace import DATABASE, Workspace

    if not (Path(project.workspace) / DATABASE).is_file():
        yield []
        return
    with Workspace.open(Path(project.workspace)) as workspace, TemporaryDirectory(prefix="segctl-") as folder:
        parts: dict[str, list[StoredFile]] = {}
        for file in workspace.files(landed_dataset(source.name)):
            parts.setdefault(str(file.meta["digest"]), []).append(file)
        yield [_restored(files, Path(folder) / f"{i}.ndjson") for i, files in enumerate(parts.values())]


def _restored(files: list[StoredFile], path: Path) -> FileToCheck:
    import polars as pl

    with path.open("wb") as stream:
        for file in sorted(files, key=lambda each: int(each.meta["part"])):
            for piece in pl.read_parquet(file.path).sort("offset")["bytes"]:
                stream.write(piece)
    return FileToCheck(path, str(files[0].meta["path"]))
