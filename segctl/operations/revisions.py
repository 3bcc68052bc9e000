"""The definitions of a Git revision, bound like those of the working tree."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.compile.bind.for_each import list_files
from segctl.compile.definition_files import read_definition_files
from segctl.compile.definitions import load_definitions
from segctl.compile.files import FOLDERS, is_inside
from segctl.compile.places.check import place_files
from segctl.compile.project import FILE, load_project
from segctl.compile.references import references
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import has_errors, in_reading_order
from segctl.model.errors import UsageError
from segctl.operations.lists import ProjectLists

if TYPE_CHECKING:
    from segctl.connectors.git import Revision
    from segctl.model.project import Definitions, Project


@dataclass(frozen=True, slots=True)
class PastDefinitions:
    """What a revision defined.

    Attributes:
        name: As it was asked for.
        commit: Full id.
        definitions: Bound; their project has the workspace of today's.
        lists: Its list files.
    """

    name: str
    commit: str
    definitions: Definitions
    lists: ProjectLists


@contextmanager
def past_definitions(project: Project, words: str) -> Iterator[PastDefinitions]:
    """The definitions of a revision of the repository that holds the project; its files live as long as the block.

    Raises:
        UsageError: No Git, no repository, no such revision, no project in it, or definitions with errors.
    """
    from segctl.connectors.git import files, resolve

    revision = resolve(Path(project.root), words)
    objects = {path: one for path, one in files(revision, (FILE, *FOLDERS)).items() if _is_definition(path)}
    if FILE not in objects:
        raise UsageError(
            "SEG407", f"there is no `{FILE}` at `{words}`", hint="name a revision in which the project exists"
        )
    with tempfile.TemporaryDirectory(prefix="segctl-") as folder:
        root = Path(folder)
        _write(root, revision, objects)
        definitions = _bound(root, revision, words, project)
        yield PastDefinitions(words, revision.commit, definitions, ProjectLists(root))


def _is_definition(path: str) -> bool:
    return path == FILE or path.endswith((".yaml", ".yml"))


def _write(root: Path, revision: Revision, objects: Mapping[str, str]) -> None:
    from segctl.connectors.git import contents

    for path, content in contents(revision, objects).items():
        if is_inside(path):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)


def _bound(root: Path, revision: Revision, words: str, today: Project) -> Definitions:
    from segctl.connectors.git import files

    old, found = load_project(root, today.environment)
    definitions, more = load_definitions(old)
    lists = _lists(definitions)
    if lists:
        # Which files are lists only the definitions say; afterwards those that lack one are errors again.
        _write(root, revision, files(revision, lists))
        definitions, more = load_definitions(old)
    if has_errors((*found, *more)):
        raise UsageError(
            "SEG408",
            f"the definitions at `{words}` have errors, so nothing can be compared with them",
            hint="name a revision without errors, such as one that passed `segctl lint`",
            diagnostics=in_reading_order(
                replace(d, location=replace(d.location, file=f"{words}:{d.location.file}") if d.location else None)
                for d in (*found, *more)
                if d.severity == "error"
            ),
        )
    return replace(definitions, project=replace(old, workspace=today.workspace))


def _lists(definitions: Definitions) -> list[str]:
    parts: list[tuple[object, ...]] = [
        *((segment.where,) for segment in definitions.segments.values()),
        *((trait.selection, trait.measure) for trait in definitions.computed.values()),
    ]
    found = {name for part in parts for name in references(*part).lists if is_inside(name)}
    written, _ = read_definition_files(definitions.project, ("segments",))
    found.update(list_files(file.root for file in written.values() if file.root is not None))
    return sorted(found.union(place_files(definitions.project)))
