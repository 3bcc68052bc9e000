"""What a source declares and what came from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.compile.sources import load_sources
from segctl.operations.things import unknown_thing

if TYPE_CHECKING:
    from segctl.model.sources import Source
    from segctl.operations.session import Session


def _reached(session: Session, source: Source) -> dict[str, Any]:
    """How far a fetched source has come."""
    from segctl.state.bookmarks import bookmark

    mark = None if source.fetch is None else bookmark(session.workspace, source.name)
    if mark is None:
        return {}
    return {"fetched_at": session.local(datetime.fromisoformat(mark.at)), "cursor": mark.cursor}


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """One source.

    Attributes:
        facts: What it declares, for showing.
        inputs: One row per ingested input, newest first: path, time, rows, good, bad, digest.
    """

    facts: dict[str, Any]
    inputs: list[tuple[Any, ...]]


def source_facts(session: Session, name: str) -> SourceFacts:
    """The declaration of a source and the inputs that were read.

    Raises:
        UsageError: No such source.
    """
    from segctl.state.inputs import inputs

    found, _ = load_sources(session.project)
    source = found.get(name)
    if source is None:
        raise unknown_thing("source", name, list(found))
    facts = {
        "source": name,
        "gives": source.gives,
        "picture": source.picture,
        "path": list(source.paths) or None,
        "kind": "file" if source.fetch is None else source.fetch.kind,
        **_reached(session, source),
        "key": [id_type for id_type, _ in source.key],
        "declared_in": source.file,
    }
    rows = [
        (i.path, session.local(datetime.fromisoformat(i.seen)), i.rows, i.good, i.bad, i.digest[:12])
        for i in sorted(inputs(session.workspace, name), key=lambda i: -i.id)
        if i.commit is not None
    ]
    return SourceFacts(facts, rows)
