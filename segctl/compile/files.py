"""Which files of a project hold its definitions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePath

from segctl.model.diagnostics import Diagnostic, Location, Severity
from segctl.model.project import Project

FOLDERS = ("segments", "traits", "sources", "destinations", "experiments", "workflows", "content")


def definition_files(project: Project, folder: str) -> list[str]:
    """Paths, relative to the project, of the `.yaml` files in a folder and below it, sorted."""
    return [path for path in _yaml_files(project, folder) if path.endswith(".yaml")]


def misnamed_files(project: Project, folder: str) -> Iterator[Diagnostic]:
    """A warning for each `.yml` file, which is not read."""
    for path in _yaml_files(project, folder):
        if path.endswith(".yml"):
            hint = f"rename it to `{path.removesuffix('.yml')}.yaml`"
            message = "the file is not read: definitions end in `.yaml`"
            yield Diagnostic("SEG207", Severity.WARNING, message, Location(path), hint=hint)


def source_names(project: Project) -> tuple[str, ...]:
    """Names of the source files of a project, without reading them."""
    return tuple(sorted(Path(path).stem for path in definition_files(project, "sources")))


def is_inside(name: str) -> bool:
    """True when a path given in a definition stays inside the project."""
    return not PurePath(name).is_absolute() and ".." not in PurePath(name).parts


def _yaml_files(project: Project, folder: str) -> list[str]:
    found: list[str] = []
    root = Path(project.root)
    for here, folders, files in os.walk(root / folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = Path(here).relative_to(root).as_posix()
        found.extend(
            f"{inside}/{name}" for name in files if name.endswith((".yaml", ".yml")) and not name.startswith(".")
        )
    return sorted(found)
