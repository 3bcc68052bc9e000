"""Which segments a call means, with all that its expressions ask: references, changes since a state, last results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.compile.definitions import load_definitions
from segctl.compile.headers import segment_headers
from segctl.compile.kinds import kinds_of
from segctl.compile.project import load_project
from segctl.compile.references import references
from segctl.compile.selection import Facts, Selection, needs, select
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from segctl.compile.headers import SegmentHeader
    from segctl.model.project import Definitions, Project

_IN_FORCE = """
    SELECT s.name, r.definitions FROM segments s JOIN runs r ON r.number = s.in_force WHERE s.alive
"""
_NEWEST = """
    SELECT s.name, x.state, max(x.run) FROM run_segments x JOIN segments s ON s.id = x.segment
    WHERE x.state != 'removed' GROUP BY x.segment
"""
_RESULTS = {"in_force": "ok"}


def chosen(definitions: Definitions, selection: Selection) -> tuple[str, ...]:
    """Names of the selected segments of a bound project, sorted.

    Raises:
        UsageError: A part that fits nothing, or a state that cannot be read.
    """
    asked = needs(selection.select, selection.exclude)
    segments = definitions.segments
    uses = {name: references(s.where).segments for name, s in segments.items()} if "uses" in asked else {}
    kinds = {name: kinds_of(s.where) for name, s in segments.items()} if "kinds" in asked else {}
    facts = Facts(uses, kinds, *_recorded(definitions.project, definitions, selection, asked))
    return _selected(segments, selection, facts)


def chosen_heads(project: Project, heads: Mapping[str, SegmentHeader], selection: Selection) -> tuple[str, ...]:
    """The same of a project whose conditions are not bound, except where `state:` asks what they mean."""
    asked = needs(selection.select, selection.exclude)
    definitions = load_definitions(project)[0] if "state" in asked else None
    facts = Facts(
        {name: head.uses for name, head in heads.items()},
        {name: head.kinds for name, head in heads.items()},
        *_recorded(project, definitions, selection, asked),
    )
    return _selected(heads, selection, facts)


def selected_files(start: Path, env: str | None, selection: Selection) -> list[Path]:
    """Files of the selected segments, of a project that need not be right.

    Raises:
        UsageError: No project, a part that fits nothing, or a state that cannot be read.
    """
    project, _ = load_project(start, env)
    heads, _ = segment_headers(project)
    return [Path(project.root) / heads[name].location.file for name in chosen_heads(project, heads, selection)]


def _selected(segments: Mapping[str, Any], selection: Selection, facts: Facts) -> tuple[str, ...]:
    return select(
        segments, selection.select, selection.exclude, facts=facts, allow_empty=selection.allow_empty
    )  # fmt: skip


def _recorded(
    project: Project, definitions: Definitions | None, selection: Selection, asked: Iterable[str]
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Digests of today, digests of before, newest results; each only as far as it is asked for."""
    today, before, results = {}, {}, {}
    if "state" in asked and definitions is not None:
        today = {name: segment.digest for name, segment in definitions.segments.items()}
        before = _under_new_names(definitions, digests_before(project, selection.state))
    if "results" in asked:
        rows = _rows(project, _NEWEST)
        results = {row["name"]: _RESULTS.get(row["state"], row["state"]) for row in rows}
    return today, before, results


def digests_before(project: Project, state: str | None) -> dict[str, str]:
    """Digests of meanings by segment: in force, of a run, of a file written by `plan`, or of a Git revision.

    Raises:
        UsageError: No such state.
    """
    if state is None:
        return {row["name"]: digest for row in _rows(project, _IN_FORCE) if (digest := _digest(row)) is not None}
    if Path(state).is_file():
        return _of_file(Path(state))
    run = _rows(project, "SELECT definitions FROM runs WHERE id = ?", state)
    if run:
        return dict(json.loads(run[0]["definitions"]))
    from segctl.operations.revisions import past_definitions

    with past_definitions(project, state) as past:
        return {name: segment.digest for name, segment in past.definitions.segments.items()}


def _digest(row: Mapping[str, Any]) -> str | None:
    found = json.loads(row["definitions"]).get(row["name"])
    return None if found is None else str(found)


def _of_file(path: Path) -> dict[str, str]:
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        document = json.loads(path.read_bytes())
        if str(document["schema"]).startswith("segctl/plan/"):
            return {str(name): str(digest) for name, digest in document["plan"]["definitions"].items()}
    raise UsageError(
        "SEG409", f"`{path}` holds no state to compare with", hint="write one with `segctl plan -f json -o FILE`"
    )


def _under_new_names(definitions: Definitions, before: dict[str, str]) -> dict[str, str]:
    """A renamed segment is no new one."""
    renamed = {
        name: before[old]
        for name, segment in definitions.segments.items()
        for old in segment.formerly
        if name not in before and old in before and old not in definitions.segments
    }
    return before | renamed


def _rows(project: Project, sql: str, *values: str) -> list[Any]:
    from segctl.state.workspace import DATABASE, Workspace

    folder = Path(project.workspace)
    if not (folder / DATABASE).is_file():
        return []
    with Workspace.open(folder) as workspace:
        return workspace.query(sql, values)
