"""What a project's settings are, and where each one was set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from segctl.compile.project import FILE, load_project
from segctl.compile.source import Mapping as MappingNode
from segctl.compile.source import Node, compose_file
from segctl.model.diagnostics import Diagnostic, in_reading_order
from segctl.model.project import Project

BUILT_IN = "built-in"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value in force.

    Attributes:
        name: Key, such as ``timezone``.
        value: As text.
        origin: ``segctl.yaml:4``, ``variable SEGCTL_ENV``, ``option`` or ``built-in``.
    """

    name: str
    value: str
    origin: str


def settings(
    start: Path, *, env: str | None, environ: Mapping[str, str]
) -> tuple[list[Setting], tuple[Diagnostic, ...]]:
    """The settings of the project in one environment, with their origins.

    Args:
        start: Where the search for the project begins.
        env: Environment that was asked for.
        environ: The variables of options that are set, to tell an option from a variable.

    Raises:
        UsageError: There is no project.
    """
    project, findings = load_project(start, env)
    root, _ = compose_file(Path(project.root) / FILE, FILE)
    found = [Setting("project", project.root, _told(environ, "SEGCTL_PROJECT") or "found")]
    origin = _told(environ, "SEGCTL_ENV") if environ.get("SEGCTL_ENV") == env else None
    found.append(Setting("environment", project.environment, origin or ("option" if env else BUILT_IN)))
    for name, value in _values(project).items():
        found.append(Setting(name, value, _origin(root, name, project.environment)))
    found += [Setting(name, value, f"variable {name}") for name, value in sorted(environ.items())]
    return found, in_reading_order(findings)


def _values(project: Project) -> dict[str, str]:
    return {
        "name": project.name,
        "timezone": project.timezone,
        "language": project.language,
        "workspace": project.workspace,
        "population": ", ".join(project.population),
        "keep_landed": f"{project.keep_landed_days} days",
        "identifiers": ", ".join(i.name for i in project.identifiers),
        "traits": ", ".join(t.name for t in project.traits),
        "events": ", ".join(e.name for e in project.events),
    }


def _origin(root: Node | None, name: str, environment: str) -> str:
    """The line that sets a value: the environment's block first, then the file's own."""
    for block in _blocks(root, environment):
        key = block.key(name)
        if key is not None:
            return f"{FILE}:{key.location.line}"
    return BUILT_IN


def _blocks(root: Node | None, environment: str) -> Iterator[MappingNode]:
    if not isinstance(root, MappingNode):
        return
    environments = root.get("environments")
    block = environments.get(environment) if isinstance(environments, MappingNode) else None
    if isinstance(block, MappingNode):
        yield block
    yield root


def _told(environ: Mapping[str, str], variable: str) -> str | None:
    return f"variable {variable}" if environ.get(variable) else None
