"""Lists of what a project has: segments, traits, events, sources, destinations, experiments, workflows, runs, tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from segctl.compile.headers import SegmentHeader, segment_headers
from segctl.compile.selection import Selection
from segctl.model.dataclass import dataclass
from segctl.model.project import Definitions, Project
from segctl.model.types import Kind, ValueType
from segctl.operations.expiry import days_left, notice
from segctl.operations.pauses import in_words, paused_now

if TYPE_CHECKING:
    from segctl.model.conditions import ComputedTrait
    from segctl.operations.pauses import Paused
    from segctl.state.inputs import IngestedInput
    from segctl.state.runs import RunSegment
    from segctl.state.workspace import Workspace

Row = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SegmentList:
    """The segments of a project as their files head them.

    Attributes:
        rows: One per selected segment: segment, title, status, members, entered, left, as_of, owner, tags, file;
            `members` and the three after it are None until a run has evaluated the segment.
        unreadable: Files under `segments/` that give no segment.
        notices: Sentences on segments that are paused, end soon, or are made of old data.
    """

    rows: list[Row]
    unreadable: int
    notices: tuple[str, ...] = ()


def segments(project: Project, selection: Selection, now: datetime) -> SegmentList:
    """The segments, with what the newest run in force meant for them. No condition is bound.

    `status` is ``paused`` or ``expired`` at `now` whatever the file says, and ``stale`` where the newest run found the
    inputs older than `fresh` asks for.

    Raises:
        UsageError: A part of the selection fits nothing.
    """
    headers, unreadable = segment_headers(project)
    chosen = _chosen(project, headers, selection) if selection else sorted(headers)
    newest: dict[str, RunSegment] = _with_workspace(project, _newest_movements, {})
    stopped = _with_workspace(project, partial(_stopped, headers=headers), None)
    stale: dict[str, list[str]] = _with_workspace(project, stale_inputs, {})
    rows = []
    for name in chosen:
        segment = headers[name]
        moved = newest.get(name)
        rows.append(
            {
                "segment": name,
                "title": segment.title,
                "status": _status(segment, stopped, now, project.timezone, is_stale=name in stale),
                "members": moved.size if moved else None,
                "entered": moved.entered if moved else None,
                "left": moved.left if moved else None,
                "as_of": moved.as_of if moved else None,
                "owner": segment.owner,
                "tags": list(segment.tags),
                "file": segment.location.file,
            }
        )
    notices = [*_notices(project, [headers[name] for name in chosen], stopped, now)]
    notices += [f"stale: {sentence}" for name in chosen for sentence in stale.get(name, ())]
    return SegmentList(rows, unreadable, tuple(notices))


def _stopped(workspace: Workspace, *, headers: dict[str, SegmentHeader]) -> Paused | None:
    return paused_now(workspace, {name: head.formerly for name, head in headers.items()})


def stale_inputs(workspace: Workspace) -> dict[str, list[str]]:
    """What the newest run says of old inputs, by segment."""
    rows = workspace.query("SELECT note FROM runs WHERE status != 'what_if' ORDER BY number DESC LIMIT 1")
    note = json.loads(rows[0]["note"]) if rows else {}
    return {**note.get("stale", {}), **note.get("held", {})}


def _status(segment: SegmentHeader, stopped: Paused | None, now: datetime, zone: str, *, is_stale: bool) -> str:
    if stopped is not None and segment.name in stopped.segments:
        return "paused"
    days = days_left(segment.expires, now, zone)
    if days is not None and days <= 0:
        return "expired"
    return "stale" if is_stale and segment.status == "active" else segment.status


def _notices(project: Project, heads: Iterable[SegmentHeader], stopped: Paused | None, now: datetime) -> Iterable[str]:
    zone = ZoneInfo(project.timezone)
    if stopped is not None and stopped.everything is not None:
        yield f"all segments are {in_words(stopped.everything, str(stopped.everything.at.astimezone(zone).date()))}"
    for head in heads:
        press = None if stopped is None else stopped.segments.get(head.name)
        if press is not None and press.kind != "all":
            yield f"`{head.name}` is {in_words(press, str(press.at.astimezone(zone).date()))}"
        text = notice(head.name, head.expires, now, project.timezone)
        if text is not None:
            yield text


def _chosen(project: Project, heads: dict[str, SegmentHeader], selection: Selection) -> Iterable[str]:
    # Most lists show everything, and need none of what a selection asks.
    from segctl.operations.selection import chosen_heads

    return chosen_heads(project, heads, selection)


def traits(definitions: Definitions) -> list[Row]:
    """One row per trait, stored and computed: name, title, type, unit, origin, personal, sensitive."""
    stored = [
        {
            "trait": t.name,
            "title": t.title,
            "type": type_words(t.type),
            "unit": t.type.unit,
            "origin": "stored",
            "personal": t.personal,
            "sensitive": t.sensitive,
        }
        for t in definitions.project.traits
    ]
    return stored + [_computed_row(t) for _, t in sorted(definitions.computed.items())]


def events(definitions: Definitions) -> list[Row]:
    """One row per event kind: name, title, properties with their types, rows stored."""
    counts: dict[str, int] = _with_workspace(definitions.project, _event_counts, {})
    return [
        {
            "event": e.name,
            "title": e.title,
            "rows": counts.get(e.name, 0),
            "properties": [f"{name} {type_words(of)}" for name, of in e.properties],
        }
        for e in definitions.project.event_kinds
        if counts.get(e.name) or definitions.project.is_declared(e.name)
    ]


def sources(definitions: Definitions) -> list[Row]:
    """One row per source: name, what it gives, picture, paths, last input and its rows."""
    # Binding sources costs a third of a start, and only this list needs it.
    from segctl.compile.sources import load_sources

    found, _ = load_sources(definitions.project)
    newest: dict[str, IngestedInput] = _with_workspace(definitions.project, _newest_inputs, {})
    rows = []
    for name, source in sorted(found.items()):
        last = newest.get(name)
        rows.append(
            {
                "source": name,
                "gives": source.gives,
                "picture": source.picture,
                "path": list(source.paths) or [source.fetch.kind if source.fetch else "file"],
                "last_input": datetime.fromisoformat(last.seen) if last else None,
                "rows": last.rows if last else None,
                "bad": last.bad if last else None,
            }
        )
    return rows


def runs(definitions: Definitions) -> list[Row]:
    """One row per run, newest first: id, as_of, status, segments, snapshot, started, reproducible."""
    return _with_workspace(definitions.project, _runs, [])


def type_words(value_type: ValueType) -> str:
    """A type as a person would write it: ``list of text``, ``money``."""
    if value_type.kind is Kind.LIST and value_type.element is not None:
        return f"list of {type_words(value_type.element)}"
    if value_type.kind is Kind.STRUCT:
        return "struct(" + ", ".join(f"{name} {type_words(of)}" for name, of in value_type.fields) + ")"
    return value_type.kind.value


def tests(definitions: Definitions) -> list[Row]:
    """One row per case of a test: case, segments, profiles, as_of, file, line.

    Raises:
        UsageError: With every finding in the files under `tests/`.
    """
    from segctl.operations.testing.testing import bound_tests

    cases, _ = bound_tests(definitions)
    return [
        {
            "case": case.name,
            "segments": [expected.segment for expected in case.expectations],
            "profiles": len(case.profiles),
            "as_of": case.as_of,
            "file": case.file,
            "line": case.location.line if case.location else None,
        }
        for case in cases
    ]


def destinations(definitions: Definitions) -> list[Row]:
    """One row per destination, as `destination_facts.destinations` gives it."""
    from segctl.operations.destination_facts import destinations as found

    return found(definitions)


def experiments(definitions: Definitions) -> list[Row]:
    """One row per experiment, as `experiment_facts.experiments` gives it."""
    from segctl.operations.experiment.facts import experiments as found

    return found(definitions)


def content(definitions: Definitions) -> list[Row]:
    """One row per template of messages, as `content_facts.contents` gives it."""
    from segctl.operations.content.facts import contents

    return contents(definitions)


def workflows(definitions: Definitions) -> list[Row]:
    """One row per workflow: name, title, trigger, steps, what it does, status, control, owner, file."""
    from segctl.compile.words_workflows import trigger_words

    language = "de" if definitions.project.language == "de" else "en"
    return [
        {
            "workflow": one.name,
            "title": one.title,
            "trigger": trigger_words(one.trigger, language),  # type: ignore[arg-type]  # one of two languages
            "steps": len(one.nodes),
            "does": list(dict.fromkeys(act.kind for _, act in one.actions)),
            "status": one.status,
            "control": float(one.control),
            "owner": one.owner,
            "file": one.location.file if one.location is not None else None,
        }
        for one in definitions.workflows.values()
    ]


LISTS: dict[str, Callable[[Definitions], list[Row]]] = {
    "traits": traits,
    "events": events,
    "sources": sources,
    "destinations": destinations,
    "experiments": experiments,
    "workflows": workflows,
    "content": content,
    "runs": runs,
    "tests": tests,
}


def _computed_row(trait: ComputedTrait) -> Row:
    return {
        "trait": trait.name,
        "title": trait.title,
        "type": type_words(trait.type),
        "unit": trait.type.unit,
        "origin": "formula" if trait.formula is not None else "events",
        "personal": trait.personal,
        "sensitive": trait.sensitive,
    }


def _with_workspace(project: Project, ask: Callable[[Workspace], T], otherwise: T) -> T:
    from segctl.state.workspace import DATABASE, Workspace

    folder = Path(project.workspace)
    if not (folder / DATABASE).is_file():
        return otherwise
    with Workspace.open(folder) as workspace:
        return ask(workspace)


def _newest_movements(workspace: Workspace) -> dict[str, RunSegment]:
    from segctl.state.runs import run_segment

    rows = workspace.query(
        "SELECT s.name, r.id AS run_id, r.as_of, x.*, max(x.run) FROM run_segments x"
        " JOIN segments s ON s.id = x.segment JOIN runs r ON r.number = x.run"
        " WHERE x.state = 'in_force' AND s.alive GROUP BY x.segment"
    )
    return {row["name"]: run_segment(row) for row in rows}


def _event_counts(workspace: Workspace) -> dict[str, int]:
    counts: dict[str, int] = {}
    for file in workspace.files("events"):
        for kind, rows in file.meta["kinds"].items():
            counts[kind] = counts.get(kind, 0) + rows
    return counts


def _newest_inputs(workspace: Workspace) -> dict[str, IngestedInput]:
    from segctl.state.inputs import inputs

    return {i.source: i for i in sorted(inputs(workspace), key=lambda i: i.id) if i.commit is not None}


def _runs(workspace: Workspace) -> list[Row]:
    from segctl.state.runs import runs as recorded

    return [
        {
            "run": r.id,
            "as_of": r.as_of,
            "status": r.status.value,
            "segments": len(r.definitions),
            "snapshot": r.snapshot,
            "started": r.started,
            "reproducible": r.reproducible,
            "reason": r.note.get("reason"),
        }
        for r in recorded(workspace)
    ]
