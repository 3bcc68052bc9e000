"""The names of a project, for the schemas of its files."""

from __future__ import annotations

from pathlib import Path

from segctl.compile.editor_names import Names, project_names
from segctl.compile.sources import load_sources
from segctl.operations.session import bound_definitions


def names_of(start: Path, *, env: str | None = None) -> Names:
    """What the files of the project found upwards from `start` may name.

    Raises:
        UsageError: Definitions have errors, so that not all names are known.
    """
    definitions, _ = bound_definitions(start, env=env)
    # A source with a mistake is marked in its own file; its name is missing here until then.
    sources, _ = load_sources(definitions.project)
    return project_names(definitions, sources)
