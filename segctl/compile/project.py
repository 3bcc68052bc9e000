"""The project file `segctl.yaml`: found, read, bound for one environment."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from segctl.compile import timewords
from segctl.compile.bind import declarations, forms
from segctl.compile.bind.audiences import caps, holdouts, priority_lists
from segctl.compile.bind.declarations import CLASSES
from segctl.compile.bind.declared_related import related
from segctl.compile.bind.identity import identity
from segctl.compile.bind.lint import lint_settings
from segctl.compile.bind.places import declared_places, near_defaults
from segctl.compile.bind.purposes import consent_rules, contact_points, purposes
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.bind.segments import stale_choice
from segctl.compile.source import Mapping, Node, Scalar, compose, compose_file
from segctl.compile.suggest import nearest, one_of
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Severity, in_reading_order
from segctl.model.errors import UsageError
from segctl.model.project import IdentifierClass, Project

FILE = "segctl.yaml"
DEFAULT_ENVIRONMENT = "dev"
PROJECT_KEYS = (
    "segctl", "name", "timezone", "language", "workspace", "population", "keep_landed", "identifiers", "traits",
    "places", "near", "purposes", "consent", "contact_points",
    "events", "related", "identity", "lint", "stale", "priority", "caps", "holdout", "universal_holdout", "reports",
    "environments",
)  # fmt: skip
ENVIRONMENT_KEYS = ("workspace", "population", "keep_landed")
_SYNONYMS = {
    "version": "segctl", "zone": "timezone", "tz": "timezone", "zeitzone": "timezone", "sprache": "language",
    "attributes": "traits", "envs": "environments", "tables": "related", "ids": "identifiers", "keys": "identifiers",
}  # fmt: skip


def find_project(start: Path) -> Path | None:
    """The folder with a `segctl.yaml`, at or above `start`; the search ends at a repository's root and at home."""
    folder = Path(os.path.abspath(start))
    home = Path(os.path.abspath(Path.home())) if os.environ.get("HOME") else None
    for here in (folder, *folder.parents):
        try:
            if (here / FILE).is_file():
                return here
            if (here / ".git").exists() or here == home:
                return None
        except OSError:
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


def bind_project_text(text: str | bytes, root: Path, env: str | None = None) -> tuple[Project, list[Diagnostic]]:
    """`load_project` for a text that is not on disk.

    Args:
        text: Content of a `segctl.yaml`.
        root: Folder it would stand in.
        env: Environment; `dev` when None.
    """
    node, scope = _root(*compose(text, FILE), root)
    return _bind(node, root, env, scope), list(in_reading_order(scope.diagnostics))


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
    return root, *_root(*compose_file(root / FILE, FILE), root)


def _root(node: Node | None, diagnostics: list[Diagnostic], root: Path) -> tuple[Mapping, Scope]:
    if not isinstance(node, Mapping):
        if node is not None:
            message = "the project file is a mapping of keys and values"
            diagnostics.append(
                Diagnostic("SEG212", Severity.ERROR, message, node.location, hint="begin with `segctl: 1`")
            )
        raise UsageError("SEG121", f"`{FILE}` cannot be read", diagnostics=tuple(diagnostics))
    scope = Scope(Project(str(root), root.name))
    scope.diagnostics.extend(diagnostics)
    return node, scope


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
    stale_node = node.get("stale")
    project = replace(project, stale=(stale_choice(stale_node, scope) if stale_node is not None else None) or "refuse")
    tables, groups = related(node, project.traits, scope)
    project = replace(project, related=tables, colleagues=groups, identity=identity(node, project, scope))
    project = replace(project, lint=lint_settings(node, scope), purposes=purposes(node, scope))
    points = contact_points(node, project.identifiers, project.traits, scope)
    project = replace(project, consent=consent_rules(node, scope), contact_points=points)
    limits = caps(node, project.purposes, scope)
    project = replace(project, priority=priority_lists(node, scope), caps=limits, holdout=holdouts(node, scope))
    defaults = near_defaults(node, scope)
    project = replace(project, near=defaults, places=declared_places(node, defaults, scope))
    project = _with_universal(_with_reports(project, node, scope), node, scope)
    return _with_settings(project, node, block, root, scope)


def _with_reports(project: Project, node: Mapping, scope: Scope) -> Project:
    declared = node.get("reports")
    if declared is None:
        return project
    # The language of measures is loaded only where it is used.
    from segctl.compile.bind.reports import report_settings

    return replace(project, reports=report_settings(declared, project, scope))


def _with_universal(project: Project, node: Mapping, scope: Scope) -> Project:
    declared = node.get("universal_holdout")
    if declared is None:
        return project
    from segctl.compile.bind.universal import universal_holdouts

    # Its days are those of the project's zone, which the scope knew nothing of when it was made.
    within = Scope(project, diagnostics=scope.diagnostics)
    return replace(project, universal_holdouts=universal_holdouts(declared, within))


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
