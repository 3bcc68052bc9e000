"""Figures of a source's checks at its last ingest, which the next one is compared with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace

KEY = "checks"
"""Where a commit's note keeps them."""


def last_facts(workspace: Workspace, source: str) -> dict[str, Any]:
    """The figures of the newest commit that has some; empty when there is none."""
    rows = workspace.query(
        "SELECT json_extract(note, '$.checks') FROM commits WHERE kind = 'ingest' AND note IS NOT NULL "
        "AND json_extract(note, '$.source') = ? AND json_extract(note, '$.checks') IS NOT NULL "
        "ORDER BY seq DESC LIMIT 1",
        (source,),
    )
    return json.loads(rows[0][0]) if rows else {}
