"""Files of places and of postal codes, looked at before any data are touched."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

from segctl.compile.places.files import PlaceProblem, read_codes, read_places
from segctl.compile.places.postal import PostalCodes, shipped_codes
from segctl.compile.suggest import did_you_mean
from segctl.model.diagnostics import Diagnostic, Location, Severity
from segctl.model.places import CsvFile
from segctl.model.project import Project

_MOST = 10
"""Problems told of one file."""


def place_files(project: Project) -> tuple[str, ...]:
    """Paths of all files of places and postal codes that a project declares."""
    files = [project.near.codes, *(one.file for one in project.places)]
    return tuple(file.path for file in files if file is not None)


def check_places(project: Project) -> Iterator[Diagnostic]:
    """Problems of the files, each at its line; a file that is not there is told where it is declared."""
    own: PostalCodes | None = None
    if project.near.codes is not None:
        text = yield from _text(project.near.codes, project, Location("segctl.yaml"))
        if text is not None:
            own, problems = read_codes(text, dict(project.near.codes.columns), project.near.country)
            yield from _told(problems, project.near.codes)
    for one in project.places:
        if one.file is None or (project.near.codes is not None and own is None):
            continue
        text = yield from _text(one.file, project, one.location or Location("segctl.yaml"))
        if text is not None:
            known = own if own is not None else shipped_codes()
            _, problems = read_places(text, dict(one.file.columns), known, project.near.country)
            yield from _told(problems, one.file)


def _text(file: CsvFile, project: Project, place: Location) -> Generator[Diagnostic, None, str | None]:
    folder = Path(project.root)
    try:
        return (folder / file.path).read_text(encoding="utf-8-sig")
    except OSError as error:
        there = [path.relative_to(folder).as_posix() for path in sorted((folder / file.path).parent.glob("*.csv"))]
        why = error.strerror or "it cannot be opened"
        message = f"the file of places `{file.path}` cannot be read: {why}"
        yield Diagnostic("SEG246", Severity.ERROR, message, place, hint=did_you_mean(file.path, there))
    except UnicodeDecodeError:
        message = f"the file of places `{file.path}` cannot be read: it is not UTF-8"
        yield Diagnostic("SEG246", Severity.ERROR, message, place, hint="save it as UTF-8")
    return None


def _told(problems: list[PlaceProblem], file: CsvFile) -> Iterator[Diagnostic]:
    for problem in problems[:_MOST]:
        yield Diagnostic(
            "SEG246", Severity.ERROR, problem.message, Location(file.path, problem.line), hint=problem.hint
        )
    if len(problems) > _MOST:
        message = f"{len(problems) - _MOST} more lines of this file are wrong"
        yield Diagnostic("SEG246", Severity.ERROR, message, Location(file.path, problems[_MOST].line))
