"""A first declaration for tracking records: the shape, and the events and traits that segctl.yaml lacks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.compile.bind.declarations import RESERVED_PROPERTIES, RESERVED_SEGMENTS, RESERVED_TRAITS
from segctl.compile.source_nodes import NAME
from segctl.model.errors import UsageError
from segctl.operations.ingest.propose import (
    SAMPLE_ROWS,
    Proposal,
    bound_proposal,
    declarations_text,
    quoted,
    source_name,
)

if TYPE_CHECKING:
    from segctl.connectors.files import Detected
    from segctl.model.project import Project

_LONGEST_NAME = 63
_HEADLESS = 131
"""Columns of Snowplow's enriched TSV, which has no header."""
_MOST_KINDS = 25
_SESSION = {"duration": "integer", "pages": "integer", "events": "integer", "entry_page": "text"}
_IDENTIFIERS = {"user_id": "known", "anonymous_id": "anonymous"}


def propose_tracking(project: Project, path: str) -> Proposal:
    """A declaration for a file of tracking records.

    Args:
        project: Whose identifiers, events and traits are used where names agree.
        path: File, folder, pattern, or ``-`` for standard input.

    Raises:
        UsageError: SEG523, the records have no shape that is known.
    """
    from segctl.connectors.tracking.guessing import guessed, shape_of_records

    records, detected, is_headless = _sample(project, path)
    shape = "snowplow" if is_headless else shape_of_records(records)
    if shape is None:
        hint = "`segctl help tracking` lists the shapes; propose other files with `--as EVENT` or `--as profiles`"
        raise UsageError("SEG523", f"`{path}` holds no tracking records of a known shape", hint=hint)
    found = guessed(shape, records)
    events, properties = _lacking(project, found.events)
    traits = {n: of for n, of in found.traits.items() if _is_free(n, RESERVED_TRAITS) and project.trait(n) is None}
    identifiers = {} if project.identifiers else _IDENTIFIERS
    name = source_name(path, "web")
    text = _yaml(name, path, shape, is_headless=is_headless, has_traits=bool(found.traits))
    extended, source, notes = bound_proposal(project, text, name, traits, events, properties, identifiers)
    kinds = sorted(found.rows.items(), key=lambda entry: (-entry[1], entry[0]))
    shown = ", ".join(f"`{kind}` ({rows:,})" for kind, rows in kinds[:8])
    about = (f"shape {shape}: what the first records have", f"events in the first records: {shown}")
    declarations = declarations_text(traits, events, properties, identifiers)
    return Proposal(
        name, text, declarations, traits, events, properties, identifiers, (*detected.why, *about, *notes), extended,
        source,
    )  # fmt: skip


def _sample(project: Project, path: str) -> tuple[list[dict[str, Any]], Detected, bool]:
    from segctl.connectors.files import ReadOptions, detect, expand
    from segctl.connectors.files.records import read_records
    from segctl.connectors.tracking import shape_of
    from segctl.operations.ingest.source import existing

    first = existing(expand(Path(project.root), path)[0])
    detected = detect(first, ReadOptions(records=""))
    is_headless = detected.format == "csv" and len(detected.columns) == _HEADLESS
    if is_headless:
        columns = shape_of("snowplow").columns
        detected = detect(first, ReadOptions(header=False, columns=columns, delimiter="\t", quote=""))
    batch = next(read_records(first, detected, batch_rows=SAMPLE_ROWS), None)
    if batch is None or not batch.records:
        raise UsageError("SEG316", f"`{path}` has no rows to learn from", hint="name a file with rows")
    return list(batch.records), detected, is_headless


def _lacking(
    project: Project, found: dict[str, dict[str, str]]
) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Events that are not declared, and properties that declared ones lack."""
    events: dict[str, dict[str, str]] = {}
    properties: dict[str, dict[str, str]] = {}
    for kind, names in found.items():
        if not _is_free(kind, RESERVED_SEGMENTS):
            continue
        free = {name: of for name, of in names.items() if _is_free(name, RESERVED_PROPERTIES)}
        event = project.event(kind)
        if event is None:
            if len(events) < _MOST_KINDS:
                events[kind] = free
            continue
        lacking = {name: of for name, of in free.items() if event.property_type(name) is None}
        if lacking:
            properties[kind] = lacking
    if project.event("session") is None:
        events["session"] = _SESSION
    return events, properties


def _is_free(name: str, reserved: frozenset[str]) -> bool:
    return NAME.match(name) is not None and len(name) <= _LONGEST_NAME and name not in reserved


def _yaml(name: str, path: str, shape: str, *, is_headless: bool, has_traits: bool) -> str:
    lines = [f"source: {name}", f"path: {quoted(path)}", f"tracking: {shape}"]
    if is_headless:
        lines.append("csv: {header: false}")
    if has_traits and shape != "segment":
        lines.append("profiles: all")
    lines.append("max_bad_rows: 1 %")
    return "\n".join(lines) + "\n"
