"""The project file `segctl.yaml`: found, read, bound for one environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from segctl.compile import timewords
from segctl.compile.bind import declarations, forms
from segctl.compile.bind.declarations import CLASSES
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.source import ListNode, Mapping, Node, Scalar, compose_file
from segctl.compile.suggest import nearest, one_of
from segctl.model.diagnostics import Diagnostic, Severity, in_reading_order
from segctl.model.errors import UsageError
from segctl.model.project import IdentifierClass, Project

FILE = "segctl.yaml"
DEFAULT_ENVIRONMENT = "dev"
PROJECT_KEYS = (
    "segctl", "name", "timezone", "language", "workspace", "population", "keep_landed", "identifiers", "traits",
    "events", "environments",
)  # fmt: skip
ENVIRONMENT_KEYS = ("workspace", "population", "keep_landed")
_BUILT_IN = {
    "timezone": "UTC",
    "language": "en",
    "workspace": ".segctl",
    "population": "known",
    "keep_landed": "30 days",
}
_SYNONYMS = {
    "version": "segctl", "zone": "timezone", "tz": "timezone", "zeitzone": "timezone", "sprache": "language",
    "attributes": "traits", "envs": "environments", "ids": "identifiers", "keys": "identifiers",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """One value in force and the place that set it.

    Attributes:
        key: Dotted name, such as ``workspace``.
        value: As text.
        origin: ``built-in``, ``segctl.yaml:4``, ``segctl.yaml:70 (environment prod)``.
    """

    key: str
    value: str
    origin: str


def find_project(start: Path) -> Path | None:
    """The folder with a `segctl.yaml`, at or above `start`; the search ends at a repository's root and at home."""
    folder = Path(os.path.abspath(start))
    home = Path(os.path.abspath(Path.home())) if os.environ.get("HOME") else None
    for here in (folder, *folder.parents):
        if (here / FILE).is_file():
            return here
        if (here / ".git").exists() or here == home:
            return None
    return None


def load_project(start: Path, env: str | None = None) -> tuple[Project, list[Diagnostic]]:
    """The project at or above a folder, for one environment.

    Args:
        start: Where the search begins.
        env: Environment; `dev` when None.

    Returns:
        The project, made of all that is right in its file, and what is wrong there.

    Raises:
        UsageError: There is no project, its file cannot be read at all, or it has no such environment.
    """
    root, node, scope = _read(start)
    bound = _bind(node, root, env, scope)
    return bound, list(in_reading_order(scope.diagnostics))


def config_origin(
    start: Path, env: str | None = None, *, env_origin: str = "option --env"
) -> tuple[tuple[Setting, ...], list[Diagnostic]]:
    """Every setting of a project with the place that set it, in the order of the project file's documentation.

    Args:
        start: Where the search begins.
        env: Environment; `dev` when None.
        env_origin: What chose the environment, such as ``option --env`` or ``SEGCTL_ENV``.

    Raises:
        UsageError: As `load_project`.
    """
    root, node, scope = _read(start)
    project = _bind(node, root, env, scope)
    block = _environment_block(node, project.environment)
    values = {
        "name": project.name,
        "timezone": project.timezone,
        "language": project.language,
        "workspace": project.workspace,
        "population": ", ".join(project.population),
        "keep_landed": f"{project.keep_landed_days} days",
    }
    settings = [
        Setting("project", project.root, "the folder with segctl.yaml"),
        Setting("environment", project.environment, "built-in" if env is None else env_origin),
    ]
    settings += [Setting(key, value, _origin(key, node, block, project)) for key, value in values.items()]
    for key in ("identifiers", "traits", "events"):
        declared = node.get(key)
        for name, value in declared.entries if isinstance(declared, Mapping) else ():
            settings.append(Setting(f"{key}.{name.text}", _flat(value), f"{FILE}:{name.location.line}"))
    return tuple(settings), list(in_reading_order(scope.diagnostics))


# --- Reading ----------------------------------------------------------------------------------------------
def _read(start: Path) -> tuple[Path, Mapping, Scope]:
    root = find_project(start)
    if root is None:
        hint = "change into a project, name it with `--project DIR`, or start one with `segctl init`"
        legacy = next((name for name in ("segctl.yml", "segctl.json", "segctl.toml") if (start / name).is_file()), None)
        if legacy is not None:
            hint = (
                f"rename `{legacy}` to `{FILE}`" if legacy.endswith("yml") else f"write `{FILE}` instead of `{legacy}`"
            )
        raise UsageError("SEG105", f"there is no `{FILE}` here or above", hint=hint)
    node, diagnostics = compose_file(root / FILE, FILE)
    if not isinstance(node, Mapping):
        if node is not None:
            message = "the project file is a mapping of keys and values"
            diagnostics.append(
                Diagnostic("SEG212", Severity.ERROR, message, node.location, hint="begin with `segctl: 1`")
            )
        raise UsageError("SEG121", f"`{FILE}` cannot be read", diagnostics=tuple(diagnostics))
    scope = Scope(Project(str(root), root.name))
    scope.diagnostics.extend(diagnostics)
    return root, node, scope


def _bind(node: Mapping, root: Path, env: str | None, scope: Scope) -> Project:
    forms.check_keys(node, PROJECT_KEYS, scope, "the project file", synonyms=_SYNONYMS)
    _check_version(node, scope)
    environment = _environment(node, env, scope)
    block = _environment_block(node, environment)
    name_node, zone_node, language_node = node.get("name"), node.get("timezone"), node.get("language")
    project = Project(
        root=str(root),
        name=(forms.name(name_node, scope, "the project's name") if name_node is not None else None) or root.name,
        timezone=(_zone(zone_node, scope) if zone_node is not None else None) or "UTC",
        environment=environment,
        identifiers=declarations.identifiers(node, scope),
        traits=declarations.stored_traits(node, scope),
        events=declarations.events(node, scope),
    )
    if language_node is not None and forms.choice(language_node, ("de", "en"), scope, "language") == "de":
        project = replace(project, language="de")
    return _with_settings(project, node, block, root, scope)


def _with_settings(project: Project, node: Mapping, block: Mapping | None, root: Path, scope: Scope) -> Project:
    # The project's own values are checked even where the environment has others.
    own = _settings(node, scope)
    special = _settings(block, scope) if block is not None else _Settings()
    workspace = special.workspace or own.workspace or ".segctl"
    days = own.keep_landed_days if special.keep_landed_days is None else special.keep_landed_days
    return replace(
        project,
        workspace=os.path.abspath(root / Path(workspace).expanduser() / project.environment),
        population=special.population or own.population or ("known",),
        keep_landed_days=30 if days is None else days,
    )


@dataclass(frozen=True, slots=True)
class _Settings:
    """What an environment may say differently; None where nothing is said."""

    workspace: str | None = None
    population: tuple[IdentifierClass, ...] | None = None
    keep_landed_days: int | None = None


def _settings(node: Mapping, scope: Scope) -> _Settings:
    workspace, population, keep_landed = (node.get(key) for key in ENVIRONMENT_KEYS)
    return _Settings(
        None if workspace is None else forms.text(workspace, scope, "`workspace`"),
        None if population is None else _population(population, scope),
        None if keep_landed is None else _keep_landed(keep_landed, scope),
    )


def _check_version(node: Mapping, scope: Scope) -> None:
    version = forms.required(node, "segctl", scope, "the project file", example="segctl: 1")
    if version is not None and not (isinstance(version, Scalar) and version.text.strip() == "1"):
        what = shown(version.text) if isinstance(version, Scalar) else "it"
        message = f"{what} is not a version of the project file that this segctl reads"
        scope.error("SEG123", message, version.location, hint="write `segctl: 1`, or install a newer segctl")


def _zone(node: Node, scope: Scope) -> str | None:
    written = forms.text(node, scope, "`timezone`")
    if written is None:
        return None
    try:
        ZoneInfo(written)
    except (KeyError, ValueError, OSError):
        from zoneinfo import available_timezones

        zones = available_timezones()
        city = {zone.rpartition("/")[2]: zone for zone in sorted(zones)}
        near = nearest(written, zones) or city.get(nearest(written.rpartition("/")[2], city) or "")
        hint = f"did you mean `{near}`?" if near else "write an IANA name such as `Europe/Berlin`"
        scope.error("SEG124", f"{shown(written)} is not a time zone", node.location, hint=hint)
        return None
    return written


def _population(node: Node, scope: Scope) -> tuple[IdentifierClass, ...] | None:
    listed = forms.names(node, scope, "`population`")
    if listed is None:
        return None
    chosen = [forms.choice(item, CLASSES, scope, "class of identifiers") for item in listed]
    return tuple(cast("IdentifierClass", name) for name in chosen if name is not None)


def _keep_landed(node: Node, scope: Scope) -> int | None:
    written = forms.text(node, scope, "`keep_landed`")
    if written is None:
        return None
    length = timewords.parse_duration(written, minimum=0)
    if isinstance(length, timewords.Problem):
        scope.error("SEG233", length.message, node.location, hint=length.hint)
        return None
    days = {"days": 1, "weeks": 7}.get(length.unit)
    if days is None or length.calendar:
        scope.error("SEG233", "`keep_landed` is a number of days or weeks", node.location, hint="write `30 days`")
        return None
    return length.amount * days


# --- Environments -----------------------------------------------------------------------------------------
def _environment(node: Mapping, env: str | None, scope: Scope) -> str:
    declared = node.get("environments")
    names: tuple[str, ...] = (DEFAULT_ENVIRONMENT,)
    if declared is not None:
        found = forms.mapping(declared, scope, "`environments`", hint="write `{dev: {}, prod: {}}`")
        entries = found.entries if found is not None else ()
        names = tuple(key.text for key, _ in entries if forms.name(key, scope, "an environment's name")) or names
        for key, block in entries:
            _check_environment(key, block, scope)
    chosen = env or (DEFAULT_ENVIRONMENT if DEFAULT_ENVIRONMENT in names else names[0])
    if chosen not in names:
        near = nearest(chosen, names)
        hint = f"did you mean `{near}`?" if near else f"there is {one_of(names)}; declare others under `environments`"
        raise UsageError("SEG122", f"{shown(chosen)} is not an environment of the project", hint=hint)
    return chosen


def _check_environment(key: Scalar, block: Node, scope: Scope) -> None:
    if isinstance(block, Scalar) and block.is_null:
        return
    what = f"the environment `{key.text[:60]}`"
    found = forms.mapping(block, scope, what, hint="write `{}` for one without settings of its own")
    if found is not None:
        forms.check_keys(found, ENVIRONMENT_KEYS, scope, what)


def _environment_block(node: Mapping, environment: str) -> Mapping | None:
    declared = node.get("environments")
    block = declared.get(environment) if isinstance(declared, Mapping) else None
    return block if isinstance(block, Mapping) else None


def _origin(key: str, node: Mapping, block: Mapping | None, project: Project) -> str:
    own = block.key(key) if block is not None and key in ENVIRONMENT_KEYS else None
    if own is not None:
        return f"{FILE}:{own.location.line} (environment {project.environment})"
    place = node.key(key)
    if place is not None:
        return f"{FILE}:{place.location.line}"
    return "built-in" if key in _BUILT_IN else "the folder's name"


def _flat(node: Node) -> str:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, ListNode):
        return f"[{', '.join(_flat(item) for item in node.items)}]"
    return f"{{{', '.join(f'{key.text}: {_flat(value)}' for key, value in node.entries)}}}"
