"""Repairs of the ledger of deliveries after its destination was read: what is not there, and what else is there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.state.workspace import Workspace

_FOUND = """
    INSERT INTO delivered (audience, key, profile, state, digest, sent, is_unsure, identifiers, points, known_as, batch)
    VALUES (?, ?, NULL, 'unsure', NULL, NULL, 1, ?, NULL, ?, 0) ON CONFLICT (audience, key) DO NOTHING"""


def doubt(workspace: Workspace, audience: int, keys: Iterable[str]) -> None:
    """These were accepted once and are not there: the next push tells them again, or makes sure that they are out.

    They keep their digest, so being told again is no new contact.
    """
    with workspace.transaction() as db:
        db.executemany(
            "UPDATE delivered SET state = 'unsure', is_unsure = 1"
            " WHERE audience = ? AND key = ? AND state = 'accepted'",
            [(audience, key) for key in keys],
        )


def note_found(workspace: Workspace, audience: int, found: Iterable[tuple[str, Mapping[str, str], str | None]]) -> None:
    """These are there and nobody told the destination: key, identifiers as seen there, id there.

    The next push takes them out, or tells them again where they belong.
    """
    with workspace.transaction() as db:
        db.executemany(
            _FOUND,
            [(audience, key, json.dumps(dict(known), sort_keys=True, ensure_ascii=False), known_as)
             for key, known, known_as in found],
        )  # fmt: skip
