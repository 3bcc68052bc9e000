"""Texts kept by digest, each once: what definitions said when a run evaluated them."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from segctl.state.workspace import Workspace

_MOST_ASKED = 500


def text_digest(text: bytes) -> str:
    """SHA-256 (hex), the name a text is kept under."""
    return hashlib.sha256(text).hexdigest()


def keep_texts(workspace: Workspace, texts: Iterable[bytes]) -> None:
    """Keeps texts; those that are kept already cost one look."""
    rows = {text_digest(text): text for text in texts}
    known = {row[0] for row in _rows(workspace, "digest", rows)}
    fresh = [(digest, zlib.compress(text, 6)) for digest, text in rows.items() if digest not in known]
    if fresh:
        with workspace.transaction() as db:
            db.executemany("INSERT OR IGNORE INTO texts (digest, body) VALUES (?, ?)", fresh)


def kept_texts(workspace: Workspace, digests: Iterable[str]) -> dict[str, bytes]:
    """The texts by digest; those that were never kept are left out."""
    return {row["digest"]: zlib.decompress(row["body"]) for row in _rows(workspace, "digest, body", digests)}


def _rows(workspace: Workspace, columns: str, digests: Iterable[str]) -> list[sqlite3.Row]:
    asked = sorted(set(digests))
    found = []
    for start in range(0, len(asked), _MOST_ASKED):
        some = asked[start : start + _MOST_ASKED]
        marks = ", ".join("?" * len(some))
        found += workspace.query(f"SELECT {columns} FROM texts WHERE digest IN ({marks})", some)
    return found
