"""Check definitions without touching data: form, names, types, and what the rules of practice say."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from segctl.compile.definition_files import DefinitionFile, read_definition_file, read_definition_files
from segctl.compile.definitions import BOUND, bind_files
from segctl.compile.files import FOLDERS, misnamed_files
from segctl.compile.project import FILE, bind_project_text, find_project, load_project
from segctl.compile.sources import load_sources
from segctl.compile.suggest import nearest
from segctl.compile.testing import TESTS
from segctl.model.diagnostics import Diagnostic, has_errors, in_reading_order
from segctl.model.errors import UsageError
from segctl.model.project import Definitions, Project
from segctl.model.sources import Source
from segctl.operations.content.lint import content_files, template_findings
from segctl.operations.contracts import contract_findings
from segctl.operations.destinations import with_options
from segctl.operations.lint.result import LintResult
from segctl.operations.lint.rules import judge, subject_of
from segctl.operations.lint.waivers import Waived, waive


def lint(
    start: Path,
    env: str | None = None,
    paths: Iterable[Path] = (),
    *,
    now: datetime | None = None,
    contents: Mapping[str, bytes] | None = None,
) -> LintResult:
    """Check a project's files, those of its tests too, or some of them.

    Everything is read even when only some files are asked for, since definitions refer to one another.

    Args:
        start: Where the search for the project begins.
        env: Environment; `dev` when None.
        paths: Files and folders whose findings are wanted; all when empty.
        now: Aware; without it only form, names and types are checked, no rules.
        contents: What stands in for the content of files, by path in the project.

    Raises:
        UsageError: There is no project, its file cannot be read at all, or a path holds no definition.
    """
    contents = contents or {}
    project, found = _project(start, env, contents)
    root = Path(project.root)
    files, in_files = read_definition_files(project, BOUND, contents)
    definitions, in_definitions = bind_files(project, files)
    definitions, in_options = with_options(definitions)
    sources, in_sources = load_sources(project, contents)
    found += [*in_files, *in_definitions, *in_options, *in_sources, *contract_findings(sources.values())]
    further, _ = read_definition_files(project, ("sources",), contents)
    files = {FILE: read_definition_file(project, FILE, [], contents), **further, **files}
    is_complete = not has_errors(found)
    found += template_findings(definitions) if is_complete else []
    waived = _ruled(definitions, sources, files, now, is_complete=is_complete)
    tests, in_tests = _tests(definitions, contents, is_complete=not has_errors(filter(_is_of_tests, found)))
    found, files = [*found, *in_tests], files | tests
    known = (FILE, *(path for folder in (*FOLDERS, TESTS) for path in files if path.startswith(f"{folder}/")))
    known += content_files(definitions)
    chosen = known if not (wanted := tuple(paths)) else _chosen(wanted, known, root)
    edits = {judged.diagnostic: judged.edits for judged in waived.left}
    diagnostics = in_reading_order([*found, *waived.problems, *edits])
    if wanted:
        diagnostics = tuple(d for d in diagnostics if d.location is not None and d.location.file in chosen)
    fixable = tuple((finding, edits.get(finding, ())) for finding in diagnostics)
    return LintResult(root, tuple(chosen), diagnostics, fixable, waived.accepted, files)


_APART = ("destinations/", "experiments/")
_OF_AUDIENCES = "SEG847"


def _is_of_tests(finding: Diagnostic) -> bool:
    """Whether it may lie at what tests speak of; a segment is whole, whatever is wrong with where it is sent."""
    place = finding.location
    return finding.code != _OF_AUDIENCES and (place is None or not place.file.startswith(_APART))


def _tests(
    definitions: Definitions, contents: Mapping[str, bytes], *, is_complete: bool
) -> tuple[dict[str, DefinitionFile], list[Diagnostic]]:
    """The files under `tests/`, and what is wrong with their form.

    What they say of definitions is looked at once those are right: else each error there would be told again here.
    """
    project = definitions.project
    files, found = read_definition_files(project, (TESTS,), contents)
    found += misnamed_files(project, TESTS)
    if files and is_complete:
        from segctl.compile.testing_bind import bind_tests, is_about_workflow
        from segctl.compile.testing_workflows import bind_workflow_tests

        for path, file in files.items():
            if file.root is not None:
                bind = bind_workflow_tests if is_about_workflow(file.root) else bind_tests
                found += bind(file.root, path, definitions)[1]
    return files, found


def _ruled(
    definitions: Definitions,
    sources: Mapping[str, Source],
    files: Mapping[str, DefinitionFile],
    now: datetime | None,
    *,
    is_complete: bool,
) -> Waived:
    """What the rules find and nobody has accepted; nothing without a time."""
    if now is None:
        return Waived((), (), ())
    today = now.astimezone(ZoneInfo(definitions.project.timezone)).date()
    subject = subject_of(definitions, sources, files, today, is_complete=is_complete, now=now)
    return waive(judge(subject), files.values(), today, is_complete=is_complete)


def _project(start: Path, env: str | None, contents: Mapping[str, bytes]) -> tuple[Project, list[Diagnostic]]:
    root = find_project(start) if FILE in contents else None
    return load_project(start, env) if root is None else bind_project_text(contents[FILE], root, env)


def _chosen(paths: tuple[Path, ...], files: tuple[str, ...], root: Path) -> tuple[str, ...]:
    chosen: set[str] = set()
    for path in paths:
        inside = os.path.relpath(os.path.abspath(path), root).replace(os.sep, "/")
        matching = {file for file in files if file == inside or inside == "." or file.startswith(f"{inside}/")}
        if not matching:
            raise _nothing_there(path, inside, files)
        chosen |= matching
    return tuple(sorted(chosen))


def _nothing_there(path: Path, inside: str, files: tuple[str, ...]) -> UsageError:
    if path.suffix == ".yml" and path.exists():
        return UsageError("SEG207", f"`{path}` is not read: definitions end in `.yaml`", hint="rename it")
    if path.exists() and path.is_file() and not inside.startswith(".."):
        folders = ", ".join(f"`{folder}/`" for folder in FOLDERS)
        hint = f"definitions stand in {folders} and `tests/`"
        return UsageError("SEG127", f"`{path}` is not a definition of the project", hint=hint)
    if path.suffix and not path.exists():
        said = f"there is no file `{path}`"
    else:
        said = f"`{path}` holds no definition of the project"
    near = nearest(Path(inside).stem, {Path(file).stem for file in files})
    match = next((file for file in files if Path(file).stem == near), None)
    hint = f"did you mean `{match}`?" if match else "name a file or folder of the project"
    return UsageError("SEG127", said, hint=hint)
