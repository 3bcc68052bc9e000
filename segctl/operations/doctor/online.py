"""Try a source or destination: is it there, does it accept who asks, does it have what the declaration names?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.compile.files import source_names
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.model.secrets import masked
from segctl.operations.doctor.doctor import Check
from segctl.operations.doctor.mask import without_personal
from segctl.operations.doctor.table import try_table

if TYPE_CHECKING:
    from segctl.model.sources import Source

SHOWN_RECORDS = 3
_WITH_COLUMNS = ("database", "table")
"""Kinds of sources whose records all have the same columns."""


@dataclass(frozen=True, slots=True)
class OnlineResult:
    """What a try of a source or destination showed.

    Attributes:
        kind: ``source`` or ``destination``.
        checks: In the order they were made.
        records: The first records, secrets masked.
        is_masked: Values that may be personal are hidden in them.
    """

    checks: tuple[Check, ...]
    records: tuple[Mapping[str, Any], ...]
    is_masked: bool = False
    kind: str = "source"


def try_thing(start: Path, name: str, *, env: str | None, now: datetime, show_personal: bool = False) -> OnlineResult:
    """Tries the source or destination of that name; `source:` or `destination:` before it tells which, if both have it.

    Raises:
        UsageError: Neither has the name, or there are findings in a declaration.
    """
    from segctl.operations.doctor.destination import try_destination
    from segctl.operations.session import bound_definitions

    kind, _, bare = name.rpartition(":")
    if kind == "source":
        return try_source(start, bare, env=env, now=now, show_personal=show_personal)
    definitions, _ = bound_definitions(start, env=env)
    is_source = bare in source_names(definitions.project)
    if kind == "destination" or (bare in definitions.destinations and not is_source):
        return OnlineResult(tuple(try_destination(definitions, bare, now=now)), (), kind="destination")
    return try_source(start, bare, env=env, now=now, show_personal=show_personal)


def try_source(start: Path, name: str, *, env: str | None, now: datetime, show_personal: bool = False) -> OnlineResult:
    """Asks a source for a page and keeps nothing.

    Args:
        start: Folder of the project, or below.
        name: Of the source.
        env: Environment.
        now: Present time, aware.
        show_personal: Records as they came; otherwise only what is declared and not personal keeps its value.

    Raises:
        UsageError: No such source, a source of files, or findings in a declaration.
    """
    from segctl.connectors.sources.base import Around
    from segctl.operations.ingest.fetch import connected
    from segctl.operations.ingest.ingest import chosen_sources, sources_of
    from segctl.operations.project import bound_project, refuse_errors

    project, findings = bound_project(start, env=env)
    refuse_errors(findings)
    source = chosen_sources(sources_of(project), [name])[0]
    if source.fetch is None:
        hint = f"`segctl ingest {name} --dry-run` reads them without taking anything"
        raise UsageError("SEG384", f"`{name}` reads files, so there is nothing to reach", hint=hint)
    if source.fetch.kind == "table":
        trial = try_table(project, source, SHOWN_RECORDS)
    else:
        around = Around(source.name, Path(project.root), now, zone=project.timezone, workspace=Path(project.workspace))
        trial = connected(source, source.fetch, around).check(SHOWN_RECORDS)
    checks = [Check(p.name, p.status, masked(p.detail), None if p.hint is None else masked(p.hint))
              for p in trial.probes]  # fmt: skip
    records = tuple(json.loads(masked(json.dumps(record, ensure_ascii=False))) for record in trial.records)
    shown = records[:SHOWN_RECORDS]
    if not show_personal:
        shown = tuple(without_personal(project, source, record) for record in shown)
    return OnlineResult((*checks, *_columns(source, records)), shown, is_masked=not show_personal and bool(shown))


def _columns(source: Source, records: tuple[Mapping[str, Any], ...]) -> list[Check]:
    """Whether the records hold what the declaration reads."""
    from segctl.compile.source_nodes import nearest
    from segctl.connectors.http.json_paths import MISSING, at
    from segctl.model.sources import needed_columns

    # Of tracking records the shape reads what it knows.
    if not records or source.tracking is not None:
        return []
    wanted = needed_columns(source)
    lacking = [name for name in wanted if all(at(record, name) is MISSING for record in records)]
    if lacking:
        names = ", ".join(f"`{name}`" for name in lacking)
        if source.fetch is not None and source.fetch.kind in _WITH_COLUMNS:
            return [Check("columns", "problem", f"there is no {names}", nearest(lacking[0], records[0]))]
        hint = "services leave out what is empty; otherwise correct the names in the declaration"
        return [Check("columns", "note", f"none of the first records has {names}", hint)]
    return [Check("columns", "ok", f"all {len(wanted)} that the declaration names")]
