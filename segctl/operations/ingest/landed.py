"""Input files kept as they arrived, compressed, for as long as the project says."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segctl.state.files import NewFile
    from segctl.state.workspace import Workspace

LARGEST_BYTES = 256 * 1024 * 1024
"""A larger file stays only where it is."""
_PIECE_BYTES = 4 * 1024 * 1024
_PIECES = 8
_LANDED = "landed/"


def landed_dataset(source: str) -> str:
    """Dataset with the input files of a source, as they arrived."""
    return f"{_LANDED}{source}"


def land(workspace: Workspace, source: str, path: Path, *, shown: str, digest: str, now: datetime) -> list[NewFile]:
    """Copies of a file's bytes, in parts: columns ``offset`` Int64 and ``bytes`` Binary, in order.

    Bytes that are there already are not copied again.
    """
    import polars as pl

    dataset = landed_dataset(source)
    if any(file.meta.get("digest") == digest for file in workspace.files(dataset)):
        return []
    parts: list[NewFile] = []
    with path.open("rb") as file:
        while True:
            start = file.tell()
            pieces: list[bytes] = []
            while len(pieces) < _PIECES and (piece := file.read(_PIECE_BYTES)):
                pieces.append(piece)
            if not pieces and parts:
                return parts
            offsets = [start + _PIECE_BYTES * i for i in range(len(pieces))]
            frame = pl.DataFrame({"offset": offsets, "bytes": pieces}, schema={"offset": pl.Int64, "bytes": pl.Binary})
            meta = {"digest": digest, "path": shown, "part": len(parts), "at": now.isoformat()}
            parts.append(workspace.write(dataset, frame, meta))


def forget_outlived(workspace: Workspace, *, now: datetime, days: int) -> int:
    """Deletes the landed files of all sources, also of those no longer declared, that are older than they may be.

    Nothing but a replay reads them, so they do not wait for a vacuum.

    Args:
        workspace: Where.
        now: Present time, aware.
        days: How long they are kept.

    Returns:
        How many files are gone.
    """
    from segctl.state.vacuum import delete

    oldest = now - timedelta(days=days)

    def is_outlived(dataset: str, meta: dict[str, Any]) -> bool:
        return dataset.startswith(_LANDED) and datetime.fromisoformat(meta["at"]) < oldest

    return delete(workspace, is_outlived, kind="forget")
