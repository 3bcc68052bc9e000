"""The YAML files of a project, read once: as bytes for comments and repairs, as nodes for everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from segctl.compile.files import definition_files
from segctl.compile.source import Node, compose, read_bytes
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic
from segctl.model.project import Project


@dataclass(frozen=True, slots=True)
class DefinitionFile:
    """One YAML file.

    Attributes:
        path: Relative to the project.
        content: As it lies on disk; empty when it cannot be read.
        root: Its nodes, None when it cannot be read at all.
    """

    path: str
    content: bytes
    root: Node | None


def read_definition_files(
    project: Project, folders: Iterable[str], contents: Mapping[str, bytes] | None = None
) -> tuple[dict[str, DefinitionFile], list[Diagnostic]]:
    """Every `.yaml` file in folders of a project by path, and what is wrong with their form.

    Args:
        project: Where they lie.
        folders: Such as ``segments``.
        contents: What stands in for the content of files on disk, by path.
    """
    files: dict[str, DefinitionFile] = {}
    diagnostics: list[Diagnostic] = []
    for folder in folders:
        for path in definition_files(project, folder):
            files[path] = read_definition_file(project, path, diagnostics, contents)
    return files, diagnostics


def read_definition_file(
    project: Project, path: str, diagnostics: list[Diagnostic], contents: Mapping[str, bytes] | None = None
) -> DefinitionFile:
    """One file; what is wrong with its form goes to the diagnostics."""
    known = contents.get(path) if contents is not None else None
    content = read_bytes(Path(project.root) / path, path) if known is None else known
    if isinstance(content, Diagnostic):
        diagnostics.append(content)
        return DefinitionFile(path, b"", None)
    root, found = compose(content, path)
    diagnostics += found
    return DefinitionFile(path, content, root)
