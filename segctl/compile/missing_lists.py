"""Lists of values that definitions name and the project has not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from segctl.compile.files import is_inside
from segctl.compile.places.check import place_files
from segctl.compile.references import references
from segctl.compile.suggest import did_you_mean
from segctl.model.diagnostics import Diagnostic, Location, Severity
from segctl.model.project import Definitions


def missing_lists(definitions: Definitions) -> Iterator[Diagnostic]:
    """A list file that is not there would fail every run, so it is found before any data are touched."""
    root = Path(definitions.project.root)
    declared = place_files(definitions.project)
    parts: list[tuple[Location | None, tuple[object, ...]]] = [
        *((segment.location, (segment.where,)) for segment in definitions.segments.values()),
        *((trait.location, (trait.selection, trait.measure)) for trait in definitions.computed.values()),
    ]
    for location, where in parts:
        for name in references(*where).lists:
            if location is None or name in declared or (is_inside(name) and (root / name).is_file()):
                continue
            message = f"the list `{name}` is not a file of the project"
            hint = "give its path from the project folder" if is_inside(name) else "copy it into the project"
            yield Diagnostic("SEG227", Severity.ERROR, message, location, hint=_nearest_list(root, name) or hint)


def _nearest_list(root: Path, name: str) -> str | None:
    there = [f"lists/{path.name}" for path in sorted((root / "lists").glob("*")) if path.is_file()]
    return did_you_mean(name, there)
