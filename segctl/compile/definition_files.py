"""The YAML files of a project, read once: as bytes for comments and repairs, as nodes for everything else."""

from __future__ import annotations

from collections.abc import Iterable
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
    project: Project, folders: Iterable[str]
) -> tuple[dict[str, DefinitionFile], list[Diagnostic]]:
    """Every `.yaml` file in folders of a project by path, and what is wrong with their form."""
    files: dict[str, DefinitionFile] = {}
    diagnostics: list[Diagnostic] = []
    for folder in folders:
        for path in definition_files(project, folder):
            files[path] = read_definition_file(project, path, diagnostics)
    return files, diagnostics


def read_definition_file(project: Project, path: str, diagnostics: list[Diagnostic]) -> DefinitionFile:
    """One file; what is wrong with its form goes to the diagnostics."""
    content = read_bytes(Path(project.root) / path, path)
    if isinstance(content, Diagnostic):
        diagnostics.append(content)
        return DefinitionFile(path, b"", None)
    root, found = compose(content, path)
    diagnostics += found
    return DefinitionFile(path, content, root)
